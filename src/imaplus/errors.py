"""The hierarchy of errors: one base, then grouped by cause.

ImapError
|-- UsageError            wrong call: raised before anything is sent
|   `-- StateError, CapabilityMissing, NoMechanism, InvalidArgument, UidValidityChanged
|-- CommandError          the server did not carry out a command
|   |-- Refused           NO, by response code (RFC 9051, 7.1; RFC 5530)
|   `-- Rejected          BAD
|-- NoSuchMessage         the mailbox has no such message
|-- ProtocolError         the server violated the grammar or exceeded a limit
`-- ConnectionLost        and TimedOut, TlsFailed, ProxyFailed, OutcomeUnknown
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, TypeVar, overload

__all__ = [
    "AlreadyExists",
    "AuthenticationFailed",
    "CapabilityMissing",
    "CommandError",
    "ConnectionLost",
    "ImapError",
    "InvalidArgument",
    "MechanismWithdrawn",
    "MessageRefused",
    "NoMechanism",
    "NoSuchMailbox",
    "NoSuchMessage",
    "NotPermitted",
    "OAuthFailure",
    "OutcomeUnknown",
    "OverQuota",
    "PartlyDone",
    "ProtocolError",
    "ProxyFailed",
    "Refused",
    "Rejected",
    "StateError",
    "Throttled",
    "TimedOut",
    "TlsFailed",
    "TooLarge",
    "UidValidityChanged",
    "UnknownCharset",
    "UsageError",
]

LONGEST_QUOTED = 300
"""Limit on the characters of a server's line in an error message."""


@overload
def shorten(line: str, most: int = ...) -> str: ...
@overload
def shorten(line: bytes, most: int = ...) -> bytes: ...
def shorten(line: Any, most: int = LONGEST_QUOTED) -> Any:
    """Shorten a line to `most` characters: keep its beginning and its end."""
    if len(line) <= most:
        return line
    gap: Any = b" [...] " if isinstance(line, bytes) else " [...] "
    begin = (most - len(gap)) * 2 // 3
    return line[:begin] + gap + line[len(line) - (most - len(gap) - begin) :]


def quote(line: str | bytes, most: int = LONGEST_QUOTED) -> str:
    """Quote a line of the server for an error message: in quotes, shortened, printable."""
    if isinstance(line, str):
        return repr(shorten(line, most))
    line = shorten(line, most)  # before decoding: it may have megabytes
    try:
        return repr(line.decode())
    except UnicodeDecodeError:
        return repr(line.decode("latin-1"))


def add_last_words(text: str, last_words: tuple[str, ...]) -> str:
    """Append the server's last words to the text of an error."""
    return f"{text}; the server said {', '.join(map(quote, last_words))}" if last_words else text


def _restore(kind: type[ImapError], arguments: tuple[Any, ...]) -> ImapError:
    """Create an error without attributes; pickle and copy add them."""
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    return error


class ImapError(Exception):
    """The base class of all errors of imaplus. All can be pickled and copied.

    `last_words` holds up to three lines that the server sent while the command was in flight and
    that did not answer it: untagged NO, BAD and BYE, alerts, and lines that are not IMAP. `str()`
    quotes them.
    """

    last_words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return add_last_words(super().__str__(), self.last_words)

    def __reduce__(self) -> tuple[Any, ...]:
        # `args` holds the message, not the arguments of __init__.
        return _restore, (type(self), self.args), self.__dict__ or None


class UsageError(ImapError):
    """The call is wrong, or the server does not support it. Nothing has been sent."""


class StateError(UsageError):
    """The connection is not in a state that allows this command (RFC 9051, 3)."""


class CapabilityMissing(UsageError):
    """The server does not offer the capability that this call needs."""

    def __init__(self, capability: str, what: str = "this command") -> None:
        super().__init__(f"the server does not offer {capability}, which {what} needs")
        self.capability = capability


class NoMechanism(CapabilityMissing):
    """Client and server have no login mechanism in common. No secret has been sent.

    `offered` are the SASL mechanisms that the server offers on this connection.
    """

    def __init__(self, message: str, offered: tuple[str, ...] = ()) -> None:
        UsageError.__init__(self, message)
        self.capability = "AUTH"
        self.offered = offered


class MechanismWithdrawn(NoMechanism):
    """The server no longer offers a stronger mechanism that it offered before.

    An attacker in between may have removed it, to receive the password itself (RFC 5802, 9). No
    secret has been sent. If the server was reconfigured, call `LoginMemory.forget()`, or name the
    mechanisms to use in `mechanisms=`. `withdrawn` is the missing mechanism.
    """

    def __init__(self, withdrawn: str, offered: tuple[str, ...] = ()) -> None:
        super().__init__(
            f"cannot log in: the server offered {withdrawn} before, and now offers "
            f"{', '.join(offered) or 'nothing'}. If it was reconfigured, call "
            "LoginMemory.forget(), or name the mechanisms to use",
            offered,
        )
        self.withdrawn = withdrawn


class InvalidArgument(UsageError, ValueError):
    """An argument cannot be expressed in IMAP."""


class UidValidityChanged(UsageError):
    """UIDVALIDITY has changed: cached UIDs mean other messages now (RFC 9051, 2.3.1.1).

    `expected` is the previous UIDVALIDITY, `found` the new one, or None if the server does not
    report one.
    """

    def __init__(self, mailbox: str, expected: int, found: int | None) -> None:
        super().__init__(
            f"UIDVALIDITY of {mailbox!r} is {found or 'unknown'}, not {expected}: cached "
            "UIDs are invalid"
        )
        self.mailbox = mailbox
        self.expected = expected
        self.found = found


class CommandError(ImapError):
    """The server did not carry out a command.

    `command` is the name of the command ("APPEND"), `status` is "NO" or "BAD", `code` the response
    code in capitals ("OVERQUOTA") or None, `argument` the text after the code, as the server wrote
    it ("imap://example.org/"), or None, `data` the argument's typed value, if imaplus knows the
    code, or None, and `text` the server's human-readable text.
    """

    def __init__(
        self,
        command: str,
        status: str,
        code: str | None,
        text: str,
        data: object = None,
        *,
        argument: str | None = None,
    ) -> None:
        if argument is None and isinstance(data, str):
            argument = data
        self.command = command
        self.status = status
        self.code = code
        self.text = text
        self.data = data
        self.argument = argument
        super().__init__(f"{command}: {status} {shorten(self.line)}".rstrip())

    @property
    def line(self) -> str:
        """The server's text with the response code: "[OVERQUOTA] The mailbox is full"."""
        if not self.code:
            return self.text
        code = f"{self.code} {self.argument}" if self.argument else self.code
        return f"[{code}] {self.text}".rstrip()

    def retype(self, kind: type[C], text: str | None = None) -> C:
        """Convert to another class of error, optionally with another text."""
        same = self.command, self.status, self.code, self.text if text is None else text
        error = kind(*same, self.data, argument=self.argument)
        error.last_words = self.last_words
        error.__cause__ = self
        return error


C = TypeVar("C", bound=CommandError)


class Rejected(CommandError):
    """BAD: the server did not understand the command. The client or the server has a bug."""


class Refused(CommandError):
    """NO: the server understood the command and did not carry it out.

    A subclass names its response codes:
    `class OverQuota(Refused, codes=("OVERQUOTA",))`.
    """

    by_code: ClassVar[dict[str, type[Refused]]] = {}

    def __init_subclass__(cls, codes: tuple[str, ...] = (), **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        for code in codes:
            Refused.by_code[code] = cls


class NoSuchMailbox(Refused, codes=("NONEXISTENT", "TRYCREATE")):
    """The mailbox does not exist (RFC 5530; RFC 9051, 7.1)."""


class AlreadyExists(Refused, codes=("ALREADYEXISTS",)):
    """A mailbox of this name already exists (RFC 5530)."""


class OAuthFailure(NamedTuple):
    """Why the server refused a token, from its error message in the login (RFC 7628, 3.2.2).

    `status` is "invalid_token", "insufficient_scope" or the like, or a number as text from Google
    ("400"); `schemes` are the kinds of token that the server accepts ("Bearer"), `scope` the scope
    that a token needs, and `openid_configuration` the URL of the provider's configuration. All but
    the status may be empty. `text` is the server's whole message. Tokens in it appear as `***`.
    """

    status: str
    schemes: str = ""
    scope: str = ""
    openid_configuration: str = ""
    text: str = ""

    @property
    def is_stale(self) -> bool:
        """Whether a new token may help: this one is expired, revoked or malformed."""
        return self.status in ("invalid_token", "400", "401")


class AuthenticationFailed(
    Refused,
    codes=("AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED"),
):
    """The server rejected the credentials (RFC 5530).

    A server may offer a mechanism that cannot work for this user: if it stores the password as a
    crypt(3) hash, SCRAM fails, and only PLAIN and LOGIN work. No weaker mechanism is tried
    automatically; name the one to use by `mechanisms=` of `connect()`.
    """

    mechanism: str | None = None
    """The refused mechanism, in capitals; "LOGIN" also stands for the LOGIN command."""
    others: tuple[str, ...] = ()
    """The other mechanisms that both sides support, strongest first."""
    oauth: OAuthFailure | None = None
    """Why a token was refused, if the server said so in its JSON (RFC 7628, 3.2.2)."""

    def __str__(self) -> str:
        said = super().__str__()
        if not self.others:
            return said
        others = ", ".join(self.others)
        return f"{said} ({self.mechanism} was refused; both sides also support {others})"


class NotPermitted(Refused, codes=("NOPERM",)):
    """The user lacks the right to do this (RFC 5530)."""


class OverQuota(Refused, codes=("OVERQUOTA",)):
    """The operation would exceed a quota (RFC 5530; RFC 9208)."""


class TooLarge(Refused, codes=("TOOBIG", "LIMIT")):
    """The message or the request exceeds a limit of the server (RFC 7889; RFC 5530)."""


class PartlyDone(Refused, codes=("MESSAGELIMIT",)):
    """The command concerned more messages than the server allows in one command (RFC 9738).

    `status` is "OK" if the server processed the messages from the highest UID down to `uid`, and
    "NO" if it processed none. Methods of the clients continue below `uid`, or in smaller portions,
    and raise this only if that fails.

    Pickling and copying leave out `part` (it is None then): it may be large, or belong to the
    connection.
    """

    __slots__ = ("_part",)  # not in `__dict__`, so that it is not pickled

    @property
    def limit(self) -> int | None:
        """Number of messages that one command may concern; None if not reported."""
        return getattr(self.data, "limit", None)

    @property
    def uid(self) -> int | None:
        """Lowest UID that was processed; None if not reported."""
        return getattr(self.data, "uid", None)

    @property
    def part(self) -> Any:
        """The result for the messages that were processed; None if none were."""
        return getattr(self, "_part", None)

    @part.setter
    def part(self, result: object) -> None:
        self._part = result


class MessageRefused(Refused):
    """The server does not accept this message: NUL bytes, an invalid header, too long lines.

    Servers give the reason only as text (quirk 81): see `text`.
    """


class UnknownCharset(Refused, codes=("BADCHARSET",)):
    """The server does not support this charset in SEARCH (RFC 9051, 7.1)."""


class Throttled(Refused, codes=("UNAVAILABLE", "INUSE", "THROTTLED")):
    """The server is busy, or limits this client: try again later (RFC 5530).

    `retry_after` is the number of seconds to wait, or None if the server does not say.
    """

    retry_after: float | None = None


class ProtocolError(ImapError):
    """The server violated the grammar, or sent more than a limit allows."""


class ConnectionLost(ImapError, OSError):
    """The connection ended or could not be made. `bye` is the text of the server's BYE, or None."""

    def __init__(self, message: str, bye: str | None = None) -> None:
        super().__init__(f"{message}: {shorten(bye)}" if bye else message)
        self.bye = bye


class OutcomeUnknown(ConnectionLost):
    """The connection ended while messages were being added: they may have been stored, or not.

    Search for them (for instance by Message-ID) before trying again, to avoid duplicates.
    """


class TimedOut(ConnectionLost, TimeoutError):
    """A time limit was exceeded; the connection is closed."""


class TlsFailed(ConnectionLost):
    """TLS could not be established: certificate, host name, protocol or ALPN."""


class ProxyFailed(ConnectionLost):
    """The proxy cannot be reached, or does not connect to the server.

    `proxy` is its URL, without user and password.
    """

    def __init__(self, message: str, proxy: str = "") -> None:
        super().__init__(message)
        self.proxy = proxy


class NoSuchMessage(ImapError, LookupError):
    """The mailbox has no such message, or the message no such part. It may have been expunged."""

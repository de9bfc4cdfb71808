"""The tree of errors: one base, then by whose fault it is.

ImapError
|-- UsageError            the caller's: raised before anything is written
|   `-- StateError, CapabilityMissing, NoMechanism, InvalidArgument, UidValidityChanged
|-- CommandError          the server did not carry out a command
|   |-- Refused           NO, by response code (RFC 9051, 7.1; RFC 5530)
|   `-- Rejected          BAD
|-- NoSuchMessage         the mailbox has no such message
|-- ProtocolError         the server broke the grammar or a limit
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
"""Characters of a server's line that an error message shows: enough for any sentence."""


@overload
def shortened(line: str, most: int = ...) -> str: ...
@overload
def shortened(line: bytes, most: int = ...) -> bytes: ...
def shortened(line: Any, most: int = LONGEST_QUOTED) -> Any:
    """A line of at most `most` characters: the beginning and the end of a longer one."""
    if len(line) <= most:
        return line
    gap: Any = b" [...] " if isinstance(line, bytes) else " [...] "
    begin = (most - len(gap)) * 2 // 3
    return line[:begin] + gap + line[len(line) - (most - len(gap) - begin) :]


def quoted(line: str | bytes, most: int = LONGEST_QUOTED) -> str:
    """A line of the server's as an error message shows it: in quotes, shortened, printable."""
    if isinstance(line, str):
        return repr(shortened(line, most))
    line = shortened(line, most)  # before it is decoded: it may be megabytes
    try:
        return repr(line.decode())
    except UnicodeDecodeError:
        return repr(line.decode("latin-1"))


def told(text: str, last_words: tuple[str, ...]) -> str:
    """The text of an error, with the server's last words behind it."""
    return f"{text}; the server said {', '.join(map(quoted, last_words))}" if last_words else text


def _remade(kind: type[ImapError], arguments: tuple[Any, ...]) -> ImapError:
    """An error without its attributes, which pickle and copy add."""
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    return error


class ImapError(Exception):
    """The base of every error that imaplus raises. All can be pickled and copied.

    `last_words` are up to three lines that the server sent while the command waited and that did
    not answer it: untagged NO, BAD and BYE, alerts, and lines that are not IMAP. `str()` quotes
    them.
    """

    last_words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return told(super().__str__(), self.last_words)

    def __reduce__(self) -> tuple[Any, ...]:
        # What __init__ was called with is not in `args`, which has the message.
        return _remade, (type(self), self.args), self.__dict__ or None


class UsageError(ImapError):
    """The call is wrong, or the server cannot do it; nothing has been written."""


class StateError(UsageError):
    """The connection is not in a state that allows this command (RFC 9051, 3)."""


class CapabilityMissing(UsageError):
    """The server does not offer the capability that this call needs."""

    def __init__(self, capability: str, what: str = "this command") -> None:
        super().__init__(f"the server does not offer {capability}, which {what} needs")
        self.capability = capability


class NoMechanism(CapabilityMissing):
    """There is no way to log in that both sides accept; no secret has been sent.

    `offered` are the SASL mechanisms that the server offers on this connection.
    """

    def __init__(self, message: str, offered: tuple[str, ...] = ()) -> None:
        UsageError.__init__(self, message)
        self.capability = "AUTH"
        self.offered = offered


class MechanismWithdrawn(NoMechanism):
    """The server no longer offers the mechanism by which we would have logged in before.

    Somebody in between may have left it out, to be sent a secret (RFC 5802, 9). No secret has been
    sent. If the server has changed on purpose, tell `LoginMemory.forget()`, or name the mechanisms
    to use in `mechanisms=`. `withdrawn` is the mechanism.
    """

    def __init__(self, withdrawn: str, offered: tuple[str, ...] = ()) -> None:
        super().__init__(
            f"cannot log in: the server offered {withdrawn} before, and now offers "
            f"{', '.join(offered) or 'nothing'}. If it has changed, forget what it offered "
            "(LoginMemory.forget), or name the mechanisms to use",
            offered,
        )
        self.withdrawn = withdrawn


class InvalidArgument(UsageError, ValueError):
    """An argument cannot be expressed in IMAP."""


class UidValidityChanged(UsageError):
    """UIDVALIDITY has changed: cached UIDs mean other messages now (RFC 9051, 2.3.1.1).

    `expected` is the UIDVALIDITY from before, `found` the new one, or None if the server tells
    none.
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
        super().__init__(f"{command}: {status} {shortened(self.line)}".rstrip())

    @property
    def line(self) -> str:
        """The server's text with the response code: "[OVERQUOTA] The mailbox is full"."""
        if not self.code:
            return self.text
        code = f"{self.code} {self.argument}" if self.argument else self.code
        return f"[{code}] {self.text}".rstrip()

    def retyped(self, kind: type[C], text: str | None = None) -> C:
        """The same error in another class, perhaps with another text."""
        told = self.command, self.status, self.code, self.text if text is None else text
        error = kind(*told, self.data, argument=self.argument)
        error.last_words = self.last_words
        error.__cause__ = self
        return error


C = TypeVar("C", bound=CommandError)


class Rejected(CommandError):
    """BAD: the server did not understand the command; a bug in one of the two."""


class Refused(CommandError):
    """NO: the server understood and declined.

    A subclass names the response codes it stands for:
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
    """The mailbox to be created exists already (RFC 5530)."""


class OAuthFailure(NamedTuple):
    """Why a token was refused, as the server said inside the exchange (RFC 7628, 3.2.2).

    `status` is "invalid_token", "insufficient_scope" or the like, or a number as text from Google
    ("400"); `schemes` are the kinds of token that the server takes ("Bearer"), `scope` what a token
    needs, and `openid_configuration` a URL at which to learn how to get one; all but the status may
    be empty. `text` is all that the server said, in words. The token is `***` in all of them.
    """

    status: str
    schemes: str = ""
    scope: str = ""
    openid_configuration: str = ""
    text: str = ""

    @property
    def is_stale(self) -> bool:
        """Whether another token may do: this one has expired, was revoked or is malformed."""
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
    """The mechanism that was refused, in capitals; "LOGIN" also stands for the command."""
    others: tuple[str, ...] = ()
    """The other mechanisms that both sides have, strongest first."""
    oauth: OAuthFailure | None = None
    """Why a token was refused, if the server said so in its JSON (RFC 7628, 3.2.2)."""

    def __str__(self) -> str:
        said = super().__str__()
        if not self.others:
            return said
        others = ", ".join(self.others)
        return f"{said} ({self.mechanism} was refused; both sides also have {others})"


class NotPermitted(Refused, codes=("NOPERM",)):
    """The user's rights do not suffice (RFC 5530)."""


class OverQuota(Refused, codes=("OVERQUOTA",)):
    """The operation would exceed a quota (RFC 5530; RFC 9208)."""


class TooLarge(Refused, codes=("TOOBIG", "LIMIT")):
    """The message, or the request, is larger than the server allows (RFC 7889; RFC 5530)."""


class PartlyDone(Refused, codes=("MESSAGELIMIT",)):
    """The command concerned more messages than the server allows in one command (RFC 9738).

    `status` is "OK" if a part was done, from the highest UID down to `uid`, and "NO" if nothing
    was. Methods of the clients continue by themselves, below `uid` or in smaller portions, and
    raise this only if that fails.

    Pickling and copying leave out `part` (it is None then): it may be large, or belong to the
    connection.
    """

    __slots__ = ("_part",)  # and so not in `__dict__`, which is what travels

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
        """The result of the part that was done; None if nothing was."""
        return getattr(self, "_part", None)

    @part.setter
    def part(self, result: object) -> None:
        self._part = result


class MessageRefused(Refused):
    """The server does not take this message: NUL bytes, an invalid header, too long lines.

    Quirk 81: servers say so in words only, which are in `text`.
    """


class UnknownCharset(Refused, codes=("BADCHARSET",)):
    """The server does not search in this charset (RFC 9051, 7.1)."""


class Throttled(Refused, codes=("UNAVAILABLE", "INUSE", "THROTTLED")):
    """The server is busy, or limits us: try again later (RFC 5530).

    `retry_after` is the number of seconds to wait, or None if the server does not say.
    """

    retry_after: float | None = None


class ProtocolError(ImapError):
    """The server broke the grammar, or sent more than a limit allows."""


class ConnectionLost(ImapError, OSError):
    """The connection ended or could not be made. `bye` is the text of the server's BYE, or None."""

    def __init__(self, message: str, bye: str | None = None) -> None:
        super().__init__(f"{message}: {shortened(bye)}" if bye else message)
        self.bye = bye


class OutcomeUnknown(ConnectionLost):
    """The connection ended while messages were being added: they may be there, or not.

    Look before trying again (by Message-ID, say), or they may be there twice.
    """


class TimedOut(ConnectionLost, TimeoutError):
    """A time limit was exceeded; the connection is closed."""


class TlsFailed(ConnectionLost):
    """TLS could not be established: certificate, host name, protocol or ALPN."""


class ProxyFailed(ConnectionLost):
    """The proxy cannot be reached, or does not connect to the server. `proxy` is its URL, without
    user and password."""

    def __init__(self, message: str, proxy: str = "") -> None:
        super().__init__(message)
        self.proxy = proxy


class NoSuchMessage(ImapError, LookupError):
    """The mailbox has no such message, or the message no such part; it may be expunged by now."""

"""The pull machine: a command goes out, and responses are read until its tagged one has come.

Programs call these methods, override them, and change the attributes at any time: nothing is
remembered elsewhere that an attribute says. It knows the form of commands, and nothing of what any
of them means but that LOGIN and AUTHENTICATE carry secrets.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from imaplus.errors import ImapError, shorten
from imaplus.imaplib._arguments import Literal, Pieces
from imaplus.imaplib._asked import ASKED, EVERYTHING
from imaplus.imaplib._log import secrets_in
from imaplus.imaplib._public import public
from imaplus.imaplib._quoting import Quoting
from imaplus.imaplib._responses import Results
from imaplus.imaplib._transport import E, with_words
from imaplus.logs import connection_log
from imaplus.wire.patterns import lazy_pattern

if TYPE_CHECKING:
    from imaplus.imaplib._typed import TypedClient

Literator: TypeAlias = "Callable[[Any], bytes]"

MOST_ROUNDS: Final = 10
"""Challenges of one SASL exchange: no mechanism has more than a few."""
JOINED: Final = 1 << 16
"""Octets of a literal that are written together with the line end that follows it."""

_FORBIDDEN: Final = lazy_pattern(rb"[\0\r\n]")
_ANNOUNCES_LITERAL: Final = lazy_pattern(rb"~?\{[0-9]+[+-]?\}\Z")
_QUOTED: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')


class Machine(Quoting):
    """Commands and responses of an `IMAP4`, whatever they mean."""

    PROTOCOL_VERSION: str
    welcome: bytes | None
    capabilities: tuple[str, ...]
    is_readonly: bool
    literal: bytes | Literator | None
    """What follows the next command as a literal, or what answers each `+` that follows it."""
    tagnum: int
    # Declared above too; without this, type checkers would guess by what is assigned here.
    debug: int
    state: str
    untagged_responses: dict[str, list[bytes | tuple[bytes, bytes]]]
    tagged_commands: dict[bytes, tuple[str, list[bytes]] | None]
    tagre: re.Pattern[bytes]
    Literal: re.Pattern[bytes]
    Untagged_status: re.Pattern[bytes]
    tagpre: bytes
    _tls_established: bool
    _asked_in: str = ""  # the state in which the capabilities are those
    _uidonly: bool = False  # FETCH is answered by UIDFETCH (RFC 9586)
    _typed: TypedClient | None = None

    # -- beginning ------------------------------------------------------------------------------

    def _reset(self) -> None:
        """The attributes, as they are before there is a connection."""
        self.debug = public.Debug
        self.state = "LOGOUT"
        self.literal = None
        self.tagged_commands = {}
        self.untagged_responses = {}
        self.continuation_response = ""
        self.is_readonly = False
        self.tagnum = 0
        self._tls_established = False
        self._cmd_log = {}
        self._idle_responses = []
        self._mode_ascii()

    def _mode_ascii(self) -> None:
        self.utf8_enabled: bool = False
        self._encoding = "ascii"
        self.Literal = public.Literal
        self.Untagged_status = public.Untagged_status

    def _mode_utf8(self) -> None:
        """Texts are UTF-8 from here on: UTF8=ACCEPT has been enabled (RFC 6855)."""
        self.utf8_enabled = True
        self._encoding = "utf-8"
        self.Literal = public.Literal
        self.Untagged_status = public.Untagged_status

    def _connect(self) -> None:
        """Take the greeting, and ask what the server can do."""
        self.tagpre = public.Int2AP(public.random.randint(4096, 65535))
        self.tagre = lazy_pattern(
            rb"(?P<tag>" + re.escape(self.tagpre) + rb"[0-9]+) (?P<type>[A-Z]+)(?: (?P<data>.*))?",
            re.IGNORECASE,
        )
        if self.debug >= 1:
            self._mesg(f"new IMAP4 connection, tag={self.tagpre!r}")
        self._take_greeting()
        self._refresh_capabilities(consume=True)  # what was told here answers no command
        if self.debug >= 3:
            self._mesg(f"CAPABILITIES: {self.capabilities!r}")
        for version in public.AllowedVersions:
            if version in self.capabilities:
                self.PROTOCOL_VERSION = version
                return
        raise self.error("server not IMAP4 compliant")

    def _take_greeting(self) -> None:
        """The server's first line; IMAP4.error or abort, with the line, if it is not IMAP's."""
        line = b""
        try:
            line = self._get_line()
            self.welcome = self._take_response(line)
        except self.abort as error:
            raise self.abort(_greeting(line or str(error.args[0]).encode())) from error
        if "PREAUTH" in self.untagged_responses:
            self.state = "AUTH"
        elif "OK" in self.untagged_responses:
            self.state = "NONAUTH"
        else:
            raise self.error(_greeting(line))

    def _get_capabilities(self) -> None:
        """Ask for the capabilities anew."""
        typ, data = self.capability()
        if typ != "OK" or data == [None]:
            raise self.error("no CAPABILITY response from server")
        self._set_capabilities(data[-1])

    def _refresh_capabilities(self, consume: bool = False) -> None:
        """Take the capabilities that the server has told, or ask for them if it has not.

        What it told can still be had from `response("CAPABILITY")`, unless it is to be consumed.
        """
        told = self.untagged_responses.get("CAPABILITY", [b""])[-1]
        if not told or not isinstance(told, bytes):
            self._get_capabilities()
            return
        self._set_capabilities(told)
        if consume:
            del self.untagged_responses["CAPABILITY"]

    def _set_capabilities(self, told: bytes) -> None:
        names = told.partition(b"]")[0]  # a code ends at the last bracket of its line, for flags
        self.capabilities = tuple(str(names, self._encoding, "replace").upper().split())
        self._asked_in = self.state

    def _logged_in(self) -> None:
        """The server knows who we are, and may offer more than before (RFC 3501, 6.2.3)."""
        self.state = "AUTH"
        try:
            self._refresh_capabilities()
        except self.abort:
            raise
        except self.error:
            pass  # it does not say; we are logged in all the same

    def capability(self) -> Results:
        """What the server can do: a list of names, in one text."""
        typ, data = self._simple_command("CAPABILITY")
        return self._untagged_response(typ, data, "CAPABILITY")

    # -- commands -------------------------------------------------------------------------------

    def _simple_command(self, name: str, *args: Any) -> Results:
        """Send a command, and wait for its tagged response."""
        return self._command_complete(name, self._command(name, *args))

    def _command(self, name: str, *args: Any) -> bytes:
        """Send a command, all of it; its tag.

        Arguments are texts or bytes that go as they are; None is left out. If `literal` is set, it
        goes last.

        Raises:
            IMAP4.error: the state does not allow it, or an argument cannot be sent.
            IMAP4.readonly: the mailbox is no longer writable. IMAP4.abort: the connection is lost.
        """
        literal, self.literal = self.literal, None
        self._check_state(name)
        if name == "LOGIN":
            self._check_login()
        self._finish_typed()
        for typ in ("OK", "NO", "BAD"):
            self.untagged_responses.pop(typ, None)
        if "READ-ONLY" in self.untagged_responses and not self.is_readonly:
            raise self.readonly("mailbox status changed to READ-ONLY")
        segments = self._segments(name, args, literal)
        self._responses = self._pluses = self._unasked = 0
        self._words = []
        self._asked = ASKED.get(str(args[0]) if name == "UID" and args else name, EVERYTHING)
        self._progressed = True
        tag = self._new_tag()
        if self._at < len(self._block) and _begins_line(tag, self._block[self._at :]):
            raise self.abort(f"{name} was answered before it was sent")
        self._begin_secrecy(name, args)
        self._journal = connection_log(self._journal)
        if self._journal is not None:
            self._journal.log_command(self.tagpre.decode(), tag, name)
        self._write(tag + b" " + segments[0], shown=self._shown(tag, name, segments[0]))
        for segment in segments[1:]:
            if not self._may_go_on(tag, name):
                return tag
            if self.debug >= 4:
                self._mesg(f"write literal size {len(segment)}")
            self._write(segment)
        if callable(literal):
            self._converse(tag, name, literal)
        return tag

    def _finish_typed(self) -> None:
        """See to it that the typed client has nothing under way."""
        if self._typed is not None:
            try:
                self._typed._runner.finish()
            except ImapError as error:
                raise self.abort(str(error)) from error

    def _check_state(self, name: str) -> None:
        if self.state not in public.Commands[name]:
            allowed = ", ".join(public.Commands[name])
            raise self.error(
                f"command {name} illegal in state {self.state}, only allowed in states {allowed}"
            )

    def _check_login(self) -> None:
        """LOGINDISABLED forbids LOGIN (RFC 3501, 6.2.3); under TLS, we let the server decide."""
        if "LOGINDISABLED" in self.capabilities and self._in_clear():
            raise self.error(
                "the server does not allow LOGIN in clear (LOGINDISABLED): use starttls() first"
            )

    def _in_clear(self) -> bool:
        """Whether others may read along: neither under TLS, whoever made it, nor to a program."""
        sock = getattr(self, "sock", None)
        return not self._tls_established and sock is not None and not hasattr(sock, "do_handshake")

    def _segments(
        self, name: str, args: Iterable[Any], literal: bytes | Literator | None
    ) -> list[bytes]:
        """A command without tag and line ends, cut where the server must first say `+`."""
        segments = [self._checked(name.encode(self._encoding))]
        line = 0  # where the line that is being written begins in the last segment
        for arg in args:
            if arg is None:
                continue
            segments[-1] += b" "
            for piece in arg if isinstance(arg, Pieces) else (self._octets(arg),):
                if isinstance(piece, Literal):
                    segments[-1] += (
                        b"~{%d}" % len(piece.data) if piece.binary else b"{%d}" % len(piece.data)
                    )
                    segments.append(piece.data)
                    line = len(piece.data)
                else:
                    segments[-1] += self._checked(piece)
        if _ANNOUNCES_LITERAL.search(_QUOTED.sub(b"", segments[-1][line:])):
            raise self._invalid("an argument announces a literal")
        if literal is not None and not callable(literal):
            segments[-1] += b" {%d}" % len(literal)
            segments.append(bytes(literal))
        return segments

    def _checked(self, data: bytes) -> bytes:
        if _FORBIDDEN.search(data):
            raise self._invalid("NUL, CR and LF are not allowed in commands")
        return data

    def _write(self, data: bytes, *, shown: bytes | None = None) -> None:
        """Write octets and the end of the line."""
        if shown is not None:
            self._tell(f"> {shown!r}")
        try:
            if len(data) <= JOINED:
                self.send(data + public.CRLF)
            else:
                self.send(data)
                self.send(public.CRLF)
        except OSError as error:
            raise self.abort(f"socket error: {error}") from error

    def _may_go_on(self, tag: bytes, name: str) -> bool:
        """Wait for the first `+`; False if the server ends the command instead."""
        if self._is_continued(tag):
            return True
        status = self.tagged_commands[tag]
        if status is not None and status[0] == "OK":
            raise self.abort(f"{name}: the server said OK before all of it was sent")
        return False

    def _is_continued(self, tag: bytes) -> bool:
        """Read until there is a `+`, or the command is over."""
        while self._get_response():
            if self.tagged_commands[tag]:
                return False
        return True

    def _converse(self, tag: bytes, name: str, literator: Literator) -> None:
        """Answer each `+` until the command is over."""
        going_on = self._may_go_on(tag, name)
        rounds = 0
        while going_on:
            rounds += 1
            if rounds > MOST_ROUNDS and name == "AUTHENTICATE":
                raise self.abort(f"the server asks for more than {MOST_ROUNDS} SASL rounds")
            try:
                answer = literator(self.continuation_response)
            except binascii.Error as error:
                raise self.abort(f"{name}: a challenge is not base64: {error}") from error
            if self._confidential:
                self._keep_secret(answer, *secrets_in(answer))
            if self.debug >= 4:
                self._mesg(f"write literal size {len(answer)}")
            self._write(answer)
            going_on = self._is_continued(tag)

    def _new_tag(self) -> bytes:
        """A tag for one command, from here on known as one that waits for its response."""
        tag = self.tagpre + str(self.tagnum).encode()
        self.tagnum += 1
        self.tagged_commands[tag] = None
        return tag

    def _command_complete(self, name: str, tag: bytes) -> Results:
        """Wait for the tagged response of a command; NO is a result, BAD an error."""
        logout = name == "LOGOUT"
        if not logout:
            self._check_bye()
        try:
            typ, data = self._get_tagged_response(tag, expect_bye=logout)
        except self.abort as error:
            raise self._explained(self.abort, name, error) from error
        except self.error as error:
            raise self._explained(self.error, name, error) from error
        if self._journal is not None:
            self._journal.log_status(self.tagpre.decode(), tag, name, typ, self.state)
        if not logout:
            self._check_bye()
        if typ == "BAD":
            raise self._refused(f"{name} command error: {typ} {self._quotable(data)}")
        return typ, data

    def _explained(self, kind: type[E], name: str, error: Exception) -> E:
        """What went wrong with a command, as an error of the command's."""
        what = error.args[0] if error.args else ""
        return with_words(kind(f"command: {name} => {what}"), getattr(error, "last_words", ()))

    def _refused(self, text: str) -> Any:
        """The error for a command that was refused, without secrets, and with the last words."""
        return with_words(self.error(self._hidden(text)), tuple(self._words))

    def _aborted(self, text: str) -> Any:
        """The same where the connection is of no use any more."""
        return with_words(self.abort(self._hidden(text)), tuple(self._words))

    def _quotable(self, data: Iterable[bytes | None]) -> list[bytes]:
        """The texts of a status as an error shows them."""
        return [shorten(self._secrets.blank(each)) for each in data if each is not None]


def _greeting(line: bytes) -> str:
    return f"invalid greeting: {shorten(line).decode('utf-8', 'replace')}"


def _begins_line(tag: bytes, data: bytes) -> bool:
    return data.startswith(tag + b" ") or b"\n" + tag + b" " in data

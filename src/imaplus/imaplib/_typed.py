"""The typed client on the connection of an `IMAP4`, and the exchange of state between them.

Only this module of the package imports the client; it is loaded when `IMAP4.typed` is first used.
All I/O uses the hooks of the `IMAP4` (`send`, `readline`, `read`), so subclasses see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from imaplus.client._sync import Client
from imaplus.client._sync_runner import Runner
from imaplus.client.endpoints import DEFAULT_TLS, Timeouts, Tls
from imaplus.client.streams import Stream
from imaplus.core.bulk import bulk_reader
from imaplus.errors import ConnectionLost, ProtocolError, StateError, TimedOut
from imaplus.imaplib._selected import Selected
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.data import Exists, Expunged
from imaplus.protocol.mailbox import Mailbox as SelectedMailbox
from imaplus.protocol.pending import Pending
from imaplus.protocol.response import parse
from imaplus.protocol.state import State
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame
from imaplus.wire.patterns import lazy_pattern

if TYPE_CHECKING:
    from imaplus.imaplib._classes import IMAP4

T = TypeVar("T")

TIMEOUTS: Final = Timeouts(silence=None, command=None)
"""The socket's timeout applies, as for an `IMAP4`, unless a call gives another."""
LITERAL_STEP: Final = 1 << 16

_STATES: Final = {
    "NONAUTH": State.NOT_AUTHENTICATED,
    "AUTH": State.AUTHENTICATED,
    "SELECTED": State.SELECTED,
    "LOGOUT": State.LOGOUT,
}
_NAMES: Final = {state: name for name, state in _STATES.items()}
_LITERAL: Final = lazy_pattern(rb"\{([0-9]{1,20})\+?\}\r\n\Z")
_CODES: Final = ("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ", "PERMANENTFLAGS", "UNSEEN")


class HookStream(Stream):
    """A stream over the hooks of an `IMAP4`, line by line."""

    def __init__(self, imap: IMAP4) -> None:
        self._imap = imap
        self._come: bytes | None = None  # received by `wait`, not yet returned by `read`
        self._missing = 0  # bytes of the current literal still to read

    @property
    def secure(self) -> bool:  # type: ignore[override]
        """Whether passwords may be sent: over TLS, or to a child process."""
        return self._imap._tls_established or getattr(self._imap, "sock", None) is None

    @property
    def is_foreign(self) -> bool:
        """Always false: an `IMAP4` is not tied to a process or thread."""
        return False

    def check_owner(self) -> None:
        """Allow any caller, as the `IMAP4` does."""

    def write(self, data: memoryview) -> int:
        """Write all of `data` and return its size."""
        try:
            self._imap.send(bytes(data))
        except OSError as error:
            raise ConnectionLost(f"the connection was lost: {error}") from error
        return len(data)

    def read(self) -> bytes | None:
        """Return what `wait` has received; None if there is nothing."""
        data, self._come = self._come, None
        return data

    def wait(self, *, read: bool, write: bool, timeout: float | None) -> None:
        """Receive a line, or a part of a literal. Raises TimedOut after `timeout` seconds."""
        if self._come is not None:
            return
        try:
            with nullcontext() if timeout is None else self._imap._limit_wait(timeout):
                self._come = self._next()
        except TimeoutError as error:
            seconds = self._imap._patience() if timeout is None else timeout
            raise TimedOut(f"the server sent nothing for {seconds:g} seconds") from error
        except OSError as error:
            raise ConnectionLost(f"the connection was lost: {error}") from error
        except (self._imap.abort, self._imap.error) as error:
            raise ProtocolError(str(error)) from error

    def _next(self) -> bytes:
        self._imap._progressed = True  # the client checks progress itself
        if self._missing:
            data = self._imap.read(min(self._missing, LITERAL_STEP))
            self._missing -= len(data)
            return data
        line = self._imap.readline()
        if found := _LITERAL.search(line):
            self._missing = int(found[1])
        return line

    def start_tls(self, tls: Tls, host: str, timeout: float | None) -> None:
        """Do the TLS handshake as `IMAP4.starttls` does."""
        try:
            self._imap._start_tls(tls.make_context())
        except self._imap.abort as error:
            raise ProtocolError(str(error)) from error

    def close(self) -> None:
        """Close the connection of the `IMAP4`."""
        imap = self._imap
        if imap.state != "LOGOUT":
            imap.state = "LOGOUT"
            with suppress(OSError):
                imap.shutdown()


class HookRunner(Runner):
    """Runs commands and flows on the session of an `IMAP4`.

    Before each operation it copies the state of the `IMAP4` (session state, capabilities, UTF-8,
    selected mailbox); after each tagged response it copies the changes back.
    """

    def __init__(self, imap: IMAP4) -> None:
        self._imap = imap
        self._sent: list[Pending[Any]] = []
        self._busy = False  # processing input whose effects are not yet copied to the IMAP4
        self._tagnum = -1  # `tagnum` of the IMAP4 at the latest copy
        self._known: Selected | None = None  # the selected mailbox of the IMAP4
        self._opened: SelectedMailbox | None = None  # the same mailbox in the connection
        stream = HookStream(imap)
        super().__init__(
            stream,
            Connection(limits=imap.limits, secure=stream.secure, bulk=bulk_reader),
            tls=DEFAULT_TLS,
            host=imap.host or "localhost",
            timeouts=TIMEOUTS,
            on_event=self._hand_on,
        )

    @property
    def connection(self) -> Connection:
        """The state of the session, including what the `IMAP4` has changed."""
        self._sent = [pending for pending in self._sent if not pending.done]
        if not self._sent and not self._busy:
            self._take_over()
        return self._connection

    @connection.setter
    def connection(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, command: Command[T]) -> Pending[T]:
        """Queue a command; the next wait writes it."""
        pending = super().send(command)
        self._sent.append(pending)
        return pending

    def finish(self) -> None:
        """Complete all commands in progress; answers not yet consumed are kept."""
        waiting = [pending for pending in self._sent if not pending.done]
        for pending in waiting:
            self._connection.interrupt(pending)
        self.settle(waiting)

    def close(self) -> None:
        """Close the connection. Pending commands raise ConnectionLost; this method never raises."""
        self._busy = True  # do not copy the state of the IMAP4 any more
        super().close()

    # -- from the IMAP4 to the client -----------------------------------------------------------

    def _take_over(self) -> None:
        imap, connection = self._imap, self._connection
        if connection.error is not None:
            return
        if imap.state not in _STATES:
            raise StateError(f"cannot use the typed client in state {imap.state}")
        if imap._uidonly:
            raise StateError("cannot use the typed client: UIDONLY is enabled (RFC 9586)")
        unchanged = imap.tagnum == self._tagnum and imap.state == _NAMES.get(connection.state)
        if unchanged and imap._selected is self._known:
            return
        if imap.state in ("AUTH", "SELECTED") and imap._asked_in == "NONAUTH":
            self._ask_capabilities()
        self._tagnum = imap.tagnum
        connection.secure = self._stream.secure
        connection.capabilities = frozenset(imap.capabilities)
        if imap.utf8_enabled:
            connection.enabled |= {"UTF8=ACCEPT"}
        if imap.state == "SELECTED" and imap._selected is not None:
            self._take_over_mailbox(imap._selected)
        else:
            connection.close_mailbox()
            self._known = self._opened = None
        connection.state = _STATES[imap.state]

    def _ask_capabilities(self) -> None:
        """Request the capabilities again: servers may offer more after a login."""
        try:
            self._imap._get_capabilities()
        except (self._imap.error, OSError) as error:
            if not isinstance(error, self._imap.abort | OSError):
                self._imap._asked_in = self._imap.state  # refused: keep the known capabilities
                return
            lost = ConnectionLost(f"the connection was lost: {error}")
            self._connection.fail(lost)
            self._stream.close()
            raise lost from error

    def _take_over_mailbox(self, selected: Selected) -> None:
        connection = self._connection
        if selected is not self._known or self._opened is None:
            name = Cursor(Frame(selected.name), utf8=connection.utf8).mailbox()
            import imaplus.core.fetched  # noqa: F401 - as Select does

            connection.start_opening(name, read_only=selected.read_only)
            self._known, self._opened = selected, connection.finish_opening()
            for value in _select_values(selected):
                self._opened.apply(value)
        # The program may have used the IMAP4 while messages were expunged, so the sequence numbers
        # of known UIDs are unreliable: forget them.
        self._opened.apply(Exists(0))
        self._opened.apply(Exists(selected.exists))

    # -- from the client to the IMAP4 -----------------------------------------------------------

    def _take_in(self, data: bytes | None) -> None:
        self._busy = True
        try:
            super()._take_in(data)
        finally:
            self._busy = False
        if data is None or data[:1] != b"*":  # maybe a tagged response
            self._hand_back()

    def _hand_back(self) -> None:
        imap, connection = self._imap, self._connection
        if connection.error is not None:
            return
        imap.state = _NAMES.get(connection.state, imap.state)
        if connection.capabilities and connection.capabilities != frozenset(imap.capabilities):
            imap.capabilities = tuple(sorted(connection.capabilities))
        if connection.utf8 and not imap.utf8_enabled:
            imap._mode_utf8()
        mailbox = connection.mailbox
        if mailbox is None:
            self._known = self._opened = imap._selected = None
            return
        if mailbox is not self._opened or self._known is None:
            self._known, self._opened = Selected(imap._mailbox(mailbox.name)), mailbox
            self._known.read_only = imap.is_readonly = mailbox.read_only
            imap._selected = self._known
            imap.untagged_responses = {"EXISTS": [b"%d" % mailbox.exists]}
        self._known.exists = mailbox.exists

    def _hand_on(self, event: object) -> None:
        """Store unsolicited responses for `IMAP4.response` too."""
        match event:
            case Exists(count):
                self._imap._append_untagged("EXISTS", b"%d" % count)
            case Expunged(seq):
                self._imap._append_untagged("EXPUNGE", b"%d" % seq)


class TypedClient(Client):
    """A typed client that shares a session with an `IMAP4`; use both in one thread.

    State, capabilities, UTF-8 and the selected mailbox are synchronised in both directions. A
    `Mailbox` of this client is valid until another mailbox is selected. Closing this client, or
    leaving its `with` statement, ends the session of both.
    """

    _runner: HookRunner

    def __init__(self, imap: IMAP4) -> None:
        super().__init__(HookRunner(imap))


def _select_values(selected: Selected) -> Iterator[object]:
    """Parse the stored responses to SELECT."""
    for kind, data in selected.responses.items():
        last = data[-1]
        if isinstance(last, bytes) and kind in _CODES:
            yield parse(Frame(b"* OK [%b %b] " % (kind.encode(), last)))
        elif isinstance(last, bytes) and kind == "FLAGS":
            yield parse(Frame(b"* FLAGS " + last))

"""The sans-IO state machine: commands in, octets out; octets in, values out.

It applies each value first to our state, then offers it to the commands in flight, oldest first;
what none of them wants is returned as an event. It knows no particular command, has no clock and
does no I/O: whoever runs it moves octets between it and a stream.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from imaplus.errors import (
    CapabilityMissing,
    ConnectionLost,
    ImapError,
    ProtocolError,
    StateError,
)
from imaplus.protocol.command import Command, Pending, Reply, State
from imaplus.protocol.data import Capability, Enabled
from imaplus.protocol.mailbox import Mailbox
from imaplus.protocol.outbox import Outbox
from imaplus.protocol.response import Continuation, Malformed, Status, parse
from imaplus.wire.framing import DEFAULT_LIMITS, Frame, Framer, Limits
from imaplus.wire.sinks import Discard, Lost, Memory, Sink
from imaplus.wire.writer import Rules, Writer

T = TypeVar("T")
Trace = Callable[[str, bytes], object]
"""Told each line of the dialogue, secrets blanked: ("C" or "S", octets without line end)."""

INFLATE_STEP: Final = 1 << 16
"""Octets inflated at once: a compression bomb meets the limits of framing first (RFC 4978)."""

_BODY: Final = re.compile(rb"(?:BODY|BINARY)\[[^\]]*\](?:<[0-9.]+>)? ~?\Z|RFC822[A-Z.]* \Z", re.I)
PART_OF_REV2: Final = frozenset(
    "NAMESPACE UNSELECT UIDPLUS ESEARCH SEARCHRES ENABLE IDLE SASL-IR LIST-EXTENDED LIST-STATUS "
    "MOVE LITERAL- BINARY SPECIAL-USE STATUS=SIZE CHILDREN".split()
)
"""Extensions that IMAP4rev2 includes, whether announced or not (RFC 9051, appendix E)."""


class Connection:
    """One IMAP connection, as this end of it sees it.

    `send()` commands; write what `data_to_send()` gives until it gives nothing; feed what comes to
    `receive_data()`. Sending twice before receiving is pipelining: what RFC 9051 (5.5) allows goes
    out at once, the rest waits its turn.
    """

    def __init__(
        self, *, limits: Limits = DEFAULT_LIMITS, secure: bool = False, trace: Trace | None = None
    ) -> None:
        self.limits = limits
        self.secure = secure
        self.state = State.GREETING
        self.greeting: Status | None = None
        self.bye: Status | None = None
        self.capabilities: frozenset[str] = frozenset()
        self.enabled: frozenset[str] = frozenset()
        self.mailbox: Mailbox | None = None
        self.error: ImapError | None = None
        """Why the connection can no longer be used, or None."""
        self.wants_tls = False
        """STARTTLS was accepted: shake hands now, then call `tls_established()`."""
        self._opening: Mailbox | None = None
        self._trace = trace
        self._framer = Framer(limits, self._choose_sink)
        self._outbox = Outbox(trace)
        self._inflate: Any = None
        self._switched = False  # to compression, by the frame just handled
        self._tag = f"{secrets.token_hex(2)}-".upper()
        self._count = 0
        self._queue: deque[Pending[Any]] = deque()
        self._in_flight: dict[str, Pending[Any]] = {}
        self._sink_owner: Pending[Any] | None = None

    # -- what commands ask of it ------------------------------------------------------------

    def can(self, capability: str) -> bool:
        """Whether the server offers a capability, as far as it has told since TLS and login."""
        capability = capability.upper()
        if capability in self.capabilities:
            return True
        return "IMAP4REV2" in self.capabilities and capability in PART_OF_REV2

    @property
    def inside_response(self) -> bool:
        """Whether a response has begun that has not ended yet."""
        return self._framer.inside_response

    @property
    def utf8(self) -> bool:
        """Whether mailbox names and quoted strings are UTF-8 (RFC 9051, 5.1; RFC 9755, 3)."""
        return not self.enabled.isdisjoint(("IMAP4REV2", "UTF8=ACCEPT"))

    def forget_capabilities(self) -> None:
        """They were told before TLS or login, and may be false now (RFC 9051, 6.2.1)."""
        self.capabilities = frozenset()

    def log_in(self) -> None:
        """The server knows who we are."""
        self.state = State.AUTHENTICATED

    def open_mailbox(self, name: str, *, read_only: bool) -> None:
        """From here on data may describe this mailbox; from [CLOSED] on, it does."""
        self._opening = Mailbox(name, read_only=read_only, limits=self.limits)

    def opened(self) -> Mailbox:
        """SELECT succeeded: this is the mailbox now."""
        assert self._opening is not None
        self.mailbox, self._opening = self._opening, None
        self.state = State.SELECTED
        return self.mailbox

    def close_mailbox(self) -> None:
        """No mailbox is selected any more."""
        self.mailbox = self._opening = None
        if self.state is State.SELECTED:
            self.state = State.AUTHENTICATED

    def begin_tls(self) -> None:
        """STARTTLS was accepted. Octets that came after its OK were never under TLS: an attack."""
        if self._framer.take_rest():
            raise ProtocolError("the server sent more after its OK to STARTTLS: injected?")
        self.wants_tls = True

    def tls_established(self) -> None:
        """The handshake is done. What was said in clear is forgotten (RFC 9051, 6.2.1)."""
        self.wants_tls = False
        self.secure = True
        self.forget_capabilities()

    def start_compression(self) -> None:
        """All that follows, both ways, is a raw deflate stream (RFC 4978, 3)."""
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._outbox.compress()
        self._switched = True

    # -- outwards ---------------------------------------------------------------------------

    def send(self, command: Command[T]) -> Pending[T]:
        """Queue a command; it goes out as soon as it may.

        Raises:
            UsageError: it cannot be written, or not in this state, or the server lacks a
                capability that it requires. Nothing has been queued.
            ConnectionLost, ProtocolError: the connection is of no use any more.
        """
        if self.error is not None:
            raise self.error
        if not self._queue and not self._in_flight:
            self._check(command)
        self._count += 1
        pending = Pending(command, f"{self._tag}{self._count}")
        self._encode(pending)
        self._queue.append(pending)
        if command.interruption() is None:
            for other in self._in_flight.values():
                self.interrupt(other)
        self._start_what_may()
        return pending

    def interrupt(self, pending: Pending[Any]) -> None:
        """End a command early, if it is of the kind that can be: IDLE."""
        line = pending.command.interruption()
        if line is not None and pending.tag in self._in_flight:
            self._outbox.interrupt(pending, line)

    def give_up(self, pending: Pending[Any]) -> None:
        """Nobody waits for a command any more: take it back, or throw its answers away."""
        if pending in self._queue:
            self._queue.remove(pending)
            self._start_what_may()
        if self._sink_owner is pending:
            self._framer.discard_literal()
        pending.ignored = True
        pending.values = []
        self.interrupt(pending)

    def data_to_send(self) -> bytes:
        """The next octets to write, in pieces that fit into memory; empty when there are none.

        A source that cannot be read to its announced end leaves half a command on the wire: the
        connection fails.
        """
        try:
            return self._outbox.take()
        except Exception as error:
            lost = ConnectionLost(f"a command was cut midway: {error}")
            lost.__cause__ = error
            self.fail(lost)
            return b""

    @property
    def has_data_to_send(self) -> bool:
        """Whether `data_to_send()` would give something."""
        return self._outbox.has_data

    def _check(self, command: Command[Any]) -> None:
        if self.state not in command.states:
            raise StateError(f"{command.name.decode()} cannot be sent while {self.state.value}")
        for capability in command.needs():
            if not self.can(capability):
                raise CapabilityMissing(capability, command.name.decode())

    def _rules(self) -> Rules:
        eager = 0
        if self.can("LITERAL+"):
            eager = 1 << 62
        elif self.can("LITERAL-"):
            eager = 4096
        return Rules(eager=eager, utf8=self.utf8)

    def _encode(self, pending: Pending[Any]) -> None:
        out = Writer(self._rules())
        out.raw(pending.tag.encode())
        out.sp()
        out.raw(pending.command.name)
        pending.command.encode(out)
        pending.rules = out.rules
        pending.segments = deque(out.finish())

    def _start_what_may(self) -> None:
        while self._queue and self.error is None and self._may_start(self._queue[0].command):
            pending = self._queue.popleft()
            try:
                self._check(pending.command)
                if pending.rules != self._rules():
                    self._encode(pending)
            except ImapError as error:
                pending.fail(error)
                continue
            self._in_flight[pending.tag] = pending
            pending.command.start(self)
            self._outbox.begin(pending)

    def _may_start(self, command: Command[Any]) -> bool:
        if not self._in_flight:
            return self.state is not State.GREETING
        if command.exclusive or self._outbox.blocked:
            return False
        others = [pending.command for pending in self._in_flight.values()]
        return not any(other.exclusive for other in others) and command.may_join(others)

    # -- inwards ----------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> list[object]:
        """Take in octets from the stream; the values that no command asked for.

        Never raises: after an error that ends the connection, `error` says which, and every
        pending command carries it.
        """
        events: list[object] = []
        if self.error is not None:
            return events
        try:
            if self.wants_tls:
                raise ProtocolError("the server sent data in clear after STARTTLS: injected?")
            self._receive(data, events)
        except (ProtocolError, zlib.error) as error:
            broken = error if isinstance(error, ProtocolError) else ProtocolError(str(error))
            self.fail(broken)
        if self.bye is not None and not self._ending():
            self.receive_eof()  # quirk 30: some never close, and say BYE for ever
        self._start_what_may()
        return events

    def receive_eof(self) -> None:
        """The stream has ended."""
        if (pending := self._ending()) is not None:  # quirk 31: closed before LOGOUT's tagged OK
            pending.complete(Reply(pending.name, Status("OK", "")))
            self._in_flight.pop(pending.tag, None)
        where = " inside a response" if self._framer.inside_response else ""
        said = None if self.bye is None else self.bye.text
        self.fail(ConnectionLost(f"the server closed the connection{where}", said))

    def fail(self, error: ImapError) -> None:
        """The connection is of no use any more: every pending command carries the cause."""
        if self.error is not None:
            return
        self.error = error
        self.state = State.LOGOUT
        self.mailbox = self._opening = None
        self._framer.abandon()
        for pending in (*self._in_flight.values(), *self._queue):
            pending.fail(error)
        self._in_flight.clear()
        self._queue.clear()
        self._outbox.clear()

    def _ending(self) -> Pending[Any] | None:
        return next((p for p in self._in_flight.values() if p.command.ends_connection), None)

    def _receive(self, data: bytes, events: list[object]) -> None:
        for octets in self._plain(data):
            self._framer.feed(octets)
            while (frame := self._framer.next_frame()) is not None:
                self._trace_frame(frame)
                value = parse(frame, utf8=self.utf8, limits=self.limits)
                self._handle(value, frame, events)
                if self._switched:
                    self._switched = False
                    self._receive(self._framer.take_rest(), events)

    def _plain(self, data: bytes) -> Iterator[bytes]:
        """The octets as IMAP sees them: inflated, where compression is on."""
        if self._inflate is None:
            yield data
            return
        while data:
            yield self._inflate.decompress(data, INFLATE_STEP)
            data = self._inflate.unconsumed_tail

    def _handle(self, value: object, frame: Frame, events: list[object]) -> None:
        if frame.literals:
            self._fail_where_lost(frame)
        if isinstance(value, Continuation):
            self._continue(value, events)
        elif isinstance(value, Status) and value.tag is not None:
            self._complete(value, events)
        elif self.state is State.GREETING:
            self._greet(value)
        else:
            self._deliver(self._apply(value), frame, events)

    def _greet(self, value: object) -> None:
        """greeting = "*" SP (resp-cond-auth / resp-cond-bye): anything else is not IMAP."""
        if not isinstance(value, Status) or value.kind not in ("OK", "PREAUTH", "BYE"):
            raise ProtocolError(f"expected an IMAP greeting, found {value!r:.100}")
        self.greeting = value
        self.state = State.NOT_AUTHENTICATED
        if value.kind == "PREAUTH":
            self.log_in()
        self._apply(value)

    def _apply(self, value: object) -> object:
        """Change our state as a value says: nothing else does, but `finish()` of a command."""
        if isinstance(value, Status):
            if value.kind == "BYE":
                self.bye = value
            if value.code == "CLOSED" and self._opening is not None:
                self.open_mailbox(self._opening.name, read_only=self._opening.read_only)
                self.mailbox = None  # all that came so far described the old one
            if isinstance(value.data, Capability):
                self._apply(value.data)
        elif isinstance(value, Capability):
            self.capabilities = value.names
        elif isinstance(value, Enabled):
            self.enabled |= value.names
        for mailbox in (self.mailbox, self._opening):
            if mailbox is not None:
                value = mailbox.apply(value)
        return value

    def _deliver(self, value: object, frame: Frame, events: list[object]) -> None:
        if isinstance(value, Malformed):
            for pending in self._in_flight.values():
                pending.malformed.append(value)
                del pending.malformed[:-100]
        for pending in self._in_flight.values():
            if pending.command.wants(value) and getattr(value, "tag", None) in (None, pending.tag):
                pending.collect(value, frame.size, self.limits.responses, self.limits.held)
                return
        events.append(value)

    def _continue(self, challenge: Continuation, events: list[object]) -> None:
        if self._outbox.blocked:
            self._outbox.proceed()
            return
        pending = next(iter(self._in_flight.values()), None)
        if pending is None or not pending.command.exclusive or not pending.written:
            events.append(challenge)
            return
        try:
            line = pending.command.answer(challenge)
        except ImapError as error:
            pending.fail(error)
            line = b"*"  # cancels the exchange (RFC 9051, 6.2.2)
        self._outbox.answered(pending, line)

    def _complete(self, status: Status, events: list[object]) -> None:
        pending = self._in_flight.get(status.tag or "")
        if pending is None:
            events.append(status)
            return
        if not pending.written:
            if status.ok:
                raise ProtocolError(f"{pending.name}: OK before the command was sent")
            self._outbox.refuse(pending)
        del self._in_flight[pending.tag]
        self._apply(status)
        if status.code == "ALERT":
            events.append(status)  # it is for the user, whatever the command (RFC 9051, 7.1)
        if pending.command.ends_connection and status.kind == "BYE":
            status = Status("OK", status.text, tag=status.tag)  # quirk 31
        reply = Reply(pending.name, status, pending.values, pending.malformed)
        try:
            pending.command.finish(self, reply)
        except ImapError as error:
            pending.fail(error)
            raise
        pending.complete(reply)

    # -- literals and traces ----------------------------------------------------------------

    def _choose_sink(self, text: bytearray, size: int) -> Sink:
        self._sink_owner = None
        for pending in self._in_flight.values():
            sink = pending.command.sink(text, size)
            if sink is not None:
                self._sink_owner = pending
                return Discard() if pending.ignored or pending.done else sink
        if not _BODY.search(text, max(0, len(text) - 2000)):
            if size > self.limits.small_literal:
                raise ProtocolError(f"a literal of {size} octets where no body was asked for")
        elif size > self.limits.literal:
            return Discard(
                ProtocolError(f"a body of {size} octets is too large for memory: download it")
            )
        return Memory()

    def _fail_where_lost(self, frame: Frame) -> None:
        lost = next((value for value in frame.literals if isinstance(value, Lost)), None)
        if lost is None:
            return
        owner = self._sink_owner or next(iter(self._in_flight.values()), None)
        if owner is not None:
            owner.fail(lost.error)
        self._sink_owner = None

    def _trace_frame(self, frame: Frame) -> None:
        if self._trace is None:
            return
        hidden = frame.text.startswith(b"+") and any(
            pending.command.confidential for pending in self._in_flight.values()
        )
        self._trace("S", b"+ ***" if hidden else frame.text)

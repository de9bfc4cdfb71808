"""The sans-IO state machine: commands in, octets out; octets in, values out.

It applies each value first to our state, then offers it to the commands in flight, oldest first;
what none of them wants is returned as an event. It knows no particular command, has no clock and
does no I/O: whoever runs it moves octets between it and a stream.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from imaplus.errors import (
    CapabilityMissing,
    ConnectionLost,
    ImapError,
    ProtocolError,
    StateError,
)
from imaplus.protocol.body_names import name_of_body
from imaplus.protocol.command import Command, Pending, Reply, State
from imaplus.protocol.in_flight import InFlight
from imaplus.protocol.outbox import Outbox
from imaplus.protocol.response import Continuation, Malformed, Status, parse
from imaplus.protocol.session import Session
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import DEFAULT_LIMITS, Frame, Limits
from imaplus.wire.framing import Framer
from imaplus.wire.sinks import Discard, Lost, Memory, Sink
from imaplus.wire.writer import DEFAULT_RULES, Rules, Writer

if TYPE_CHECKING:
    from imaplus.protocol.deflate import Inflating

T = TypeVar("T")
Trace = Callable[[str, bytes], object]
"""Told each line of the dialogue, secrets blanked: ("C" or "S", octets without line end)."""

FEW: Final = 1000
"""Octets that come at once and are too few to look for many of a kind among them."""


class Connection(Session):
    """One IMAP connection, as this end of it sees it.

    `send()` commands; write what `data_to_send()` gives until it gives nothing; feed what comes to
    `receive_data()`. Sending twice before receiving is pipelining: what RFC 9051 (5.5) allows goes
    out at once, the rest waits its turn.
    """

    def __init__(
        self, *, limits: Limits = DEFAULT_LIMITS, secure: bool = False, trace: Trace | None = None
    ) -> None:
        super().__init__(limits=limits, secure=secure)
        self.error: ImapError | None = None
        """Why the connection can no longer be used, or None."""
        self.wants_tls: bool = False
        """STARTTLS was accepted: shake hands now, then call `tls_established()`."""
        self._trace = trace
        self._framer = Framer(limits, self._choose_sink)
        self._outbox = Outbox(trace)
        self._inflating: Inflating | None = None
        self._switched = False  # to compression, by the frame just handled
        self._tag = f"{os.urandom(2).hex()}-".upper()
        self._count = 0
        self._queue: OrderedDict[str, Pending[Any]] = OrderedDict()  # by tag
        self._in_flight = InFlight()
        self._rules_now = DEFAULT_RULES
        self._rules_since = self.capabilities, self.enabled
        self._sink_owner: Pending[Any] | None = None

    @property
    def inside_response(self) -> bool:
        """Whether a response has begun that has not ended yet."""
        return self._framer.inside_response

    # -- what STARTTLS and COMPRESS ask of it -----------------------------------------------

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
        from imaplus.protocol.deflate import Inflating

        self._inflating = Inflating()
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
            raise self.error.with_traceback(None)  # it would grow each time
        if not self._queue and not self._in_flight:
            self._check(command)
        self._count += 1
        pending = Pending(command, f"{self._tag}{self._count}")
        self._encode(pending)
        pending.subject = command.subject
        self._queue[pending.tag] = pending
        if command.interruption() is None and (idle := self._in_flight.oldest) is not None:
            self.interrupt(idle)
        self._start_what_may()
        return pending

    def interrupt(self, pending: Pending[Any]) -> None:
        """End a command early, if it is of the kind that can be: IDLE."""
        line = pending.command.interruption()
        if line is not None and self._in_flight.get(pending.tag) is pending:
            self._outbox.interrupt(pending, line)

    def give_up(self, pending: Pending[Any]) -> None:
        """Nobody waits for a command any more: take it back, or throw its answers away."""
        if self._queue.pop(pending.tag, None) is not None:
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
        state = self._in_flight.leads_to or self.state
        if state not in command.states:
            raise StateError(f"{command.name.decode()} cannot be sent while {state.value}")
        for capability in command.needs():
            if not self.can(capability):
                raise CapabilityMissing(capability, command.name.decode())

    def _rules(self) -> Rules:
        """What holds now: the same object, until the server says something else."""
        told = self.capabilities, self.enabled
        if told != self._rules_since:
            eager = 0
            if self.can("LITERAL+"):
                eager = 1 << 62
            elif self.can("LITERAL-"):
                eager = 4096
            self._rules_since = told
            self._rules_now = Rules(eager=eager, utf8=self.utf8)
        return self._rules_now

    def _encode(self, pending: Pending[Any]) -> None:
        out = Writer(self._rules())
        out.raw(pending.tag.encode())
        out.sp()
        out.raw(pending.command.name)
        pending.command.encode(out)
        pending.rules = out.rules
        pending.segments = out.finish()[::-1]

    def _start_what_may(self) -> None:
        while self._queue and self.error is None:
            pending = next(iter(self._queue.values()))
            if not self._may_start(pending):
                return
            del self._queue[pending.tag]
            try:
                self._check(pending.command)
                if pending.rules is not self._rules():
                    self._encode(pending)
            except ImapError as error:
                pending.fail(error)
                continue
            self._in_flight.add(pending)
            pending.command.start(self)
            self._outbox.begin(pending)

    def _may_start(self, pending: Pending[Any]) -> bool:
        if self.state is State.GREETING or self._outbox.blocked:
            return False
        return self._in_flight.welcome(pending)

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
        except ProtocolError as error:
            self.fail(error)
        self._start_what_may()
        return events

    def receive_eof(self) -> None:
        """The stream has ended."""
        if (pending := self._ending()) is not None:  # quirk 31: closed before LOGOUT's tagged OK
            pending.complete(Reply(pending.name, Status("OK", "")))
            self._in_flight.remove(pending)
        where = " inside a response" if self._framer.inside_response else ""
        said = None if self.bye is None else self.bye.text
        self.fail(ConnectionLost(f"the server closed the connection{where}", said))

    def fail(self, error: ImapError) -> None:
        """The connection is of no use any more: every pending command carries the cause."""
        if self.error is not None:
            return
        self.error = error
        self.state = State.LOGOUT
        self.close_mailbox()
        self._framer.abandon()
        for pending in (*self._in_flight, *self._queue.values()):
            pending.fail(error)
        self._in_flight.clear()
        self._queue.clear()
        self._outbox.clear()

    def _ending(self) -> Pending[Any] | None:
        return next((p for p in self._in_flight if p.command.ends_connection), None)

    def _receive(self, data: bytes, events: list[object]) -> None:
        # As IMAP sees them: inflated, where compression is on.
        for octets in (data,) if self._inflating is None else self._inflating.plain(data):
            self._framer.feed(octets)
            self._framer.keep_below = min((self.limits.small_literal, *self._in_flight.sinks_from))
            while self.error is None:
                if len(octets) > FEW:
                    self._take_runs(events)
                if (frame := self._framer.next_frame()) is None:
                    break
                if self._trace is not None:
                    self._trace("S", self._shown(frame))
                value = parse(frame, utf8=self.utf8, limits=self.limits)
                self._handle(value, frame, events)
                if self._switched:
                    self._switched = False
                    self._receive(self._framer.take_rest(), events)

    def _take_runs(self, events: list[object]) -> None:
        """Deal with the responses that come next as far as they are of a shape with a pattern."""
        if self.mailbox is None or self._opening is not None or self._trace is not None:
            return
        if (owner := self._in_flight.oldest) is None:
            return
        for shape in owner.command.shapes():
            octets, rows = shape.take(self._framer)
            if not rows:
                continue
            over = partial(Cursor, utf8=self.utf8, limits=self.limits)
            run = shape.read(octets, rows, over)
            if run is None:
                self._take_each(octets, events)
            elif owner.command.wants_run(run):
                self.mailbox.learn_run(run)
                owner.collect(run, len(octets), self.limits, len(run))
            else:
                for value in run:
                    self._deliver(self.apply(value), len(octets) // len(run), events)
            if owner.done:
                return

    def _take_each(self, octets: bytes, events: list[object]) -> None:
        """Deal with whole responses that the framer has passed already, and that are no status."""
        framer = Framer(self.limits)
        framer.feed(octets)
        while (frame := framer.next_frame()) is not None:
            value = parse(frame, utf8=self.utf8, limits=self.limits)
            self._deliver(self.apply(value), frame.size, events)

    def _handle(self, value: object, frame: Frame, events: list[object]) -> None:
        if frame.literals and Lost in map(type, frame.literals):
            self._fail_where_lost(frame)
        if self.state is State.GREETING:
            self._heed(self.greet(value))
        elif not isinstance(value, (Status, Continuation)):
            self._deliver(self.apply(value), frame.size, events)
        elif isinstance(value, Continuation):
            self._continue(value, events)
        elif value.tag is not None:
            self._complete(value, events)
        else:
            self._heed(value)
            self._deliver(value, frame.size, events)

    def _heed(self, status: Status) -> None:
        """Take in a status response; after BYE there is nothing to wait for."""
        again = self.bye is not None
        self.apply(status)
        if status.kind == "BYE" and (again or self._ending() is None):
            self.receive_eof()  # quirk 30: Yandex says BYE for ever, and never closes

    def _deliver(self, value: object, size: int, events: list[object]) -> None:
        if isinstance(value, Malformed):
            for pending in self._in_flight:
                pending.note(value)
        owner = self._in_flight.owner_of(value)
        if owner is None:
            events.append(value)
        else:
            owner.collect(value, size, self.limits)

    def _continue(self, challenge: Continuation, events: list[object]) -> None:
        if self._outbox.blocked:
            self._outbox.proceed()
            return
        pending = self._in_flight.oldest
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
        pending = self._in_flight.get(status.tag)
        if pending is None:
            events.append(status)
            return
        if not pending.written:
            if status.ok:
                raise ProtocolError(f"{pending.name}: OK before the command was sent")
            self._outbox.refuse(pending)
        self._in_flight.remove(pending)
        self.apply(status)
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
        if pending.command.ends_connection and status.ok:
            self.receive_eof()  # nothing comes after it

    # -- literals and traces ----------------------------------------------------------------

    def _choose_sink(self, text: bytearray, size: int) -> Sink:
        self._sink_owner = None
        for pending in self._in_flight if self._in_flight.sinks_from else ():
            sink = pending.command.sink(text, size)
            if sink is not None:
                self._sink_owner = pending
                return Discard() if pending.ignored or pending.done else sink
        if name_of_body(text) is None:
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
        owner = self._sink_owner or self._in_flight.oldest
        if owner is not None:
            owner.fail(lost.error)
        self._sink_owner = None

    def _shown(self, frame: Frame) -> bytes:
        """A response as a trace may show it."""
        hidden = frame.text.startswith(b"+") and any(
            pending.command.confidential for pending in self._in_flight
        )
        return b"+ ***" if hidden else frame.whole

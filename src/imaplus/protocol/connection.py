"""The sans-IO state machine: commands in, octets out; octets in, values out.

It applies each value first to our state, then offers it to the commands in flight, oldest first;
what none of them wants is returned as an event. It knows no particular command, has no clock and
does no I/O: whoever runs it moves octets between it and a stream.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from imaplus.errors import (
    CapabilityMissing,
    ConnectionLost,
    ImapError,
    ProtocolError,
    StateError,
    UidValidityChanged,
)
from imaplus.logs import ConnectionLog
from imaplus.protocol.command import Command, Pending, Reply, State
from imaplus.protocol.in_flight import InFlight
from imaplus.protocol.outbox import Outbox
from imaplus.protocol.progress import Progress
from imaplus.protocol.response import Continuation, Malformed, Status, parse
from imaplus.protocol.session import Session
from imaplus.protocol.sinking import Sinks
from imaplus.protocol.telling import Telling, Trace, may_be_words
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import DEFAULT_LIMITS, Frame, Limits
from imaplus.wire.framing import Framer, frames_in
from imaplus.wire.sinks import Lost, Sink
from imaplus.wire.writer import Writer

if TYPE_CHECKING:
    from imaplus.protocol.answering import Answering
    from imaplus.protocol.deflate import Inflating

T = TypeVar("T")

FEW: Final = 1000
"""Octets that come at once and are too few to look for many of a kind among them."""
EACH: Final = 32
"""Octets that a response counts for beside its own: short ones take as much time as long ones."""


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
        self.defers = False
        """Whether answers that take time are left to whoever runs the connection."""
        self.answering: Answering | None = None
        """Such an answer: call it, then `answered()`. Until then the server waits."""
        self.progress: Progress = Progress()
        self.log: ConnectionLog | None = None
        """Where commands and states are logged; whoever runs it sets this."""
        self._telling = Telling(trace)
        self._outbox = Outbox(self._telling)
        self._inflating: Inflating | None = None
        self._switched = False  # to compression, by the frame just handled
        self.name: str = os.urandom(2).hex().upper()
        """What its tags begin with, and its lines in a log."""
        self._tag = f"{self.name}-"
        self._count = 0
        self._queue: OrderedDict[str, Pending[Any]] = OrderedDict()  # by tag
        self._in_flight = InFlight()
        self._unasked = 0  # octets in a row that no command asked for
        self._sinks = Sinks(self._in_flight, limits)
        self._framer = Framer(limits, self._choose_sink)

    @property
    def has_more(self) -> bool:
        """Whether some of what came has not been looked at: call `receive_data(b"")`."""
        inflating = self._inflating
        return inflating is not None and self.error is None and inflating.has_more

    @property
    def inside_response(self) -> bool:
        """Whether a response has begun that has not ended yet."""
        return self._framer.inside_response

    def waits_for(self) -> str | None:
        """The name of the oldest command that is not over, None before the greeting."""
        if self.state is State.GREETING:
            return None
        oldest = self._in_flight.oldest or next(iter(self._queue.values()), None)
        return "the command" if oldest is None else oldest.name

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
        if self._sinks.owner is pending:
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

        if _uses_uids(command) and self.mailbox is not None and self.mailbox.made_anew is not None:
            raise self.mailbox.made_anew.with_traceback(None)

    def _uids_are_void(self, error: UidValidityChanged) -> None:
        for pending in (*self._in_flight, *self._queue.values()):
            if _uses_uids(pending.command):
                pending.fail(error)  # its answers, if any come, are thrown away

    def _encode(self, pending: Pending[Any]) -> None:
        out = Writer(self.rules(), self.listed)
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
                if pending.rules is not self.rules():
                    self._encode(pending)
            except ImapError as error:
                pending.fail(error)
                continue
            self._in_flight.add(pending)
            pending.heard = self._telling.heard
            pending.command.start(self)
            if pending.command.confidential:
                self._telling.log_in(pending.command.secrets())
            self._outbox.begin(pending)
            if self.log is not None:
                self.log.sent(self.name, pending.tag, pending.name)

    def _may_start(self, pending: Pending[Any]) -> bool:
        if self.state is State.GREETING or self._outbox.blocked:
            return False
        return self._in_flight.welcome(pending)

    # -- inwards ----------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> list[object]:
        """Take in octets from the stream; the values that no command asked for.

        Where compression is on, it takes one step (`STEP` octets when inflated): look whether
        the connection `has_more`, and call it with nothing to take the next.

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
        where = where if self.greeting is not None else " before its greeting"
        said = None if self.bye is None else self._telling.hidden_text(self.bye.text)
        self.fail(ConnectionLost(f"the server closed the connection{where}", said))

    def fail(self, error: ImapError) -> None:
        """The connection is of no use any more: every pending command carries the cause."""
        if self.error is not None:
            return
        error.last_words = error.last_words or self._last_words()
        self.error = error
        self.state = State.LOGOUT
        if self.log is not None:
            self.log.over(self.name, error)
        self.close_mailbox()
        self._framer.abandon()
        for pending in (*self._in_flight, *self._queue.values()):
            pending.fail(error)
        self._in_flight.clear()
        self._queue.clear()
        self._outbox.clear()

    def _last_words(self) -> tuple[str, ...]:
        """What the server said since the oldest command that it has not answered."""
        if may_be_words(line := self._framer.unfinished_line):
            self._telling.hear(line)
        oldest = self._in_flight.oldest
        return self._telling.words(0 if oldest is None else oldest.heard)

    def _ending(self) -> Pending[Any] | None:
        return next((p for p in self._in_flight if p.command.ends_connection), None)

    def _receive(self, data: bytes, events: list[object]) -> None:
        progress, framer = self.progress, self._framer
        before = progress.received
        if (inflating := self._inflating) is None:
            self._read(data, events)
        else:
            inflating.feed(data)
            self._read(inflating.step(), events)
            inflating.check_end()
        progress.unfinished = framer.unfinished
        if self._sinks.wanted and framer.keeps_literal:
            progress.octets += progress.received - before

    def _read(self, octets: bytes, events: list[object]) -> None:
        """Take in octets as IMAP has them."""
        self.progress.received += len(octets)
        self._framer.feed(octets)
        self._framer.keep_below = min((self.limits.small_literal, *self._in_flight.sinks_from))
        while self.error is None:
            if len(octets) > FEW:
                self._take_runs(events)
            if (frame := self._framer.next_frame()) is None:
                break
            if self._telling.traces:
                self._telling.came(frame, confidential=self._is_confidential)
            value = parse(frame, utf8=self.utf8, limits=self.limits)
            self._handle(value, frame, events)
            if self._switched:
                self._switched = False
                self._receive(self._framer.take_rest(), events)

    def _take_runs(self, events: list[object]) -> None:
        """Deal with the responses that come next as far as they are of a shape with a pattern."""
        if self.mailbox is None or self._opening is not None:
            return
        if (owner := self._in_flight.oldest) is None:
            return
        for shape in owner.command.shapes():
            octets, rows = shape.take(self._framer)
            if not rows:
                continue
            if self._telling.traces:
                for frame in frames_in(octets, self.limits):
                    self._telling.came(frame, confidential=False)
            over = partial(Cursor, utf8=self.utf8, limits=self.limits)
            run = shape.read(octets, rows, over)
            if run is None:
                self._take_each(octets, events)
            elif owner.command.wants_run(run):
                self.mailbox.learn_run(run)
                self._give(owner, run, len(octets), len(run))
            else:
                for value in run:
                    self._deliver(self.apply(value), len(octets) // len(run), events)
            if owner.done:
                return

    def _take_each(self, octets: bytes, events: list[object]) -> None:
        """Deal with whole responses that the framer has passed already, and that are no status."""
        for frame in frames_in(octets, self.limits):
            value = parse(frame, utf8=self.utf8, limits=self.limits)
            self._deliver(self.apply(value), frame.size, events)

    def _handle(self, value: object, frame: Frame, events: list[object]) -> None:
        if frame.literals and Lost in map(type, frame.literals):
            self._sinks.fail_where_lost(frame)
        if self.state is State.GREETING:
            self._heed(self.greet(value, frame.text), frame)
            if self.log is not None:
                self.log.state(self.name, self.state.value)
        elif not isinstance(value, (Status, Continuation)):
            self._deliver(self.apply(value), frame.size, events)
        elif isinstance(value, Continuation):
            self._continue(value, events)
        elif value.tag is not None:
            self._complete(value, frame, events)
        else:
            self._heed(value, frame)
            if value.kind == "NO" and value.code is not None:
                self._note_partly(value)
            self._deliver(value, frame.size, events)

    def _note_partly(self, status: Status) -> None:
        """Tell the oldest command that is concerned that only a part of it is done."""
        for pending in self._in_flight:
            if (partly := pending.command.partly(status)) is not None:
                pending.partly = partly
                return

    def _heed(self, status: Status, frame: Frame) -> None:
        """Take in a status response; after BYE there is nothing to wait for."""
        again = self.bye is not None
        if status.kind in ("NO", "BAD") or status.code == "ALERT":
            self._telling.hear(frame.text)
        self.apply(status)
        self.progress.in_progress += status.code == "INPROGRESS"
        if status.kind == "BYE" and (again or self._ending() is None):
            self.receive_eof()  # quirk 30: Yandex says BYE for ever, and never closes

    def _deliver(self, value: object, size: int, events: list[object]) -> None:
        if isinstance(value, Malformed):
            value = self._telling.malformed(value, utf8=self.utf8, limits=self.limits)
            for pending in self._in_flight:
                pending.note(value)
        owner = self._in_flight.owner_of(value)
        if owner is None:
            self._count_unasked(size)
            events.append(value)
            if (hearer := self._in_flight.hearer_of(value)) is not None:
                hearer.collect(value, size, self.limits)
        else:
            self._give(owner, value, size)

    def _give(self, owner: Pending[Any], value: object, size: int, count: int = 1) -> None:
        """A value, or a run of `count`, for the command that it answers."""
        self._unasked = 0
        owner.collect(value, size, self.limits, count)
        if not owner.ignored:
            self.progress.answered(size, count)

    def _count_unasked(self, size: int) -> None:
        self._unasked += size + EACH
        if self._unasked > self.limits.unasked:
            raise ProtocolError(
                "the server keeps sending what no command asked for: it counts for more than "
                f"{self.limits.unasked} octets"
            )

    def _continue(self, challenge: Continuation, events: list[object]) -> None:
        if self._outbox.blocked:
            self.progress.steps += 1
            self._outbox.proceed()
            return
        pending = self._in_flight.oldest
        if pending is None or not pending.command.exclusive or not pending.written:
            self._count_unasked(len(challenge.text) + FEW)  # nobody sends many of these
            events.append(challenge)
            return
        from imaplus.protocol.answering import Answering

        answering = Answering(pending, challenge)
        if self.defers and pending.command.answers_slowly and self.answering is None:
            self.answering = answering
        else:
            answering()
            if answering.line is None:
                self._count_unasked(FEW)  # IDLE begins with one
            self.answered(answering)

    def answered(self, answering: Answering) -> None:
        """Send an answer that has been worked out."""
        if self.answering is answering:
            self.answering = None
        if self.error is not None:
            return
        if answering.error is not None:
            answering.pending.fail(answering.error)
        self.progress.steps += answering.line is not None
        self._outbox.answered(answering.pending, answering.line)

    def _complete(self, status: Status, frame: Frame, events: list[object]) -> None:
        pending = self._in_flight.get(status.tag)
        if pending is None:
            self._count_unasked(len(frame.text) + FEW)  # nobody sends many of these
            if not status.ok:
                self._telling.hear(frame.text)
            events.append(status)
            return
        if not pending.written:
            if status.ok:
                raise ProtocolError(f"{pending.name}: OK before the command was sent")
            self._outbox.refuse(pending)
        self._unasked = 0
        self.progress.steps += 1
        self.apply(status)
        self._in_flight.remove(pending)
        if status.code == "ALERT":
            events.append(status)  # it is for the user, whatever the command (RFC 9051, 7.1)
        if pending.command.ends_connection and status.kind == "BYE":
            status = Status("OK", status.text, tag=status.tag)  # quirk 31
        reply = Reply(pending.name, status, pending.values, pending.malformed)
        if not status.ok:
            reply = self._refusal(pending, status)
        try:
            pending.command.finish(self, reply)
        except ImapError as error:
            pending.fail(error)
            raise
        pending.complete(reply)
        if self.log is not None:
            told = f"{status.kind} [{status.code}]" if status.code else status.kind
            self.log.answered(self.name, pending.tag, pending.name, told, self.state.value)
        if self._telling.remembers and not self._in_flight:
            self._telling.forget(secrets=status.ok)
        if pending.command.ends_connection and status.ok:
            self.receive_eof()  # nothing comes after it

    def _refusal(self, pending: Pending[Any], status: Status) -> Reply:
        """What a command came to that failed. Its error will quote the last words, no secret."""
        words = self._telling.words(pending.heard)
        status = self._telling.hidden_status(status)
        return Reply(pending.name, status, pending.values, pending.malformed, words)

    def _choose_sink(self, text: bytearray, size: int) -> Sink:
        return self._sinks.choose(text, size, self._framer.held)

    @property
    def _is_confidential(self) -> bool:
        """Whether what the server asks for now is a secret."""
        return any(pending.command.confidential for pending in self._in_flight)


def _uses_uids(command: Command[Any]) -> bool:
    """Whether UIDs stand in a command, or are what it asks for (RFC 9051, 6.4.9)."""
    return command.name.startswith(b"UID ")

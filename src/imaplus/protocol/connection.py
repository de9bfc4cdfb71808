"""The sans-IO state machine: commands in, bytes out; bytes in, values out.

Each value first updates the state of the connection (`state.py`). It is then offered to the
commands in flight, oldest first; a value that none of them wants is returned as an event. No
particular command is known here, there is no clock and no I/O: whoever runs the connection moves
bytes between it and a stream.

How commands are queued and sent is in `sending.py`; TLS, compression and continuation requests are
in `negotiating.py`.
"""

from __future__ import annotations

from typing import Any

from imaplus.errors import ConnectionLost, ImapError, ProtocolError
from imaplus.protocol.bulk import Bulk, BulkReader, MessageRun
from imaplus.protocol.command import Reply
from imaplus.protocol.data import MessageData
from imaplus.protocol.negotiating import STRAY, Negotiating
from imaplus.protocol.pending import Pending
from imaplus.protocol.response import Continuation, Malformed, parse
from imaplus.protocol.sinking import Sinks
from imaplus.protocol.state import State
from imaplus.protocol.status import Status
from imaplus.protocol.telling import Trace, may_be_words
from imaplus.wire.frames import DEFAULT_LIMITS, Frame, Limits
from imaplus.wire.framing import Framer
from imaplus.wire.sinks import Lost, Sink


class Connection(Negotiating):
    """The client's end of one IMAP connection.

    `send()` commands. Write what `data_to_send()` returns until it returns nothing, and pass what
    comes to `receive_data()`. Sending twice before receiving is pipelining: what RFC 9051 (5.5)
    allows is written at once, the rest waits its turn.

    Args:
        limits: What the server may make this end hold in memory.
        secure: Whether the stream is encrypted already.
        trace: Called with each line of the dialogue.
        bulk: Makes a reader that takes many FETCH responses at once. The values are the same
            without one.
    """

    def __init__(
        self,
        *,
        limits: Limits = DEFAULT_LIMITS,
        secure: bool = False,
        trace: Trace | None = None,
        bulk: Bulk | None = None,
    ) -> None:
        super().__init__(limits=limits, secure=secure, trace=trace)
        self._sinks = Sinks(self._in_flight, limits)
        self._framer = Framer(limits, self._choose_sink)
        self._bulk = bulk
        self._reader: BulkReader | None = None  # made at the first FETCH response

    @property
    def inside_response(self) -> bool:
        """Whether the latest response is incomplete."""
        return self._framer.inside_response

    # -- the ends ---------------------------------------------------------------------------

    def receive_eof(self) -> None:
        """Take note that the stream has ended."""
        if (pending := self._ending()) is not None:  # quirk 31: closed before LOGOUT's tagged OK
            pending.complete(Reply(pending.name, Status("OK", "")))
            self._in_flight.remove(pending)
        where = " inside a response" if self._framer.inside_response else ""
        where = where if self.greeting is not None else " before its greeting"
        said = None if self.bye is None else self._telling.hide_in_text(self.bye.text)
        self.fail(ConnectionLost(f"the server closed the connection{where}", said))

    def fail(self, error: ImapError) -> None:
        """End the connection: every command that is not over fails with this error."""
        if self.error is not None:
            return
        error.last_words = error.last_words or self._last_words()
        self._framer.abandon()
        super().fail(error)

    def give_up(self, pending: Pending[Any]) -> None:
        """Cancel a command if it has not been sent; otherwise ignore its answers."""
        if self._queue.pop(pending.tag, None) is not None:
            self._start_what_may()
        if self._sinks.owner is pending:
            self._framer.discard_literal()
        pending.ignored = True
        pending.values = []
        self.interrupt(pending)

    def _last_words(self) -> tuple[str, ...]:
        """What the server said since the oldest command that it has not answered."""
        if may_be_words(line := self._framer.unfinished_line):
            self._telling.hear(line)
        oldest = self._in_flight.oldest
        return self._telling.words(0 if oldest is None else oldest.heard)

    def _ending(self) -> Pending[Any] | None:
        return next((p for p in self._in_flight if p.command.ends_connection), None)

    # -- bytes to frames to values ----------------------------------------------------------

    def receive_data(self, data: bytes) -> list[object]:
        """Take in bytes from the stream; return the events, values that no command asked for.

        With compression it takes one step (`deflate.STEP` bytes when inflated): as long as the
        connection `has_more`, call it again with no bytes.

        Never raises: after an error that ends the connection, `error` says which, and every
        pending command has it.
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

    def _read(self, data: bytes, events: list[object]) -> None:
        self.progress.received += len(data)
        self._framer.feed(data)
        self._framer.keep_below = min((self.limits.small_literal, *self._in_flight.sinks_from))
        while self.error is None:
            if (reader := self._reader) is not None and len(data) >= reader.least:
                self._take(reader, events)
            if (frame := self._framer.next_frame()) is None:
                break
            if self._telling.traces:
                self._telling.show_received(frame, confidential=self._is_confidential)
            self._handle(self._value(frame), frame, events)
            if self._switched:
                self._switched = False
                self._receive(self._framer.take_rest(), events)

    def _value(self, frame: Frame) -> object:
        """The value of a frame: `parse()`, unless the bulk reader recognises it."""
        if self._reader is not None:
            known = self._reader.recognise(frame, utf8=self.utf8)
            if known is not None:
                return known
        value = parse(frame, utf8=self.utf8, limits=self.limits)
        if self._bulk is not None and isinstance(value, MessageData):
            if self._reader is None:
                self._reader = self._bulk(self.limits)
            self._reader.learn(value)
        return value

    def _take(self, reader: BulkReader, events: list[object]) -> None:
        """Deal with the responses that come next, as far as the bulk reader takes them."""
        if self.mailbox is None or self._opening is not None:
            return
        window = self._framer.window()
        taken = None if window is None else reader.take(window, utf8=self.utf8)
        if window is None or taken is None:
            return
        self._framer.move_to(taken.end)
        if self._telling.traces:
            self._telling.show_run(window.data[window.start : taken.end], self.limits)
        values, size = taken.values, taken.end - window.start
        owner = self._in_flight.oldest
        if isinstance(values, MessageRun) and owner is not None and owner.command.wants_run(values):
            self.mailbox.learn_run(values)
            self._give(owner, values, size, len(values))
        else:
            for value in values:
                self._deliver(self.apply(value), size // len(values), events)

    # -- values to commands -----------------------------------------------------------------

    def _handle(self, value: object, frame: Frame, events: list[object]) -> None:
        if frame.literals and Lost in map(type, frame.literals):
            self._sinks.fail_where_lost(frame)
        if self.state is State.GREETING:
            self._heed(self.greet(value, frame.text), frame)
            if self.log is not None:
                self.log.log_state(self.name, self.state.value)
        elif not isinstance(value, (Status, Continuation)):
            self._deliver(self.apply(value), frame.size, events)
        elif isinstance(value, Continuation):
            self._continue(value, events)
        elif value.tag is not None:
            self._complete(value, frame, events)
        else:
            self._heed(value, frame)
            if value.code is not None:
                self._note_partly(value)
            self._deliver(value, frame.size, events)

    def _deliver(self, value: object, size: int, events: list[object]) -> None:
        """Give a value of `size` bytes to the command that it answers, or add it to the events."""
        if isinstance(value, Malformed):
            value = self._telling.hide_in_malformed(value, utf8=self.utf8, limits=self.limits)
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
        """Give a value, or a run of `count`, to the command that it answers."""
        self._unasked = 0
        owner.collect(value, size, self.limits, count)
        if not owner.ignored:
            self.progress.count_answer(size, count)

    def _note_partly(self, status: Status) -> None:
        """Tell the oldest command that is concerned that only a part of it is done."""
        for pending in self._in_flight:
            if (partly := pending.command.partly(status)) is not None:
                pending.partly = partly
                return

    def _heed(self, status: Status, frame: Frame) -> None:
        """Take in an untagged status; after BYE there is nothing to wait for."""
        again = self.bye is not None
        if status.kind in ("NO", "BAD") or status.code == "ALERT":
            self._telling.hear(frame.text)
        self.apply(status)
        self.progress.in_progress += status.code == "INPROGRESS"
        if status.kind == "BYE" and (again or self._ending() is None):
            self.receive_eof()  # quirk 30: Yandex says BYE for ever, and never closes

    # -- the end of a command ---------------------------------------------------------------

    def _complete(self, status: Status, frame: Frame, events: list[object]) -> None:
        """Take in a tagged status: its command is over."""
        pending = self._in_flight.get(status.tag)
        if pending is None:
            self._count_unasked(len(frame.text) + STRAY)
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
            effect = pending.command.finish(self, reply)
            if effect is not None:
                self._carry_out(effect, self._framer)
        except ImapError as error:
            pending.fail(error)
            raise
        pending.complete(reply)
        if self.log is not None:
            told = f"{status.kind} [{status.code}]" if status.code else status.kind
            self.log.log_status(self.name, pending.tag, pending.name, told, self.state.value)
        if self._telling.remembers and not self._in_flight:
            self._telling.forget()
        if pending.command.ends_connection and status.ok:
            self.receive_eof()  # nothing comes after it

    def _refusal(self, pending: Pending[Any], status: Status) -> Reply:
        """The reply of a command that failed, without secrets, and with the last words."""
        words = self._telling.words(pending.heard)
        status = self._telling.hide_in_status(status)
        return Reply(pending.name, status, pending.values, pending.malformed, words)

    # -- literals ---------------------------------------------------------------------------

    def _choose_sink(self, text: bytearray, size: int) -> Sink:
        return self._sinks.choose(text, size, self._framer.held)

    @property
    def _is_confidential(self) -> bool:
        """Whether what the server asks for now is a secret."""
        return any(pending.command.confidential for pending in self._in_flight)

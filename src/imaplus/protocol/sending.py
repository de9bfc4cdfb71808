"""The outgoing half of a connection: which command may be sent now, and what is to be written."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import Any, TypeVar

from imaplus.errors import (
    CapabilityMissing,
    ConnectionLost,
    ImapError,
    StateError,
    UidValidityChanged,
)
from imaplus.logs import ConnectionLog
from imaplus.protocol.command import Command
from imaplus.protocol.in_flight import InFlight
from imaplus.protocol.outbox import Outbox
from imaplus.protocol.pending import Pending
from imaplus.protocol.state import ConnectionState, State
from imaplus.protocol.telling import Telling, Trace
from imaplus.wire.frames import Limits
from imaplus.wire.writer import Writer

T = TypeVar("T")


class Sending(ConnectionState):
    """The state of a connection, and the commands that were given to it.

    Commands wait in a queue until they may be sent, in order, and are then in flight until their
    tagged status comes.
    """

    def __init__(self, *, limits: Limits, secure: bool, trace: Trace | None) -> None:
        super().__init__(limits=limits, secure=secure)
        self.error: ImapError | None = None
        """Why the connection can no longer be used, or None."""
        self.log: ConnectionLog | None = None
        """Where to log commands and states. Whoever runs the connection sets this."""
        self.name: str = os.urandom(2).hex().upper()
        """The beginning of its tags and of its lines in a log."""
        self._telling = Telling(trace)
        self._outbox = Outbox(self._telling)
        self._tag = f"{self.name}-"
        self._count = 0
        self._queue: OrderedDict[str, Pending[Any]] = OrderedDict()  # by tag
        self._in_flight = InFlight()

    def waits_for(self) -> str | None:
        """The name of the oldest command that is not over, None before the greeting."""
        if self.state is State.GREETING:
            return None
        oldest = self._in_flight.oldest or next(iter(self._queue.values()), None)
        return "the command" if oldest is None else oldest.name

    def send(self, command: Command[T]) -> Pending[T]:
        """Queue a command. It is sent as soon as that is allowed.

        Raises:
            UsageError: it cannot be written, or not in this state, or the server lacks a
                capability that it requires. Nothing has been queued.
            ConnectionLost, ProtocolError: the connection has failed.
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
        """End a command early, if it can be: IDLE."""
        line = pending.command.interruption()
        if line is not None and self._in_flight.get(pending.tag) is pending:
            self._outbox.interrupt(pending, line)

    def data_to_send(self) -> bytes:
        """The next bytes to write, in pieces that fit into memory; empty when there are none.

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
        """Whether `data_to_send()` would return something."""
        return self._outbox.has_data

    def fail(self, error: ImapError) -> None:
        """End the connection: every command that is not over fails with this error."""
        self.error = error
        self.state = State.LOGOUT
        self.close_mailbox()
        if self.log is not None:
            self.log.log_end(self.name, error)
        for pending in (*self._in_flight, *self._queue.values()):
            pending.fail(error)
        self._in_flight.clear()
        self._queue.clear()
        self._outbox.clear()

    def _check(self, command: Command[Any]) -> None:
        state = self._in_flight.leads_to or self.state
        if state not in command.states:
            raise StateError(f"{command.name.decode()} cannot be sent while {state.value}")
        for capability in command.needs():
            if not self.can(capability):
                raise CapabilityMissing(capability, command.name.decode())

        if _uses_uids(command) and self.mailbox is not None and self.mailbox.made_anew is not None:
            raise self.mailbox.made_anew.with_traceback(None)

    def _void_uids(self, error: UidValidityChanged) -> None:
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
                self._telling.keep_secrets(pending.command.secrets())
            self._outbox.begin(pending)
            if self.log is not None:
                self.log.log_command(self.name, pending.tag, pending.name)

    def _may_start(self, pending: Pending[Any]) -> bool:
        if self.state is State.GREETING or self._outbox.blocked:
            return False
        return self._in_flight.may_add(pending)


def _uses_uids(command: Command[Any]) -> bool:
    """Whether UIDs stand in a command, or are what it asks for (RFC 9051, 6.4.9)."""
    return command.name.startswith(b"UID ")

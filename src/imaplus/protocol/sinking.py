"""Choose sinks for literals: of the command that wants them, or memory, or none."""

from __future__ import annotations

from typing import Any

from imaplus.errors import ProtocolError
from imaplus.protocol.body_names import name_of_body
from imaplus.protocol.data import MessageData
from imaplus.protocol.in_flight import InFlight
from imaplus.protocol.pending import Pending
from imaplus.wire.frames import Frame, Limits
from imaplus.wire.sinks import Discard, Lost, Memory, Sink


class Sinks:
    """Chooses a sink for each literal, and remembers the command of the latest one."""

    __slots__ = ("_in_flight", "_limits", "owner", "wanted")

    def __init__(self, in_flight: InFlight, limits: Limits) -> None:
        self._in_flight = in_flight
        self._limits = limits
        self.owner: Pending[Any] | None = None
        """The command that took the latest literal."""
        self.wanted: bool = False
        """Whether a command waits for the latest large literal."""

    def choose(self, text: bytearray, size: int, held: int) -> Sink:
        """The sink for a literal, by the text that comes before it.

        `held` bytes of literals of the same response are in memory.
        """
        self.owner = None
        for pending in self._in_flight if self._in_flight.sinks_from else ():
            sink = pending.command.sink(text, size)
            if sink is not None:
                self.owner = pending
                self.wanted = True
                return Discard() if pending.ignored or pending.done else sink
        self.wanted = False
        if name_of_body(text) is None:
            if size > self._limits.small_literal:
                raise ProtocolError(f"a literal of {size} bytes where no body was asked for")
        elif not self._in_flight.collects(MessageData):
            if held + size > self._limits.unasked:
                raise ProtocolError(f"a body of {size} bytes that no command asked for")
        elif size > self._limits.literal:
            return Discard(
                ProtocolError(f"a body of {size} bytes is too large for memory: download it")
            )
        else:
            self.wanted = self._in_flight.awaits(MessageData)
        return Memory()

    def fail_where_lost(self, frame: Frame) -> None:
        """Fail the command of a literal in this frame whose sink failed."""
        lost = next((value for value in frame.literals if isinstance(value, Lost)), None)
        if lost is None:
            return
        owner = self.owner or self._in_flight.oldest
        if owner is not None:
            owner.fail(lost.error)
        self.owner = None

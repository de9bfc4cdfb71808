"""The literals of one response: each goes to the sink that is chosen for it, within the limits.

Where a literal begins and how many octets it has is told by the framer. What goes wrong with a sink
costs its literal, and the stream stays in step.
"""

from __future__ import annotations

from contextlib import suppress

from imaplus.errors import ProtocolError
from imaplus.wire.frames import Limits
from imaplus.wire.sinks import Discard, Lost, Memory, Sink, SinkChooser


class Literals:
    """The literals that have come, and the one that is coming in."""

    __slots__ = ("_choose", "_held", "_limits", "_sink", "_values", "missing")

    def __init__(self, limits: Limits, choose: SinkChooser | None) -> None:
        self._limits = limits
        self._choose = choose or self._in_memory
        self._values: list[object] = []
        self._held = 0  # octets of them in memory
        self._sink: Sink | None = None
        self.missing: int = 0
        """Octets of the literal that are still to come."""

    def _in_memory(self, text: bytearray, size: int) -> Sink:
        if size > self._limits.literal:
            raise ProtocolError(
                f"a literal of {size} octets exceeds the limit of {self._limits.literal}"
            )
        return Memory()

    @property
    def held(self) -> int:
        """Octets in memory of those of this response."""
        return self._held

    @property
    def coming(self) -> bool:
        """Whether one has begun and is not complete."""
        return self._sink is not None

    @property
    def kept(self) -> bool:
        """Whether one is coming, and goes somewhere."""
        return self._sink is not None and not isinstance(self._sink, Discard)

    def take(self) -> tuple[object, ...]:
        """The values of all, which are forgotten here: the response is over."""
        values = tuple(self._values)
        self._values.clear()
        self._held = 0
        return values

    def begin(self, text: bytearray, size: int) -> None:
        """One of so many octets follows the response's text so far."""
        self._check()
        self.missing = size
        self._sink = self.sink_for(text, size)

    def fill(self, octets: bytes) -> bool:
        """Its next octets, no more than are missing; whether it is complete."""
        assert self._sink is not None
        self.missing -= len(octets)
        if octets:
            if isinstance(self._sink, Memory):
                self._hold(len(octets))
            self._sink = given(self._sink, octets)
        if self.missing:
            return False
        self._values.append(closed(self._sink))
        self._sink = None
        return True

    def add(self, value: bytes) -> None:
        """One that was sent as another kind of string."""
        self._check()
        self._hold(len(value))
        self._values.append(value)

    def _check(self) -> None:
        if len(self._values) >= self._limits.literals:
            raise ProtocolError(f"a response has more than {self._limits.literals} literals")

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._limits.held:
            raise ProtocolError(
                f"the literals of a response exceed the limit of {self._limits.held} octets"
            )

    def sink_for(self, text: bytearray, size: int) -> Sink:
        """Where a literal goes: nowhere, if whoever is asked fails."""
        try:
            return self._choose(text, size)
        except ProtocolError:
            raise
        except Exception as error:
            return Discard(error)

    def discard(self) -> None:
        """Nobody wants the one that is coming in: swallow the rest of it."""
        if self._sink is not None:
            self._sink.abort()
            self._sink = Discard()

    def abandon(self) -> None:
        """The rest will not come."""
        if self._sink is not None:
            with suppress(Exception):  # the stream's end is what matters
                self._sink.abort()
            self._sink = None


def given(sink: Sink, octets: bytes) -> Sink:
    """The sink that has taken these octets; one that forgets them, if it could not."""
    try:
        sink.write(octets)
    except Exception as error:
        sink.abort()
        return Discard(error)
    return sink


def closed(sink: Sink) -> object:
    """The value that stands for the literal."""
    try:
        return sink.close()
    except Exception as error:
        return Lost(error)

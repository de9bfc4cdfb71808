"""The literals of one response: each is written to the sink that is chosen for it.

The framer says where a literal begins and how long it is. If a sink fails, only its literal is
lost: framing continues after it.
"""

from __future__ import annotations

from contextlib import suppress

from imaplus.errors import ProtocolError
from imaplus.wire.frames import Limits
from imaplus.wire.sinks import Discard, Lost, Memory, Sink, SinkChooser


class Literals:
    """The complete literals of a response, and the incomplete one."""

    __slots__ = ("_choose", "_held", "_limits", "_sink", "_values", "missing")

    def __init__(self, limits: Limits, choose: SinkChooser | None) -> None:
        self._limits = limits
        self._choose = choose or self._in_memory
        self._values: list[object] = []
        self._held = 0  # bytes of them in memory
        self._sink: Sink | None = None
        self.missing: int = 0
        """Bytes of the incomplete literal that have not been received."""

    def _in_memory(self, text: bytearray, size: int) -> Sink:
        if size > self._limits.literal:
            raise ProtocolError(
                f"a literal of {size} bytes exceeds the limit of {self._limits.literal}"
            )
        return Memory()

    @property
    def held(self) -> int:
        """Bytes of this response's literals in memory."""
        return self._held

    @property
    def coming(self) -> bool:
        """Whether a literal is incomplete."""
        return self._sink is not None

    @property
    def kept(self) -> bool:
        """Whether a literal is incomplete and is not being discarded."""
        return self._sink is not None and not isinstance(self._sink, Discard)

    def take(self) -> tuple[object, ...]:
        """Remove and return the values of all literals, at the end of the response."""
        values = tuple(self._values)
        self._values.clear()
        self._held = 0
        return values

    def begin(self, text: bytearray, size: int) -> None:
        """Begin a literal of `size` bytes after this text."""
        self._check()
        self.missing = size
        self._sink = self.sink_for(text, size)

    def fill(self, data: bytes) -> bool:
        """Write the next bytes, at most `missing`; return whether the literal is complete."""
        assert self._sink is not None
        self.missing -= len(data)
        if data:
            if isinstance(self._sink, Memory):
                self._hold(len(data))
            self._sink = write_to(self._sink, data)
        if self.missing:
            return False
        self._values.append(close_sink(self._sink))
        self._sink = None
        return True

    def add(self, value: bytes) -> None:
        """Add a literal from the contents of a quoted string."""
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
                f"the literals of a response exceed the limit of {self._limits.held} bytes"
            )

    def sink_for(self, text: bytearray, size: int) -> Sink:
        """Choose the sink for a literal; if that fails, one that discards it."""
        try:
            return self._choose(text, size)
        except ProtocolError:
            raise
        except Exception as error:
            return Discard(error)

    def discard(self) -> None:
        """Discard the rest of the incomplete literal."""
        if self._sink is not None:
            self._sink.abort()
            self._sink = Discard()

    def abandon(self) -> None:
        """Abort the incomplete literal: the stream has ended."""
        if self._sink is not None:
            with suppress(Exception):  # the end of the stream is reported instead
                self._sink.abort()
            self._sink = None


def write_to(sink: Sink, data: bytes) -> Sink:
    """Write to a sink and return it; if that fails, return one that discards the rest."""
    try:
        sink.write(data)
    except Exception as error:
        sink.abort()
        return Discard(error)
    return sink


def close_sink(sink: Sink) -> object:
    """Close a sink, and return the value that stands for the literal."""
    try:
        return sink.close()
    except Exception as error:
        return Lost(error)

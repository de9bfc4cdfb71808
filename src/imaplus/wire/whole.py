"""Cutting a response in a few steps, when all of it has come and nothing about it is unusual.

`Framer.next_frame()` tries this first. Everything that is left to it (None) gives the same frame
there, only more slowly; `tests/wire/test_framing.py` holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from imaplus.wire.frames import Frame, Limits
from imaplus.wire.literals import close_sink, write_to
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.quoted import BEFORE_LAST, find_broken, may_go_on
from imaplus.wire.sinks import Sink

MOST_LITERALS: Final = 1000
"""Limit on the literals of a response that is cut here."""
LONGEST_COUNT: Final = len("{1234567}")
_CR: Final = ord("\r")
_ENDS_ODDLY: Final = frozenset(b"} \t\r")
_LITERAL_LINE: Final = lazy_pattern(rb"\{(0|[1-9][0-9]{0,6})\}\r\n\Z")


SinkAt = Callable[[int, bytearray, int], Sink]
"""Chooses the sink for a literal that begins here, after this text, with this size in bytes."""


def cut_whole(
    data: bytes, start: int, limits: Limits, keep_below: int, sink_at: SinkAt
) -> tuple[Frame, int] | None:
    """The response that begins at `start` and its end, if all of it has come and it is plain.

    Literals shorter than `keep_below` are kept in memory.
    """
    end = data.find(b"\n", start) - 1  # of the line, without its end
    if end <= start or end + 2 - start > limits.text:
        return None
    if data[end] != _CR or not data[start]:
        return None
    if data[end - 1] not in _ENDS_ODDLY:
        quote = data.rfind(b'"', start, end)  # `may_go_on()`, inlined
        if quote > 0 and data[quote - 1] in BEFORE_LAST and find_broken(data[start:end]):
            return None
        return Frame(data[start:end]), end + 2
    most = min(limits.literals, MOST_LITERALS)
    literals: list[tuple[int, int]] = []  # where each begins and ends
    position = start
    while match := _LITERAL_LINE.search(data, max(position, end - LONGEST_COUNT), end + 2):
        literal = end + 2
        position = literal + int(match[1])
        end = data.find(b"\n", position) - 1
        if end <= position or data[end] != _CR or len(literals) >= most:
            return None
        literals.append((literal, position))
        if may_go_on(data, position, end):
            return None
        if data[end - 1] not in _ENDS_ODDLY:
            if end - start > min(limits.text, limits.held):
                return None
            # Nothing is missing, so that no sink is asked for twice.
            return _frame(data, start, literals, end, keep_below, sink_at), end + 2
    return None


def _frame(
    data: bytes,
    start: int,
    literals: list[tuple[int, int]],
    end: int,
    keep_below: int,
    sink_at: SinkAt,
) -> Frame:
    text = bytearray()
    values: list[object] = []
    for begin, after in literals:
        value = data[begin:after]
        if len(value) < keep_below:
            text += data[start:begin]
            values.append(value)
        else:
            brace = data.rindex(b"{", start, begin)
            text += data[start:brace]
            sink = sink_at(begin, text, len(value))
            values.append(close_sink(write_to(sink, value) if value else sink))
            text += data[brace:begin]
        start = after
    text += data[start:end]
    return Frame(bytes(text), tuple(values))


def will_be_whole(data: bytes, start: int, limits: Limits, keep_below: int) -> bool:
    """Whether to wait for more data before reading the response in pieces.

    Only a response behind others waits, so that no byte is copied more than once for it.
    """
    if not 0 < start < len(data) <= start + limits.text:
        return False
    end = data.find(b"\n", start) + 1
    if not end:
        return True
    match = _LITERAL_LINE.search(data, max(start, end - 2 - LONGEST_COUNT), end)
    if match is None:
        return False
    size = int(match[1])
    return size < keep_below and len(data) <= end + size

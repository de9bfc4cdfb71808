"""Cutting many responses of one shape out of the bytes that have come, by one pattern.

A response that has not come whole, or is unusual in any way, ends the cutting: it is left to
`wire.framing`.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from imaplus.core.bulk.shapes import Shape
from imaplus.wire.frames import ANNOUNCED, Limits
from imaplus.wire.framing import Window
from imaplus.wire.quoted import find_broken, may_go_on

Rows: TypeAlias = list[tuple[bytes, ...]]
"""The groups of a pattern in each of many responses."""
_AFTER_BODY: Final = b")\r\n"


class Cutter:
    """Cuts responses out of the windows of one connection."""

    __slots__ = ("_checked", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._checked = 0, 0  # feeds of a window, and up to where its literals are plain

    def cut(self, shape: Shape, window: Window) -> tuple[int, Rows]:
        """The end of the responses of this shape, and their groups; no groups if there are none.

        The last group of each row has no meaning.
        """
        if shape.ends_in_body:
            return self._cut_bodies(shape, window)
        if not shape.beginning.match(window.data, window.start):
            return window.start, []
        return self._cut_lines(shape, window)

    def _cut_lines(self, shape: Shape, window: Window) -> tuple[int, Rows]:
        """Responses without a body: all complete lines at once.

        In lists, a line that ends in `{n}` does not end the response. The literals must be plain:
        `_end_of_plain()`. A response without lists is left alone if no other follows it.
        """
        data, start = window.data, window.start
        end = data.rfind(b"\n", start) + 1
        if end - start > self._limits.text:
            return start, []
        if shape.lists:
            end = self._end_of_plain(window, end)
        elif not data.startswith(b"* ", data.find(b"\n", start) + 1):
            return start, []
        rows: Rows = shape.many.findall(data, start, end) if start < end else []
        if rows and rows[-1][-1]:
            end -= len(rows.pop()[-1])
        return (end, rows) if rows else (start, [])

    def _end_of_plain(self, window: Window, end: int) -> int:
        """Where the last response ends before which all literals are plain, and so are all lines.

        A plain literal has no line break in it, is followed by more than the end of the response,
        and is so small that no sink must be chosen. A line is not plain if a quoted string in it
        may go on on the next one. Each window is searched once.
        """
        data, start = window.data, window.start
        feeds, checked = self._checked
        if feeds == window.feeds and checked > start:
            return checked
        last = data.rfind(b"\n", start, end - 1) + 1 or start
        line = data[last : end - 2]
        if may_go_on(data, last, end) and find_broken(line, response=data[start:last]):
            end = last
        after = start
        for count, match in enumerate(ANNOUNCED.finditer(data, start, end)):
            begin, size = match.end(), int(match[1])
            room = data.find(b"\n", begin, end) - len(b"))\r") - begin
            odd = match.start() < after or not size <= room or size >= window.keep_below
            if odd or count >= self._limits.literals:
                end = match.start()
                break
            after = begin + size
        if not data.endswith(b"\n", start, end) or data[end : end + 2] not in (b"", b"* "):
            end = max(data.rfind(b"\n* ", start, end) + 1, start)
        self._checked = window.feeds, end
        return end

    def _cut_bodies(self, shape: Shape, window: Window) -> tuple[int, Rows]:
        """Responses with one literal, and nothing but `)` after it, as long as it may be kept."""
        data, position = window.data, window.start
        most = min(self._limits.text, self._limits.held) if self._limits.literals else 0
        rows: Rows = []
        while match := shape.beginning.match(data, position):
            begin = match.end()
            *groups, size = match.groups()
            behind = begin + int(size)
            if behind - begin >= window.keep_below or behind - position >= most:
                break
            if not data.startswith(_AFTER_BODY, behind):
                break
            rows.append((*groups, data[begin:behind], b""))
            position = behind + len(_AFTER_BODY)
        return position, rows

"""The bulk reader: learns the shapes of FETCH responses, and recognises those like them."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final

from imaplus.core.bulk.cutting import Cutter
from imaplus.core.bulk.rows import UNREAD, Row, Source, hasten
from imaplus.core.bulk.runs import make_run
from imaplus.core.bulk.shapes import PLAIN, Shape, shape_of
from imaplus.core.fetched import FetchData
from imaplus.protocol.bulk import Taken
from imaplus.protocol.data import MessageData
from imaplus.protocol.response import parse
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame, Limits
from imaplus.wire.framing import Framer, Window

MOST_SHAPES: Final = 4
"""Shapes that are remembered: of the commands in flight, and of what comes unasked."""
WORTHWHILE: Final = 1000
"""Reads shorter than this, in bytes, skip bulk parsing."""


class Reader:
    """The bulk reader of one connection: an `imaplus.protocol.bulk.BulkReader`.

    Args:
        limits: The limits of the connection.
        least: Reads shorter than this, in bytes, skip `take()`.
    """

    __slots__ = ("_cutter", "_limits", "_shapes", "least")

    def __init__(self, limits: Limits, *, least: int = WORTHWHILE) -> None:
        self.least: int = least
        self._limits = limits
        self._cutter = Cutter(limits)
        self._shapes: tuple[Shape, ...] = ()  # the latest first

    def learn(self, value: MessageData) -> None:
        """Remember the shape of a response that `parse()` has read."""
        if not isinstance(value, FetchData):
            return
        shape = shape_of(tuple(value.items))
        if shape is not None and shape not in self._shapes:
            self._shapes = (shape, *self._shapes)[:MOST_SHAPES]
        hasten(value.items)

    def recognise(self, frame: Frame, *, utf8: bool) -> FetchData | None:
        """The value of a response of a known shape."""
        for shape in self._shapes:
            if (match := shape.one.match(frame.text)) is not None:
                return self._make_value(shape, match, frame, utf8=utf8)
        return None

    def take(self, window: Window, *, utf8: bool) -> Taken | None:
        """The responses of a known shape that come next, as a run."""
        for shape in self._shapes:
            if not shape.comes_in_runs:
                continue
            end, rows = self._cutter.cut(shape, window)
            if rows:
                data = window.data[window.start : end]
                run = make_run(data, rows, Source(shape, self._cursors(utf8=utf8)))
                return Taken(end, self._parse_each(data, utf8=utf8) if run is None else run)
        return None

    def _cursors(self, *, utf8: bool) -> partial[Cursor]:
        return partial(Cursor, utf8=utf8, limits=self._limits)

    def _make_value(
        self, shape: Shape, match: re.Match[bytes], frame: Frame, *, utf8: bool
    ) -> FetchData | None:
        seq, *groups = match.groups()
        if shape.lists:
            text = groups[-1]
            if not all(marker in text for marker in shape.markers):
                return None
            groups[-1] = Frame(text, frame.literals)
        elif frame.literals:
            for place, name in enumerate(shape.places):
                if name not in PLAIN:
                    at = match.start(place + 2)
                    groups[place] = frame.literals[frame.text.count(b"\r\n", 0, at)]
        row: Any = tuple(column[0] for column in shape.parse([[each] for each in groups]))
        source = Source(shape, self._cursors(utf8=utf8))
        uid = shape.places.get("UID")
        if uid is not None:
            return Row(int(seq), row[uid], UNREAD, row, source)
        items: dict[str, object] = {}
        for (name, value), parse_later in zip(
            zip(shape.places, row, strict=True), shape.parsers_when_read, strict=True
        ):
            items[name] = value if parse_later is None else parse_later(value)
        return FetchData(int(seq), items)

    def _parse_each(self, data: bytes, *, utf8: bool) -> list[object]:
        """The values of complete responses, parsed one by one."""
        framer = Framer(self._limits)
        framer.feed(data)
        values = []
        while (frame := framer.next_frame()) is not None:
            value = parse(frame, utf8=utf8, limits=self._limits)
            if isinstance(value, FetchData):
                hasten(value.items)
            values.append(value)
        return values

"""Row: the `Fetched` of a response that was recognised by its shape, not parsed.

It keeps what the pattern of the shape has matched. Dates are parsed when they are read, ENVELOPE
and BODYSTRUCTURE when they are first read.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from itertools import pairwise
from typing import Any, Final, NamedTuple

from imaplus.core.bulk.envelopes import read_envelope
from imaplus.core.bulk.shapes import Shape
from imaplus.core.bulk.structures import read_structure
from imaplus.core.fetched import Fetched
from imaplus.core.items import Later, read_items
from imaplus.errors import ProtocolError
from imaplus.protocol.registry import Parser
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame, frame_of

FAST: Final[dict[str, Parser]] = {
    "ENVELOPE": read_envelope,
    "BODYSTRUCTURE": read_structure,
    "BODY": read_structure,
}
"""Faster parsers of the items that are parsed when they are first read."""

Over = Callable[[Frame], Cursor]
"""Makes a cursor over a frame, under the rules of a connection."""


class Source(NamedTuple):
    """What the rows of one run have in common."""

    shape: Shape
    over: Over


UNREAD: Final[dict[str, object]] = {}
"""The items of a row as long as no list has been read: one empty dict for all rows."""


def hasten(items: dict[str, object]) -> None:
    """Have the items that are still to be parsed parsed by the faster parsers."""
    for name, fast in FAST.items():
        later = items.get(name)
        if isinstance(later, Later):
            items[name] = later._replace(parser=fast)


class Row(Fetched):
    """What a response of a known shape says of one message."""

    __slots__ = ("_after", "_row", "_source")

    def __init__(
        self,
        seq: int,
        uid: int,
        items: dict[str, object],
        row: tuple[Any, ...],
        source: Source,
    ) -> None:
        self.seq = seq
        self.uid = uid
        self._items = items  # while there is a source, the lists that have been read
        self._row = row
        self._source: Source | None = source
        self._after: Cursor | None = None  # it stands after the latest of these

    def _lists(self) -> Frame:
        """The text of all lists, without the name of the first."""
        text: bytes | Frame = self._row[-1]
        return text if isinstance(text, Frame) else frame_of(text)

    @property
    def items(self) -> dict[str, object]:
        """All items. The response is parsed as any other: it may have more of them."""
        if self._source is not None:
            shape, over = self._source
            items = {name: self[name] for name in shape.places}
            if shape.lists:
                text, literals = self._lists()
                c = over(Frame(b"(%b %b)" % (shape.lists[0].encode(), text), literals))
                items = read_items(c, items)
                hasten(items)
                items |= self._items
            self._items = items
            self._source = self._after = None
        return self._items

    @property
    def claims(self) -> Set[str]:
        """The names of the items of the shape; `names` looks closer."""
        return self._items.keys() if self._source is None else self._source.shape.names

    def __getitem__(self, name: str) -> Any:
        if self._source is not None:
            shape = self._source.shape
            if (place := shape.places.get(name)) is not None:
                value, parse = self._row[place], shape.parsers_when_read[place]
                return value if parse is None else parse(value)
            if name not in self._items:
                self._read_list(name)
            if self._source is not None:
                return self._items[name]
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        if self._source is not None:
            shape = self._source.shape
            if name in shape.places or not shape.lists:
                return name in shape.places
        return name in self.items

    def _read_list(self, name: str) -> None:
        """Parse a list; those before it are skipped.

        If the lists are not what they seem to be, the whole response is parsed.

        Raises:
            KeyError: the server did not send the item.
        """
        assert self._source is not None
        shape, over = self._source
        if not shape.lists:
            raise KeyError(name)
        if name not in shape.lists:
            self.items  # noqa: B018 - parse all of it
            return
        c = self._after
        try:
            if c is None or not c.accept(b" %b " % name.encode()):
                c = over(self._lists())
                for before, each in pairwise(shape.lists):
                    if before == name:
                        break
                    c.skip()
                    c.expect(b" %b " % each.encode())
            value = FAST[name](c)
            if name == shape.lists[-1] and not c.at_end():
                c.fail("the end of the response")
        except ProtocolError:
            self.items  # noqa: B018 - parse all of it
            return
        self._after = c
        if self._items is UNREAD:
            self._items = {}
        self._items[name] = value

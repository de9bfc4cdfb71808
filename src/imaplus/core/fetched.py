"""FETCH data (RFC 9051, 7.5.2): what a server says of one message.

It gives items by name, read or to be read when they are touched; how each is written is known in
`items`, and how those look that come again and again, in `shapes`. Who asked, nobody knows here.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from imaplus.core import shapes
from imaplus.core.envelope import Envelope
from imaplus.core.items import Later, item_by_item, lazy_items
from imaplus.core.parts import Part
from imaplus.core.shapes import Over, Shape
from imaplus.errors import InvalidArgument, ProtocolError
from imaplus.protocol.data import MessageData
from imaplus.protocol.response import Malformed, numbered_response
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame, framed

if TYPE_CHECKING:
    from email.message import EmailMessage


class Source(NamedTuple):
    """What a response with a shape is read by: one for all that came together."""

    shape: Shape
    over: Over


UNTOUCHED: Final[dict[str, object]] = {}
"""The items of a message with a shape as long as none has been touched: one for all of them."""


class Fetched(MessageData):
    """What a FETCH response says of one message.

    `items` has it by name, as RFC 9051 writes it: `message["RFC822.SIZE"]`. Values are typed; what
    no parser knows is a raw `Frame`. Partial sections are named by their first octet: `BODY[]<0>`.
    """

    __slots__ = ("_behind", "_items", "_row", "_source")

    def __init__(
        self,
        seq: int,
        uid: int | None,
        items: dict[str, object],
        row: tuple[Any, ...] = (),
        source: Source | None = None,
    ) -> None:
        self.seq = seq
        self.uid = uid
        self._items = items  # with a shape, the lists that have been touched
        self._row = row
        self._source = source
        self._behind: Cursor | None = None  # it stands behind the latest of these

    def _look(self) -> None:
        """Read all items of a response that seemed to have a shape."""
        if self._source is None:
            return
        shape, over = self._source
        items = {name: self[name] for name in shape.places}
        if shape.lists:
            first = shape.lists[0].encode()
            items = item_by_item(over(framed(b"(%b %b)" % (first, self._row[-1]))), items)[0]
            items |= self._items
        self._items = items
        self._source = self._behind = None

    @property
    def claims(self) -> Set[str]:
        """The names of the items that it has, or seems to have: `names` looks closer."""
        return self._items.keys() if self._source is None else self._source.shape.names

    @property
    def names(self) -> Set[str]:
        """The names of the items that the server sent."""
        return self.items.keys()

    @property
    def items(self) -> dict[str, object]:
        """All items as they are kept: values, or what they will be read from."""
        self._look()
        return self._items

    def __getitem__(self, name: str) -> Any:
        """An item's value.

        Raises:
            KeyError: the server did not send the item.
            ProtocolError: it sent what does not parse; other items are not affected.
        """
        if self._source is not None:
            shape = self._source.shape
            if (place := shape.places.get(name)) is not None:
                value, read = self._row[place], shape.touched[place]
                return value if read is None else read(value)
            if name not in self._items:
                self._touch(name)
        value = self._items[name]
        if isinstance(value, Later):
            value = self._parse(name, value)
        if isinstance(value, Malformed):
            raise value.error.with_traceback(None)  # it would grow each time
        return value

    def _touch(self, name: str) -> None:
        """Read a list of a response with a shape; those before it are passed over.

        If the lists are not what they seem to be, all of the response is looked at.

        Raises:
            KeyError: there is nothing of that name, for sure.
        """
        assert self._source is not None
        shape, over = self._source
        if not shape.lists:
            raise KeyError(name)
        if name not in shape.lists:
            self._look()
            return
        c = self._behind
        try:
            if c is None or not c.accept(b" %b " % name.encode()):
                c = over(framed(self._row[-1]))
                for before, each in pairwise(shape.lists):
                    if before == name:
                        break
                    c.skip()
                    c.expect(b" %b " % each.encode())
            value = lazy_items[name](c)
            if name == shape.lists[-1] and not c.at_end():
                c.fail("the end of the response")
        except ProtocolError:
            self._look()
            return
        self._behind = c
        if self._items is UNTOUCHED:
            self._items = {}
        self._items[name] = value

    def _parse(self, name: str, later: Later) -> object:
        value: object
        later.cursor.reset(later.mark)
        try:
            value = later.parser(later.cursor)
        except ProtocolError as error:
            value = Malformed(name, Frame(later.cursor.text[later.mark[0] :]), error)
        self._items[name] = value
        return value

    def __contains__(self, name: object) -> bool:
        if self._source is not None:
            shape = self._source.shape
            if name in shape.places or not shape.lists:
                return name in shape.places
        return name in self.names

    def get(self, name: str, default: Any = None) -> Any:
        """An item's value, or the default if the server did not send it."""
        try:
            return self[name]
        except KeyError:
            return default

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fetched):
            return NotImplemented
        same = (self.seq, self.uid, self.names) == (other.seq, other.uid, other.names)
        return same and all(self._plain(name) == other._plain(name) for name in self.names)

    __hash__: ClassVar[None]

    def _plain(self, name: str) -> object:
        try:
            return self[name]
        except ProtocolError as error:
            return str(error)

    def __repr__(self) -> str:
        return f"Fetched(seq={self.seq}, uid={self.uid}, items={{{', '.join(self.names)}}})"

    # -- the usual items, by name -----------------------------------------------------------

    @property
    def flags(self) -> frozenset[str]:
        """Its flags and keywords. Raises KeyError, like all of these, if FLAGS was not fetched."""
        value: frozenset[str] = self["FLAGS"]
        return value

    @property
    def size(self) -> int:
        """Its octets, as the server counts them: RFC822.SIZE."""
        value: int = self["RFC822.SIZE"]
        return value

    @property
    def internaldate(self) -> datetime | None:
        """When the server received it; None if the server sent what is no date."""
        value: datetime | None = self["INTERNALDATE"]
        return value

    @property
    def modseq(self) -> int:
        """The number of its latest change (RFC 7162)."""
        value: int = self["MODSEQ"]
        return value

    @property
    def envelope(self) -> Envelope:
        """Subject, date, and who wrote to whom."""
        value: Envelope = self["ENVELOPE"]
        return value

    @property
    def bodystructure(self) -> Part:
        """Its MIME structure: BODYSTRUCTURE, or BODY where that was fetched instead."""
        value: Part = self["BODYSTRUCTURE" if "BODYSTRUCTURE" in self.claims else "BODY"]
        return value

    def body(self, section: str = "") -> bytes:
        """The octets of a section that was fetched whole; b"" if the server has none."""
        value = self[f"BODY[{section.upper()}]"]
        if value is not None and not isinstance(value, bytes):
            raise InvalidArgument("this body went elsewhere: it is not in memory")
        return value or b""

    def email(self) -> EmailMessage:
        """The whole message, parsed by Python's `email` package. Needs BODY[]: `BodySection()`."""
        from email import message_from_bytes, policy  # slow to import, and seldom needed

        return message_from_bytes(self.body(), policy=policy.default)

    def merged(self, other: Fetched) -> Fetched:
        """This and what came later for the same message."""
        return Fetched(other.seq, other.uid or self.uid, {**self.items, **other.items})

    def with_uid(self, uid: int | None) -> Fetched:
        return Fetched(self.seq, uid, self.items)


@numbered_response("FETCH")
def fetched(c: Cursor, seq: int) -> Fetched:
    if (like := shapes.recognise(c)) is not None:
        shape, row = like
        place = shape.places.get("UID")
        uid = None if place is None else row[place]
        return Fetched(seq, uid, UNTOUCHED, row, Source(shape, c.sub))
    items, whole = item_by_item(c, {})
    if whole:
        shapes.learn(tuple(items))
    uid = items.get("UID")
    return Fetched(seq, uid if isinstance(uid, int) and uid else None, items)

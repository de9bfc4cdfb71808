"""FETCH data (RFC 9051, 7.5.2): what a server says of one message.

An item that an extension adds is registered with `@fetch_item`. Large structures are parsed when
they are touched. How to ask for them is not known here, nor who asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from imaplus.core import shapes
from imaplus.core.bodystructure import bodystructure
from imaplus.core.envelope import Envelope, envelope
from imaplus.core.parts import Part
from imaplus.core.shapes import Recognised, Shape
from imaplus.errors import InvalidArgument, ProtocolError
from imaplus.protocol.data import MessageData
from imaplus.protocol.response import (
    Malformed,
    Parser,
    numbered_response,
    register,
)
from imaplus.wire.cursor import Cursor, Mark
from imaplus.wire.framing import Frame
from imaplus.wire.patterns import lazy_pattern

if TYPE_CHECKING:
    from email.message import EmailMessage

P = TypeVar("P", bound=Parser)

_items: Final[dict[str, Parser]] = {}
_lazy_items: Final[dict[str, Parser]] = {}


def fetch_item(name: str, *, lazy: bool = False) -> Callable[[P], P]:
    """Register the parser of a FETCH item's value; a lazy one runs when its value is touched."""

    def decorate(parser: P) -> P:
        register(_lazy_items if lazy else _items, name, parser)
        return parser

    return decorate


class Later(NamedTuple):
    """An item's value that is parsed when it is touched: where it stands, and what reads it."""

    cursor: Cursor
    mark: Mark
    parser: Parser


_UNTOUCHED: Final[dict[str, object]] = {}
"""The items of messages with a shape as long as none has been touched: one for all of them."""


class Fetched(MessageData):
    """What a FETCH response says of one message.

    `items` has it by name, as RFC 9051 writes it: `message["RFC822.SIZE"]`. Values are typed; what
    no parser knows is a raw `Frame`. Partial sections are named by their first octet: `BODY[]<0>`.
    """

    __slots__ = ("_cursor", "_items", "_match", "_seen", "_shape")
    _cursor: Cursor
    _match: re.Match[bytes]
    _seen: bool

    def __init__(
        self,
        seq: int,
        uid: int | None,
        items: dict[str, object],
        cursor: Cursor | None = None,
        recognised: Recognised | None = None,
    ) -> None:
        self.seq = seq
        self.uid = uid
        self._items = items  # with a shape, those that have been touched
        if cursor is None or recognised is None:
            self._shape: Shape | None = None
        else:
            self._cursor = cursor
            self._shape, self._match, self._seen = recognised

    def _look(self) -> None:
        """See whether the rest of the response has the shape of which it seems to be."""
        if self._shape is None or self._seen:
            return
        start = self._match.start()
        whole = self._shape.whole.match(self._cursor.text, start)
        if whole is not None:
            self._match = whole
            self._seen = True
            return
        self._cursor.reset((start, 0))
        self._items = _item_by_item(self._cursor)[0]
        self._shape = None

    @property
    def claims(self) -> Set[str]:
        """The names of the items that it has, or seems to have: `names` looks closer."""
        return self._items.keys() if self._shape is None else self._shape.names

    @property
    def names(self) -> Set[str]:
        """The names of the items that the server sent."""
        self._look()
        return (self._items if self._shape is None else self._shape.groups).keys()

    @property
    def items(self) -> dict[str, object]:
        """All items as they are kept: values, or what they will be read from."""
        self._look()
        if self._shape is not None:
            have = self._items
            names = self._shape.groups
            self._items = {name: have[name] if name in have else self._read(name) for name in names}
            self._shape = None
        return self._items

    def __getitem__(self, name: str) -> Any:
        """An item's value.

        Raises:
            KeyError: the server did not send the item.
            ProtocolError: it sent what does not parse; other items are not affected.
        """
        value = self._items[name] if name in self._items else self._read(name)
        if isinstance(value, Later):
            value = self._parse(name, value)
        if isinstance(value, Malformed):
            raise value.error.with_traceback(None)  # it would grow each time
        return value

    def _read(self, name: str) -> object:
        """An item that has not been touched."""
        value: object
        shape = self._shape
        if shape is not None and name == shape.first_list and not self._seen:
            start = self._match.end() - 1
        else:
            if shape is not None and name not in shape.plain:
                self._look()
                shape = self._shape
            if shape is None:
                return self._items[name]
            group = shape.groups[name]
            if (read := shape.readers[name]) is not None:
                return read(self._match[group])
            start = self._match.start(group)
        if (parser := _lazy_items.get(name)) is not None:
            value = Later(self._cursor, self._cursor.mark_at(start), parser)
        else:
            value = self._cursor.literal_at(start)
        return self._keep(name, value)

    def _keep(self, name: str, value: object) -> object:
        if self._items is _UNTOUCHED:
            self._items = {}
        self._items[name] = value
        return value

    def _parse(self, name: str, later: Later) -> object:
        value: object
        later.cursor.reset(later.mark)
        try:
            value = later.parser(later.cursor)
        except ProtocolError as error:
            value = Malformed(name, Frame(later.cursor.text[later.mark[0] :]), error)
        return self._keep(name, value)

    def __contains__(self, name: object) -> bool:
        if self._shape is not None and name in self._shape.plain:
            return True
        return name in self.names

    def get(self, name: str, default: Any = None) -> Any:
        """An item's value, or the default if the server did not send it."""
        if name not in self:
            return default
        return self[name]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fetched):
            return NotImplemented
        same = (self.seq, self.uid, self.names) == (other.seq, other.uid, other.names)
        return same and all(self._plain(name) == other._plain(name) for name in self.names)

    __hash__ = None

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
        value: Part = self["BODYSTRUCTURE" if "BODYSTRUCTURE" in self else "BODY"]
        return value

    def body(self, section: str = "") -> bytes:
        """The octets of a section that was fetched whole; b"" if the server has none."""
        value = self[f"BODY[{section.upper()}]"]
        if value is not None and not isinstance(value, bytes):
            raise InvalidArgument("this body went elsewhere: it is not in memory")
        return value or b""

    def email(self) -> EmailMessage:
        """The whole message, parsed by Python's `email` package. Needs BODY[], as of `Body()`."""
        from email import message_from_bytes, policy  # slow to import, and seldom needed

        return message_from_bytes(self.body(), policy=policy.default)

    def merged(self, other: Fetched) -> Fetched:
        """This and what came later for the same message."""
        return Fetched(other.seq, other.uid or self.uid, {**self.items, **other.items})

    def with_uid(self, uid: int | None) -> Fetched:
        return Fetched(self.seq, uid, self.items)


_ITEM: Final = lazy_pattern(rb"[A-Za-z0-9][A-Za-z0-9.:/_-]*")
_PLAIN_ITEM: Final = lazy_pattern(rb"[ \t]*+([A-Za-z0-9][A-Za-z0-9.:/_-]*+)[ \t]++")
# section = "[" [section-spec] "]", then the first octet; quirk 77: a count after it, as was asked.
_SECTION_SPEC: Final = lazy_pattern(rb"\[([^\]\r\n\"{]*)\](?:<([0-9]+)(?:\.[0-9]+)?>)?")
_ORIGIN: Final = lazy_pattern(rb"<([0-9]+)(?:\.[0-9]+)?>")


@numbered_response("FETCH")
def fetched(c: Cursor, seq: int) -> Fetched:
    if (like := shapes.recognise(c)) is not None:
        shape, match, _ = like
        at = shape.groups.get("UID")
        return Fetched(seq, int(match[at]) if at else None, _UNTOUCHED, c, like)
    items, whole = _item_by_item(c)
    if whole:
        shapes.learn(tuple(items))
    uid = items.get("UID")
    return Fetched(seq, uid if isinstance(uid, int) and uid else None, items)


def _item_by_item(c: Cursor) -> tuple[dict[str, object], bool]:
    """The items that come next, and whether nothing is wrong with them.

    Of what cannot be read only the rest is lost. Raises: ProtocolError if that is all of it.
    """
    # msg-att = "(" (msg-att-dynamic / msg-att-static) *(SP ...) ")"
    items: dict[str, object] = {}
    c.accept_sp()
    c.expect(b"(")
    extra = 0  # quirk 41: Domino's parentheses around an item
    try:
        while True:
            if match := c.accept_match(_PLAIN_ITEM):
                _fetch_value(c, items, match[1].decode("ascii").upper())
                continue
            c.accept_sp()
            if c.accept(b")"):
                if extra == 0:
                    break
                extra -= 1
            elif c.accept(b"("):
                extra += 1
            else:
                _fetch_item(c, items)
    except ProtocolError:
        if not items:
            raise
        return items, False
    return items, not any(isinstance(value, Malformed) for value in items.values())


def _fetch_item(c: Cursor, items: dict[str, object]) -> None:
    match = c.accept_match(_ITEM)
    if match is None:
        c.fail("the name of a FETCH item")
    name = match[0].decode("ascii").upper()
    if c.peek() == b"[":
        name += _section(c)
        c.accept_sp()
        start = c.mark()
        try:
            value = c.number() if name.startswith("BINARY.SIZE[") else _body(c)
        except ProtocolError as error:
            c.reset(start)
            items.setdefault(name, Malformed(name, Frame(c.text[c.pos :]), error))
            raise
        items.setdefault(name, value)
        return
    c.sp()
    _fetch_value(c, items, name)


def _fetch_value(c: Cursor, items: dict[str, object], name: str) -> None:
    """Of an item that comes twice, the first counts."""
    start = c.mark()
    if name in items:
        c.skip()
        return
    lazy, parser = _lazy_items.get(name), _items.get(name)
    try:
        if lazy is not None:
            c.skip()
            items[name] = Later(c, start, lazy)
        elif parser is not None:
            items[name] = parser(c)
        else:  # quirk 76: items that nobody asked for, such as AOL's
            items[name] = c.raw()
    except ProtocolError as error:  # costs this item only, if another can be found behind it
        c.reset(start)
        items[name] = Malformed(name, Frame(c.text[c.pos :]), error)
        if parser is None:
            raise
        items[name] = Malformed(name, c.raw(), error)


def _section(c: Cursor) -> str:
    """Its normal form: capitals, no quotes (quirk 77), one space."""
    if match := c.accept_match(_SECTION_SPEC):
        spec = b" ".join(match[1].split()).decode("latin-1").upper()
        return f"[{spec}]" + (f"<{int(match[2])}>" if match[2] else "")
    c.expect(b"[")
    words = [c.astring_text().upper()]
    c.sp()
    fields = " ".join(c.astring_text().upper() for _ in c.items())
    c.expect(b"]")
    origin = c.accept_match(_ORIGIN)
    return f"[{words[0]} ({fields})]" + (f"<{int(origin[1])}>" if origin else "")


def _body(c: Cursor) -> object:
    c.accept(b"~")
    return c.payload()


@fetch_item("FLAGS")
def flags(c: Cursor) -> frozenset[str]:
    return c.flag_list()


@fetch_item("UID")
@fetch_item("RFC822.SIZE")
def number(c: Cursor) -> int:
    return c.number()


@fetch_item("INTERNALDATE")
def internaldate(c: Cursor) -> object:
    return c.date_time()


fetch_item("ENVELOPE", lazy=True)(envelope)
fetch_item("BODYSTRUCTURE", lazy=True)(bodystructure)
fetch_item("BODY", lazy=True)(bodystructure)


@fetch_item("RFC822")
@fetch_item("RFC822.HEADER")
@fetch_item("RFC822.TEXT")
def rfc822(c: Cursor) -> object:
    return c.payload()

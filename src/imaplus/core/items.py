"""The registry of parsers of FETCH items, and `read_items()` (RFC 9051, 7.5.2).

Extensions register their items with `@fetch_item`. Large structures are parsed when they are first
read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

from imaplus.core.bodystructure import bodystructure
from imaplus.core.envelope import envelope
from imaplus.errors import ProtocolError
from imaplus.protocol.registry import Parser, register
from imaplus.protocol.response import Malformed
from imaplus.wire.cursor import Cursor, Mark
from imaplus.wire.frames import Frame
from imaplus.wire.patterns import lazy_pattern

P = TypeVar("P", bound=Parser)

_items: Final[dict[str, Parser]] = {}
lazy_items: Final[dict[str, Parser]] = {}
"""The parsers of items that are parsed when they are first read."""


_needs: Final[dict[str, str]] = {}
_HOMES: Final = {
    "EMAILID": "objectid",
    "THREADID": "objectid",
    "X-GM-MSGID": "gmail",
    "X-GM-THRID": "gmail",
    "X-GM-LABELS": "gmail",
}
"""The modules of extensions with items, loaded when such an item is asked for."""


def fetch_item(name: str, *, lazy: bool = False, requires: str | None = None) -> Callable[[P], P]:
    """Register the parser of a FETCH item's value; a lazy one runs when the value is first read.

    `requires` is the capability that the server must have for the item.
    """

    def decorate(parser: P) -> P:
        register(lazy_items if lazy else _items, name, parser)
        if requires is not None:
            register(_needs, name, requires)
        return parser

    return decorate


def needs_of_item(name: str) -> str | None:
    """Return the capability that an item requires, or None; load the parser of the item."""
    if name in _HOMES and name not in _items:
        from importlib import import_module

        import_module(f"imaplus.extensions.{_HOMES[name]}")
    return _needs.get(name)


class Later(NamedTuple):
    """An item's value that is parsed when it is first read: where it is, and its parser."""

    cursor: Cursor
    mark: Mark
    parser: Parser

    def parse(self, name: str) -> object:
        """Return the value, or Malformed if the parser fails."""
        self.cursor.reset(self.mark)
        try:
            return self.parser(self.cursor)
        except ProtocolError as error:
            return Malformed(name, Frame(self.cursor.text[self.mark[0] :]), error)


_ITEM: Final = lazy_pattern(rb"[A-Za-z0-9][A-Za-z0-9.:/_-]*")
_PLAIN_ITEM: Final = lazy_pattern(rb"[ \t]*+([A-Za-z0-9][A-Za-z0-9.:/_-]*+)[ \t]++")
# section = "[" [section-spec] "]", then the first octet; quirk 77: a count after it, as was asked.
_SECTION_SPEC: Final = lazy_pattern(rb"\[([^\]\r\n\"{]*)\](?:<([0-9]+)(?:\.[0-9]+)?>)?")
_ORIGIN: Final = lazy_pattern(rb"<([0-9]+)(?:\.[0-9]+)?>")


def read_items(c: Cursor, known: Mapping[str, object] = MappingProxyType({})) -> dict[str, object]:
    """The items that come next, added to those that are known, by name.

    An item that cannot be read is `Malformed`; only what follows it may be lost.

    Raises:
        ProtocolError: nothing at all can be read.
    """
    # msg-att = "(" (msg-att-dynamic / msg-att-static) *(SP ...) ")"
    items = dict(known)
    c.accept_sp()
    c.expect(b"(")
    extra = 0  # quirk 41: Domino's parentheses around an item
    try:
        while True:
            if match := c.accept_match(_PLAIN_ITEM):
                _read_value(c, items, match[1].decode("ascii").upper())
                continue
            c.accept_sp()
            if c.accept(b")"):
                if extra == 0:
                    break
                extra -= 1
            elif c.accept(b"("):
                extra += 1
            else:
                _read_item(c, items)
    except ProtocolError:
        if not items:
            raise
    return items


def _read_item(c: Cursor, items: dict[str, object]) -> None:
    match = c.accept_match(_ITEM)
    if match is None:
        c.fail("the name of a FETCH item")
    name = match[0].decode("ascii").upper()
    if c.peek() == b"[":
        name += _read_section(c)
        c.accept_sp()
        start = c.mark()
        try:
            value = c.number() if name.startswith("BINARY.SIZE[") else _read_body(c)
        except ProtocolError as error:
            c.reset(start)
            items.setdefault(name, Malformed(name, Frame(c.text[c.pos :]), error))
            raise
        items.setdefault(name, value)
        return
    c.sp()
    _read_value(c, items, name)


def _read_value(c: Cursor, items: dict[str, object], name: str) -> None:
    """Of an item that comes twice, the first counts."""
    start = c.mark()
    if name in items:
        c.skip()
        return
    lazy, parser = lazy_items.get(name), _items.get(name)
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


def _read_section(c: Cursor) -> str:
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


def _read_body(c: Cursor) -> object:
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


@fetch_item("MODSEQ")
def modseq(c: Cursor) -> int:
    # fetch-mod-resp = "MODSEQ" SP "(" permsg-modsequence ")"; quirk 28: Zoho sends (-1), which is 0
    value = 0
    for _ in c.items():
        value = c.number()
    return value


fetch_item("ENVELOPE", lazy=True)(envelope)
fetch_item("BODYSTRUCTURE", lazy=True)(bodystructure)
fetch_item("BODY", lazy=True)(bodystructure)


@fetch_item("RFC822")
@fetch_item("RFC822.HEADER")
@fetch_item("RFC822.TEXT")
def rfc822(c: Cursor) -> object:
    return c.payload()

"""What FETCH responses look like: patterns for whole ones, learnt from one before them.

A server tells of every message the same items in the same order. Once one response has been read
item by item, those like it are recognised by one match, and those that come by the thousand by one
pattern for many. What is recognised is worth what reading it item by item gives; nothing else is
known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Final, NamedTuple

from imaplus.wire.cursor import Cursor
from imaplus.wire.dates import parse_internaldate
from imaplus.wire.frames import Frame
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import flag_set

MOST_RECENT: Final = 4
"""Shapes that a response is compared with: of the commands under way, and of what comes unasked."""

Over = Callable[[Frame], Cursor]
"""Gives a cursor over a frame, under the rules of a connection."""


class Value(NamedTuple):
    """How an item's value is written, with one group."""

    pattern: bytes
    read: Callable[[Sequence[bytes]], list[object]] | None = None
    """What is made of the group in each of many responses; None leaves it to `touched`."""
    touched: Callable[[bytes], object] | None = None


def _numbers(texts: Sequence[bytes]) -> list[object]:
    return list(map(int, texts))


def _flag_sets(texts: Sequence[bytes]) -> list[object]:
    """One set for all texts that are the same: a mailbox has few."""
    sets = {text: flag_set(text) for text in set(texts)}
    return list(map(sets.__getitem__, texts))


PLAIN: Final[dict[str, Value]] = {
    "UID": Value(rb"([1-9][0-9]{0,9})", _numbers),
    "FLAGS": Value(rb'\(([^()"{\r\n]*+)\)', _flag_sets),
    "INTERNALDATE": Value(rb'"([^"\\\r\n]*+)"', touched=parse_internaldate),
    "RFC822.SIZE": Value(rb"([0-9]{1,19})", _numbers),
    "MODSEQ": Value(rb"\(([0-9]{1,19})\)", _numbers),
}


def add_plain(name: str, value: Value) -> None:
    """Have an extension's item in shapes, too: at import, once."""
    PLAIN[name] = value
    _shape.cache_clear()


LISTS: Final = frozenset({"ENVELOPE", "BODYSTRUCTURE", "BODY"})
"""They are long, and wait until they are touched."""
_BODY: Final = Value(rb"(\{[0-9]+\}\r\n)")
# Lines that end in `{n}` go on; what they announce is the framer's to judge.
_LISTS_TEXT: Final = rb"(\((?:[^\n]*\{(?:0|[1-9][0-9]{0,19})\}\r\n)*[^\n]*\))"


class Shape:
    """Items in an order: plain values, then bodies or lists, if there are any.

    What a response of this shape says is kept as a row: plain values and bodies by `places`, then
    the text of all lists together.
    """

    __slots__ = (
        *("_read", "beginning", "ends_in_body", "lists", "markers", "names", "one", "places"),
        *("touched", "whole"),
    )

    def __init__(self, names: tuple[str, ...], lists: tuple[str, ...]) -> None:
        first = names[: len(names) - len(lists)]
        plain = [PLAIN.get(name, _BODY) for name in first]
        self.names: frozenset[str] = frozenset(names)
        self.lists = lists
        self.places: dict[str, int] = {name: place for place, name in enumerate(first)}
        self.touched: list[Callable[[bytes], object] | None] = [value.touched for value in plain]
        """What each place is read by when it is touched; None where it has been read."""
        self._read = [value.read for value in plain]
        bodies = [name not in PLAIN for name in first]
        self.ends_in_body: bool = bodies == [False] * len(first[1:]) + [True]
        """Whether there is one body, behind all else."""
        self.markers: list[bytes] = [b") %b (" % name.encode() for name in lists[1:]]
        items = b" ".join(
            re.escape(name.encode()) + b" " + value.pattern
            for name, value in zip(first, plain, strict=True)
        )
        number = rb"[1-9][0-9]{0,9}"
        self.one: re.Pattern[bytes] = lazy_pattern(rb"\(%b\)\Z" % items)
        """All of a response without lists, behind its name."""
        # The sequence number is a group where literals hide which lines begin a response.
        if lists:
            items += b" %b " % lists[0].encode()
            beginning = rb"\* %b FETCH \(%b\(" % (number, items)
            whole = rb"\* (%b) FETCH \(%b%b" % (number, items, _LISTS_TEXT)
        else:
            beginning = rb"\* %b FETCH \(%b " % (number, re.escape(names[0].encode()))
            whole = rb"\* %b FETCH \(%b" % (number, items)
        if self.ends_in_body:
            up_to_size = items.removesuffix(_BODY.pattern) + rb"\{(0|[1-9][0-9]{0,6})\}\r\n"
            beginning = rb"\* (%b) FETCH \(%b" % (number, up_to_size)
        self.beginning: re.Pattern[bytes] = lazy_pattern(beginning)
        # On a line that begins with a blank, a quoted string goes on (`wire.quoted`).
        behind = rb"(?![ \t])" if lists else b""
        self.whole: re.Pattern[bytes] = lazy_pattern(whole + rb"\)\r\n%b|((?s:.+))" % behind)

    @property
    def comes_in_runs(self) -> bool:
        """Whether many such responses can be read at once: if they have at most one body, last."""
        return "UID" in self.places and (self.ends_in_body or PLAIN.keys() >= self.places.keys())

    def read(self, columns: Sequence[Sequence[bytes]]) -> list[Sequence[Any]]:
        """The columns of rows, from those of the groups: what is read when touched, as it came."""
        return [
            column if read is None else read(column)
            for column, read in zip_longest(columns, self._read)
        ]

    def row(self, match: re.Match[bytes], c: Cursor) -> tuple[Any, ...]:
        """The row of one response, which has no lists."""
        return tuple(
            c.literal_at(match.start(place))
            if name not in PLAIN
            else match[place]
            if read is None
            else read((match[place],))[0]
            for place, (name, read) in enumerate(zip(self.places, self._read, strict=True), 1)
        )


@lru_cache(maxsize=64)
def _shape(names: tuple[str, ...]) -> Shape | None:
    first = next((at for at, name in enumerate(names) if name in LISTS), len(names))
    plain, lists = names[:first], names[first:]
    bodies = [name for name in plain if name[:5] == "BODY[" and name.isascii()]
    if not plain or not LISTS.issuperset(lists) or not PLAIN.keys() >= {*plain} - {*bodies}:
        return None
    if lists and (bodies or "UID" not in plain):
        return None
    return Shape(names, lists)


recent: tuple[Shape, ...] = ()
"""What came lately, the latest first."""


def learn(names: tuple[str, ...]) -> None:
    """A response had these items, in this order: others may."""
    global recent
    shape = _shape(names)
    if shape is not None and shape not in recent:
        recent = (shape, *recent)[:MOST_RECENT]


def recognise(c: Cursor) -> tuple[Shape, tuple[Any, ...]] | None:
    """The shape and the row of the response that comes next, if it is of one that came lately, and
    without lists."""
    for shape in recent:
        if not shape.lists and (match := shape.one.match(c.text, c.pos)):
            return shape, shape.row(match, c)
    return None

"""Shapes of FETCH responses: which items, in which order, and patterns that match all of one.

A shape is made from the names of the items of a response that was parsed in the general way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Final, NamedTuple

from imaplus.wire.dates import parse_internaldate
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import flag_set


class Value(NamedTuple):
    """How an item's value is written, and how it is parsed."""

    pattern: bytes
    """Matches the value, with one group."""
    parse_all: Callable[[Sequence[bytes]], list[object]] | None = None
    """Parses the group of each of many responses at once."""
    parse: Callable[[bytes], object] | None = None
    """Parses the group when the item is read. Without both, the group is the value."""


def parse_numbers(texts: Sequence[bytes]) -> list[object]:
    return list(map(int, texts))


def _parse_flags(texts: Sequence[bytes]) -> list[object]:
    """Equal texts share one set: a mailbox has few different ones."""
    sets = {text: flag_set(text) for text in set(texts)}
    return list(map(sets.__getitem__, texts))


PLAIN: Final[dict[str, Value]] = {
    "UID": Value(rb"([1-9][0-9]{0,9})", parse_numbers),
    "FLAGS": Value(rb'\(([^()"{\r\n]*+)\)', _parse_flags),
    "INTERNALDATE": Value(rb'"([^"\\\r\n]*+)"', parse=parse_internaldate),
    "RFC822.SIZE": Value(rb"([0-9]{1,19})", parse_numbers),
    "MODSEQ": Value(rb"\(([0-9]{1,19})\)", parse_numbers),
}


def add_plain(name: str, value: Value) -> None:
    """Add the item of an extension, at import."""
    PLAIN[name] = value
    shape_of.cache_clear()


LISTS: Final = frozenset({"ENVELOPE", "BODYSTRUCTURE", "BODY"})
"""Long structures, which stay text until they are read."""
_BODY: Final = Value(rb"(\{[0-9]+\}\r\n)")
_LISTS: Final = rb"(\((?s:.)*\))"  # of one frame, whose literals are set apart
# In a stream: a line that ends in `{n}` goes on. Whether a literal follows is for `cutting.py`.
_LISTS_IN_STREAM: Final = rb"(\((?:[^\n]*\{(?:0|[1-9][0-9]{0,19})\}\r\n)*[^\n]*\))"


class Shape:
    """Items in an order: plain values first, then bodies or lists, if there are any.

    A response of this shape is stored as a row: plain values and bodies by `places`, then the text
    of all lists together.
    """

    __slots__ = (
        *("_parsers", "beginning", "comes_in_runs", "ends_in_body", "lists", "many", "markers"),
        *("names", "one", "parsers_when_read", "places"),
    )

    def __init__(self, names: tuple[str, ...], lists: tuple[str, ...]) -> None:
        first = names[: len(names) - len(lists)]
        plain = [PLAIN.get(name, _BODY) for name in first]
        self.names: frozenset[str] = frozenset(names)
        self.lists: tuple[str, ...] = lists
        self.places: dict[str, int] = {name: place for place, name in enumerate(first)}
        self.parsers_when_read: list[Callable[[bytes], object] | None] = [
            value.parse for value in plain
        ]
        """What each place is parsed by when it is read; None if it has been parsed."""
        self._parsers: list[Callable[[Sequence[bytes]], list[object]] | None] = [
            value.parse_all for value in plain
        ]
        bodies = [name not in PLAIN for name in first]
        self.ends_in_body: bool = bodies == [False] * len(first[1:]) + [True]
        """Whether there is exactly one body, as the last item."""
        self.comes_in_runs: bool = "UID" in self.places and (self.ends_in_body or not any(bodies))
        """Whether many such responses can be read at once."""
        self.markers: list[bytes] = [b") %b (" % name.encode() for name in lists[1:]]
        """What stands between the lists, at least."""
        items = b" ".join(
            re.escape(name.encode()) + b" " + value.pattern
            for name, value in zip(first, plain, strict=True)
        )
        number = rb"[1-9][0-9]{0,9}"
        lists_begin = b" %b " % lists[0].encode() if lists else b""
        in_frame = items + lists_begin + _LISTS if lists else items
        self.one: re.Pattern[bytes] = lazy_pattern(rb"\* (%b) FETCH \(%b\)\Z" % (number, in_frame))
        """Matches all of one frame: the groups are the sequence number and the row."""
        if lists:
            beginning = rb"\* %b FETCH \(%b%b\(" % (number, items, lists_begin)
            # The sequence number is a group where literals hide which lines begin a response. On a
            # line that begins otherwise, a quoted string may go on (`wire.quoted`).
            text = rb"\* (%b) FETCH \(%b%b%b\)\r\n(?=\* |\Z)"
            many = text % (number, items, lists_begin, _LISTS_IN_STREAM)
        else:
            beginning = rb"\* %b FETCH \(%b " % (number, re.escape(names[0].encode()))
            many = rb"\* %b FETCH \(%b\)\r\n" % (number, items)
        if self.ends_in_body:
            up_to_size = items.removesuffix(_BODY.pattern) + rb"\{(0|[1-9][0-9]{0,6})\}\r\n"
            beginning = rb"\* (%b) FETCH \(%b" % (number, up_to_size)
        self.beginning: re.Pattern[bytes] = lazy_pattern(beginning)
        """Matches how each response in a stream begins; up to the body, if it `ends_in_body`."""
        self.many: re.Pattern[bytes] = lazy_pattern(many + rb"|((?s:.+))")
        """Matches all of a response in a stream, or in its last group whatever else is left."""

    def parse(self, columns: Sequence[Sequence[bytes]]) -> list[Sequence[Any]]:
        """The columns of values, from the columns of groups."""
        return [
            column if parse_all is None else parse_all(column)
            for column, parse_all in zip_longest(columns, self._parsers)
        ]


LONGEST_NAMES: Final = 1000
"""Item names longer than this in sum get no pattern: compiling one takes 100 times their size."""


@lru_cache(maxsize=64)
def shape_of(names: tuple[str, ...]) -> Shape | None:
    """The shape of a response with these items; None if no pattern can be made for it."""
    first = next((at for at, name in enumerate(names) if name in LISTS), len(names))
    plain, lists = names[:first], names[first:]
    if sum(map(len, names)) > LONGEST_NAMES:
        return None
    bodies = [name for name in plain if name[:5] == "BODY[" and name.isascii()]
    if not plain or not LISTS.issuperset(lists) or not PLAIN.keys() >= {*plain} - {*bodies}:
        return None
    if lists and (bodies or "UID" not in plain):
        return None
    return Shape(names, lists)

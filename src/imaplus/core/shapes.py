"""What FETCH responses look like: a pattern for the whole of one, learnt from one before it.

A server tells of every message the same items in the same order. Once one response has been read
item by item, those like it are recognised by one match, and what they hold is read when it is
touched. What is recognised is worth what reading it item by item gives; nothing else is known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from imaplus.core.envelope import USUAL_ENVELOPE
from imaplus.wire.cursor import LIST, NESTED, Cursor, flag_set
from imaplus.wire.dates import parse_internaldate
from imaplus.wire.patterns import lazy_pattern

MOST_RECENT: Final = 4
"""Shapes that a response is compared with: of the commands under way, and of what comes unasked."""


class Value(NamedTuple):
    """How an item's value is written, with one group, and what reads that; None: its parser."""

    pattern: bytes
    read: Callable[[bytes], object] | None = None


VALUES: Final[dict[str, Value]] = {
    "UID": Value(rb"([1-9][0-9]{0,9})", int),
    "FLAGS": Value(rb'\(([^()"{\r\n]*+)\)', flag_set),
    "INTERNALDATE": Value(rb'"([^"\\\r\n]*+)"', parse_internaldate),
    "RFC822.SIZE": Value(rb"([0-9]{1,19})", int),
    "MODSEQ": Value(rb"\(([0-9]{1,19})\)", int),
    "ENVELOPE": Value(rb"(%b)" % USUAL_ENVELOPE),
    "BODYSTRUCTURE": Value(rb"(%b)" % LIST),
    "BODY": Value(rb"(%b)" % LIST),
}
_LISTS: Final = frozenset(name for name, value in VALUES.items() if value.read is None)
_BODY: Final = Value(rb"(\{[0-9]+\}\r\n)")


class Shape:
    """Items in an order, the pattern of a response that has them, and the group of each.

    Where plain values come first and lists after them, `beginning` matches the plain ones, with the
    same groups: the lists, which are long, can wait until one of them is wanted.
    """

    __slots__ = (
        *("_lists", "beginning", "first_list", "groups", "names", "plain", "readers", "whole"),
    )

    def __init__(self, names: tuple[str, ...]) -> None:
        values = [_BODY if name.startswith("BODY[") else VALUES[name] for name in names]
        items = [
            re.escape(name.encode()) + b" " + value.pattern
            for name, value in zip(names, values, strict=True)
        ]
        self.names = frozenset(names)
        self.groups = {name: group for group, name in enumerate(names, 1)}
        self.readers = {name: value.read for name, value in zip(names, values, strict=True)}
        self.whole = lazy_pattern(rb"\(%b\)\Z" % b" ".join(items))
        first = next((at for at, each in enumerate(values) if each.read is None), len(names))
        self.plain = frozenset(names[:first])
        lists = names[first:]
        self.first_list = lists[0] if lists else None
        self.beginning: re.Pattern[bytes] | None = None
        self._lists: list[bytes] = []
        if "UID" in self.plain and lists and _LISTS.issuperset(lists):
            start = re.escape(lists[0].encode()) + rb" \("
            self.beginning = lazy_pattern(rb"\(%b" % b" ".join([*items[:first], start]))
            self._lists = [b") %b (" % name.encode() for name in lists[1:]]

    def begins(self, text: bytes, at: int) -> re.Match[bytes] | None:
        """The match of the plain values, if the response seems to have the lists, too."""
        if self.beginning is None or (match := self.beginning.match(text, at)) is None:
            return None
        at = match.end()
        for each in self._lists:
            if (at := text.find(each, at)) < 0:
                return None
        return match if text.endswith(b"))") else None


@lru_cache(maxsize=64)
def _shape(names: tuple[str, ...]) -> Shape | None:
    known = all(name in VALUES or (name[:5] == "BODY[" and name.isascii()) for name in names)
    return Shape(names) if known and names else None


_recent: Final[list[Shape]] = []


def learn(names: tuple[str, ...]) -> None:
    """A response had these items, in this order: others may."""
    shape = _shape(names)
    if shape is not None and shape not in _recent:
        _recent.insert(0, shape)
        del _recent[MOST_RECENT:]


Recognised = tuple[Shape, "re.Match[bytes]", bool]
"""A shape, the match of the whole or of the beginning, and whether it is of the whole."""


def recognise(c: Cursor) -> Recognised | None:
    """The shape of the response that comes next, if it is one of those that came lately."""
    if c.depth < NESTED:
        return None
    for shape in _recent:
        if match := shape.begins(c.text, c.pos):
            return shape, match, False
        if shape.beginning is None and (match := shape.whole.match(c.text, c.pos)):
            return shape, match, True
    return None

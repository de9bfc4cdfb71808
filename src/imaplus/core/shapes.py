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
_BODY: Final = Value(rb"(\{[0-9]+\}\r\n)")


class Shape:
    """Items in an order, the pattern of a response that has them, and the group of each."""

    __slots__ = ("groups", "pattern", "readers")

    def __init__(self, names: tuple[str, ...], pattern: re.Pattern[bytes]) -> None:
        self.groups = {name: group for group, name in enumerate(names, 1)}
        self.readers = {name: VALUES[name].read if name in VALUES else None for name in names}
        self.pattern = pattern


@lru_cache(maxsize=64)
def _shape(names: tuple[str, ...]) -> Shape | None:
    items: list[bytes] = []
    for name in names:
        value = _BODY if name.startswith("BODY[") else VALUES.get(name)
        if value is None or not name.isascii():
            return None
        items.append(re.escape(name.encode()) + b" " + value.pattern)
    return Shape(names, re.compile(rb"\(%b\)\Z" % b" ".join(items))) if items else None


_recent: Final[list[Shape]] = []


def learn(names: tuple[str, ...]) -> None:
    """A response had these items, in this order: others may."""
    shape = _shape(names)
    if shape is not None and shape not in _recent:
        _recent.insert(0, shape)
        del _recent[MOST_RECENT:]


def recognise(c: Cursor) -> tuple[Shape, re.Match[bytes]] | None:
    """The shape of the response whose items come next, if it is one of those that came lately."""
    if c.depth < NESTED:
        return None
    for shape in _recent:
        if match := shape.pattern.match(c.text, c.pos):
            return shape, match
    return None

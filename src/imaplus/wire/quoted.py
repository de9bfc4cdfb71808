"""Quoted strings that go on behind the end of a line: where they begin, and where they end.

No quoted string may hold a line break (RFC 9051, 4.3), and yet servers put folded file names and
subjects into them as they are. Only data is looked at: a quote in a text for people ("* OK don't
"panic") opens nothing. A line that begins another response ends the search: the quote was a stray
one. What becomes of the string is not known here.
"""

from __future__ import annotations

import re
from typing import Final

from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import ESCAPED, ODD_QUOTED, QUOTED

_BEFORE: Final = b" ("
"""What stands before a string."""
BEFORE_LAST: Final = b" (\\"
_DATA: Final = lazy_pattern(rb"\*[ \t]*+(?!(?:OK|NO|BAD|BYE|PREAUTH)\b)[^ \t\[]", re.IGNORECASE)
_RESPONSE: Final = lazy_pattern(
    rb"\* |\+(?: |\r?\n?\Z)|[A-Za-z0-9.-]*[0-9] (?:OK|NO|BAD|BYE)(?:[ \r\n]|\Z)"
)
_CLOSING: Final = lazy_pattern(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"(?=[ \t()\]>\r\n]|\Z)', re.DOTALL)
_ODD_CLOSING: Final = lazy_pattern(
    rb'[^"\\]*+(?:(?:\\.|"++(?:[^ \t)\]"\\\r\n]|\\.))[^"\\]*+)*+"++(?=[ \t)\]\r\n]|\Z)', re.DOTALL
)


def may_go_on(data: bytes, start: int, end: int) -> bool:
    """Whether it is worth looking for a string without end: a quick look, at the last quote.

    It may begin a string, or stand inside of one, if there is a space, a parenthesis or a backslash
    before it.
    """
    quote = data.rfind(b'"', start, end)
    return quote > start and data[quote - 1] in BEFORE_LAST


class Broken:
    """A quoted string that has begun on one line and goes on on the next."""

    __slots__ = ("_string", "before")

    def __init__(self, before: bytes, string: bytes) -> None:
        self.before: bytes = before
        """What stands before it on its line."""
        self._string = bytearray(string)  # with line ends, and from some time on without its quotes

    def add(self, line: bytes) -> bytes:
        """The next line: what follows the string on it, its end included; nothing if it goes on."""
        end = closing(line)
        self._string += line if end < 0 else line[: end - 1]
        return b"" if end < 0 else line[end:]

    @property
    def value(self) -> bytes:
        """The octets of the string, its line breaks among them."""
        return ESCAPED.sub(rb"\1", bytes(self._string))

    @property
    def line(self) -> bytes:
        """All that was read, as one line: the string has no end."""
        return self.before + b'"' + b" ".join(self._string.split(b"\n")).replace(b"\r", b"")


def find_broken(
    line: bytes, whole: bytes = b"", response: bytes | bytearray = b""
) -> Broken | None:
    """The string that goes on on the next line, if there is one.

    `whole` is the line with its end, and `response` what begins with the response's beginning.
    """
    if not _DATA.match(response or line):
        return None
    at = find_unclosed(line)
    return None if at < 0 else Broken(line[:at], whole[at + 1 :])


def find_unclosed(line: bytes) -> int:
    """Where the quoted string begins that does not end on this line; -1 if there is none."""
    at = line.find(b'"')
    while at >= 0:
        end = at + 1
        if at and line[at - 1] in _BEFORE:
            match = QUOTED.match(line, at) or ODD_QUOTED.match(line, at)
            if match is None:
                return at
            end = match.end()
        at = line.find(b'"', end)
    return -1


def closing(line: bytes) -> int:
    """Where the quoted string ends that has begun on a line before: behind its quote; or -1."""
    match = _CLOSING.match(line) or _ODD_CLOSING.match(line)
    return match.end() if match else -1


def begins_response(line: bytes) -> bool:
    """Whether a line looks like the beginning of another response."""
    return _RESPONSE.match(line) is not None

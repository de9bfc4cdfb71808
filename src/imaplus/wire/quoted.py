"""Find quoted strings that continue on the next line.

A quoted string must not contain a line break (RFC 9051, 4.3), but some servers send folded file
names and subjects in them. Only data is searched: a quote in the text of a status ("* OK don't
"panic") does not open a string. If a line that begins another response follows, the quote did not
open a string either.
"""

from __future__ import annotations

import re
from typing import Final

from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import ESCAPED, ODD_QUOTED, QUOTED

_BEFORE: Final = b" ("
"""Bytes that may precede a string."""
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
    """Whether a line may have an unclosed string: a fast check, by the last quote only.

    The quote may open a string, or be inside one, if a space, a parenthesis or a backslash precedes
    it.
    """
    quote = data.rfind(b'"', start, end)
    return quote > start and data[quote - 1] in BEFORE_LAST


class Broken:
    """A quoted string that continues on the next line."""

    __slots__ = ("_string", "before")

    def __init__(self, before: bytes, string: bytes) -> None:
        self.before: bytes = before
        """The text before the string on its first line."""
        self._string = bytearray(string)  # with line ends, without the quotes around it

    def add(self, line: bytes) -> bytes:
        """Add the next line. Return what follows the string on it, with the line end.

        The result is empty if the string continues.
        """
        end = find_end(line)
        self._string += line if end < 0 else line[: end - 1]
        return b"" if end < 0 else line[end:]

    @property
    def value(self) -> bytes:
        """The bytes of the string, including line breaks."""
        return ESCAPED.sub(rb"\1", bytes(self._string))

    @property
    def line(self) -> bytes:
        """Everything that was read, as one line, if it turns out not to be a string."""
        return self.before + b'"' + b" ".join(self._string.split(b"\n")).replace(b"\r", b"")


def find_broken(
    line: bytes, whole: bytes = b"", response: bytes | bytearray = b""
) -> Broken | None:
    """Find the quoted string that continues on the next line, if there is one.

    `whole` is the line with its end, and `response` the beginning of the response.
    """
    if not _DATA.match(response or line):
        return None
    at = find_unclosed(line)
    return None if at < 0 else Broken(line[:at], whole[at + 1 :])


def find_unclosed(line: bytes) -> int:
    """Find the position of the quote that opens an unclosed string; -1 if there is none."""
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


def find_end(line: bytes) -> int:
    """Find the position after the quote that closes a string from an earlier line; or -1."""
    match = _CLOSING.match(line) or _ODD_CLOSING.match(line)
    return match.end() if match else -1


def begins_response(line: bytes) -> bool:
    """Whether a line looks like the beginning of another response."""
    return _RESPONSE.match(line) is not None

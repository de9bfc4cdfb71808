"""Text for people and for programs: escaping, JSON, sizes and counts.

It knows that what a server sent may hold anything, escape sequences for the terminal included, and
that octets which were not UTF-8 may be in a `str` as lone surrogates. It knows nothing of streams.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# What a terminal acts on instead of showing it, or cannot be encoded: C0, DEL and C1 controls
# (C1 holds CSI in one character), line and paragraph separators, the marks that reorder a line
# (Unicode Technical Report 36, "Trojan Source"), the byte order mark, surrogates.
_UNSAFE = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def escape(text: str) -> str:
    """`text` on one line, with whatever would act on a terminal written as an escape.

    A lone surrogate U+DCxx stands for the octet xx that the server sent, and is shown as `\\xxx`.
    """
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_UNSAFE, lambda match: _SHORT.get(match[0]) or _escape_character(match[0]), text)


def _escape_character(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def to_json(value: object, *, indent: int | None = None) -> str:
    """`value` as JSON that every reader gets back exactly and no terminal acts upon."""
    from json import dumps  # most runs speak to people

    text = dumps(value, ensure_ascii=False, indent=indent)
    # Only inside strings can these occur, save the line feeds of the indentation.
    return re.sub(_UNSAFE, lambda m: m[0] if m[0] == "\n" else f"\\u{ord(m[0]):04x}", text)


def size(octets: int) -> str:
    """A size for people: `999 B`, `1.5 MB`; powers of ten, as disks and networks are sold."""
    amount = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            digits = 0 if unit == "B" or amount >= 99.95 else 1
            return f"{amount:.{digits}f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 message`, `12,000 messages`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def width(text: str) -> int:
    """How many columns of a terminal `text` takes, at most; it has been escaped.

    Where terminals disagree (joined emoji, variation selectors) this is the larger number.
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def shorten(text: str, columns: int) -> str:
    """`text` in so many columns, with dots for its middle if it does not fit."""
    if width(text) <= columns:
        return text
    room = columns - len(DOTS)
    if room < 2:
        return DOTS[: max(columns, 0)]
    letters = _letters(text)
    head = _fit(letters, (room + 1) // 2)
    tail = _fit(reversed(letters), room - sum(map(width, head)))
    return "".join((*head, DOTS, *reversed(tail)))


DOTS = "..."
_MARKS = 8  # combining marks that one letter may keep


def _columns(character: str) -> int:
    from unicodedata import category, east_asian_width  # most names are ASCII

    if category(character) in ("Mn", "Me") and character != "\ufe0f":
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _letters(text: str) -> list[str]:
    """The text in pieces that a cut leaves whole: a character with the marks that combine."""
    letters: list[str] = []
    for character in text:
        if letters and _columns(character) == 0:
            if len(letters[-1]) <= _MARKS:
                letters[-1] += character
        else:
            letters.append(character)
    return letters


def _fit(letters: Iterable[str], columns: int) -> list[str]:
    """As many of the first letters as fit."""
    found = []
    for letter in letters:
        columns -= width(letter)
        if columns < 0:
            break
        found.append(letter)
    return found

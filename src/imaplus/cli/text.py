"""Format text: escaping, JSON, sizes and counts.

Text from a server may contain escape sequences for the terminal, and lone surrogates for bytes that
are not UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Characters that control a terminal, or cannot be encoded: C0, DEL and C1 controls
# (C1 holds CSI in one character), line and paragraph separators, the marks that reorder a line
# (Unicode Technical Report 36, "Trojan Source"), the byte order mark, surrogates.
_UNSAFE = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def escape(text: str) -> str:
    """Escape what would break the line or control a terminal.

    A lone surrogate U+DCxx stands for the byte xx that the server sent, and becomes `\\xxx`.
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
    """Serialise `value` as JSON that is safe for a terminal."""
    from json import dumps  # rarely needed

    text = dumps(value, ensure_ascii=False, indent=indent)
    # They occur inside strings only, except the line feeds of the indentation.
    return re.sub(_UNSAFE, lambda m: m[0] if m[0] == "\n" else f"\\u{ord(m[0]):04x}", text)


def size(octets: int) -> str:
    """Format a size in bytes with decimal units: `999 B`, `1.5 MB`."""
    amount = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            digits = 0 if unit == "B" or amount >= 99.95 else 1
            return f"{amount:.{digits}f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Format a number with a noun: `1 message`, `12,000 messages`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def width(text: str) -> int:
    """Return the width of escaped text in columns of a terminal.

    If terminals disagree (joined emoji, variation selectors), it is the larger width.
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def shorten(text: str, columns: int) -> str:
    """Shorten `text` to a width in columns, with dots in the middle."""
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
_MARKS = 8  # combining marks kept for one letter


def _columns(character: str) -> int:
    from unicodedata import category, east_asian_width  # most names are ASCII

    if category(character) in ("Mn", "Me") and character != "\ufe0f":
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _letters(text: str) -> list[str]:
    """Split the text into characters with their combining marks."""
    letters: list[str] = []
    for character in text:
        if letters and _columns(character) == 0:
            if len(letters[-1]) <= _MARKS:
                letters[-1] += character
        else:
            letters.append(character)
    return letters


def _fit(letters: Iterable[str], columns: int) -> list[str]:
    """Return as many of the first letters as fit."""
    found = []
    for letter in letters:
        columns -= width(letter)
        if columns < 0:
            break
        found.append(letter)
    return found

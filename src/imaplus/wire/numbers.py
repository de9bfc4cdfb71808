"""Long lists of message numbers, as a server without ESEARCH gives them: hundreds of thousands.

They are read as a whole, since to look at one after the other takes longer than the server does.
What is not written as it should be is left to those who look closer.
"""

from __future__ import annotations

from json import loads
from typing import Final

from imaplus.wire.sets import MAX_NUMBER, SequenceSet

_THOUSAND: Final = b"".join(b" @%03d" % n for n in range(1000))
"""A thousand numbers in a row, `@` for what they have in common."""
_EACH: Final = len(b" @000")


def set_of_numbers(text: bytes) -> SequenceSet | None:
    """The set of numbers that have one space between them; None if it is not just that.

    Raises: InvalidArgument for a number out of bounds.
    """
    if (found := _in_a_row(text)) is not None:
        return SequenceSet.of(found)
    try:
        # This scanner takes half the time that `int` does.
        numbers: list[int] = loads(b"[%b]" % text.replace(b" ", b","))
    except ValueError:
        return None
    if text.translate(None, b"0123456789 "):  # what JSON has besides whole numbers
        return None
    return SequenceSet.from_numbers(numbers)


def _in_a_row(text: bytes) -> range | None:
    """The numbers, if each is one more than the last: most often, all that there are.

    They are not read: text that has them is made, a thousand at a time, and compared.
    """
    try:
        first, last = int(text[: text.index(b" ")]), int(text[text.rindex(b" ") + 1 :])
    except ValueError:
        return None
    if not 1 <= first <= last <= MAX_NUMBER or last - first != text.count(b" "):
        return None
    text = b" " + text
    position = 0
    for thousand in range(first // 1000, last // 1000 + 1):
        low, high = max(first, thousand * 1000), min(last, thousand * 1000 + 999)
        if thousand:
            row = _THOUSAND[low % 1000 * _EACH : (high % 1000 + 1) * _EACH]
            row = row.replace(b"@", b"%d" % thousand)
        else:
            row = b"".join(b" %d" % n for n in range(low, high + 1))
        if not text.startswith(row, position):
            return None
        position += len(row)
    return range(first, last + 1) if position == len(text) else None

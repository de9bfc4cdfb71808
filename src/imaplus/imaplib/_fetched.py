"""Which message a FETCH response is of.

imaplib gives all that came, one after another, and programs take the first. Where one message was
asked for, what came of another is no answer: a body that the server pushed in, or news.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from imaplus.wire.patterns import lazy_pattern

_NUMBER: Final = lazy_pattern(rb"([0-9]{1,20})(?: |\Z)")
# Outside of what is quoted, or in brackets as a section is, where "UID" may be somebody's word.
_ELSEWHERE: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|\[[^\[\]]*+\]')
_UID: Final = lazy_pattern(rb"(?<![^ (])UID ([0-9]{1,20})(?![^ )])", 2)  # re.IGNORECASE


def of_one_message(data: list[Any], numbers: str, *, uid: bool) -> list[Any]:
    """The responses of that message, if the set is a single number; else all of them.

    By UID, responses without one count if none has the right one: some servers leave it out.
    """
    if not (numbers.isascii() and numbers.isdigit()) or data == [None]:
        return data
    wanted = int(numbers[:20])
    found, perhaps = [], []
    for response in _each(data):
        number = _uid_of(response) if uid else _number_of(response)
        if number == wanted:
            found += response
        elif number is None and uid:
            perhaps += response
    return found or perhaps or [None]


def _each(data: list[Any]) -> Iterator[list[Any]]:
    """What belongs together: a line, or lines with literals and the line that ends them."""
    response: list[Any] = []
    for part in data:
        if response and isinstance(part, bytes) and not isinstance(response[-1], tuple):
            if part[:1] == b" ":  # the rest of it, on a line of its own
                response.append(part)
                continue
            yield response
            response = []
        elif response and isinstance(part, tuple) and not isinstance(response[-1], tuple):
            yield response
            response = []
        response.append(part)
    if response:
        yield response


def _text_of(response: list[Any]) -> bytes:
    return b" ".join(part[0] if isinstance(part, tuple) else part for part in response)


def _number_of(response: list[Any]) -> int | None:
    found = _NUMBER.match(_text_of(response))
    return int(found[1]) if found else None


def _uid_of(response: list[Any]) -> int | None:
    found = _UID.search(_ELSEWHERE.sub(b"", _text_of(response)))
    return int(found[1]) if found else None

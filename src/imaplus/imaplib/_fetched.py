"""Attribution of FETCH responses to messages.

imaplib returns all FETCH responses in the order received, and programs use the first. If one
message was requested, responses for other messages are dropped: they may be flag updates, or
bodies injected by a hostile server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from imaplus.wire.patterns import lazy_pattern

_NUMBER: Final = lazy_pattern(rb"([0-9]{1,20})(?: |\Z)")
# Quoted strings and sections: "UID" in them is not an item.
_ELSEWHERE: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|\[[^\[\]]*+\]')
_UID: Final = lazy_pattern(rb"(?<![^ (])UID ([0-9]{1,20})(?![^ )])", 2)  # re.IGNORECASE


def keep_one_message(data: list[Any], numbers: str, *, uid: bool) -> list[Any]:
    """Return the responses for the requested message if the set is one number; otherwise all.

    With `uid`, responses without a UID are returned if none has the requested UID: some servers
    omit it.
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
    """Group the parts of each response: one line, or literals and the line after the last."""
    response: list[Any] = []
    for part in data:
        if response and isinstance(part, bytes) and not isinstance(response[-1], tuple):
            if part[:1] == b" ":  # continues the response (quirk 21)
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

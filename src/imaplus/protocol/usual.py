"""Fast path: the first words of the responses that servers send most, read by one pattern.

`protocol.response.parse()` tries this first and leaves all other responses to
`parse_by_rule()`, which gives the same values; tests compare the two.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from imaplus.protocol.status import Status
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import decode_text

_HEADING: Final = lazy_pattern(rb"\* (?:([1-9][0-9]{0,9}) ([A-Z]++)(?: |\Z)|([A-Z]++)(?= ))")
_TAGGED: Final = lazy_pattern(rb"([A-Z0-9-]++) (OK|NO|BAD) (?=[^ \t\[])")


class Heading(NamedTuple):
    """What an untagged response begins with."""

    number: int | None
    name: str
    end: int
    """The position behind the name, and behind the space that follows a numbered one."""


def usual_heading(text: bytes) -> Heading | None:
    """The heading of an untagged response in capitals, with single spaces."""
    match = _HEADING.match(text)
    if match is None:
        return None
    number, numbered, name = match.groups()
    if number is None:
        return Heading(None, name.decode(), match.end())
    return Heading(int(number), numbered.decode(), match.end())


def usual_tagged(text: bytes) -> Status | None:
    """A tagged status in capitals, with single spaces and without a response code."""
    match = _TAGGED.match(text)
    if match is None:
        return None
    tag, kind = match.groups()
    return Status(kind.decode(), decode_text(text[match.end() :]), None, tag.decode())

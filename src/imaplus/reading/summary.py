"""What is known of a message before its parts are read: one FETCH returns it for many messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from imaplus.core.envelope import Envelope
from imaplus.core.fetch_items import BodySection, FetchItem
from imaplus.core.fetched import Fetched
from imaplus.core.parts import Part
from imaplus.errors import ProtocolError
from imaplus.reading.headers import Fields, envelope_of, fields_of, first, message_ids
from imaplus.reading.local import take_apart
from imaplus.reading.problems import Problem
from imaplus.records import field, record

REFERENCES: Final = BodySection("HEADER.FIELDS", fields=("REFERENCES",))
ITEMS: Final[tuple[FetchItem, ...]] = (
    "FLAGS",
    "INTERNALDATE",
    "RFC822.SIZE",
    "ENVELOPE",
    "BODYSTRUCTURE",
    REFERENCES,
)
"""The items fetched of each message."""
HEADER: Final = BodySection("HEADER")
LARGEST_LOCAL: Final = 4 << 20
"""Bytes to fetch of a message whose BODYSTRUCTURE the server does not send."""
START: Final = BodySection(partial=(0, LARGEST_LOCAL))

NO_ENVELOPE: Final = Envelope(None, None, (), (), (), (), (), (), None, None)


@record
class Summary:
    """The flags, dates, headers and structure of a message."""

    uid: int
    flags: frozenset[str] = frozenset()
    size: int | None = None
    internaldate: datetime | None = None
    envelope: Envelope = NO_ENVELOPE
    references: tuple[str, ...] = ()
    structure: Part | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    """Decoded parts by section, if the message had to be parsed here."""
    problems: tuple[Problem, ...] = ()


def value_of(message: Fetched, name: str) -> object:
    """Return an item's value; None if the server did not send it, or it does not parse."""
    try:
        return message.get(name)
    except ProtocolError:
        return None


def lacks_envelope(message: Fetched) -> bool:
    """Whether the message has no valid ENVELOPE, so that its header must be fetched."""
    return not isinstance(value_of(message, "ENVELOPE"), Envelope)


def lacks_structure(message: Fetched) -> bool:
    """Whether the message has no valid BODYSTRUCTURE, so that it must be parsed here."""
    return not isinstance(value_of(message, "BODYSTRUCTURE"), Part)


def summarise(message: Fetched) -> Summary:
    """Make a summary of a fetched message, with its `HEADER` or `START` where they were needed."""
    problems: list[Problem] = []
    flags, size = value_of(message, "FLAGS"), value_of(message, "RFC822.SIZE")
    date, envelope = value_of(message, "INTERNALDATE"), value_of(message, "ENVELOPE")
    start, header = value_of(message, START.key), value_of(message, HEADER.key)
    referring = value_of(message, REFERENCES.key)
    fields: Fields = ()
    if not isinstance(header, bytes):
        header = start
    if isinstance(header, bytes):
        fields = fields_of(header)
    if not isinstance(envelope, Envelope):
        problems.append(Problem("", "the server sent no valid ENVELOPE: made from the header"))
        envelope = envelope_of(fields)
    structure = value_of(message, "BODYSTRUCTURE")
    contents: dict[str, bytes] = {}
    if not isinstance(structure, Part):
        problems.append(
            Problem("", "the server sent no valid BODYSTRUCTURE: made from the message")
        )
        structure = None
        if isinstance(start, bytes):
            structure, contents = take_apart(start)
            if len(start) == LARGEST_LOCAL:
                problems.append(Problem("", f"only the first {LARGEST_LOCAL} bytes were read"))
    if isinstance(referring, bytes):
        references = message_ids(first(fields_of(referring), "References"))
    else:
        references = message_ids(first(fields, "References"))
    return Summary(
        message.uid or 0,
        flags if isinstance(flags, frozenset) else frozenset(),
        size if isinstance(size, int) else None,
        date if isinstance(date, datetime) else None,
        envelope,
        references,
        structure,
        contents,
        tuple(problems),
    )

"""What is known of a message before any of its parts is read: one FETCH tells it, for many."""

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
"""What is asked of each message."""
HEADER: Final = BodySection("HEADER")
LARGEST_LOCAL: Final = 4 << 20
"""Bytes of a message that are fetched at once where the server does not tell its structure."""
START: Final = BodySection(partial=(0, LARGEST_LOCAL))

NO_ENVELOPE: Final = Envelope(None, None, (), (), (), (), (), (), None, None)


@record
class Summary:
    """A message without its parts."""

    uid: int
    flags: frozenset[str] = frozenset()
    size: int | None = None
    internal_date: datetime | None = None
    envelope: Envelope = NO_ENVELOPE
    references: tuple[str, ...] = ()
    structure: Part | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    """Of parts that have come already, because the message had to be taken apart here."""
    problems: tuple[Problem, ...] = ()


def value_of(message: Fetched, name: str) -> object:
    """An item's value; None if the server did not send it, or sent what does not parse."""
    try:
        return message.get(name)
    except ProtocolError:
        return None


def lacks_envelope(message: Fetched) -> bool:
    """Whether its header is to be read here."""
    return not isinstance(value_of(message, "ENVELOPE"), Envelope)


def lacks_structure(message: Fetched) -> bool:
    """Whether it is to be taken apart here."""
    return not isinstance(value_of(message, "BODYSTRUCTURE"), Part)


def summarise(message: Fetched) -> Summary:
    """A message as FETCH has told it, with its header or its beginning where that was needed."""
    problems: list[Problem] = []
    flags, size = value_of(message, "FLAGS"), value_of(message, "RFC822.SIZE")
    date, envelope = value_of(message, "INTERNALDATE"), value_of(message, "ENVELOPE")
    start, told = value_of(message, START.key), value_of(message, HEADER.key)
    referring = value_of(message, REFERENCES.key)
    fields: Fields = ()
    if isinstance(told, bytes) or isinstance(start, bytes):
        header = told if isinstance(told, bytes) else start
        fields = fields_of(header if isinstance(header, bytes) else b"")
    if not isinstance(envelope, Envelope):
        problems.append(Problem("", "the server sends no ENVELOPE that can be read"))
        envelope = envelope_of(fields)
    structure = value_of(message, "BODYSTRUCTURE")
    contents: dict[str, bytes] = {}
    if not isinstance(structure, Part):
        problems.append(Problem("", "the server sends no BODYSTRUCTURE that can be read"))
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

"""Reading sets of message numbers and UIDs from a frame."""

from __future__ import annotations

from typing import Final

from imaplus.errors import InvalidArgument, ProtocolError
from imaplus.wire.cursor import Cursor
from imaplus.wire.sets import SequenceSet, parse_ranges
from imaplus.wire.tokens import NUMBERS, SEQUENCE_SET

MANY_NUMBERS: Final = 20_000
"""Lists of numbers that are longer, in bytes, are worth loading another module for."""


def read_sequence_set(c: Cursor) -> SequenceSet:
    """sequence-set. Ranges stay ranges, whatever their size."""
    text = c.take_match(SEQUENCE_SET, "a sequence set")
    try:
        return SequenceSet.parse(text)
    except InvalidArgument as error:
        raise ProtocolError(f"expected a sequence set: {error}") from error


def read_uid_set(c: Cursor) -> SequenceSet:
    """uid-set, or any set of messages that there are: it has no `*`, and so an end."""
    found = read_sequence_set(c)
    if found.open_ended:
        raise ProtocolError("expected a set of UIDs, found one with `*`")
    return found


def read_numbers(c: Cursor, *, many: int = MANY_NUMBERS) -> SequenceSet:
    """`*(SP nz-number)`, as a set: a mailbox may have millions of them.

    Lists longer than `many` bytes are read by another module.
    """
    try:
        found = _read_many(c, many)
        if found is None:
            found = SequenceSet.from_numbers(
                [int(each) for each in c.take_match(NUMBERS, "numbers").split()]
            )
    except (InvalidArgument, ValueError) as error:
        raise ProtocolError(f"expected message numbers: {error}") from error
    if found.open_ended:
        raise ProtocolError("expected message numbers of at most 32 bits")
    return found


def _read_many(c: Cursor, many: int) -> SequenceSet | None:
    """All that is left, if it is a long list of numbers as they should be written."""
    if len(c.text) - c.pos < many:
        return None
    from imaplus.wire.numbers import set_of_numbers

    found = set_of_numbers(c.text[c.pos :])
    if found is not None:
        c.pos = len(c.text)
    return found


def read_uid_ranges(c: Cursor) -> tuple[tuple[int, int], ...]:
    """uid-set in the order it was sent, which matters in COPYUID (RFC 4315, 3)."""
    text = c.take_match(SEQUENCE_SET, "a UID set")
    try:
        ranges = parse_ranges(text)
    except InvalidArgument as error:
        raise ProtocolError(f"expected a UID set: {error}") from error
    if b"*" in text:
        raise ProtocolError("expected a set of UIDs, found one with `*`")
    return ranges

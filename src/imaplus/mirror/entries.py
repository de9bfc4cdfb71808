"""The entries of a mailbox in the mirror, in a mapping that saves memory.

Each message is one packed record (about 200 bytes with its UID); an `Entry` is created on access.
Flags and dates are kept in the form in which the journal has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from struct import Struct
from typing import NamedTuple

from imaplus.errors import InvalidArgument
from imaplus.mirror.percent import escape, unescape
from imaplus.records import record

_UNSAFE_FLAG = re.compile(r"[^!-$&-~]")
_HEAD = Struct("<32sQQI")  # sha256, size, modseq, number of the flags; the date's text follows
_NO_MODSEQ = 2**64 - 1  # RFC 7162 has 63 bits
_GONE = 25  # bytes at the end of a record: when the message was found to be gone


@record
class Entry:
    """One message of a mailbox, as the mirror has it.

    Attributes:
        sha256: the SHA-256 of the body, in hexadecimal.
        size: the size of the body in bytes.
        flags: system flags and keywords, without \\\\Recent.
        internaldate: INTERNALDATE with its time zone; None if the server sent no valid one.
        modseq: the mod-sequence (RFC 7162); None without CONDSTORE.
        gone: when the message was found to be gone from the server; None while it exists.
        identity: EMAILID (RFC 8474) or X-GM-MSGID; None if the server has none.
        labels: X-GM-LABELS; None if the server has none.
    """

    sha256: str
    size: int
    flags: frozenset[str]
    internaldate: datetime | None = None
    modseq: int | None = None
    gone: datetime | None = None
    identity: str | None = None
    labels: frozenset[str] | None = None


@record
class Checkpoint:
    """The state of a mailbox at the end of a run: the server's numbers, and the mirror's count.

    The mailbox had `exists` messages, of which the mirror `held` so many; the others were reported
    as failures. While the server reports the same numbers, nothing has changed (with CONDSTORE,
    flags included).
    """

    uidvalidity: int
    uidnext: int | None
    highestmodseq: int | None
    exists: int
    when: datetime
    held: int

    @property
    def complete(self) -> bool:
        """Whether the mirror had every message."""
        return self.held == self.exists


@record
class Replaced:
    """An older copy that the store keeps: the server later had another body under this UID."""

    uid: int
    entry: Entry


class Record(NamedTuple):
    """The fields of a journal line about one message, in the form in which they are written."""

    digest: bytes
    size: int
    modseq: int | None
    date: bytes
    flags: int


class FlagTable:
    """Assigns a number to each distinct set of flags; a mailbox has few."""

    def __init__(self) -> None:
        self.sets: list[frozenset[str]] = []
        self.texts: list[bytes] = []
        self._by_set: dict[frozenset[str], int] = {}
        self._by_text: dict[bytes, int] = {}

    def number(self, flags: Iterable[str]) -> int:
        """Return the number of a set. `\\Recent` is left out: it belongs to the session.

        Raises:
            InvalidArgument: a flag is an empty string.
        """
        wanted = frozenset(flags)
        found = self._by_set.get(wanted)
        if found is None:
            if "" in wanted:
                raise InvalidArgument("a flag cannot be empty")
            kept = sorted(flag for flag in wanted if flag.lower() != "\\recent")
            text = " ".join(escape(flag, _UNSAFE_FLAG) for flag in kept).encode("ascii")
            found = self._by_set[wanted] = self.number_of_text(text)
        return found

    def number_of_text(self, text: bytes) -> int:
        """Return the number of the set that a journal line has as `text`.

        Raises:
            ValueError: the text is malformed.
        """
        found = self._by_text.get(text)
        if found is None:
            flags = frozenset(unescape(word) for word in text.split(b" ") if word)
            found = self._by_text[text] = len(self.sets)
            self.sets.append(flags)
            self.texts.append(text)
            self._by_set.setdefault(flags, found)
        return found


class Extras:
    """Optional values by UID: identities (EMAILID, X-GM-MSGID) and labels (X-GM-LABELS)."""

    def __init__(self) -> None:
        self.identities: dict[int, str] = {}
        self.labels: dict[int, frozenset[str]] = {}


class Entries(Mapping[int, Entry]):
    """A read-only mapping from UID to `Entry`, in no particular order."""

    def __init__(self, table: FlagTable, extras: Extras | None = None, *, gone: bool = False):
        self.packed: dict[int, bytes] = {}
        self.extras: Extras = extras or Extras()
        self._table = table
        self._gone = gone

    def __len__(self) -> int:
        return len(self.packed)

    def __iter__(self) -> Iterator[int]:
        return iter(self.packed)

    def __contains__(self, uid: object) -> bool:
        return uid in self.packed

    def __getitem__(self, uid: int) -> Entry:
        return self._entry(self.packed[uid], uid)

    def _entry(self, packed: bytes, uid: int) -> Entry:
        gone = None
        if self._gone:
            packed, gone = packed[:-_GONE], parse_date(packed[-_GONE:])
        record = unpack(packed)
        return Entry(
            record.digest.hex(),
            record.size,
            self._table.sets[record.flags],
            parse_date(record.date),
            record.modseq,
            gone,
            self.extras.identities.get(uid),
            self.extras.labels.get(uid),
        )

    def flags(self, uid: int) -> frozenset[str]:
        """Return the flags of one message; faster than `entries[uid].flags`."""
        return self._table.sets[unpack(self.packed[uid]).flags]

    def digests(self) -> Iterator[tuple[int, bytes, int]]:
        """Yield UID, SHA-256 (32 bytes) and size in bytes of each message."""
        for uid, packed in self.packed.items():
            yield uid, packed[:32], unpack(packed).size


def pack(record: Record) -> bytes:
    """Pack the record of a message that the server has."""
    modseq = _NO_MODSEQ if record.modseq is None else record.modseq
    return _HEAD.pack(record.digest, record.size, modseq, record.flags) + record.date


def unpack(packed: bytes) -> Record:
    """Reverse `pack`."""
    digest, size, modseq, flags = _HEAD.unpack_from(packed)
    known = None if modseq == _NO_MODSEQ else modseq
    return Record(digest, size, known, packed[_HEAD.size :], flags)


def pack_gone(packed: bytes, when: bytes) -> bytes:
    """Append to a record when its message was found to be gone, in the form of `format_date`."""
    return packed + when


def unpack_gone(packed: bytes) -> tuple[bytes, bytes]:
    """Reverse `pack_gone`: the record, and when its message was found to be gone."""
    return packed[:-_GONE], packed[-_GONE:]


def format_date(date: datetime | None) -> bytes:
    """Format a date by RFC 3339, to the second: 25 bytes; empty for None.

    Raises:
        InvalidArgument: the date has no zone.
    """
    if date is None:
        return b""
    text = date.isoformat("T", "seconds")
    if len(text) != 25:
        if date.utcoffset() is None:
            raise InvalidArgument(f"a date must have a time zone: {date!r}")
        text = date.astimezone(UTC).isoformat("T", "seconds")
    return text.encode("ascii")


def parse_date(text: bytes) -> datetime | None:
    """Reverse `format_date`."""
    return datetime.fromisoformat(text.decode("ascii")) if text else None


def now() -> datetime:
    """Return the current time in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)

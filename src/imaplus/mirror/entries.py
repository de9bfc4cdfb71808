"""What the mirror knows of a mailbox: values, and a mapping that holds many in little memory.

An `Entry` is made when it is looked at; each message is kept as one packed record (about 200 bytes
with its UID), because a mailbox of 100,000 messages must not cost what 100,000 objects cost.
This module knows no file and no line format beyond the texts of flags and dates, which it keeps as
they are written.
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
_GONE = 25  # octets of the time at which a message was found gone, at the end of its record


@record
class Entry:
    """One message of a mailbox, as the mirror has it.

    `sha256` names the body and `size` counts its bytes. `internaldate` has a zone, or is None
    where the server gave no valid one. `gone` is when the server was found not to have it any more.
    `identity` is what the server calls the message in every mailbox (EMAILID or X-GM-MSGID), and
    `labels` are Gmail's; None where the server gives none.
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
    """A promise about a mailbox: what the mirror held of it, and what the server said of it then.

    `exists` messages were there, and the mirror `held` so many of them; the others were named as
    failures. While the server still says the same numbers, nothing has changed (with CONDSTORE:
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
        """Whether the mirror held every message."""
        return self.held == self.exists


@record
class Replaced:
    """An older copy of a message that the store keeps: another body was found under its UID."""

    uid: int
    entry: Entry


class Record(NamedTuple):
    """The fields of a journal's line about one message, as they are written."""

    digest: bytes
    size: int
    modseq: int | None
    date: bytes
    flags: int


class FlagTable:
    """Numbers the different sets of flags, of which a mailbox has few."""

    def __init__(self) -> None:
        self.sets: list[frozenset[str]] = []
        self.texts: list[bytes] = []
        self._by_set: dict[frozenset[str], int] = {}
        self._by_text: dict[bytes, int] = {}

    def number(self, flags: Iterable[str]) -> int:
        """The number of this set. `\\Recent` is left out: it is the session's, not the message's.

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
        """The number of the set that a journal has written as `text`.

        Raises:
            ValueError: the text is not one that a journal writes.
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
    """What only some servers tell of a message, by UID: its identity, and Gmail's labels."""

    def __init__(self) -> None:
        self.identities: dict[int, str] = {}
        self.labels: dict[int, frozenset[str]] = {}


class Entries(Mapping[int, Entry]):
    """From UID to `Entry`, in no particular order; only the journal it belongs to changes it."""

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
        """The flags of one message: `entries[uid].flags`, without the rest."""
        return self._table.sets[unpack(self.packed[uid]).flags]

    def digests(self) -> Iterator[tuple[int, bytes, int]]:
        """UID, SHA-256 and size of each message, without the rest."""
        for uid, packed in self.packed.items():
            yield uid, packed[:32], unpack(packed).size


def pack(record: Record) -> bytes:
    """The record of a message that the server has."""
    modseq = _NO_MODSEQ if record.modseq is None else record.modseq
    return _HEAD.pack(record.digest, record.size, modseq, record.flags) + record.date


def unpack(packed: bytes) -> Record:
    """What was packed."""
    digest, size, modseq, flags = _HEAD.unpack_from(packed)
    known = None if modseq == _NO_MODSEQ else modseq
    return Record(digest, size, known, packed[_HEAD.size :], flags)


def pack_gone(packed: bytes, when: bytes) -> bytes:
    """The record of a message that the server no longer has; `when` as `format_date` gives it."""
    return packed + when


def unpack_gone(packed: bytes) -> tuple[bytes, bytes]:
    """The record as it was, and when it was found gone."""
    return packed[:-_GONE], packed[-_GONE:]


def format_date(date: datetime | None) -> bytes:
    """RFC 3339, to the second: always 25 octets, or none at all.

    Raises:
        InvalidArgument: the date has no zone.
    """
    if date is None:
        return b""
    text = date.isoformat("T", "seconds")
    if len(text) != 25:
        if date.utcoffset() is None:
            raise InvalidArgument(f"a date needs a zone: {date!r}")
        text = date.astimezone(UTC).isoformat("T", "seconds")
    return text.encode("ascii")


def parse_date(text: bytes) -> datetime | None:
    """What `format_date` was given."""
    return datetime.fromisoformat(text.decode("ascii")) if text else None


def now() -> datetime:
    """This moment, in UTC and to the second, as a store records it."""
    return datetime.now(UTC).replace(microsecond=0)

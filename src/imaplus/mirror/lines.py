"""The lines of a journal: how each is written, how it is read, and what all of them add up to.

Each line is `CRC KIND FIELD...`, the CRC-32 of what follows it in eight hexadecimal digits:

    h imaplus-journal 1 UIDVALIDITY ID               the head; ID differs when the file is made anew
    a UID SHA256 SIZE MODSEQ INTERNALDATE FLAG...    the mailbox has this message ("-": not known)
    f UID MODSEQ FLAG...                             its flags changed
    v UID WHEN                                       the server no longer has it
    c UIDVALIDITY UIDNEXT HIGHESTMODSEQ EXISTS WHEN  all of the mailbox is mirrored as of then

Flags are percent-escaped, dates are RFC 3339. It knows text; not where it is kept.
"""

from __future__ import annotations

import os
import struct
from binascii import crc32
from datetime import datetime

from imaplus.mirror.entries import (
    Checkpoint,
    Entries,
    FlagTable,
    Record,
    format_date,
    pack,
    pack_gone,
    unpack,
)


class State:
    """What the lines of a journal add up to."""

    def __init__(self) -> None:
        self.flags: FlagTable = FlagTable()
        self.live: Entries = Entries(self.flags)
        self.gone: Entries = Entries(self.flags, gone=True)
        self.checkpoint: Checkpoint | None = None
        self.identity: str = ""
        self.end = 0  # of the last good line
        self.size = 0  # of the file, when it was read
        self.damaged = 0

    def apply(self, text: bytes) -> bool:
        """Take one line into account; whether it made sense."""
        try:
            kind, _, fields = text.partition(b" ")
            if kind == b"a":
                uid, digest, size, modseq, date, flags = fields.split(b" ", 5)
                self._added(int(uid), digest, int(size), modseq, date, flags)
            elif kind == b"f":
                uid, modseq, flags = fields.split(b" ", 2)
                self._changed(int(uid), modseq, flags)
            elif kind == b"v":
                uid, when = fields.split(b" ")
                packed = self.live.packed.pop(int(uid), None)
                if packed is not None:
                    self.gone.packed[int(uid)] = pack_gone(packed, when)
            elif kind == b"c":
                self.checkpoint = parse_checkpoint(text)
            elif kind == b"h":
                self.identity = fields.rpartition(b" ")[2].decode("ascii")
            else:
                return False
        except (ValueError, struct.error):
            return False
        return True

    def _added(
        self, uid: int, digest: bytes, size: int, modseq: bytes, date: bytes, flags: bytes
    ) -> None:
        known = b"" if date == b"-" else date
        number = self.flags.number_of_text(flags)
        record = Record(bytes.fromhex(digest.decode()), size, _parse(modseq), known, number)
        self.live.packed[uid] = pack(record)
        self.gone.packed.pop(uid, None)

    def _changed(self, uid: int, modseq: bytes, flags: bytes) -> None:
        packed = self.live.packed.get(uid)
        if packed is not None:  # else the line that added it was damaged
            number = self.flags.number_of_text(flags)
            record = unpack(packed)._replace(flags=number, modseq=_parse(modseq))
            self.live.packed[uid] = pack(record)


def line(text: bytes) -> bytes:
    """The line that says `text`."""
    return b"%08x %s\n" % (crc32(text), text)


def said(line: bytes) -> bytes:
    """What a line says, or nothing if it does not carry its own checksum."""
    text = line[9:]
    return text if line[:9] == b"%08x " % crc32(text) else b""


def head(uidvalidity: int) -> bytes:
    """The first line of a new file."""
    return b"h imaplus-journal 1 %d %s" % (uidvalidity, os.urandom(8).hex().encode())


def added(uid: int, record: Record, table: FlagTable) -> bytes:
    """The mailbox has a message."""
    digest, size, modseq, date, flags = record
    fields = (uid, digest.hex().encode(), size, _format(modseq), date or b"-", table.texts[flags])
    return b"a %d %s %d %s %s %s" % fields


def flagged(uid: int, record: Record, table: FlagTable) -> bytes:
    """The flags of a message changed to those in its record."""
    return b"f %d %s %s" % (uid, _format(record.modseq), table.texts[record.flags])


def vanished(uid: int, when: bytes) -> bytes:
    """The server no longer has a message."""
    return b"v %d %s" % (uid, when)


def complete(at: Checkpoint) -> bytes:
    """The mailbox is mirrored as of this checkpoint."""
    numbers = (at.uidvalidity, _format(at.uidnext), _format(at.highestmodseq), at.exists)
    return b"c %d %s %s %d %s" % (*numbers, format_date(at.when))


def parse_checkpoint(text: bytes) -> Checkpoint:
    """What `complete` was given.

    Raises:
        ValueError: the text is none of it.
    """
    _, uidvalidity, uidnext, highestmodseq, exists, when = text.split(b" ")
    at = datetime.fromisoformat(when.decode("ascii"))
    return Checkpoint(int(uidvalidity), _parse(uidnext), _parse(highestmodseq), int(exists), at)


def _format(number: int | None) -> bytes:
    return b"-" if number is None else b"%d" % number


def _parse(number: bytes) -> int | None:
    return None if number == b"-" else int(number)

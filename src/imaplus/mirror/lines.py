"""The lines of a journal: writing and parsing them, and the state that they describe.

Each line is `CRC KIND FIELD...`; CRC is the CRC-32 of the rest in eight hexadecimal digits:

    h imaplus-journal 2 UIDVALIDITY ID MAILBOX       the head; ID changes if the file is rewritten
    a UID SHA256 SIZE MODSEQ INTERNALDATE FLAG...    the mailbox has this message ("-": unknown)
    f UID MODSEQ FLAG...                             its flags changed
    v UID WHEN                                       the server no longer has it
    r UID WHEN                                       another body was found under its UID: the
                                                     mirror's copy is kept as an older one
    i UID IDENTITY                                   its EMAILID or X-GM-MSGID
    l UID LABEL...                                   its labels (X-GM-LABELS)
    s UID                                            the connection was lost while it was fetched
    x SHA256 WHEN                                    this body is damaged, and no server has it
    g WHEN                                           the server no longer has the mailbox
    b WHEN                                           the mailbox is back
    c UIDVALIDITY UIDNEXT HIGHESTMODSEQ EXISTS WHEN HELD
                                                     a checkpoint; HELD is how many of the EXISTS
                                                     messages the mirror had (missing in format 1)

Flags, labels and names are percent-escaped; dates are RFC 3339.
"""

from __future__ import annotations

import os
import re
import struct
from binascii import crc32
from collections.abc import Iterable
from datetime import datetime

from imaplus.mirror.entries import (
    Checkpoint,
    Entries,
    Extras,
    FlagTable,
    Record,
    format_date,
    pack,
    pack_gone,
    parse_date,
    unpack,
)
from imaplus.mirror.percent import escape, unescape

_UNSAFE_WORD = re.compile(r"[^!-$&-~]")


class State:
    """The state that the lines of a journal describe."""

    def __init__(self) -> None:
        self.flags: FlagTable = FlagTable()
        self.extras: Extras = Extras()
        self.live: Entries = Entries(self.flags, self.extras)
        self.gone: Entries = Entries(self.flags, self.extras, gone=True)
        self.replaced: list[tuple[int, bytes]] = []  # as `gone` packs them
        self.suspects: set[int] = set()
        self.lost: set[bytes] = set()
        self.checkpoint: Checkpoint | None = None
        self.broken: Checkpoint | None = None  # a checkpoint that disagrees with the entries
        self.absent: datetime | None = None  # when the mailbox was found to be gone
        self.identity: str = ""
        self.end = 0  # offset of the end of the last valid line
        self.size = 0  # of the file, when it was read
        self.damaged = 0

    def apply(self, text: bytes) -> bool:
        """Apply the text of one line; return False if it is malformed."""
        kind, _, fields = text.partition(b" ")
        try:
            if kind == b"a":
                uid, digest, size, modseq, date, flags = fields.split(b" ", 5)
                self._add(int(uid), digest, int(size), modseq, date, flags)
            elif kind == b"f":
                uid, modseq, flags = fields.split(b" ", 2)
                self._change(int(uid), modseq, flags)
            elif kind == b"v":
                uid, when = fields.split(b" ")
                packed = self.live.packed.pop(int(uid), None)
                if packed is not None:
                    self.gone.packed[int(uid)] = pack_gone(packed, when)
            elif kind == b"c":
                self._promise(text)
            elif kind == b"h":
                self.identity = fields.split(b" ")[3].decode("ascii")
            else:
                return self._apply_rare(kind, fields)
        except (ValueError, IndexError, struct.error):
            return False
        return True

    def _apply_rare(self, kind: bytes, fields: bytes) -> bool:
        if kind == b"i":
            uid, identity = fields.split(b" ")
            self.extras.identities[int(uid)] = unescape(identity)
        elif kind == b"l":
            uid, *labels = fields.split(b" ")
            self.extras.labels[int(uid)] = frozenset(map(unescape, filter(None, labels)))
        elif kind == b"r":
            uid, when = fields.split(b" ")
            packed = self.live.packed.pop(int(uid), None)
            if packed is not None:
                self.replaced.append((int(uid), pack_gone(packed, when)))
            self.extras.identities.pop(int(uid), None)
            self.extras.labels.pop(int(uid), None)
        elif kind == b"s":
            self.suspects.add(int(fields))
        elif kind == b"x":
            self.lost.add(bytes.fromhex(fields.split(b" ")[0].decode()))
        elif kind == b"g":
            self.absent = parse_date(fields)
        elif kind == b"b":
            self.absent = None
        else:
            return False
        return True

    def _add(
        self, uid: int, digest: bytes, size: int, modseq: bytes, date: bytes, flags: bytes
    ) -> None:
        known = b"" if date == b"-" else date
        number = self.flags.number_of_text(flags)
        record = Record(bytes.fromhex(digest.decode()), size, _parse(modseq), known, number)
        self.live.packed[uid] = pack(record)
        self.gone.packed.pop(uid, None)
        if self.suspects:
            self.suspects.discard(uid)

    def _change(self, uid: int, modseq: bytes, flags: bytes) -> None:
        packed = self.live.packed.get(uid)
        if packed is not None:  # else the line that added it was damaged
            number = self.flags.number_of_text(flags)
            record = unpack(packed)._replace(flags=number, modseq=_parse(modseq))
            self.live.packed[uid] = pack(record)

    def _promise(self, text: bytes) -> None:
        """Accept a checkpoint if it agrees with the lines before it."""
        found = parse_checkpoint(text, held=len(self.live))
        old = text.count(b" ") < 6
        kept = found.held == len(self.live) and not (old and found.exists != len(self.live))
        self.checkpoint = found if kept else None
        self.broken = None if kept else found


def format_line(text: bytes) -> bytes:
    """Format a line: checksum, text, line feed."""
    return b"%08x %s\n" % (crc32(text), text)


def parse_line(line: bytes) -> bytes:
    """Return the text of a line; b"" if its checksum is wrong."""
    text = line[9:]
    return text if line[:9] == b"%08x " % crc32(text) else b""


def format_head(uidvalidity: int, mailbox: str) -> bytes:
    """Format the first line of a new file."""
    name = _words((mailbox,))
    return b"h imaplus-journal 2 %d %s %s" % (uidvalidity, os.urandom(8).hex().encode(), name)


def mailbox_in_head(text: bytes) -> str | None:
    """Return the mailbox in a head; None for another line, or a head of format 1."""
    fields = text.split(b" ")
    return unescape(fields[5]) if fields[0] == b"h" and len(fields) > 5 else None


def format_message(uid: int, record: Record, table: FlagTable) -> bytes:
    """Format "the mailbox has this message"."""
    digest, size, modseq, date, flags = record
    fields = (uid, digest.hex().encode(), size, _format(modseq), date or b"-", table.texts[flags])
    return b"a %d %s %d %s %s %s" % fields


def format_flags(uid: int, record: Record, table: FlagTable) -> bytes:
    """Format "the flags of this message are now those in its record"."""
    return b"f %d %s %s" % (uid, _format(record.modseq), table.texts[record.flags])


def format_vanished(uid: int, when: bytes) -> bytes:
    """Format "the server no longer has this message"."""
    return b"v %d %s" % (uid, when)


def format_replaced(uid: int, when: bytes) -> bytes:
    """Format "the entry of this UID is an older copy"."""
    return b"r %d %s" % (uid, when)


def format_identity(uid: int, identity: str) -> bytes:
    """Format the identity of a message."""
    return b"i %d %s" % (uid, _words((identity,)))


def format_labels(uid: int, labels: Iterable[str]) -> bytes:
    """Format the labels of a message."""
    return b"l %d %s" % (uid, _words(sorted(filter(None, labels))))


def format_suspect(uid: int) -> bytes:
    """Format "the connection was lost while this message was fetched"."""
    return b"s %d" % uid


def format_lost(sha256: str, when: bytes) -> bytes:
    """Format "this body is damaged, and no server has it"."""
    return b"x %s %s" % (sha256.encode(), when)


def format_absent(when: bytes) -> bytes:
    """Format "the server no longer has the mailbox"."""
    return b"g %s" % when


def format_returned(when: bytes) -> bytes:
    """Format "the server has the mailbox again"."""
    return b"b %s" % when


def format_checkpoint(at: Checkpoint) -> bytes:
    """Format a checkpoint."""
    numbers = (at.uidvalidity, _format(at.uidnext), _format(at.highestmodseq), at.exists)
    return b"c %d %s %s %d %s %d" % (*numbers, format_date(at.when), at.held)


def parse_checkpoint(text: bytes, *, held: int | None = None) -> Checkpoint:
    """Parse a checkpoint; `held` supplies the number that is missing in format 1.

    Raises:
        ValueError: the text is malformed, or `held` is needed.
    """
    _, uidvalidity, uidnext, highestmodseq, exists, when, *rest = text.split(b" ")
    at = datetime.fromisoformat(when.decode("ascii"))
    kept = int(rest[0]) if rest else held
    if kept is None:
        raise ValueError("a checkpoint of format 1 has no count of mirrored messages")
    return Checkpoint(
        int(uidvalidity), _parse(uidnext), _parse(highestmodseq), int(exists), at, kept
    )


def parse_absent(text: bytes) -> datetime | None:
    """Return when the mailbox was found to be gone; None for another line."""
    return parse_date(text[2:]) if text[:2] == b"g " else None


def _words(words: Iterable[str]) -> bytes:
    return " ".join(escape(word, _UNSAFE_WORD) for word in words).encode("ascii")


def _format(number: int | None) -> bytes:
    return b"-" if number is None else b"%d" % number


def _parse(number: bytes) -> int | None:
    return None if number == b"-" else int(number)

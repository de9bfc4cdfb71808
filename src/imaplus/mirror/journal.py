"""The journal of a mailbox under one UIDVALIDITY: an append-only file, and the state it describes.

A half-written end is removed by the next write. A damaged line in the middle loses that line and
the checkpoint, so that the next run compares everything. `lines` has the format of the lines; the
store decides when to commit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

# "from imaplus.mirror import lines" would import all public names first.
import imaplus.mirror.lines as lines
from imaplus.errors import InvalidArgument
from imaplus.mirror.entries import (
    Checkpoint,
    Entries,
    Record,
    Replaced,
    format_date,
    now,
    pack,
    pack_gone,
    unpack,
    unpack_gone,
)
from imaplus.mirror.files import Disk, Folder
from imaplus.mirror.journal_file import JournalFile
from imaplus.mirror.objects import StoredObject

if TYPE_CHECKING:
    from pathlib import Path

_MAX_MODSEQ = 2**63 - 1  # RFC 7162, 3.1
_MAX_UID = 2**32 - 1  # RFC 9051, 2.3.1.1


class Journal:
    """The messages that the mirror has of one mailbox under one UIDVALIDITY.

    Made by `Store.mailbox`. Changes are visible at once, and on disk after `Store.commit`.
    """

    def __init__(
        self,
        mailbox: str,
        uidvalidity: int,
        parent: Folder,
        folder: str,
        note_change: Callable[[Journal], None],
    ) -> None:
        self.mailbox = mailbox
        self.uidvalidity = uidvalidity
        self._file = JournalFile(parent, folder, f"{uidvalidity}.journal")
        self._note_change = note_change
        self._texts: list[bytes] = []
        self._state: lines.State | None = None
        self._last: bytes | None = None  # the file's last line, if it was read alone

    def __repr__(self) -> str:
        return f"<Journal of {self.mailbox!r}, UIDVALIDITY {self.uidvalidity}>"

    @property
    def entries(self) -> Entries:
        """The mirrored messages that the server has, by UID."""
        return self._load().live

    @property
    def gone(self) -> Entries:
        """The mirrored messages that the server no longer has, by UID; their bodies are kept."""
        return self._load().gone

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The last checkpoint, if it agrees with the entries; None: compare all messages.

        After a completed run this reads only the last line of the file.
        """
        if self._state is None and (last := self._last_line())[:2] == b"c ":
            with contextlib.suppress(ValueError):  # of format 1: the whole file has to be read
                return lines.parse_checkpoint(last)
        return self._load().checkpoint

    @property
    def broken_promise(self) -> Checkpoint | None:
        """The last checkpoint, if it disagrees with the entries; `checkpoint` is then None."""
        return self._load().broken

    @property
    def absent_since(self) -> datetime | None:
        """When the mailbox was found to be gone from the server; None while it exists."""
        if self._state is None:
            last = self._last_line()
            if last[:2] == b"g ":
                return lines.parse_absent(last)
            if last[:2] in (b"c ", b""):
                return None
        return self._load().absent

    @property
    def replaced(self) -> list[Replaced]:
        """Older copies of messages: the server later had another body under their UIDs."""
        state = self._load()
        older = Entries(state.flags, gone=True)
        found = []
        for uid, packed in state.replaced:
            older.packed[uid] = packed
            found.append(Replaced(uid, older[uid]))
        return found

    @property
    def suspects(self) -> frozenset[int]:
        """UIDs of messages on which an earlier run lost the connection, not fetched since."""
        return frozenset(self._load().suspects)

    @property
    def lost(self) -> frozenset[bytes]:
        """SHA-256 of damaged bodies that no server has any more."""
        return frozenset(self._load().lost)

    @property
    def damaged(self) -> int:
        """The number of damaged lines, without a half-written end."""
        return self._load().damaged

    @property
    def torn(self) -> int:
        """The bytes of a half-written end, which the next commit removes."""
        state = self._load()
        return state.size - state.end

    @property
    def end(self) -> int:
        """The offset in bytes at which the last valid line ends."""
        return self._load().end

    @property
    def path(self) -> Path:
        """The file of the journal."""
        return self._file.path

    @property
    def identity(self) -> str:
        """A random identifier of the file, which changes when it is rewritten."""
        return self._load().identity

    def add(
        self,
        uid: int,
        body: StoredObject,
        *,
        flags: Iterable[str] = frozenset(),
        internaldate: datetime | None = None,
        modseq: int | None = None,
        identity: str | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        """Record a message of the mailbox, also one that was gone before.

        If the UID had another body, that copy moves to `replaced`.

        Args:
            uid: its UID.
            body: its body, from `ObjectWriter.close` or `Store.put`.
            flags: its flags; `\\\\Recent` is ignored.
            internaldate: INTERNALDATE, with a time zone.
            modseq: its mod-sequence (RFC 7162).
            identity: EMAILID or X-GM-MSGID.
            labels: X-GM-LABELS.

        Raises:
            InvalidArgument: a number is out of range, or the date has no time zone.
        """
        state = self._state or self._load()
        live = state.live.packed
        digest = bytes.fromhex(body.sha256)
        date = format_date(internaldate)
        record = Record(digest, body.size, _modseq(modseq), date, state.flags.number(flags))
        packed = pack(record)
        known = live.get(_uid(uid))
        if known != packed:
            if known is None and (gone := state.gone.packed.get(uid)) is not None:
                known = unpack_gone(gone)[0]
                if known[:32] != digest:  # "r" refers to a message that exists: add it again
                    self._apply(lines.format_message(uid, unpack(known), state.flags))
            if known is not None and known[:32] != digest:
                self._apply(lines.format_replaced(uid, format_date(now())))
            self._write(lines.format_message(uid, record, state.flags))
            live[uid] = packed
            state.gone.packed.pop(uid, None)
            state.suspects.discard(uid)
        if identity is not None and state.extras.identities.get(uid) != identity:
            self._apply(lines.format_identity(uid, identity))
        if labels is not None:
            self.set_labels(uid, labels)

    def set_flags(self, uid: int, flags: Iterable[str], modseq: int | None = None) -> bool:
        """Record the flags of a message; return whether they changed. `modseq` None: unchanged.

        Raises:
            KeyError: `entries` has no such message.
        """
        state = self._load()
        record = unpack(state.live.packed[uid])
        number = state.flags.number(flags)
        modseq = record.modseq if modseq is None else _modseq(modseq)
        if number == record.flags and modseq == record.modseq:
            return False
        record = record._replace(flags=number, modseq=modseq)
        self._write(lines.format_flags(uid, record, state.flags))
        state.live.packed[uid] = pack(record)
        return True

    def set_labels(self, uid: int, labels: Iterable[str]) -> bool:
        """Record the labels of a message (X-GM-LABELS); return whether they changed."""
        wanted = frozenset(labels)
        if self._load().extras.labels.get(uid) == wanted:
            return False
        self._apply(lines.format_labels(uid, wanted))
        return True

    def suspect(self, uid: int) -> None:
        """Record that the connection was lost while this message was fetched."""
        if uid not in self._load().suspects:
            self._apply(lines.format_suspect(uid))

    def lose(self, sha256: str) -> None:
        """Record that this body is damaged, and the server no longer has it."""
        if bytes.fromhex(sha256) not in self._load().lost:
            self._apply(lines.format_lost(sha256, format_date(now())))

    def set_absent(self, absent: bool) -> bool:
        """Record whether the mailbox is gone from the server; return whether that changed."""
        if (self.absent_since is not None) == absent:
            return False
        when = format_date(now())
        self._load()
        self._apply(lines.format_absent(when) if absent else lines.format_returned(when))
        return True

    def vanish(self, uids: Iterable[int], when: datetime | None = None) -> int:
        """Move messages that the server no longer has from `entries` to `gone`.

        `when` is recorded with them (None: now). Returns how many were moved.
        """
        state = self._load()
        at = format_date(when or now())
        news = [uid for uid in dict.fromkeys(uids) if uid in state.live.packed]
        for uid in news:
            self._write(lines.format_vanished(uid, at))
            state.gone.packed[uid] = pack_gone(state.live.packed.pop(uid), at)
        return len(news)

    def mark(
        self,
        *,
        exists: int,
        uidnext: int | None = None,
        highestmodseq: int | None = None,
        when: datetime | None = None,
    ) -> Checkpoint:
        """Record a checkpoint with the number of `entries` and the server's numbers.

        Args:
            exists: the number of messages in the mailbox.
            uidnext: UIDNEXT; None if unknown.
            highestmodseq: HIGHESTMODSEQ; None without CONDSTORE.
            when: the time of the checkpoint; None: now.
        """
        state = self._load()
        at = (when or now()).replace(microsecond=0)
        held = len(state.live)
        checkpoint = Checkpoint(self.uidvalidity, uidnext, _modseq(highestmodseq), exists, at, held)
        self._write(lines.format_checkpoint(checkpoint))
        state.checkpoint, state.broken = checkpoint, None
        return checkpoint

    def scan(self, offset: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the valid lines from `offset` on: the offset of the end, and the text."""
        for end, text in self._file.read(offset):
            if text:
                yield end, text

    @property
    def mailbox_in_head(self) -> str | None:
        """The name of the mailbox in the first line of the file; None in format 1."""
        text = next((text for _, text in self.scan()), b"")
        with contextlib.suppress(ValueError):
            return lines.mailbox_in_head(text)
        return None

    def make_anew(self) -> None:
        """Let the next commit replace the file by one without damaged lines."""
        self._note_change(self)

    # For Store

    def take(self) -> list[bytes]:
        """Return the lines to write since the last call, for `append`."""
        texts, self._texts = self._texts, []
        return texts

    def append(self, texts: list[bytes], *, tmp: Folder, disk: Disk) -> None:
        """Write lines after the last valid one; on an error some of them may have been written."""
        state = self._load()
        if state.damaged:
            self._make_anew(state, tmp, disk)
        if state.end == 0:
            texts = [lines.format_head(self.uidvalidity, self.mailbox), *texts]
        data = b"".join(map(lines.format_line, texts))
        self._file.write(data, state.end, disk)
        state.end = state.size = state.end + len(data)
        self._last = None

    def _make_anew(self, state: lines.State, tmp: Folder, disk: Disk) -> None:
        """Replace a damaged file by one with its readable content; keep the old file."""
        # Read it again: `state` contains uncommitted changes.
        data = b"".join(map(lines.format_line, self._format_state(self._read_state())))
        self._file.replace(data, tmp=tmp, disk=disk)
        state.end = state.size = len(data)
        state.damaged = 0

    def _format_state(self, state: lines.State) -> Iterator[bytes]:
        """Yield the lines that describe `state`."""
        yield lines.format_head(self.uidvalidity, self.mailbox)
        for uid, packed in state.replaced:
            packed, when = unpack_gone(packed)
            yield lines.format_message(uid, unpack(packed), state.flags)
            yield lines.format_replaced(uid, when)
        for uid, packed in state.live.packed.items():
            yield lines.format_message(uid, unpack(packed), state.flags)
        for uid, packed in state.gone.packed.items():
            packed, when = unpack_gone(packed)
            yield lines.format_message(uid, unpack(packed), state.flags)
            yield lines.format_vanished(uid, when)
        for uid, identity in state.extras.identities.items():
            yield lines.format_identity(uid, identity)
        for uid, labels in state.extras.labels.items():
            yield lines.format_labels(uid, labels)
        yield from map(lines.format_suspect, state.suspects)
        for digest in state.lost:
            yield lines.format_lost(digest.hex(), format_date(now()))
        if state.absent is not None:
            yield lines.format_absent(format_date(state.absent))

    def _write(self, text: bytes) -> None:
        self._note_change(self)
        self._texts.append(text)

    def _apply(self, text: bytes) -> None:
        """Add a line to write, and apply it to the state."""
        self._write(text)
        self._load().apply(text)

    def _last_line(self) -> bytes:
        """The text of the file's last line; empty if it is half-written or there is no file."""
        if self._last is None:
            self._last = self._file.last_line()
        return self._last

    def _load(self) -> lines.State:
        if self._state is None:
            self._state = self._read_state()
        return self._state

    def _read_state(self) -> lines.State:
        state = lines.State()
        bad = (
            0  # invalid lines since the last valid one: a half-written end if no valid one follows
        )
        for end, text in self._file.read(0):
            if text and state.apply(text):
                state.damaged += bad
                state.end, bad = end, 0
            else:
                bad += 1
            state.size = end
        if state.damaged:
            state.checkpoint = state.broken = None
        return state


def _uid(uid: int) -> int:
    if not 1 <= uid <= _MAX_UID:
        raise InvalidArgument(f"a UID must be 1 to {_MAX_UID}, not {uid}")
    return uid


def _modseq(modseq: int | None) -> int | None:
    if modseq is not None and not 0 <= modseq <= _MAX_MODSEQ:
        raise InvalidArgument(f"a mod-sequence must be 0 to {_MAX_MODSEQ}, not {modseq}")
    return modseq

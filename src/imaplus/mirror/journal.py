"""The journal of one generation of a mailbox: an append-only file, and what it adds up to.

A torn end is recognised and cut off with the next write. A damaged line in the middle costs that
line and the checkpoint, so that the next run compares everything. This module knows a file and its
state; not what a line looks like (`lines`), nor whether a body exists, nor when to commit: the
store decides that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

# "from imaplus.mirror import lines" would look for a public name first, and so load them all.
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
    """What the mirror has of one mailbox under one UIDVALIDITY.

    Changes show at once in `entries`, and are kept once `Store.commit` has returned.
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
        self._last: bytes | None = None  # the file's last line, while that is all that was read

    def __repr__(self) -> str:
        return f"<Journal of {self.mailbox!r}, UIDVALIDITY {self.uidvalidity}>"

    @property
    def entries(self) -> Entries:
        """The messages that the server has, as far as they are mirrored."""
        return self._load().live

    @property
    def gone(self) -> Entries:
        """The messages that the server had once; their bodies are kept."""
        return self._load().gone

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The last checkpoint that the journal bears out, or None: then compare everything.

        Right after a completed run this reads the file's last line only, however long the file.
        """
        if self._state is None and (last := self._last_line())[:2] == b"c ":
            with contextlib.suppress(ValueError):  # of format 1: the whole file has to be read
                return lines.parse_checkpoint(last)
        return self._load().checkpoint

    @property
    def broken_promise(self) -> Checkpoint | None:
        """The last checkpoint, if the mirror does not hold what it says; `checkpoint` is None."""
        return self._load().broken

    @property
    def absent_since(self) -> datetime | None:
        """When the server was found not to have the mailbox any more; None while it has it."""
        if self._state is None:
            last = self._last_line()
            if last[:2] == b"g ":
                return lines.parse_absent(last)
            if last[:2] in (b"c ", b""):
                return None
        return self._load().absent

    @property
    def replaced(self) -> list[Replaced]:
        """Older copies: the server showed another message under the UID of each."""
        state = self._load()
        older = Entries(state.flags, gone=True)
        found = []
        for uid, packed in state.replaced:
            older.packed[uid] = packed
            found.append(Replaced(uid, older[uid]))
        return found

    @property
    def suspects(self) -> frozenset[int]:
        """UIDs of messages on which an earlier run lost its connection, and never had."""
        return frozenset(self._load().suspects)

    @property
    def lost(self) -> frozenset[bytes]:
        """SHA-256 of bodies that are known to be damaged and cannot be had again."""
        return frozenset(self._load().lost)

    @property
    def damaged(self) -> int:
        """Lines that were unreadable and are not the torn end of the file."""
        return self._load().damaged

    @property
    def torn(self) -> int:
        """Octets that an interrupted write left at the end; the next commit removes them."""
        state = self._load()
        return state.size - state.end

    @property
    def end(self) -> int:
        """Where the file's last good line ends: how far `entries` goes."""
        return self._load().end

    @property
    def path(self) -> Path:
        """Where the journal lies."""
        return self._file.path

    @property
    def identity(self) -> str:
        """Tells this file from one made anew under the same name."""
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
        """Record that the mailbox has this message. A message that was gone is back.

        Where the UID had another body, also one that was gone, that copy becomes one of those that
        are `replaced`.

        Raises:
            InvalidArgument: a number is out of the range that IMAP has for it, or the date has no
            zone.
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
                if known[:32] != digest:  # "r" is about a message that is there
                    self._apply(lines.format_message(uid, unpack(known), state.flags))
            if known is not None and known[:32] != digest:
                self._apply(lines.format_replaced(uid, format_date(now())))
            self._say(lines.format_message(uid, record, state.flags))
            live[uid] = packed
            state.gone.packed.pop(uid, None)
            state.suspects.discard(uid)
        if identity is not None and state.extras.identities.get(uid) != identity:
            self._apply(lines.format_identity(uid, identity))
        if labels is not None:
            self.set_labels(uid, labels)

    def set_flags(self, uid: int, flags: Iterable[str], modseq: int | None = None) -> bool:
        """The message has these flags now; whether that is news. `modseq` None: as before.

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
        self._say(lines.format_flags(uid, record, state.flags))
        state.live.packed[uid] = pack(record)
        return True

    def set_labels(self, uid: int, labels: Iterable[str]) -> bool:
        """Record the message's labels (X-GM-LABELS); whether they are news."""
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
        """Record that this body is damaged and that no server has it any more."""
        if bytes.fromhex(sha256) not in self._load().lost:
            self._apply(lines.format_lost(sha256, format_date(now())))

    def set_absent(self, absent: bool) -> bool:
        """Record whether the server has the mailbox; whether that is news."""
        if (self.absent_since is not None) == absent:
            return False
        when = format_date(now())
        self._load()
        self._apply(lines.format_absent(when) if absent else lines.format_returned(when))
        return True

    def vanish(self, uids: Iterable[int], when: datetime | None = None) -> int:
        """The server no longer has these messages; how many of them are news.

        Their entries move from `entries` to `gone`, marked with `when` (None: now).
        """
        state = self._load()
        at = format_date(when or now())
        news = [uid for uid in dict.fromkeys(uids) if uid in state.live.packed]
        for uid in news:
            self._say(lines.format_vanished(uid, at))
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
        """Write a checkpoint: the mirror holds `entries`, and this is what the server says.

        Whether the numbers add up is for the caller to know.
        """
        state = self._load()
        at = (when or now()).replace(microsecond=0)
        held = len(state.live)
        checkpoint = Checkpoint(self.uidvalidity, uidnext, _modseq(highestmodseq), exists, at, held)
        self._say(lines.format_checkpoint(checkpoint))
        state.checkpoint, state.broken = checkpoint, None
        return checkpoint

    def scan(self, offset: int = 0) -> Iterator[tuple[int, bytes]]:
        """The file's whole and valid lines from `offset` on: where each ends, and what it says."""
        for end, text in self._file.read(offset):
            if text:
                yield end, text

    @property
    def mailbox_in_head(self) -> str | None:
        """The name of the mailbox that the file carries; None for one of format 1."""
        text = next((text for _, text in self.scan()), b"")
        with contextlib.suppress(ValueError):
            return lines.mailbox_in_head(text)
        return None

    def make_anew(self) -> None:
        """Have the next commit replace the file by one without damaged lines."""
        self._note_change(self)

    # For Store

    def take(self) -> list[bytes]:
        """What was said since the last time, to be handed to `append`."""
        texts, self._texts = self._texts, []
        return texts

    def append(self, texts: list[bytes], *, tmp: Folder, disk: Disk) -> None:
        """Write these after the last good line; if it fails, some of the first may be kept."""
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
        """Replace a damaged file by one that says what can be read of it, and keep the old one."""
        # Read again, for `state` has what is not committed yet.
        data = b"".join(map(lines.format_line, self._format_state(self._read_state())))
        self._file.replace(data, tmp=tmp, disk=disk)
        state.end = state.size = len(data)
        state.damaged = 0

    def _format_state(self, state: lines.State) -> Iterator[bytes]:
        """The shortest lines that add up to `state`."""
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

    def _say(self, text: bytes) -> None:
        self._note_change(self)
        self._texts.append(text)

    def _apply(self, text: bytes) -> None:
        """Say a line that is not said for every message, and take it into account."""
        self._say(text)
        self._load().apply(text)

    def _last_line(self) -> bytes:
        """What the file's last line says; nothing if it is torn, or no file is there."""
        if self._last is None:
            self._last = self._file.last_line()
        return self._last

    def _load(self) -> lines.State:
        if self._state is None:
            self._state = self._read_state()
        return self._state

    def _read_state(self) -> lines.State:
        state = lines.State()
        bad = 0  # lines since the last good one: the torn end, unless a good one follows
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
        raise InvalidArgument(f"a UID is 1 to {_MAX_UID}, not {uid}")
    return uid


def _modseq(modseq: int | None) -> int | None:
    if modseq is not None and not 0 <= modseq <= _MAX_MODSEQ:
        raise InvalidArgument(f"a mod-sequence is 0 to {_MAX_MODSEQ}, not {modseq}")
    return modseq

"""The journal of one generation of a mailbox: an append-only file, and what it adds up to.

A torn end is recognised and cut off with the next write. A damaged line in the middle costs that
line and the checkpoint, so that the next run compares everything. It knows a file and its state;
not what a line looks like (`lines`), nor whether a body exists, nor when to commit: the store says.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from io import FileIO
from typing import TYPE_CHECKING

# "from imaplus.mirror import lines" would look for a public name first, and so load them all.
import imaplus.mirror.lines as lines
from imaplus.errors import InvalidArgument
from imaplus.mirror.entries import (
    Checkpoint,
    Entries,
    Record,
    format_date,
    now,
    pack,
    pack_gone,
    unpack,
    unpack_gone,
)
from imaplus.mirror.files import Disk, Folder, write_at
from imaplus.mirror.objects import StoredObject

if TYPE_CHECKING:
    from pathlib import Path

_READ = 1024 * 1024  # octets read at once while loading
_MAX_LINE = 1024 * 1024  # octets; flags of one message are far less, so more is no line of ours
_TAIL = 512  # octets; a checkpoint is shorter
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
        changing: Callable[[Journal], None],
    ) -> None:
        self.mailbox = mailbox
        self.uidvalidity = uidvalidity
        self._file = f"{uidvalidity}.journal"
        self._parent = parent
        self._folder = folder
        self._changing = changing
        self._texts: list[bytes] = []
        self._state: lines.State | None = None
        self._checkpoint: Checkpoint | None = None
        self._looked = False

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
        """The last checkpoint, or None: then compare everything.

        Right after a completed run this reads the file's last line only, however long the file.
        """
        if self._state is None and not self._looked:
            self._look_at_end()
        return self._checkpoint if self._state is None else self._state.checkpoint

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
        from pathlib import Path  # only people ask for it

        return Path(self._parent.where(self._folder), self._file)

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
    ) -> None:
        """The mailbox has this message; said again, it replaces what was said. A gone one is back.

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
        if live.get(_uid(uid)) != packed:
            self._say(lines.added(uid, record, state.flags))
            live[uid] = packed
            state.gone.packed.pop(uid, None)

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
        self._say(lines.flagged(uid, record, state.flags))
        state.live.packed[uid] = pack(record)
        return True

    def vanish(self, uids: Iterable[int], when: datetime | None = None) -> int:
        """The server no longer has these messages; how many of them are news.

        Their entries move from `entries` to `gone`, marked with `when` (None: now).
        """
        state = self._load()
        at = format_date(when or now())
        news = [uid for uid in dict.fromkeys(uids) if uid in state.live.packed]
        for uid in news:
            self._say(lines.vanished(uid, at))
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
        """All of the mailbox is mirrored, and this is what the server says of it: a checkpoint."""
        state = self._load()
        at = (when or now()).replace(microsecond=0)
        checkpoint = Checkpoint(self.uidvalidity, uidnext, _modseq(highestmodseq), exists, at)
        self._say(lines.complete(checkpoint))
        state.checkpoint = checkpoint
        return checkpoint

    def scan(self, offset: int = 0) -> Iterator[tuple[int, bytes]]:
        """The file's whole and valid lines from `offset` on: where each ends, and what it says."""
        for end, text in self._read(offset):
            if text:
                yield end, text

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
            texts = [lines.head(self.uidvalidity), *texts]
        data = b"".join(map(lines.line, texts))
        with self._parent.subfolder(self._folder) as folder:
            self._write(folder, data, state.end, disk)
        state.end = state.size = state.end + len(data)

    def _write(self, folder: Folder, data: bytes, offset: int, disk: Disk) -> None:
        fd = folder.open(self._file, os.O_RDWR | os.O_CREAT)
        try:
            if os.fstat(fd).st_size != offset:
                os.ftruncate(fd, offset)
            try:
                write_at(fd, data, offset)
            except OSError:
                os.ftruncate(fd, offset)
                raise
            disk.file(fd)
            if offset == 0:
                disk.folder(folder)
        except OSError as error:
            raise folder.blame(error, self._file) from None
        finally:
            os.close(fd)

    def _make_anew(self, state: lines.State, tmp: Folder, disk: Disk) -> None:
        """Replace a damaged file by one that says what can be read of it, and keep the old one."""
        # Read again, for `state` has what is not committed yet.
        readable = self._read_state()
        texts = [lines.head(self.uidvalidity)]
        for uid, packed in readable.live.packed.items():
            texts.append(lines.added(uid, unpack(packed), readable.flags))
        for uid, packed in readable.gone.packed.items():
            packed, when = unpack_gone(packed)
            texts.append(lines.added(uid, unpack(packed), readable.flags))
            texts.append(lines.vanished(uid, when))
        data = b"".join(map(lines.line, texts))
        with self._parent.subfolder(self._folder) as folder:
            with os.fdopen(folder.open(self._file), "rb") as file:
                disk.replace(folder, f"{self._file}.damaged", file.read(), tmp=tmp)
            disk.replace(folder, self._file, data, tmp=tmp)
        state.end = state.size = len(data)
        state.damaged = 0

    def _say(self, text: bytes) -> None:
        self._changing(self)
        self._texts.append(text)

    def _look_at_end(self) -> None:
        """Find the checkpoint in the last line, or load everything."""
        ends: list[bytes] = []
        with contextlib.suppress(FileNotFoundError), self._open() as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            ends = file.read().split(b"\n")
        text = lines.said(ends[-2]) if len(ends) > 2 and not ends[-1] else b""
        if text[:2] == b"c ":
            with contextlib.suppress(ValueError):
                self._checkpoint = lines.parse_checkpoint(text)
                self._looked = True
                return
        self._load()

    def _open(self) -> FileIO:
        with self._parent.subfolder(self._folder) as folder:
            return FileIO(folder.open(self._file))

    def _load(self) -> lines.State:
        if self._state is None:
            self._state = self._read_state()
        return self._state

    def _read_state(self) -> lines.State:
        state = lines.State()
        bad = 0  # lines since the last good one: the torn end, unless a good one follows
        for end, text in self._read(0):
            if text and state.apply(text):
                state.damaged += bad
                state.end, bad = end, 0
            else:
                bad += 1
            state.size = end
        if state.damaged:
            state.checkpoint = None
        return state

    def _read(self, offset: int) -> Iterator[tuple[int, bytes]]:
        """Each line from `offset` on: where it ends and what it says; nothing, if damaged."""
        try:
            file = self._open()
        except FileNotFoundError:
            return
        with file:
            file.seek(offset)
            rest = b""
            while data := file.read(_READ):
                *whole, rest = (rest + data).split(b"\n")
                for line in whole:
                    offset += len(line) + 1
                    yield offset, lines.said(line)
                if len(rest) > _MAX_LINE:
                    offset += len(rest)
                    rest = b""
                    yield offset, b""
            if rest:
                yield offset + len(rest), b""


def _uid(uid: int) -> int:
    if not 1 <= uid <= _MAX_UID:
        raise InvalidArgument(f"a UID is 1 to {_MAX_UID}, not {uid}")
    return uid


def _modseq(modseq: int | None) -> int | None:
    if modseq is not None and not 0 <= modseq <= _MAX_MODSEQ:
        raise InvalidArgument(f"a mod-sequence is 0 to {_MAX_MODSEQ}, not {modseq}")
    return modseq

"""The file of a journal: lines that carry their own checksum, added at its end.

It knows lines and offsets; what a line says is for `lines`, and what all add up to for `journal`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from io import FileIO
from typing import TYPE_CHECKING

# "from imaplus.mirror import lines" would look for a public name first, and so load them all.
import imaplus.mirror.lines as lines
from imaplus.mirror.files import Disk, Folder, write_at

if TYPE_CHECKING:
    from pathlib import Path

_READ = 1024 * 1024  # bytes read at once while loading
_MAX_LINE = 1024 * 1024  # bytes; flags of one message are far less, so more is no line of ours
_TAIL = 512  # bytes; a checkpoint is shorter


class JournalFile:
    """One file in the folder `folder` of `parent`; it need not exist yet."""

    def __init__(self, parent: Folder, folder: str, name: str) -> None:
        self._parent = parent
        self._folder = folder
        self._name = name

    @property
    def path(self) -> Path:
        """Where it lies."""
        from pathlib import Path  # only people ask for it

        return Path(self._parent.where(self._folder), self._name)

    def _open(self) -> FileIO:
        with self._parent.subfolder(self._folder) as folder:
            return FileIO(folder.open(self._name))

    def last_line(self) -> bytes:
        """What the last line says; nothing if it is torn, or no file is there."""
        ends: list[bytes] = []
        with contextlib.suppress(FileNotFoundError), self._open() as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            ends = file.read().split(b"\n")
        return lines.parse_line(ends[-2]) if len(ends) > 2 and not ends[-1] else b""

    def read(self, offset: int) -> Iterator[tuple[int, bytes]]:
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
                    yield offset, lines.parse_line(line)
                if len(rest) > _MAX_LINE:
                    offset += len(rest)
                    rest = b""
                    yield offset, b""
            if rest:
                yield offset + len(rest), b""

    def write(self, data: bytes, offset: int, disk: Disk) -> None:
        """Write at `offset`, which is where the good lines end; what follows is cut off."""
        with self._parent.subfolder(self._folder) as folder:
            fd = folder.open(self._name, os.O_RDWR | os.O_CREAT)
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
                raise folder.blame(error, self._name) from None
            finally:
                os.close(fd)

    def replace(self, data: bytes, *, tmp: Folder, disk: Disk) -> None:
        """Put `data` in the file's place, and keep the old one beside it, as damaged."""
        with self._parent.subfolder(self._folder) as folder:
            with os.fdopen(folder.open(self._name), "rb") as file:
                disk.replace(folder, f"{self._name}.damaged", file.read(), tmp=tmp)
            disk.replace(folder, self._name, data, tmp=tmp)

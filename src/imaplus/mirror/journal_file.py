"""The file of a journal: lines with checksums, appended at the end.

`lines` has the content of a line, and `journal` the state that all lines describe.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from io import FileIO
from typing import TYPE_CHECKING

# "from imaplus.mirror import lines" would import all public names first.
import imaplus.mirror.lines as lines
from imaplus.mirror.files import Disk, Folder, write_at

if TYPE_CHECKING:
    from pathlib import Path

_READ = 1024 * 1024  # bytes read at once while loading
_MAX_LINE = 1024 * 1024  # bytes; a longer line is damage
_TAIL = 512  # bytes; a checkpoint is shorter


class JournalFile:
    """A file in the folder `folder` of `parent`; it may not exist yet."""

    def __init__(self, parent: Folder, folder: str, name: str) -> None:
        self._parent = parent
        self._folder = folder
        self._name = name

    @property
    def path(self) -> Path:
        """The path of the file."""
        from pathlib import Path  # slow to import, rarely needed

        return Path(self._parent.where(self._folder), self._name)

    def _open(self) -> FileIO:
        with self._parent.subfolder(self._folder) as folder:
            return FileIO(folder.open(self._name))

    def last_line(self) -> bytes:
        """Return the text of the last line; empty if it is half-written or there is no file."""
        ends: list[bytes] = []
        with contextlib.suppress(FileNotFoundError), self._open() as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            ends = file.read().split(b"\n")
        return lines.parse_line(ends[-2]) if len(ends) > 2 and not ends[-1] else b""

    def read(self, offset: int) -> Iterator[tuple[int, bytes]]:
        """Yield each line from `offset` on: the offset of its end, its text (b"" if damaged)."""
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
        """Write at `offset`, the end of the valid lines, and truncate the rest of the file."""
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
        """Replace the content by `data`, and keep the old one in `NAME.damaged`."""
        with self._parent.subfolder(self._folder) as folder:
            with os.fdopen(folder.open(self._name), "rb") as file:
                disk.replace(folder, f"{self._name}.damaged", file.read(), tmp=tmp)
            disk.replace(folder, self._name, data, tmp=tmp)

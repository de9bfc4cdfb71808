"""Incomplete bodies: kept beside the journal until the rest is fetched.

A large body is written to its own file while it arrives, named after UIDVALIDITY, UID and size. If
the connection is lost, or the process killed, the file stays, and the rest is fetched later, by
this run or another. A complete body becomes an object of the store. `large` checks whether a part
still matches the message.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from imaplus.mirror.files import Folder, write_at

if TYPE_CHECKING:
    from imaplus.mirror.objects import Objects, StoredObject

_PIECE = 1 << 20  # bytes read at once for hashing
_NAME = re.compile(r"([0-9]{1,10})\.([0-9]{1,10})\.([0-9]{1,20})\.part")


class Part(NamedTuple):
    """A part of a body: the UID, the size of the complete body, and the bytes received so far."""

    uid: int
    size: int
    octets: int


def parts(folder: Folder, uidvalidity: int) -> Iterator[Part]:
    """Yield the kept parts of messages under one UIDVALIDITY."""
    for name in folder.names():
        if (match := _NAME.fullmatch(name)) and int(match[1]) == uidvalidity:
            octets = os.lstat(name, dir_fd=folder.fd).st_size
            yield Part(int(match[2]), int(match[3]), octets)


def remove_parts(folder: Folder, uidvalidity: int, uid: int | None = None) -> None:
    """Delete the kept part of one message, or all parts (None) under one UIDVALIDITY."""
    for name in folder.names():
        match = _NAME.fullmatch(name)
        if match and int(match[1]) == uidvalidity and uid in (None, int(match[2])):
            folder.remove(name)


class PartialWriter:
    """Writes a large body to the store, and keeps the received part on `abort`.

    Made by `Store.partial`. `write` appends to the part that was kept earlier, of `octets` bytes;
    `restart` discards it. Finish with `close` or `abort`.
    """

    def __init__(self, objects: Objects, folder: Folder, uidvalidity: int, uid: int, size: int):
        self.size = size
        self._objects = objects
        self._folder = folder
        self._name = f"{uidvalidity}.{uid}.{size}.part"
        self._fd = folder.open(self._name, os.O_RDWR | os.O_CREAT)
        self.octets: int = os.fstat(self._fd).st_size
        self._digest = None if self.octets else objects.sha256()  # None: hash the file on close
        self._failed = False

    def read(self, offset: int, octets: int) -> bytes:
        """Return `octets` bytes of the received part, from `offset` on."""
        return os.pread(self._fd, octets, offset)

    def restart(self) -> None:
        """Discard the received part."""
        os.ftruncate(self._fd, 0)
        self.octets = 0
        self._digest = self._objects.sha256()

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Write the next bytes.

        Raises:
            OSError: the disk refused the data; call `abort`, which then keeps nothing.
        """
        try:
            write_at(self._fd, data, self.octets)
        except OSError as error:
            self._failed = True
            raise self._folder.blame(error, self._name) from None
        self.octets += len(data)
        if self._digest is not None:
            self._digest.update(data)

    def close(self) -> StoredObject:
        """Complete the body, and add it to the store, as `ObjectWriter.close`."""
        digest = self._digest
        if digest is None:
            digest = self._objects.sha256()
            os.lseek(self._fd, 0, os.SEEK_SET)
            while piece := os.read(self._fd, _PIECE):
                digest.update(piece)
        stored = self._objects.take_file(self._folder, self._name, digest.hexdigest(), self.octets)
        self._end()
        return stored

    def abort(self) -> None:
        """Close the file, and keep the received part. Does nothing after `close`."""
        if self._fd < 0:
            return
        if self._failed or not self.octets:
            self._folder.remove(self._name)
        self._end()

    def _end(self) -> None:
        os.close(self._fd)
        self._fd = -1
        self._folder.close()

"""The bodies of a store: one immutable file for each distinct message, named by its SHA-256.

A body is written to a temporary file while it arrives, and moved to its place (`ab/cdef....eml`)
when the store commits: the file is synced and renamed, then the folders are synced. So every file
in its place is complete. Without syncing, a helper process may move it there at once.
"""

from __future__ import annotations

import itertools
import os
import stat
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from io import FileIO
from typing import TYPE_CHECKING

from imaplus.errors import StateError
from imaplus.mirror.errors import UnsafePath
from imaplus.mirror.files import Disk, Folder, write_all
from imaplus.records import record

if TYPE_CHECKING:
    from hashlib import _Hash
    from pathlib import Path

    from imaplus.mirror.helper import Helper

Taken = tuple[dict[str, tuple[int, str]], int]
"""The waiting bodies (SHA-256 to size and temporary name), and the helper's slot to wait for."""

SPOOL = 256 * 1024
"""Bytes of a body kept in memory before they are written: one write for most messages."""
_SIEVE = 1 << 23  # bits (one megabyte): of 100,000 hashes one in eighty collides

_HEX = frozenset("0123456789abcdef")


@record
class StoredObject:
    """A body that the store has, or will have after the next commit.

    `sha256` is 64 lower-case hexadecimal digits, `size` is in bytes; `new` is False if the store
    had the body already.
    """

    sha256: str
    size: int
    new: bool


class ObjectWriter:
    """Writes one body to the store in pieces; can be used as a sink of `Mailbox.fetch(into=)`.

    Finish with `close` or `abort`. It keeps at most 256 KiB and one piece in memory.
    """

    __slots__ = ("_buffer", "_digest", "_fd", "_name", "_objects", "_open", "_replace", "_size")

    def __init__(self, objects: Objects, *, replace: bool) -> None:
        self._objects = objects
        self._replace = replace
        self._digest = objects.sha256()
        self._size = 0
        self._buffer: bytes | bytearray = b""
        self._name: str | None = None  # of the file, once there is one
        self._fd = -1
        self._open = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write the next piece; it is copied, so the caller may reuse the buffer.

        Raises:
            OSError: the disk refused the data; call `abort`.
            StateError: the writer is closed.
        """
        if not self._open:
            raise StateError("cannot write: the body was closed or aborted")
        self._digest.update(data)
        self._size += len(data)
        if not self._buffer:
            self._buffer = bytes(data)  # usually the whole body; no copy if it is `bytes`
        elif isinstance(self._buffer, bytes):
            self._buffer = bytearray().join((self._buffer, data))
        else:
            self._buffer += data
        if len(self._buffer) > SPOOL:
            self._spill()

    def close(self) -> StoredObject:
        """Complete the body, and add it to the store unless the store has it.

        It can be read after the next `Store.commit`.

        Raises:
            OSError: the body cannot be written; it is removed.
            StateError: the writer is closed.
        """
        if not self._open:
            raise StateError("cannot close: the body was closed or aborted")
        sha256 = self._digest.hexdigest()
        try:
            known = not self._replace and self._objects.knows(sha256, self._size)
            if not known:
                self._hand_over(sha256)
        finally:
            self.abort()
        return StoredObject(sha256, self._size, not known)

    def abort(self) -> None:
        """Discard the body. Does nothing after `close`."""
        self._open = False
        self._buffer = b""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._name is not None:
            self._objects.tmp.remove(self._name)
            self._name = None

    def _spill(self) -> None:
        tmp = self._objects.tmp
        if self._name is None:
            name = self._objects.temporary_name()
            self._fd = tmp.create(name)
            self._name = name
        try:
            write_all(self._fd, self._buffer)
        except OSError as error:
            raise tmp.blame(error, self._name) from None
        self._buffer = b""

    def _hand_over(self, sha256: str) -> None:
        if self._name is None:
            self._objects.add(sha256, self._buffer)
            return
        if self._buffer:
            self._spill()
        self._objects.expect(sha256, self._size, self._name)
        self._name = None


class Objects:
    """All bodies of a store. `writer` and `put` add one; `Store.commit` moves them into place."""

    def __init__(self, folder: Folder, tmp: Folder, disk: Disk, *, use_helper: bool) -> None:
        self.tmp = tmp
        self._folder = folder
        self._disk = disk
        self._numbers = itertools.count()
        # SHA-256 to size and name in tmp; the name is "" if the helper writes the body.
        self._waiting: dict[str, tuple[int, str]] = {}
        self._wants_helper = use_helper
        self._helper: Helper | None = None
        self._fans: set[str] = set()  # subfolders that were checked to be folders, not links
        self._made: set[str] = set()  # subfolders that this object created
        self._missing: set[str] = set()  # subfolders that do not exist; no other process makes them
        self._sieve = bytearray()  # a bit for each hash in a subfolder of `_made`
        self._lock = threading.Lock()  # a commit may run in another thread

    @cached_property
    def sha256(self) -> Callable[..., _Hash]:
        from hashlib import sha256  # loads OpenSSL: slow, and not needed without new messages

        return sha256

    def writer(self, *, replace: bool = False) -> ObjectWriter:
        """Return a writer for one body; with `replace` it overwrites a damaged one."""
        return ObjectWriter(self, replace=replace)

    def put(self, body: bytes, *, replace: bool = False) -> StoredObject:
        """Add a complete body; the same as `writer`, in one call."""
        sha256, size = self.sha256(body).hexdigest(), len(body)
        known = not replace and self.knows(sha256, size)
        if not known:
            self.add(sha256, body)
        return StoredObject(sha256, size, not known)

    def has(self, sha256: str, size: int) -> bool:
        """Whether the body is in its place and has `size` bytes; its content is not checked."""
        return self._fan(sha256) and self._folder.is_file(_place(sha256), size)

    def open(self, sha256: str) -> FileIO:
        """Open a committed body for reading, as a binary file.

        Raises:
            FileNotFoundError: the store does not have the body, or it is not committed.
            UnsafePath: a symbolic link, pipe or device is in its place.
        """
        self._fan(sha256)
        return FileIO(self._folder.open(_place(sha256)))

    def path(self, sha256: str) -> Path:
        """Return the path of a body, for users and other programs."""
        from pathlib import Path  # slow to import, rarely needed

        return Path(self._folder.where(_place(sha256)))

    def all(self) -> Iterator[str]:
        """Yield the SHA-256 of every committed body in hexadecimal, in ascending order."""
        for fan in self._folder.names():
            yield from self.all_in(fan)

    def all_in(self, fan: str) -> Iterator[str]:
        """Yield the SHA-256 of every body in one subfolder, named by the first two digits."""
        if not self._is_fan(fan):
            return
        with self._folder.subfolder(fan) as folder:
            names = folder.names()
        for name in names:
            if len(name) == 66 and name.endswith(".eml") and _HEX.issuperset(name[:62]):
                yield fan + name[:62]

    def strangers(self) -> Iterator[str]:
        """Yield the paths of foreign files and folders among the subfolders."""
        for fan in self._folder.names():
            if not self._is_fan(fan):
                yield self._folder.where(fan)

    # For ObjectWriter and PartialWriter

    def take_file(self, folder: Folder, name: str, sha256: str, size: int) -> StoredObject:
        """Add a complete body by moving its file out of `folder`."""
        known = self.knows(sha256, size)
        if known:
            folder.remove(name)
        else:
            temporary = self.temporary_name()
            folder.move(name, self.tmp, temporary)
            self.expect(sha256, size, temporary)
        return StoredObject(sha256, size, not known)

    def temporary_name(self) -> str:
        return f"{next(self._numbers):x}.eml"

    def knows(self, sha256: str, size: int) -> bool:
        return sha256 in self._waiting or (self._may_have(sha256) and self.has(sha256, size))

    def add(self, sha256: str, body: bytes | bytearray) -> None:
        """Write a complete body, here or in the helper process."""
        if self._wants_helper:
            self._wants_helper, self._helper = False, self._start_helper()
        if self._helper is not None and len(body) <= SPOOL:
            if not self._fan(sha256):
                self._make_fan(sha256[:2])
            self._helper.write(_place(sha256), body)
            name = ""
        else:
            name = self.temporary_name()
            self.tmp.write_new(name, body)
        self.expect(sha256, len(body), name)

    @property
    def has_helper(self) -> bool:
        """Whether a helper process is running."""
        return self._helper is not None

    def _start_helper(self) -> Helper | None:
        from imaplus.mirror.helper import start  # not needed without new messages

        return start(self.tmp, self._folder, SPOOL)

    def expect(self, sha256: str, size: int, name: str) -> None:
        with self._lock:
            before = self._waiting.get(sha256)
            self._waiting[sha256] = (size, name)
        if before is not None and before[1]:
            self.tmp.remove(before[1])

    # For Store

    def take(self) -> Taken:
        """Return the bodies added since the last call, for `settle`."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        return waiting, 0 if self._helper is None else self._helper.hand_over()

    def settle(self, taken: Taken) -> None:
        """Move these bodies to their places, and sync them."""
        waiting, number = taken
        if not waiting:
            return
        if self._helper is not None:
            self._helper.wait(number)
        self._disk.files(self.tmp, [name for _, name in waiting.values() if name])
        fans = {sha256[:2] for sha256 in waiting}
        made = [fan for fan in fans if not self._fan(fan) and self._make_fan(fan)]
        for sha256, (_, name) in waiting.items():
            self._note(sha256)
            if name:
                self.tmp.move(name, self._folder, _place(sha256))
        self._disk.files(self._folder, sorted(fans))
        if made:
            self._disk.folder(self._folder)

    def close(self) -> None:
        """End the helper process, if there is one."""
        if self._helper is not None:
            self._helper.close()

    def _is_fan(self, name: str) -> bool:
        return len(name) == 2 and _HEX.issuperset(name) and self._folder.is_folder(name)

    def _fan(self, sha256: str) -> bool:
        """Whether the subfolder for this hash exists.

        Raises:
            UnsafePath: it is not a folder.
        """
        fan = sha256[:2]
        if fan not in self._fans:
            try:  # one call: a commit in another thread may create it meanwhile
                mode = os.lstat(fan, dir_fd=self._folder.fd).st_mode
            except FileNotFoundError:
                return False
            if not stat.S_ISDIR(mode):
                raise UnsafePath(self._folder.where(fan), "not a folder")
            self._fans.add(fan)
        return True

    def _make_fan(self, fan: str) -> bool:
        made = self._folder.make(fan)
        self._fan(fan)
        if made:
            self._sieve = self._sieve or bytearray(_SIEVE // 8)
            self._made.add(fan)
        return made

    # In a first run nearly all bodies are new, and a system call to look for one takes a fifth of
    # the time to store it. The sieve avoids most of these calls.

    def _may_have(self, sha256: str) -> bool:
        """Whether the body may exist; False is certain."""
        fan = sha256[:2]
        if fan in self._made:
            bit = hash(sha256) % _SIEVE
            return bool(self._sieve[bit >> 3] & 1 << (bit & 7))
        if fan not in self._missing and self._fan(fan):
            return True
        self._missing.add(fan)
        return False

    def _note(self, sha256: str) -> None:
        if sha256[:2] in self._made:
            bit = hash(sha256) % _SIEVE
            self._sieve[bit >> 3] |= 1 << (bit & 7)


def _place(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:]}.eml"

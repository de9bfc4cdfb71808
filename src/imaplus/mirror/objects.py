"""The messages themselves: one immutable file for each distinct one, named by its SHA-256.

A body is written to a temporary file while it arrives, and moved to its place (`ab/cdef....eml`)
when the store commits: synced, then renamed, then the folders synced. So what stands at its place
is whole. Where nothing is synced a helper may move it there at once. It knows octets and hashes;
not what a message is, nor which mailbox has it.
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
"""Bodies to be put into place: as they wait, and what the helper has to have done."""

SPOOL = 256 * 1024
"""Octets of a body held in memory before they are written: most messages then cost one write."""
_SIEVE = 1 << 23  # bits, for a megabyte: of 100,000 hashes one in eighty meets another

_HEX = frozenset("0123456789abcdef")


@record
class StoredObject:
    """A body that the store has, or will have with the next commit.

    `sha256` is 64 small hexadecimal digits, `size` counts octets; `new` tells whether it was
    written now.
    """

    sha256: str
    size: int
    new: bool


class ObjectWriter:
    """Takes one body in pieces and puts it into the store: a sink, as literals are sent to.

    Finish with `close` or `abort`. Memory stays below `SPOOL` and one piece, whatever the body's
    size.
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
        """Take the next piece; it is copied, so the caller may reuse its buffer.

        Raises:
            OSError: it could not be written. Only `abort` is left to do.
        """
        if not self._open:
            raise StateError("this body is complete, or was given up")
        self._digest.update(data)
        self._size += len(data)
        if not self._buffer:
            self._buffer = bytes(data)  # mostly the whole body, of which this makes no copy
        elif isinstance(self._buffer, bytes):
            self._buffer = bytearray().join((self._buffer, data))
        else:
            self._buffer += data
        if len(self._buffer) > SPOOL:
            self._spill()

    def close(self) -> StoredObject:
        """The body is complete: keep it, unless the store has it.

        It is safe, and can be read, once `Store.commit` has returned.

        Raises:
            OSError: it could not be written; nothing is left of it.
        """
        if not self._open:
            raise StateError("this body is complete, or was given up")
        sha256 = self._digest.hexdigest()
        try:
            known = not self._replace and self._objects.knows(sha256, self._size)
            if not known:
                self._hand_over(sha256)
        finally:
            self.abort()
        return StoredObject(sha256, self._size, not known)

    def abort(self) -> None:
        """Give the body up and leave nothing of it. After `close` it does nothing."""
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
    """All bodies of a store. `writer` adds one, `settle` makes those added since safe."""

    def __init__(self, folder: Folder, tmp: Folder, disk: Disk, *, use_helper: bool) -> None:
        self.tmp = tmp
        self._folder = folder
        self._disk = disk
        self._numbers = itertools.count()
        # sha256 -> size, and name in tmp: "" if the helper puts it into its place.
        self._waiting: dict[str, tuple[int, str]] = {}
        self._wants_helper = use_helper
        self._helper: Helper | None = None
        self._fans: set[str] = set()  # folders that were seen to be folders, not links
        self._made: set[str] = set()  # those of them that were made by us
        self._missing: set[str] = set()  # folders that were not there; nobody else makes them
        self._sieve = bytearray()  # a bit for each hash that came into those
        self._lock = threading.Lock()  # a commit may run in another thread than the writers

    @cached_property
    def sha256(self) -> Callable[..., _Hash]:
        from hashlib import sha256  # loads OpenSSL, which a backup of nothing new does without

        return sha256

    def writer(self, *, replace: bool = False) -> ObjectWriter:
        """A sink for one body; with `replace` it heals a damaged one by writing it again."""
        return ObjectWriter(self, replace=replace)

    def put(self, body: bytes, *, replace: bool = False) -> StoredObject:
        """Add a body that is whole: as a writer does, in one call."""
        sha256, size = self.sha256(body).hexdigest(), len(body)
        known = not replace and self.knows(sha256, size)
        if not known:
            self.add(sha256, body)
        return StoredObject(sha256, size, not known)

    def has(self, sha256: str, size: int) -> bool:
        """Whether the body is in its place and has that many octets; its content is not read."""
        return self._fan(sha256) and self._folder.is_file(_place(sha256), size)

    def open(self, sha256: str) -> FileIO:
        """The body, to be read as a file of octets.

        Raises:
            FileNotFoundError: the store does not have it, or not before the next commit.
            UnsafePath: something else stands in its place.
        """
        self._fan(sha256)
        return FileIO(self._folder.open(_place(sha256)))

    def path(self, sha256: str) -> Path:
        """Where the body lies, for people and other programs."""
        from pathlib import Path  # only people ask for it

        return Path(self._folder.where(_place(sha256)))

    def all(self) -> Iterator[str]:
        """The hash of every body in its place, in ascending order."""
        for fan in self._folder.names():
            yield from self.all_in(fan)

    def all_in(self, fan: str) -> Iterator[str]:
        """The hash of every body in one folder, which is named by the first two digits."""
        if not self._is_fan(fan):
            return
        with self._folder.subfolder(fan) as folder:
            names = folder.names()
        for name in names:
            if len(name) == 66 and name.endswith(".eml") and _HEX.issuperset(name[:62]):
                yield fan + name[:62]

    def strangers(self) -> Iterator[str]:
        """Whatever lies among the bodies and is none of them by its name."""
        for fan in self._folder.names():
            if not self._is_fan(fan):
                yield self._folder.where(fan)

    # For ObjectWriter and PartialWriter

    def take_file(self, folder: Folder, name: str, sha256: str, size: int) -> StoredObject:
        """Take over a file that is a whole body; it leaves its folder."""
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
        """Have a body written that is whole in memory, here or by the helper."""
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
        """Whether there is a helper at work."""
        return self._helper is not None

    def _start_helper(self) -> Helper | None:
        from imaplus.mirror.helper import start  # where nothing is new, nothing needs help

        return start(self.tmp, self._folder, SPOOL)

    def expect(self, sha256: str, size: int, name: str) -> None:
        with self._lock:
            before = self._waiting.get(sha256)
            self._waiting[sha256] = (size, name)
        if before is not None and before[1]:
            self.tmp.remove(before[1])

    # For Store

    def take(self) -> Taken:
        """The bodies that were added since the last time, to be handed to `settle`."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        return waiting, 0 if self._helper is None else self._helper.hand_over()

    def settle(self, taken: Taken) -> None:
        """Put these bodies into their places, for good."""
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
        """Let the helper go, if there is one."""
        if self._helper is not None:
            self._helper.close()

    def _is_fan(self, name: str) -> bool:
        return len(name) == 2 and _HEX.issuperset(name) and self._folder.is_folder(name)

    def _fan(self, sha256: str) -> bool:
        """Whether the folder for this hash is there.

        Raises:
            UnsafePath: something else is.
        """
        fan = sha256[:2]
        if fan not in self._fans:
            try:  # one look: a commit in another thread may be making it
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

    # In a first run nearly no body is there, and asking the system takes a fifth of all that
    # storing one does: so what cannot be there is not looked for.

    def _may_have(self, sha256: str) -> bool:
        """Whether it is worth a look; certain about folders that were empty when we began."""
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

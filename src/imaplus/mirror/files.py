"""Files and folders of a store, opened relative to the descriptor of their folder.

Below the root no symbolic link is followed, and only regular files are opened. The module also
replaces small files atomically, and syncs files to the disk. Names are single path components or,
for objects, two.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from imaplus.errors import StateError
from imaplus.mirror.errors import StoreCorrupt, UnsafePath

_SAFE = os.O_NOFOLLOW | os.O_CLOEXEC
_MANY = 16  # for fewer files, one fsync each is faster than syncing the whole file system
_THREADS = 16  # fsync calls at the same time
RESERVE = 2 << 20
"""Bytes reserved on disk for a commit: new folders of bodies, and lines of journals."""
_LOCAL = {"ext4", "xfs", "btrfs", "f2fs"}  # file systems on which syncfs is as safe as fsync


class Folder:
    """An open folder. Its errors have the whole path in `filename`."""

    # Paths are strings: importing pathlib takes longer than a backup without new messages.
    def __init__(self, fd: int, path: str) -> None:
        self.fd: int = fd
        self.path = path

    @classmethod
    def at(cls, path: str) -> Folder:
        """Open the folder at `path`; it may be a symbolic link, as the user chose it."""
        return cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), path)

    def where(self, name: str) -> str:
        """Return the whole path of `name` in this folder."""
        return f"{self.path}/{name}"

    def close(self) -> None:
        """Close the descriptor; files that were opened through it stay open."""
        os.close(self.fd)
        self.fd = -1  # the system may reuse the number

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def subfolder(self, name: str, *, create: bool = False) -> Folder:
        """Open the folder `name` in this one; with `create`, make it if it is missing.

        Raises:
            UnsafePath: `name` is not a folder.
        """
        if create:
            self.make(name)
        try:
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _SAFE, dir_fd=self.fd)
        except OSError as error:
            raise self.blame(error, name) from None
        return Folder(fd, self.where(name))

    def make(self, name: str) -> bool:
        """Make the folder `name`; return False if it exists."""
        try:
            os.mkdir(name, 0o700, dir_fd=self.fd)
        except FileExistsError:
            return False
        except OSError as error:
            raise self.blame(error, name) from None
        return True

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """Open the regular file `name`; return its descriptor.

        Raises:
            UnsafePath: it is a symbolic link, a pipe or a device.
        """
        try:
            # Without O_NONBLOCK opening a pipe would block for ever.
            fd = os.open(name, flags | _SAFE | os.O_NONBLOCK, 0o600, dir_fd=self.fd)
        except OSError as error:
            raise self.blame(error, name) from None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise UnsafePath(self.where(name), "not a regular file")
        return fd

    def create(self, name: str) -> int:
        """Create the file `name` for writing; return its descriptor."""
        try:
            return os.open(
                name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, 0o600, dir_fd=self.fd
            )
        except OSError as error:
            raise self.blame(error, name) from None

    def write_new(self, name: str, data: bytes | bytearray | memoryview) -> None:
        """Create the file `name` with `data`; remove it on an error."""
        fd = self.create(name)
        try:
            write_all(fd, data)
        except OSError as error:
            self.remove(name)
            raise self.blame(error, name) from None
        finally:
            os.close(fd)

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of the small file `name`.

        Raises:
            StoreCorrupt: it has more than `limit` bytes.
        """
        with os.fdopen(self.open(name), "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise StoreCorrupt(self.where(name), f"longer than {limit} bytes")
        return data

    def names(self) -> list[str]:
        """Return the names of all files and folders in this folder, sorted."""
        return sorted(os.listdir(self.fd))  # noqa: PTH208 - pathlib takes no descriptor

    def remove(self, name: str) -> None:
        """Remove the file, link or folder `name` with its content, if it exists."""
        try:
            os.unlink(name, dir_fd=self.fd)
        except FileNotFoundError:
            pass
        except OSError as error:
            if not self.is_folder(name):
                raise self.blame(error, name) from None
            with self.subfolder(name) as inner:
                for each in inner.names():
                    inner.remove(each)
            try:
                os.rmdir(name, dir_fd=self.fd)
            except OSError as error:
                raise self.blame(error, name) from None

    def move(self, name: str, target: Folder, new_name: str) -> None:
        """Move the file or folder `name` to `target`; a file there is replaced atomically."""
        try:
            os.rename(name, new_name, src_dir_fd=self.fd, dst_dir_fd=target.fd)
        except OSError as error:
            raise target.blame(error, new_name) from None

    def is_file(self, name: str, size: int) -> bool:
        """Whether `name` is a regular file of `size` bytes."""
        try:
            found = os.lstat(name, dir_fd=self.fd)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self.blame(error, name) from None
        return found.st_size == size and stat.S_ISREG(found.st_mode)

    def is_folder(self, name: str) -> bool:
        """Whether `name` is a folder, and not a link to one."""
        try:
            return stat.S_ISDIR(os.lstat(name, dir_fd=self.fd).st_mode)
        except FileNotFoundError:
            return False

    def blame(self, error: OSError, name: str) -> Exception:
        """Return the exception to raise for `error`: more specific, or with the whole path."""
        path = self.where(name)
        if self.fd < 0:
            return StateError(f"{path}: the store is closed")
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return UnsafePath(path, "a symbolic link, or a file in the place of a folder")
        error.filename, error.filename2 = path, None
        return error


class Disk:
    """Syncs files to the disk; does nothing with `sync=False`.

    Without syncing, data survives the end of the process, but perhaps not a power failure.
    """

    def __init__(self, root: Folder, *, sync: bool) -> None:
        self._root = root
        self._sync = sync
        self._sync_all: Callable[[], None] | None = None
        self._asked = False

    def file(self, fd: int) -> None:
        """Sync the file of an open descriptor."""
        if self._sync:
            _fsync(fd)

    def folder(self, folder: Folder) -> None:
        """Sync the names in `folder`, without the content of its files."""
        try:
            self.file(folder.fd)
        except OSError as error:
            raise folder.blame(error, "") from None

    def files(self, folder: Folder, names: Sequence[str]) -> None:
        """Sync many files, or folders, in `folder`.

        On file systems where `syncfs` gives the same guarantee, one call replaces hundreds of
        `fsync`, each of which would wait for the disk to flush its cache. On others several threads
        call `fsync`, so that one flush serves them all.
        """
        if not self._sync:
            return
        if len(names) < _MANY:
            for name in names:
                _sync_one(folder, name)
            return
        if not self._asked:
            self._asked, self._sync_all = True, _syncfs(self._root)
        if self._sync_all is not None:
            self._sync_all()
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(partial(_sync_one, folder), names):
                pass  # raises the error of a thread

    def replace(self, folder: Folder, name: str, data: bytes, *, tmp: Folder) -> None:
        """Replace the content of `name` atomically: a reader sees the old or the new one."""
        tmp.remove(name)
        tmp.write_new(name, data)
        self.files(tmp, [name])
        tmp.move(name, folder, name)
        self.folder(folder)


def write_all(fd: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of `data`, however many calls it takes."""
    done = os.write(fd, data)
    while done < len(data):
        done += os.write(fd, memoryview(data)[done:])


def write_at(fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Write all of `data` from `offset` on."""
    done = 0
    while done < len(data):
        done += os.pwrite(fd, memoryview(data)[done:], offset + done)


if sys.platform == "darwin":
    import fcntl

    def _fsync(fd: int) -> None:
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # fsync of macOS does not flush the disk's cache

else:
    _fsync = os.fsync


def _sync_one(folder: Folder, name: str) -> None:
    try:
        fd = os.open(name, os.O_RDONLY | _SAFE, dir_fd=folder.fd)
        try:
            _fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise folder.blame(error, name) from None


def _syncfs(root: Folder) -> Callable[[], None] | None:
    """Return a function that calls `syncfs` for `root`; None where that is less safe than fsync.

    Linux reports write errors from syncfs since 5.8. On FUSE and network file systems it does less
    than fsync.
    """
    if sys.platform != "linux" or _kernel() < (5, 8) or _file_system(root) not in _LOCAL:
        return None
    import ctypes  # slow to import, and only needed by large backups

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return None

    def sync_all() -> None:
        if syncfs(root.fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), root.path)

    return sync_all


def _kernel() -> tuple[int, ...]:
    release = os.uname().release.split(".")[:2]
    return tuple(int(part) for part in release if part.isdigit())


def _file_system(root: Folder) -> str | None:
    """The type of the file system of `root` (proc(5), mountinfo)."""
    device = os.fstat(root.fd).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:  # noqa: PTH123
            lines = mounts.read().splitlines()
    except OSError:
        return None
    for line in lines:
        fields, _, kind = line.partition(" - ")
        if fields.split(" ")[2] == wanted:
            return kind.split(" ")[0]
    return None


class Reserve:
    """Disk space reserved for a commit, so that it succeeds when bodies have filled the disk."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._held = False

    def hold(self) -> None:
        """Reserve the space; do nothing if the disk is full or cannot reserve space."""
        if self._held:
            return
        self._held = True
        with contextlib.suppress(OSError):
            fd = self._folder.create("reserve")
            try:
                os.posix_fallocate(fd, 0, RESERVE)
            finally:
                os.close(fd)

    def release(self) -> None:
        """Free the space."""
        if self._held:
            self._held = False
            self._folder.remove("reserve")

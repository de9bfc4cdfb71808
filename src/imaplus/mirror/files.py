"""Files and folders of a store, each reached by the descriptor of the folder that holds it.

It knows how to stay inside (no symbolic link is followed below the root, only regular files are
opened), how to replace a small file in one step, and how to bring files to the disk. Names given to
it are single path components or, for objects, two; it refuses to know what the files mean.
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
_MANY = 16  # files; below that, one fsync each is quicker than everything that is dirty
_THREADS = 16  # that wait for the disk at once, where every file needs its own fsync
RESERVE = 2 << 20
"""Bytes kept free for a commit: new folders of bodies, and lines of journals."""
_LOCAL = {"ext4", "xfs", "btrfs", "f2fs"}  # file systems whose syncfs is as good as fsync


class Folder:
    """An open folder. Every error it raises carries the whole path in `filename`."""

    # Paths are plain strings here: loading pathlib takes longer than a backup of nothing new.
    def __init__(self, fd: int, path: str) -> None:
        self.fd: int = fd
        self.path = path

    @classmethod
    def at(cls, path: str) -> Folder:
        """The folder at `path`, which may be a link: where the root lies is the user's choice."""
        return cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), path)

    def where(self, name: str) -> str:
        """The whole path of `name` in this folder."""
        return f"{self.path}/{name}"

    def close(self) -> None:
        """Give the descriptor back; files that were opened through it stay open."""
        os.close(self.fd)
        self.fd = -1  # else the number might soon be another folder's

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
        """The folder `name` in this one.

        Raises:
            UnsafePath: something else has that name.
        """
        if create:
            self.make(name)
        try:
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _SAFE, dir_fd=self.fd)
        except OSError as error:
            raise self.blame(error, name) from None
        return Folder(fd, self.where(name))

    def make(self, name: str) -> bool:
        """Make the folder `name`, unless it is there; whether it was made."""
        try:
            os.mkdir(name, 0o700, dir_fd=self.fd)
        except FileExistsError:
            return False
        except OSError as error:
            raise self.blame(error, name) from None
        return True

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """A descriptor of the regular file `name`.

        Raises:
            UnsafePath: it is a link, a pipe, a device.
        """
        try:
            # Without O_NONBLOCK a planted pipe would hold us up for ever.
            fd = os.open(name, flags | _SAFE | os.O_NONBLOCK, 0o600, dir_fd=self.fd)
        except OSError as error:
            raise self.blame(error, name) from None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise UnsafePath(self.where(name), "not a regular file")
        return fd

    def create(self, name: str) -> int:
        """A descriptor of the new file `name`, for writing."""
        try:
            return os.open(
                name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, 0o600, dir_fd=self.fd
            )
        except OSError as error:
            raise self.blame(error, name) from None

    def write_new(self, name: str, data: bytes | bytearray | memoryview) -> None:
        """Make the file `name` with `data` in it, or leave nothing."""
        fd = self.create(name)
        try:
            write_all(fd, data)
        except OSError as error:
            self.remove(name)
            raise self.blame(error, name) from None
        finally:
            os.close(fd)

    def read(self, name: str, limit: int) -> bytes:
        """The content of the small file `name`.

        Raises:
            StoreCorrupt: it has more than `limit` octets.
        """
        with os.fdopen(self.open(name), "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise StoreCorrupt(self.where(name), f"longer than {limit} octets")
        return data

    def names(self) -> list[str]:
        """What is in the folder, sorted."""
        return sorted(os.listdir(self.fd))  # noqa: PTH208 - pathlib takes no descriptor

    def remove(self, name: str) -> None:
        """Remove the file, link or folder `name` with what is in it; it may be gone already."""
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
        """Rename the file or folder `name`; a file of the new name is replaced in one step."""
        try:
            os.rename(name, new_name, src_dir_fd=self.fd, dst_dir_fd=target.fd)
        except OSError as error:
            raise target.blame(error, new_name) from None

    def is_file(self, name: str, size: int) -> bool:
        """Whether `name` is a regular file of `size` octets."""
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
        """`error` with the whole path, or what it means: a link in the way, a closed store."""
        path = self.where(name)
        if self.fd < 0:
            return StateError(f"{path}: the store is closed")
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return UnsafePath(path, "a link, or a file for a folder; a store never follows one")
        error.filename, error.filename2 = path, None
        return error


class Disk:
    """Brings what was written to the disk; with `sync=False` it leaves that to the system.

    Without it a killed process loses nothing either; a power cut may.
    """

    def __init__(self, root: Folder, *, sync: bool) -> None:
        self._root = root
        self._sync = sync
        self._sync_all: Callable[[], None] | None = None
        self._asked = False

    def file(self, fd: int) -> None:
        """The file of an open descriptor."""
        if self._sync:
            _fsync(fd)

    def folder(self, folder: Folder) -> None:
        """The names in `folder`; what they name is another matter."""
        try:
            self.file(folder.fd)
        except OSError as error:
            raise folder.blame(error, "") from None

    def files(self, folder: Folder, names: Sequence[str]) -> None:
        """Many files, or folders, in `folder`.

        One `syncfs` in place of hundreds of `fsync`, each of which would wait for the disk to empty
        its cache, where the file system is known to promise the same by it. Elsewhere several wait
        at once: one cache that is emptied serves them all.
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
                pass  # or raise what one of them raised

    def replace(self, folder: Folder, name: str, data: bytes, *, tmp: Folder) -> None:
        """Make `data` the content of `name` in one step: at every moment the old, or the new."""
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
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # there, fsync stops at the cache of the disk

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
    """A call that syncs the file system of `root`, or None where that would promise too little.

    Linux reports write errors from syncfs since 5.8; FUSE and network file systems do less than
    fsync.
    """
    if sys.platform != "linux" or _kernel() < (5, 8) or _file_system(root) not in _LOCAL:
        return None
    import ctypes  # costs milliseconds, and only a large backup gets here

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
    """The type of the file system that `root` is on (proc(5), mountinfo)."""
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
    """Room on the disk for a commit, so that bodies do not take what it needs to keep them."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._held = False

    def hold(self) -> None:
        """Take the room, unless it is held; not on a full disk, nor on one that reserves none."""
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
        """Give the room back."""
        if self._held:
            self._held = False
            self._folder.remove("reserve")

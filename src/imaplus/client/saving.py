"""Files that appear whole: written under another name beside it, and named when all has come.

What a lost connection has left stays for the next attempt to go on from. A file that is there is
never overwritten, unless that is what was asked for, and no link is followed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import count
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from imaplus.errors import ConnectionLost
from imaplus.reading.names import numbered
from imaplus.wire.sources import CHUNK

if TYPE_CHECKING:
    from imaplus.core.transfer_encodings import Decoder

_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_SUFFIX: Final = ".imaplus-part"
MOST_NUMBERS: Final = 100_000
"""Names that are tried before one gives up."""


class Target(NamedTuple):
    """Where a file is to be."""

    folder: Path
    name: str
    replaces: bool = False
    """It takes the place of a file of that name; else a number is added to the name."""


def target(where: str | PathLike[str], name: str) -> Target:
    """A file of a safe name in an existing folder; or a path, if it is not that of a folder."""
    path = Path(where)
    if path.is_dir():
        return Target(path, name)
    return Target(path.parent, path.name)


class Landing:
    """The file that is written until it has its name: `file`, which may have something in it."""

    def __init__(self, target: Target, identity: tuple[object, ...] | None) -> None:
        """`identity` says which bytes these are: only the same ones go on from what is there.
        None, if that cannot be told."""
        self._target = target
        self.file: IO[bytes]
        if identity is not None:
            import hashlib

            digest = hashlib.sha256(repr(identity).encode()).hexdigest()[:24]
            self._path = target.folder / f".{digest}{_SUFFIX}"
            self.file = _open(self._path, 0)
            if _lock(self.file) and _is_still(self.file, self._path):
                return
            self.file.close()  # somebody else writes it at the moment, or has just finished it
        self._open_new()

    def _open_new(self) -> None:
        from secrets import token_hex

        self._path = self._target.folder / f".{token_hex(12)}{_SUFFIX}"
        self.file = _open(self._path, os.O_EXCL)

    def decode(self, decoder: Decoder) -> None:
        """Put in its place what it comes to, its transfer encoding undone."""
        encoded, path = self.file, self._path
        self._open_new()
        try:
            encoded.seek(0)
            while chunk := encoded.read(CHUNK):
                self.file.write(decoder.feed(chunk))
            self.file.write(decoder.end())
        finally:
            encoded.close()
            path.unlink(missing_ok=True)

    def publish(self) -> Path:
        """Give it its name: the path."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        wanted = self._target.folder / self._target.name
        if self._target.replaces:
            self._path.replace(wanted)
            return wanted
        for path in self._names():
            if _name(self._path, path):
                return path
        raise FileExistsError(f"{wanted}: {MOST_NUMBERS} files of that name are there")

    def _names(self) -> Iterator[Path]:
        for number in count(1):
            if number > MOST_NUMBERS:
                return
            yield self._target.folder / numbered(self._target.name, number)

    def leave(self, error: BaseException) -> None:
        """It was not finished: what has come stays if the connection was lost, or the user left."""
        stays = isinstance(error, ConnectionLost) or not isinstance(error, Exception)
        with contextlib.suppress(OSError):
            self.file.close()
        if not stays or self._path.stat().st_size == 0:
            self._path.unlink(missing_ok=True)


def _name(part: Path, path: Path) -> bool:
    """Give a finished file a name that is free; whether it was."""
    try:
        os.link(part, path, follow_symlinks=False)
    except FileExistsError:
        return False
    except (OSError, NotImplementedError):  # a file system without hard links
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW, 0o600))
        except FileExistsError:
            return False
        part.replace(path)
        return True
    part.unlink()
    return True


def _open(path: Path, flags: int) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | flags | _NOFOLLOW, 0o666), "r+b")


def _is_still(file: IO[bytes], path: Path) -> bool:
    """Whether a file has its name still."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _lock(file: IO[bytes]) -> bool:
    """Keep others from writing the same file; True where that cannot be done."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True

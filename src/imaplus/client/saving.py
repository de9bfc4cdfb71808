"""Downloads to files: written under a temporary name, and renamed when complete.

The part that arrived before a lost connection is kept, and the next attempt resumes it. Existing
files are overwritten only on request, and symbolic links are not followed.
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
from imaplus.reading.names import add_number
from imaplus.wire.sources import CHUNK

if TYPE_CHECKING:
    from imaplus.core.transfer_encodings import Decoder

_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_SUFFIX: Final = ".imaplus-part"
MOST_NUMBERS: Final = 100_000
"""Names to try before giving up."""


class Target(NamedTuple):
    """Where a file is to appear."""

    folder: Path
    name: str
    replaces: bool = False
    """Replace an existing file; otherwise a number is added to the name."""


def target(where: str | PathLike[str], name: str) -> Target:
    """Return the target for an existing folder, with a safe name in it, or for a path of a file."""
    path = Path(where)
    if path.is_dir():
        return Target(path, name)
    return Target(path.parent, path.name)


class Landing:
    """A file under its temporary name. `file` may contain the part of an earlier attempt."""

    def __init__(self, target: Target, identity: tuple[object, ...] | None) -> None:
        """Open the temporary file.

        `identity` is a key for the bytes to be written: only a part with the same key is resumed.
        None if there is none.
        """
        self._target = target
        self.file: IO[bytes]
        if identity is not None:
            import hashlib

            digest = hashlib.sha256(repr(identity).encode()).hexdigest()[:24]
            self._path = target.folder / f".{digest}{_SUFFIX}"
            self.file = _open(self._path, 0)
            if _lock(self.file) and _is_still(self.file, self._path):
                return
            self.file.close()  # another process is writing it, or has just finished
        self._open_new()

    def _open_new(self) -> None:
        from secrets import token_hex

        self._path = self._target.folder / f".{token_hex(12)}{_SUFFIX}"
        self.file = _open(self._path, os.O_EXCL)

    def decode(self, decoder: Decoder) -> None:
        """Replace the content by its decoded form."""
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
        """Rename the complete file to its final name, and return its path."""
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
        raise FileExistsError(f"cannot save {wanted}: {MOST_NUMBERS} files of that name exist")

    def _names(self) -> Iterator[Path]:
        for number in count(1):
            if number > MOST_NUMBERS:
                return
            yield self._target.folder / add_number(self._target.name, number)

    def leave(self, error: BaseException) -> None:
        """Close the incomplete file; keep it if the connection was lost or the user interrupted."""
        keep = isinstance(error, ConnectionLost) or not isinstance(error, Exception)
        with contextlib.suppress(OSError):
            self.file.close()
        if not keep or self._path.stat().st_size == 0:
            self._path.unlink(missing_ok=True)


def _name(part: Path, path: Path) -> bool:
    """Rename a complete file, unless the name exists; return whether it was renamed."""
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
    """Whether a path still names this file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _lock(file: IO[bytes]) -> bool:
    """Lock a file against other writers; False if it is locked. True without support for locks."""
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

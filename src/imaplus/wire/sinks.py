"""Where literals go: memory, a file, a digest, a spool, nowhere.

A sink receives the octets of one literal as they arrive, so that a message of any size passes
through in constant memory. What `close()` returns stands in the frame for the literal. Sinks
know neither IMAP nor which message they hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc.Buffer from Python 3.12

SPOOL_IN_MEMORY = 1 << 20
"""Up to this many octets a spool stays in memory: most messages never touch the disk."""


class Sink(Protocol):
    """Takes the octets of one literal. After `close()` or `abort()` it is not used again."""

    def write(self, data: Buffer, /) -> object:
        """Take the next octets. An exception fails the command; the stream stays in step."""

    def close(self) -> object:
        """All octets have come; the value that stands for the literal from here on."""

    def abort(self) -> None:
        """The rest will not come: the connection or an earlier write failed."""


SinkChooser = Callable[[bytearray, int], Sink]
"""Decides a literal's fate from the response's text so far and the announced size.

The text is not to be kept or changed, and only its beginning and its end are to be looked at: it
may be long, and have many literals.
"""


class Memory:
    """Keeps the octets; the value is `bytes`. It grows with what arrives, not with what is said."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: Buffer, /) -> None:
        self._data += data

    def close(self) -> bytes:
        return bytes(self._data)

    def abort(self) -> None:
        self._data.clear()


class Lost(NamedTuple):
    """Stands for a literal whose octets are gone; the stream is in step."""

    error: Exception


class Discard:
    """Forgets the octets; the value says why, or is None."""

    __slots__ = ("_value",)

    def __init__(self, error: Exception | None = None) -> None:
        self._value = None if error is None else Lost(error)

    def write(self, data: Buffer, /) -> None:
        pass

    def close(self) -> Lost | None:
        return self._value

    def abort(self) -> None:
        pass


class Writable(Protocol):
    """A binary file, as far as it is written to; it may take less than it is given."""

    def write(self, data: bytes | memoryview, /) -> int: ...


class File:
    """Writes the octets to a binary file object; the value is their number.

    The file is neither flushed nor closed. `progress(written, total)` is called after each write.
    """

    __slots__ = ("_file", "_progress", "_size", "_written")

    def __init__(
        self,
        file: Writable,
        size: int,
        progress: Callable[[int, int], object] | None = None,
    ) -> None:
        self._file = file
        self._size = size
        self._written = 0
        self._progress = progress

    def write(self, data: Buffer, /) -> None:
        view = memoryview(data)
        self._written += len(view)
        while view:  # an unbuffered file may take less than it is given
            view = view[self._file.write(view) :]
        if self._progress is not None:
            self._progress(self._written, self._size)

    def close(self) -> int:
        return self._written

    def abort(self) -> None:
        pass


class Digest:
    """Hashes the octets; the value is the digest in hexadecimal."""

    __slots__ = ("_hash",)

    def __init__(self, algorithm: str = "sha256") -> None:
        import hashlib  # this and `tempfile` take as long to load as all of imaplus.wire

        self._hash = hashlib.new(algorithm)

    def write(self, data: Buffer, /) -> None:
        self._hash.update(data)

    def close(self) -> str:
        return self._hash.hexdigest()

    def abort(self) -> None:
        pass


class Spool:
    """Keeps the octets in memory, then in a temporary file; the value is the file, at its start.

    Whoever takes the file closes it, which deletes it.
    """

    __slots__ = ("_file",)

    def __init__(self, in_memory: int = SPOOL_IN_MEMORY) -> None:
        import tempfile

        self._file = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115

    def write(self, data: Buffer, /) -> None:
        self._file.write(data)

    def close(self) -> IO[bytes]:
        self._file.seek(0)
        return self._file

    def abort(self) -> None:
        self._file.close()

"""Destinations of literals: memory, a file, a digest, a temporary file, or none.

A sink receives the bytes of one literal as they arrive, so that a message of any size is read in
constant memory. The value that `close()` returns represents the literal in the frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc.Buffer from Python 3.12

SPOOL_IN_MEMORY = 1 << 20
"""Bytes that a spool keeps in memory before it uses a file: enough for most messages."""


class Sink(Protocol):
    """Takes the bytes of one literal. It is not used after `close()` or `abort()`."""

    def write(self, data: Buffer, /) -> object:
        """Take the next bytes. An exception makes the command fail; the connection continues."""

    def close(self) -> object:
        """Finish, after the last byte; return the value that represents the literal."""

    def abort(self) -> None:
        """Give up: no more bytes will come, because the connection or a write failed."""


SinkChooser = Callable[[bytearray, int], Sink]
"""Chooses the sink for a literal, by the text of the response before it and its size in bytes.

It must not keep or change the text, and should look only at its beginning and end: it may be long.
"""


class Memory:
    """Keeps the bytes in memory, as they arrive; the value is `bytes`."""

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
    """Represents a literal whose sink failed."""

    error: Exception


class Discard:
    """Discards the bytes; the value is `Lost` with the error, or None."""

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
    """A binary file that can be written to. `write()` may take a part of the data."""

    def write(self, data: bytes | memoryview, /) -> int: ...


class File:
    """Writes the bytes to a binary file object; the value is their number.

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
        while view:  # an unbuffered file may take a part
            view = view[self._file.write(view) :]
        if self._progress is not None:
            self._progress(self._written, self._size)

    def close(self) -> int:
        return self._written

    def abort(self) -> None:
        pass


class Digest:
    """Hashes the bytes; the value is the digest in hexadecimal."""

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
    """Keeps the bytes in memory, then in a temporary file; the value is the file, at its start.

    The caller must close the file, which deletes it.
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

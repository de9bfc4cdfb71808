"""Where outgoing literals come from: octets in memory, or a file that is read as it is sent.

The counterpart of `sinks`. A source knows its size before its first octet is read, because IMAP
announces it; it does not know what the octets mean.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Protocol

from imaplus.errors import InvalidArgument
from imaplus.records import record

CHUNK = 1 << 18
"""Octets read from a file at once: large enough for speed, small enough to stay unnoticed."""


class Source(Protocol):
    """Octets of a known number, given in pieces."""

    @property
    def size(self) -> int:
        """How many octets `chunks()` gives in all."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """The octets in order. A source may be read again, from its beginning."""
        ...


@record
class Octets:
    """Octets in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def chunks(self) -> Iterator[bytes]:
        yield self.data


@record(repr=False)
class FileSource:
    """A binary file from its present position to its end. It must be seekable, and stay open."""

    file: IO[bytes]
    start: int
    size: int

    @classmethod
    def of(cls, file: IO[bytes]) -> FileSource:
        """Take the rest of a file.

        Raises:
            InvalidArgument: the file cannot be measured: it is text, a pipe or a terminal.
        """
        try:
            start = file.tell()
            size = file.seek(0, os.SEEK_END) - start
            file.seek(start)
            binary = isinstance(file.read(0), bytes)
        except (OSError, AttributeError) as error:
            raise InvalidArgument(f"expected a seekable binary file: {error}") from error
        if not binary:
            raise InvalidArgument("expected a file opened in binary mode, found a text file")
        return cls(file, start, size)

    def chunks(self) -> Iterator[bytes]:
        """Raises InvalidArgument if the file is shorter by now than it was announced."""
        self.file.seek(self.start)
        missing = self.size
        while missing:
            chunk = self.file.read(min(CHUNK, missing))
            if not chunk:
                raise InvalidArgument(f"the file ended {missing} octets too early")
            missing -= len(chunk)
            yield chunk

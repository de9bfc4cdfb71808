"""The content of one message: in memory, on disk, or generated as it is read.

A content has a size and yields any range of its bytes in chunks, so that a message of a gigabyte
is served in constant memory. `mime` parses it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import IO, Final, Protocol

from imaplus.records import record

CHUNK: Final = 1 << 16
"""Size of a chunk in bytes."""
_LINE: Final = 78
_LINES_OF_A_BLOCK: Final = 1024
_BLOCK: Final = _LINE * _LINES_OF_A_BLOCK


class Content(Protocol):
    """The bytes of a message. A content equals only itself; messages may share one."""

    @property
    def size(self) -> int:
        """Number of bytes."""
        ...

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `stop` in chunks. Both are within the content."""
        ...

    def __hash__(self) -> int: ...


@record(eq=False)
class InMemory:
    """A content in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        for at in range(start, stop, CHUNK):
            yield self.data[at : min(at + CHUNK, stop)]


@record(eq=False)
class OnDisk:
    """A content in a file of its own, for large messages; closed when garbage-collected."""

    file: IO[bytes]
    size: int

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        while start < stop:
            self.file.seek(start)
            chunk = self.file.read(min(CHUNK, stop - start))
            start += len(chunk)
            yield chunk


@record(eq=False)
class Generated:
    """A plain text message of exactly `size` bytes, deterministic for a `seed`.

    Every block of 80 kB is different, so that a digest detects a lost or repeated block. If `size`
    is smaller than the header (about 250 bytes), the message is the truncated header.
    """

    size: int
    seed: int = 0

    @property
    def header(self) -> bytes:
        """The header, including the empty line at its end."""
        day, second = self.seed % 28 + 1, self.seed % 60
        return (
            "From: Generated <generated@example.org>\r\n"
            "To: Ada <ada@example.org>\r\n"
            f"Subject: Generated message {self.seed} of {self.size} octets\r\n"
            f"Date: {day} Jan 2025 12:00:{second:02} +0000\r\n"
            f"Message-ID: <generated.{self.seed}.{self.size}@example.org>\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=us-ascii\r\n"
            "\r\n"
        ).encode("ascii")[: self.size]

    @property
    def lines(self) -> int:
        """Number of lines in the body."""
        body = self.size - len(self.header)
        return body // _LINE + (1 if body % _LINE >= 2 else 0)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        header = self.header
        if start < len(header):
            yield header[start : min(stop, len(header))]
        at = max(start - len(header), 0)
        last = stop - len(header)
        rest_of_block = self._lines(1, _LINES_OF_A_BLOCK)
        while at < last:
            number, offset = divmod(at, _BLOCK)
            block = self._lines(0, 1, number) + rest_of_block
            piece = block[offset : min(_BLOCK, offset + last - at)]
            at += len(piece)
            yield self._end_last_line(piece, at)

    def _lines(self, first: int, last: int, block: int = 0) -> bytes:
        texts = (f"{self.seed:08x} {block:08x} {line:04x} " for line in range(first, last))
        return b"".join(text.encode().ljust(_LINE - 2, b"x") + b"\r\n" for text in texts)

    def _end_last_line(self, piece: bytes, at: int) -> bytes:
        """Return the piece that ends at byte `at` of the body, with a CRLF at the body's end."""
        body = self.size - len(self.header)
        if body % _LINE < 2:  # the body ends with a whole line, or has no room for a line end
            return piece
        over = at - (body - 2)  # number of bytes of the final CRLF in this piece
        return piece if over <= 0 else (piece[:-over] + b"\r\n"[:over])[-len(piece) :]


def read(content: Content, start: int = 0, stop: int | None = None) -> bytes:
    """Read a range of a content into memory."""
    return b"".join(content.chunks(start, content.size if stop is None else stop))

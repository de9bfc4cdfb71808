"""What is to be written: the segments of commands, in order, and where to wait for a `+`.

It turns pieces into bytes, large literals chunk by chunk as they are read, compresses them if that
is on, and knows when a command has been written whole. It does not know what commands mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from imaplus.protocol.pending import Pending
from imaplus.protocol.telling import Telling
from imaplus.wire.secret import Secret
from imaplus.wire.writer import Piece

if TYPE_CHECKING:
    from imaplus.protocol.deflate import Deflating

ENOUGH: Final = 1 << 16
"""Bytes returned at once: small commands travel together, large literals do not fill memory."""


class Outbox:
    """A queue of segments. `blocked` while the server must say `+` before anything else."""

    __slots__ = ("_current", "_deflating", "_ready", "_telling", "_waiting")

    def __init__(self, telling: Telling | None = None) -> None:
        self._telling = telling or Telling()
        self._ready: list[tuple[Piece, Pending[Any] | None]] = []  # with the command it completes
        self._current: Iterator[bytes] | None = None  # the rest of what is being taken
        self._waiting: Pending[Any] | None = None  # its next segment waits for `+`
        self._deflating: Deflating | None = None

    @property
    def blocked(self) -> bool:
        """Whether a command is partly written, and the server must ask for the rest."""
        return self._waiting is not None

    @property
    def has_data(self) -> bool:
        """Whether there is something to write now."""
        return bool(self._ready) or self._current is not None

    def begin(self, pending: Pending[Any]) -> None:
        """Write the first segment of a command."""
        self._write_segment(pending)

    def proceed(self) -> None:
        """The server said `+`: write the next segment."""
        pending, self._waiting = self._waiting, None
        assert pending is not None
        self._write_segment(pending)

    def _write_segment(self, pending: Pending[Any]) -> None:
        segment = pending.segments.pop()
        self._telling.show_sent(segment)
        last = None if pending.segments else pending
        for piece in segment[:-1]:
            self._ready.append((piece, None))
        self._ready.append((segment[-1], last))
        if pending.segments:
            self._waiting = pending

    def refuse(self, pending: Pending[Any]) -> None:
        """The server said NO to a command that is not wholly written: what it waits for is void.

        A literal that did not wait has been announced, and goes out all the same (RFC 7888, 4).
        """
        if self._waiting is pending:
            self._waiting = None
        pending.segments.clear()

    def answer(self, pending: Pending[Any], line: bytes | Secret | None) -> None:
        """Write a line, or the interruption that waits, now that the server has said `+`."""
        pending.continued = True
        if line is None:
            line, pending.interruption = pending.interruption, None
        if line is not None:
            self._write_line(line)

    def interrupt(self, pending: Pending[Any], line: bytes) -> None:
        """Write the line that ends a command, once; after the `+` if that has not come yet."""
        if pending.interrupted:
            return
        pending.interrupted = True
        if pending.continued:
            self._write_line(line)
        else:
            pending.interruption = line

    def _write_line(self, line: bytes | Secret) -> None:
        secret = isinstance(line, Secret)
        data = line.reveal().encode() if isinstance(line, Secret) else line
        piece = Piece(data + b"\r\n", secret)
        self._telling.show_sent((piece,))
        self._ready.append((piece, None))

    def compress(self) -> None:
        """Deflate what is written from here on (RFC 4978, 3)."""
        from imaplus.protocol.deflate import Deflating

        self._deflating = Deflating()

    def clear(self) -> None:
        """Forget everything: the connection is gone."""
        self._ready.clear()
        self._current = self._waiting = None

    def take(self) -> bytes:
        """The next bytes to write; empty when there are none for now."""
        parts: list[bytes] = []
        size = 0
        self._current = self._current or self._parts()
        for part in self._current:
            parts.append(part)
            size += len(part)
            if size >= ENOUGH:
                break
        else:
            self._current = None
        data = b"".join(parts)
        return data if self._deflating is None or not data else self._deflating.deflate(data)

    def _parts(self) -> Iterator[bytes]:
        while self._ready:
            ready, self._ready = self._ready, []
            for piece, ends in ready:
                if isinstance(piece.data, bytes):
                    self._note_written(ends)
                    yield piece.data
                else:
                    yield from piece.data.chunks()
                    self._note_written(ends)

    def _note_written(self, pending: Pending[Any] | None) -> None:
        if pending is not None:
            pending.written = True

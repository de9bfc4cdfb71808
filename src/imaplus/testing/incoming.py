"""Reading commands: literals (RFC 9051, 4.3; RFC 7888), continuation requests, and limits.

Only the literals of APPEND and REPLACE may be large; they are stored on disk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from imaplus.errors import ProtocolError
from imaplus.records import record
from imaplus.testing.content import OnDisk
from imaplus.testing.streams import Stream
from imaplus.wire.frames import Frame, Limits
from imaplus.wire.framing import Framer
from imaplus.wire.sinks import Memory, Sink, Spool

LIMITS: Final = Limits(text=1 << 20, literal=2 << 30, small_literal=1 << 20, literals=10_000)
"""Default limits on input: lines of 1 MiB, messages of 2 GiB (on disk)."""
IN_MEMORY: Final = 1 << 20
"""Larger messages, in bytes, are stored in a file."""
LONGEST_LINE: Final = 1 << 16
"""Maximum size in bytes of a line that is not a command: a SASL response, or DONE."""
LITERAL_MINUS: Final = 4096
"""Maximum size in bytes of a non-synchronizing literal under LITERAL- (RFC 7888, 5)."""


class LiteralRefused(ProtocolError):
    """A literal is not accepted; its bytes, if sent, are read as commands."""

    def __init__(self, tag: bytes, status: str, text: str) -> None:
        super().__init__(text)
        self.tag = tag
        self.status = status


@record(kw_only=True)
class LiteralRules:
    """Sizes of literals that the server accepts."""

    eager: int = 0
    """Maximum size of a non-synchronizing literal, in bytes."""
    largest: int = LIMITS.literal
    """Maximum size of a message, in bytes."""


class Incoming:
    """Reads the commands of a client."""

    def __init__(
        self,
        stream: Stream,
        go_ahead: Callable[[], Awaitable[None]],
        rules: LiteralRules,
        limits: Limits = LIMITS,
    ) -> None:
        self._stream = stream
        self._go_ahead = go_ahead
        self._rules = rules
        self._limits = limits
        self._waiting = 0  # number of literals for which `+` must be sent
        self._framer = Framer(limits, self._sink)

    async def command(self) -> Frame | None:
        """Read the next command; None at the end of the stream.

        Raises:
            LiteralRefused: a literal is not accepted; answer the command and continue reading.
            ProtocolError: a limit was exceeded; close the connection.
        """
        while True:
            try:
                frame = self._framer.next_frame()
            except LiteralRefused:
                rest = self._framer.take_rest()
                self._framer = Framer(self._limits, self._sink)
                self._framer.feed(rest)
                raise
            while self._waiting:
                self._waiting -= 1
                await self._go_ahead()
            if frame is not None:
                return frame
            if not (data := await self._stream.read()):
                self._framer.abandon()
                return None
            self._framer.feed(data)

    async def line(self) -> bytes | None:
        """Read a line that is not a command, without its end; None at the end of the stream."""
        pieces = [self._framer.take_rest()]
        size = 0
        while b"\n" not in pieces[-1]:
            size += len(pieces[-1])
            if size > LONGEST_LINE:
                raise ProtocolError(f"a line exceeds {LONGEST_LINE} bytes")
            if not (data := await self._stream.read()):
                return None
            pieces.append(data)
        line, _, rest = b"".join(pieces).partition(b"\n")
        self._framer.feed(rest)
        return line.removesuffix(b"\r")

    def take_rest(self) -> bytes:
        """Return and drop buffered input, as before a TLS handshake (RFC 9051, 6.2.1)."""
        return self._framer.take_rest()

    def _sink(self, text: bytearray, size: int) -> Sink:
        words = bytes(text[:200]).split(maxsplit=2)
        tag = words[0] if words else b"*"
        if self._framer.eager and size > self._rules.eager:
            raise LiteralRefused(tag, "BAD", "Non-synchronizing literal is too large")
        if len(words) > 1 and words[1].upper() in (b"APPEND", b"REPLACE"):
            if size > self._rules.largest and not self._framer.eager:
                raise LiteralRefused(tag, "NO", "[TOOBIG] Message is too large")
        elif size > self._limits.small_literal:
            raise LiteralRefused(tag, "BAD", "[TOOBIG] Literal is too large")
        if not self._framer.eager:
            self._waiting += 1
        return Memory() if size <= IN_MEMORY else _ToDisk(size)


class _ToDisk:
    """A sink for a large message; its value is an `OnDisk`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._spool = Spool(IN_MEMORY)
        self.write = self._spool.write
        self.abort = self._spool.abort

    def close(self) -> OnDisk:
        return OnDisk(self._spool.close(), self._size)

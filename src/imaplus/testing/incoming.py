"""Commands as they come in: wire's framer turned round, with `+` where a client waits for it.

It knows literals (RFC 9051, 4.3; RFC 7888) and limits, not commands: APPEND's literals alone may
be large, and go to disk.
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
"""What a client may make us hold: a line of a megabyte, a message of two gigabytes on disk."""
IN_MEMORY: Final = 1 << 20
"""Octets: a larger message goes to a file."""
LONGEST_LINE: Final = 1 << 16
"""Octets of a line that is not a command: a SASL response, or DONE."""
LITERAL_MINUS: Final = 4096
"""Octets of the largest literal that need not wait under LITERAL- (RFC 7888, 5)."""


class LiteralRefused(ProtocolError):
    """A literal is not accepted; its octets, if they come, are read as commands."""

    def __init__(self, tag: bytes, status: str, text: str) -> None:
        super().__init__(text)
        self.tag = tag
        self.status = status


@record(kw_only=True)
class LiteralRules:
    """What the server says of literals."""

    eager: int = 0
    """The largest that need not wait for `+`, in octets."""
    largest: int = LIMITS.literal
    """The largest message."""


class Incoming:
    """Reads what a client sends."""

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
        self._waiting = 0  # literals whose sender waits for a `+`
        self._framer = Framer(limits, self._sink)

    async def command(self) -> Frame | None:
        """The next command; None at the end of the stream.

        Raises:
            LiteralRefused: answer it and read on.
            ProtocolError: a limit was exceeded; nothing more can be read.
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
        """One line that is not a command, without its end; None at the end of the stream."""
        pieces = [self._framer.take_rest()]
        size = 0
        while b"\n" not in pieces[-1]:
            size += len(pieces[-1])
            if size > LONGEST_LINE:
                raise ProtocolError(f"a line exceeds {LONGEST_LINE} octets")
            if not (data := await self._stream.read()):
                return None
            pieces.append(data)
        line, _, rest = b"".join(pieces).partition(b"\n")
        self._framer.feed(rest)
        return line.removesuffix(b"\r")

    def forget(self) -> bytes:
        """Drop what has been read ahead, as before a TLS handshake (RFC 9051, 6.2.1)."""
        return self._framer.take_rest()

    def _sink(self, text: bytearray, size: int) -> Sink:
        words = bytes(text[:200]).split(maxsplit=2)
        tag = words[0] if words else b"*"
        if self._framer.eager and size > self._rules.eager:
            raise LiteralRefused(tag, "BAD", "Literal does not wait for our leave")
        if len(words) > 1 and words[1].upper() in (b"APPEND", b"REPLACE"):
            if size > self._rules.largest and not self._framer.eager:
                raise LiteralRefused(tag, "NO", "[TOOBIG] Message is too large")
        elif size > self._limits.small_literal:
            raise LiteralRefused(tag, "BAD", "[TOOBIG] Literal is too large")
        if not self._framer.eager:
            self._waiting += 1
        return Memory() if size <= IN_MEMORY else _ToDisk(size)


class _ToDisk:
    """Takes a large message; the value is its content."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._spool = Spool(IN_MEMORY)
        self.write = self._spool.write
        self.abort = self._spool.abort

    def close(self) -> OnDisk:
        return OnDisk(self._spool.close(), self._size)

"""A stream that applies a `Fault`: it cuts, stalls or slows the connection.

It counts bytes of IMAP, before TLS and compression.
"""

from __future__ import annotations

import asyncio
from typing import NoReturn

from imaplus.testing.faults import Fault
from imaplus.testing.streams import Stream


class Cut(ConnectionError):
    """The fault has cut the connection."""


class Faulty:
    """A stream that fails as its fault says. TLS and DEFLATE replace `inner`."""

    def __init__(self, inner: Stream, fault: Fault) -> None:
        self.inner = inner
        self.fault = fault
        self.sent: int = 0
        self.received: int = 0

    async def read(self) -> bytes:
        left = self.fault.received - self.received
        data = await self.inner.read() if left > 0 else b""
        data = data[:left]
        self.received += len(data)
        if not data:
            await self.inner.close(politely=False)
        return data

    async def write(self, data: bytes) -> None:
        if not data:
            return
        view = memoryview(data)
        while view:
            room = min(self.fault.sent, self.fault.stall) - self.sent
            piece = bytes(view[: max(0, min(len(view), self.fault.piece, room))])
            view = view[len(piece) :]
            if piece:
                await self.inner.write(piece)
                self.sent += len(piece)
            if self.sent >= self.fault.sent:
                await self.hang_up()
            if self.sent >= self.fault.stall:
                await self.stall()
            if self.fault.delay:
                await asyncio.sleep(self.fault.delay)

    async def hang_up(self) -> NoReturn:
        """Close the connection without BYE. Raises Cut."""
        await self.inner.close(politely=False)
        raise Cut

    async def stall(self) -> NoReturn:
        """Send nothing more until the peer closes the connection, then raise Cut."""
        while await self.inner.read():
            pass
        raise Cut

    async def close(self, *, politely: bool = True) -> None:
        await self.inner.close(politely=politely)

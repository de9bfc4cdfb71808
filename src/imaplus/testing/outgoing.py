"""Sending responses: buffered, rewritten by the personality, and streamed if large."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from imaplus.testing.content import Content
from imaplus.testing.personality import Personality
from imaplus.testing.streams import Stream

BUFFER: Final = 1 << 16
"""Size in bytes at which buffered responses are sent."""
_NOT_TEXT: Final = re.compile(r"[\x00\r\n]")

Piece = bytes | tuple[Content, int, int]
"""Part of a response: bytes, or a range of a message, which is read as it is sent."""


class Outgoing:
    """Writes responses to a stream."""

    def __init__(self, stream: Stream, personality: Personality) -> None:
        self._stream = stream
        self._personality = personality
        self._data = bytearray()

    def _line(self, line: bytes) -> None:
        self._data += self._personality.rewrite(line + b"\r\n")

    def raw(self, data: bytes) -> None:
        """Send bytes unchanged."""
        self._data += data

    def say(self, text: bytes) -> None:
        """Send an untagged response, given without its `*`."""
        self._line(b"* " + text)

    def finish(self, tag: bytes, status: str, code: str, text: str) -> None:
        """Send the tagged response."""
        shown = _NOT_TEXT.sub("?", f"[{code}] {text}" if code else text)
        self._line(b"%b %b %b" % (tag, status.encode(), shown.encode()))

    async def continuation(self, text: bytes = b"go ahead") -> None:
        """Send a continuation request (`+`) at once."""
        self._line(b"+ " + text)
        await self.flush()

    async def respond(self, pieces: list[Piece]) -> None:
        """Send an untagged response that contains ranges of messages."""
        streamed = sum(piece[2] - piece[1] for piece in pieces if not isinstance(piece, bytes))
        if streamed <= BUFFER:
            joined = (x if isinstance(x, bytes) else b"".join(x[0].chunks(*x[1:])) for x in pieces)
            self.say(b"".join(joined))
        else:
            self._data += b"* "
            for piece in pieces:
                if isinstance(piece, bytes):
                    self._data += piece
                    continue
                await self.flush()
                for chunk in piece[0].chunks(piece[1], piece[2]):
                    await self._stream.write(chunk)
            self._data += b"\r\n"
        if len(self._data) >= BUFFER:
            await self.flush()

    async def begin(self, pieces: list[Piece], size: int) -> None:
        """Send only the first `size` bytes of an untagged response, for a fault."""
        self._data += b"* "[:size]
        left = max(0, size - 2)
        for piece in pieces:
            if isinstance(piece, bytes):
                chunks: Iterable[bytes] = (piece[:left],)
            else:
                chunks = piece[0].chunks(piece[1], min(piece[2], piece[1] + left))
            for chunk in chunks:
                self._data += chunk
                left -= len(chunk)
        await self.flush()

    async def flush(self) -> None:
        """Write the buffer to the stream, and wait until the peer accepts it."""
        data, self._data = bytes(self._data), bytearray()
        await self._stream.write(data)

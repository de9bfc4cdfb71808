"""COMPRESS=DEFLATE (RFC 4978, 3): a raw deflate stream in each direction."""

from __future__ import annotations

import zlib
from collections import deque
from typing import Final

from imaplus.errors import ProtocolError

STEP: Final = 1 << 16
"""Bytes inflated in one step. A read may inflate to a thousand times as many, so the caller checks
limits and deadlines after each step."""


class Inflating:
    """Decompresses received data: call `feed()` with it, then `step()` until it returns no more."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._fed: deque[bytes] = deque()
        self._is_full = False  # the last step returned as many: zlib may hold more

    def feed(self, data: bytes) -> None:
        """Add compressed bytes from the stream."""
        # Each step copies the rest of its piece, so no piece is larger than a step.
        self._fed.extend(data[start : start + STEP] for start in range(0, len(data), STEP))

    @property
    def has_more(self) -> bool:
        """Whether another step may return data without more input."""
        return self._is_full or bool(self._fed)

    def step(self) -> bytes:
        """Return the next bytes, at most `STEP`.

        Raises:
            ProtocolError: the data is not a deflate stream.
        """
        data = self._fed.popleft() if self._fed else b""
        try:
            plain = self._stream.decompress(data, STEP)
        except zlib.error as error:
            raise ProtocolError(f"what the server sends does not inflate: {error}") from error
        self._is_full = len(plain) == STEP and not self._stream.eof
        if left := self._stream.unconsumed_tail:
            self._fed.appendleft(left)
        return plain

    def check_end(self) -> None:
        """Insist that nothing follows the end of the deflate stream.

        Raises:
            ProtocolError: something does; it cannot belong to the session (RFC 1951, 3.2.3).
        """
        if self._stream.eof and (self._stream.unused_data or self._fed):
            raise ProtocolError("the server sends more after the end of its deflate stream")


class Deflating:
    """Compresses outgoing data."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)

    def deflate(self, data: bytes) -> bytes:
        """Compress and flush, so that the server can decompress all of the data now."""
        return self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)

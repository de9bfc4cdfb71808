"""COMPRESS=DEFLATE (RFC 4978, 3): a raw deflate stream each way. It is loaded when one is begun."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from imaplus.errors import ProtocolError

STEP: Final = 1 << 16
"""Octets inflated at once: a compression bomb meets the limits of framing first."""


class Inflating:
    """What comes, as IMAP sees it."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)

    def plain(self, data: bytes) -> Iterator[bytes]:
        """The octets that these were before they were deflated, piece by piece.

        Raises:
            ProtocolError: they are not of a deflate stream.
        """
        while data:
            try:
                piece = self._stream.decompress(data, STEP)
            except zlib.error as error:
                raise ProtocolError(f"what the server sends does not inflate: {error}") from error
            yield piece
            data = self._stream.unconsumed_tail


class Deflating:
    """What goes, as the server wants it."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)

    def deflated(self, data: bytes) -> bytes:
        """The octets, so that the server can inflate all of them at once."""
        return self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)

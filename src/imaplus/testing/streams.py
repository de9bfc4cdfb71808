"""Byte streams: a socket or two pipes, with TLS and DEFLATE as layers above it.

Each layer has `read`, `write` and `close`; the session adds layers on STARTTLS and COMPRESS. TLS
runs in memory, so that it works over any stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
import zlib
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from imaplus.testing.tls import certificate_of

T = TypeVar("T")
AT_ONCE: Final = 1 << 16
"""Maximum number of bytes per read and per inflation step, which bounds decompression bombs."""
FAREWELL: Final = 5.0
"""Seconds to wait on closing until the peer has received the last bytes."""


class Stream(Protocol):
    """A byte stream in both directions. A broken connection reads like the end of the stream."""

    async def read(self) -> bytes:
        """Read at least one byte; b"" at the end of the stream."""
        ...

    async def write(self, data: bytes) -> None:
        """Send all of `data`, waiting for the peer if necessary. Raises OSError."""

    async def close(self, *, politely: bool = True) -> None:
        """Close the connection; unless `politely`, without TLS's close_notify."""


class Pipe:
    """A stream over asyncio's streams: TCP, a UNIX socket, or standard input and output."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        try:
            return await self._reader.read(AT_ONCE)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def close(self, *, politely: bool = True) -> None:
        self._writer.close()  # written data is still sent
        try:
            async with asyncio.timeout(FAREWELL):
                await self._writer.wait_closed()
        except OSError:  # a TimeoutError too
            self.abort()

    def abort(self) -> None:
        """Close immediately; data not yet sent is lost."""
        self._writer.transport.abort()


class Tls:
    """TLS as a server over another stream; call `handshake()` first."""

    def __init__(self, inner: Stream, context: ssl.SSLContext) -> None:
        self._inner = inner
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.tls: ssl.SSLObject = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def handshake(self) -> None:
        """Do the TLS handshake. Raises OSError, such as ssl.SSLError, if it fails."""
        await self._do(self.tls.do_handshake)

    def bindings(self) -> dict[str, bytes]:
        """Return the channel bindings by type (RFC 5929).

        tls-unique exists up to TLS 1.2; tls-server-end-point only for certificates of an
        `Authority`, which signs with SHA-256.
        """
        found: dict[str, bytes] = {}
        unique = self.tls.get_channel_binding("tls-unique")
        if unique and self.tls.version() != "TLSv1.3":
            found["tls-unique"] = unique
        certificate = certificate_of(self.tls.context)
        if certificate is not None:
            found["tls-server-end-point"] = hashlib.sha256(certificate).digest()
        return found

    def peer_name(self) -> str | None:
        """Return the common name in the client's certificate, or None."""
        certificate = self.tls.getpeercert() or {}
        subject: object = certificate.get("subject", ())
        for names in subject if isinstance(subject, tuple) else ():
            for name, value in names:
                if name == "commonName":
                    return str(value)
        return None

    async def read(self) -> bytes:
        try:
            return await self._do(lambda: self.tls.read(AT_ONCE))
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        await self._do(lambda: self.tls.write(data))

    async def _do(self, step: Callable[[], T]) -> T:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._inner.read()
                if not data:
                    raise ConnectionResetError("the peer closed the connection") from None
                self._incoming.write(data)
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    await self._flush()  # the alert
                raise
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._inner.write(data)

    async def close(self, *, politely: bool = True) -> None:
        if politely:
            with contextlib.suppress(OSError):
                try:
                    self.tls.unwrap()
                except ssl.SSLWantReadError:  # close_notify is sent, the peer's is not received
                    await self._flush()
        await self._inner.close(politely=politely)


class Replay:
    """A stream that first returns bytes that were already read from `inner`."""

    def __init__(self, inner: Stream, first: bytes) -> None:
        self._inner = inner
        self._first = first

    async def read(self) -> bytes:
        first, self._first = self._first, b""
        return first or await self._inner.read()

    async def write(self, data: bytes) -> None:
        await self._inner.write(data)

    async def close(self, *, politely: bool = True) -> None:
        await self._inner.close(politely=politely)


class Deflate:
    """COMPRESS=DEFLATE (RFC 4978): raw deflate both ways, flushed after each write."""

    def __init__(self, inner: Stream) -> None:
        self._inner = inner
        self._deflate = zlib.compressobj(level=1, wbits=-15)
        self._inflate = zlib.decompressobj(wbits=-15)

    async def read(self) -> bytes:
        while True:
            data = self._inflate.unconsumed_tail or await self._inner.read()
            if not data:
                return b""
            try:
                plain = self._inflate.decompress(data, AT_ONCE)
            except zlib.error:
                return b""
            if plain:
                return plain

    async def write(self, data: bytes) -> None:
        packed = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        await self._inner.write(packed)

    async def close(self, *, politely: bool = True) -> None:
        await self._inner.close(politely=politely)

"""Bytes to and from a server over a transport of asyncio: the counterpart of `streams`.

`read()` and `write()` do not wait; `wait()` does. The event loop reads ahead up to a limit. Nothing
here depends on IMAP.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import Sequence
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, cast

from imaplus.client import forks
from imaplus.client.async_turns import settle
from imaplus.client.children import end_child, start_child
from imaplus.client.endpoints import Connected, Endpoint, Process, Security, Tcp, Tls, UnixSocket
from imaplus.client.handshake import channel_bindings, check_alpn, handshake_error
from imaplus.client.streams import shared
from imaplus.client.unreachable import check_unix_sockets, unreachable
from imaplus.errors import ConnectionLost, StateError, TimedOut

if TYPE_CHECKING:
    from imaplus.client.proxies import Proxy
    from imaplus.sasl.binding import ChannelBinding

READ_AHEAD = 1 << 20
"""Bytes to read ahead before the transport pauses reading."""
BREATH = 0.01
"""Seconds of processing received data before other tasks get their turn."""
OTHER_LOOP = "this client belongs to another event loop: use it there, or connect again in this one"
LOOP_CLOSED = "the event loop that this client belongs to has been closed: connect again"

TOGETHER = 1 << 12
"""Writes shorter than this are collected from all tasks that are ready, then written together."""


class AsyncStream(asyncio.BufferedProtocol):
    """A connection over a transport of asyncio."""

    __slots__ = (
        "_breathed",
        "_child",
        "_chunks",
        "_ended",
        "_error",
        "_forks",
        "_gone",
        "_is_closed",
        "_is_gone",
        "_loop",
        "_read_paused",
        "_rings",
        "_timer",
        "_transport",
        "_unread",
        "_unwritten",
        "_waiters",
        "_write_paused",
        "secure",
    )

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._chunks: list[bytes] = []
        self._unread = 0
        self._unwritten = b""
        self._ended = False
        self._error: Exception | None = None
        self._write_paused = False
        self._read_paused = False
        self._waiters: list[asyncio.Future[bool]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._rings = inf  # when the timer fires
        self._child: subprocess.Popen[bytes] | None = None
        self._breathed = 0.0
        self._forks = forks.forks
        self._loop = asyncio.get_running_loop()
        self._is_closed = False  # by the client
        self._is_gone = False
        self._gone: asyncio.Future[None] | None = None  # awaited by close()
        self.secure: bool = False

    # -- connecting -------------------------------------------------------------------------

    @classmethod
    async def connect(
        cls, endpoint: Endpoint, tls: Tls, timeout: float | None, proxy: Proxy | None = None
    ) -> AsyncStream:
        """Connect, through a proxy if one is given, with TLS if the endpoint has implicit TLS.

        Raises:
            ConnectionLost, TimedOut, TlsFailed: the connection failed.
        """
        match endpoint:
            case Connected(sock, secure):
                return await cls._over(sock, secure=secure)
            case Process(argv):
                ours, child = start_child(argv)
                stream = await cls._over(ours, secure=True)
                stream._child = child
                return stream
            case UnixSocket(path):
                check_unix_sockets("a UNIX socket")
                loop = asyncio.get_running_loop()
                try:
                    async with asyncio.timeout(timeout):
                        _, stream = await loop.create_unix_connection(cls, str(path))
                except OSError as error:
                    raise unreachable(str(path), error, timeout) from error
                stream.secure = True
                return stream
            case Tcp():
                return await cls._connect_tcp(endpoint, tls, timeout, proxy)

    @classmethod
    async def _over(cls, sock: socket.socket, *, secure: bool) -> AsyncStream:
        sock.setblocking(False)
        _, stream = await asyncio.get_running_loop().create_connection(cls, sock=sock)
        stream.secure = secure
        return stream

    @classmethod
    async def _connect_tcp(
        cls, endpoint: Tcp, tls: Tls, timeout: float | None, proxy: Proxy | None
    ) -> AsyncStream:
        """Connect by TCP; asyncio sets TCP_NODELAY."""
        host, port = endpoint.host, endpoint.port_number
        if proxy is not None:
            from imaplus.client.proxying import connect_from_loop

            stream = await cls._over(
                await connect_from_loop(proxy, host, port, timeout), secure=False
            )
        else:
            loop = asyncio.get_running_loop()
            try:
                async with asyncio.timeout(timeout):
                    _, stream = await loop.create_connection(cls, host, port)
            except OSError as error:
                raise unreachable(f"{host}:{port}", error, timeout) from error
        if endpoint.security is Security.TLS:
            try:
                await stream.start_tls(tls, endpoint.host, timeout)
            except BaseException:
                stream._abort()
                raise
        return stream

    async def start_tls(self, tls: Tls, host: str, timeout: float | None) -> None:
        """Negotiate TLS on the connected stream.

        Raises:
            TlsFailed: the handshake failed, or the certificate or protocol is not accepted.
        """
        assert self._transport is not None
        self._write_out()  # what was written before TLS
        context = tls.make_context()
        try:
            async with asyncio.timeout(timeout):
                transport = await asyncio.get_running_loop().start_tls(
                    self._transport, self, context, server_hostname=host
                )
            if transport is None:  # the transport was closed meanwhile
                raise ConnectionResetError("the connection was closed")
            self._transport = transport
            ssl_object = transport.get_extra_info("ssl_object")
            check_alpn(ssl_object.selected_alpn_protocol())
        except (OSError, ValueError) as error:
            raise handshake_error(host, error, timeout) from error
        self.secure = True

    def channel_bindings(self) -> Sequence[ChannelBinding]:
        """Return the channel bindings of this connection: see `handshake.channel_bindings()`."""
        assert self._transport is not None
        return channel_bindings(self._transport.get_extra_info("ssl_object"))

    # -- owner -----------------------------------------------------------------------------

    @property
    def is_foreign(self) -> bool:
        """Whether this is another event loop, or another process, than that of `connect()`."""
        try:
            return self._loop is not asyncio.get_running_loop() or self._forks != forks.forks
        except RuntimeError:  # no loop runs here
            return True

    def check_owner(self) -> None:
        """Refuse to be used from another event loop or another process.

        Raises:
            StateError: this is another event loop, or another process, than that of `connect()`.
        """
        if not self.is_foreign:
            return
        if self._forks != forks.forks:
            raise StateError(forks.FORKED)
        raise StateError(LOOP_CLOSED if self._loop.is_closed() else OTHER_LOOP)

    def let_go(self) -> None:
        """Close the transport from another event loop. Does nothing in a forked process: the
        connection stays open in the process that made it."""
        if self._forks != forks.forks or self._transport is None:
            return
        self._is_closed = True
        try:
            self._loop.call_soon_threadsafe(self._abort)
        except RuntimeError:  # the loop is closed: the transport cannot close
            sock: socket.socket | None = self._transport.get_extra_info("socket")
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    # -- both directions --------------------------------------------------------------------

    def write(self, data: memoryview) -> int:
        """Accept bytes for the transport; return how many.

        Short writes of several tasks are collected, because a system call for each command takes as
        long as the rest of the work for it.
        """
        if self._error is not None or self._transport is None or self._transport.is_closing():
            raise self._make_error()
        if self._write_paused:
            return 0
        if not self._unwritten and len(data) < TOGETHER:
            asyncio.get_running_loop().call_soon(self._write_out)
        self._unwritten += data
        if len(self._unwritten) >= TOGETHER:
            self._write_out()
        return len(data)

    def _write_out(self) -> None:
        data, self._unwritten = self._unwritten, b""
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def read(self) -> bytes | None:
        """Return the bytes received; None if there are none yet, b"" at the end of the stream."""
        if self._chunks:
            data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
            self._chunks.clear()
            self._unread = 0
            if self._read_paused and self._transport is not None:
                self._read_paused = False
                self._transport.resume_reading()
            return data
        if self._error is not None:
            raise self._make_error()
        return b"" if self._ended else None

    async def wait(self, *, read: bool, write: bool, timeout: float | None) -> None:
        """Wait until the stream can be read, or written.

        Raises:
            TimedOut: neither within `timeout` seconds.
        """
        loop = asyncio.get_running_loop()
        ends = inf if timeout is None else loop.time() + timeout
        while not self._is_ready(read=read, write=write):
            waiter: asyncio.Future[bool] = loop.create_future()
            self._waiters.append(waiter)
            if ends < self._rings:
                self._ring_at(ends, loop)
            try:
                if not await waiter and ends <= loop.time():
                    raise TimedOut(f"nothing came for {timeout:.3g} seconds")
            finally:
                self._waiters.remove(waiter)

    def _ring_at(self, when: float, loop: asyncio.AbstractEventLoop) -> None:
        """Set the timer. It is kept between waits: a new one for each takes as long as a read."""
        if self._timer is not None:
            self._timer.cancel()
        self._rings, self._timer = when, loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._rings, self._timer = inf, None
        for waiter in self._waiters:
            settle(waiter, False)  # those with time left set it again

    def _is_ready(self, *, read: bool, write: bool) -> bool:
        if self._ended or self._error is not None:
            return True
        return (read and bool(self._chunks)) or (write and not self._write_paused)

    async def breathe(self) -> None:
        """Yield to other tasks from time to time while received data is processed."""
        if monotonic() - self._breathed > BREATH:
            await asyncio.sleep(0)
            self._breathed = monotonic()

    async def close(self) -> None:
        """Close the transport, and end the child process. Later calls do nothing."""
        self._is_closed = True
        self._write_out()
        self._abort()
        if not self._is_gone:
            self._gone = self._gone or asyncio.get_running_loop().create_future()
            with contextlib.suppress(Exception):
                await asyncio.shield(self._gone)  # concurrent calls share it
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(end_child, child)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _make_error(self) -> ConnectionLost:
        if self._is_closed:
            return ConnectionLost("the connection has been closed")
        if self._error is None:
            return ConnectionLost("the server closed the connection")
        lost = ConnectionLost(f"the connection was lost: {self._error}")
        lost.__cause__ = self._error
        return lost

    # -- called by the transport -----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        # Shared by all streams: asyncio calls buffer_updated() before it reads anything else.
        return shared.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._chunks.append(bytes(shared.buffer[:nbytes]))
        self._unread += nbytes
        if self._unread > READ_AHEAD and self._transport is not None:
            self._read_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return False

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._error = self._error or exc
        self._is_gone = True
        if self._timer is not None:
            self._timer.cancel()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            settle(waiter, True)

"""Bytes to and from a server over a socket, for the sync client.

`read()` and `write()` do not block; `wait()` does. So one thread can read while another one writes.
Nothing here depends on IMAP. The counterpart for asyncio is `async_streams`.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from imaplus.client import forks
from imaplus.client.endpoints import Connected, Endpoint, Process, Security, Tcp, Tls, UnixSocket
from imaplus.client.unreachable import check_unix_sockets, unreachable
from imaplus.errors import ConnectionLost, StateError, TimedOut

if TYPE_CHECKING:  # loaded when used: they take longer than all of imaplus
    import ssl
    import subprocess

    from imaplus.client.proxies import Proxy
    from imaplus.sasl.binding import ChannelBinding

READ_SIZE = 1 << 16
"""Bytes per read: a larger buffer takes longer to allocate than to fill."""
BULK_SIZE = 1 << 17
"""Bytes per read after a read that was full."""


class Shared(threading.local):
    """The buffer for full reads, shared by the streams of a thread.

    Allocating one for each read fragments the heap.
    """

    def __init__(self) -> None:
        # Freeing a block of this size raises M_TRIM_THRESHOLD (mallopt(3)): below it, glibc returns
        # pages after each read, and the system has to clear new ones for the next.
        bytearray(8 * BULK_SIZE)
        # A view, because asyncio slices it under TLS.
        self.buffer: memoryview = memoryview(bytearray(BULK_SIZE))


shared: Final = Shared()

# poll(2) if available, else select(), which takes any socket on Windows.
_Selector: Final[type[selectors.BaseSelector]] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)


class Stream:
    """A non-blocking socket, optionally with TLS, or with a child process at its other end."""

    # What the socket raises instead of blocking, and at an unclean end; TLS adds to these.
    _wants_read: tuple[type[OSError], ...] = (BlockingIOError,)
    _wants_write: tuple[type[OSError], ...] = (BlockingIOError,)
    _ended: tuple[type[OSError], ...] = ()

    def __init__(
        self, sock: socket.socket, *, secure: bool, child: subprocess.Popen[bytes] | None = None
    ) -> None:
        self._socket = sock
        self._socket.setblocking(False)
        self._child = child
        self._in_bulk = False
        self._busy = threading.Lock()  # an SSL object is not thread-safe
        self._tls: ssl.SSLSocket | None = None
        self._closed = False
        self._reading: selectors.BaseSelector | None = None  # for waits that only read
        self._wants_to_write = False  # TLS must write before it can read
        self._forks = forks.forks
        self.secure: bool = secure

    @classmethod
    def connect(
        cls, endpoint: Endpoint, tls: Tls, timeout: float | None, proxy: Proxy | None = None
    ) -> Stream:
        """Connect, through a proxy if one is given, with TLS if the endpoint has implicit TLS.

        Raises:
            ConnectionLost, TimedOut, TlsFailed: the connection failed.
        """
        match endpoint:
            case Connected(sock, secure):
                return cls(sock, secure=secure)
            case Process(argv):
                from imaplus.client.children import start_child

                ours, child = start_child(argv)
                return cls(ours, secure=True, child=child)
            case UnixSocket(path):
                check_unix_sockets("a UNIX socket")
                sock = socket.socket(socket.AF_UNIX)
                try:
                    sock.settimeout(timeout)
                    sock.connect(str(path))
                except OSError as error:
                    sock.close()
                    raise unreachable(str(path), error, timeout) from error
                return cls(sock, secure=True)
            case Tcp():
                return cls._connect_tcp(endpoint, tls, timeout, proxy)

    @classmethod
    def _connect_tcp(
        cls, endpoint: Tcp, tls: Tls, timeout: float | None, proxy: Proxy | None
    ) -> Stream:
        host, port = endpoint.host, endpoint.port_number
        if proxy is not None:
            from imaplus.client.proxying import connect_through

            sock = connect_through(proxy, host, port, timeout)
        else:
            # For a str, Python would load the IDNA codec, even if the name is ASCII.
            name: Any = host.encode() if host.isascii() else host
            try:
                sock = socket.create_connection((name, port), timeout)
            except OSError as error:
                raise unreachable(f"{host}:{port}", error, timeout) from error
        stream = cls(sock, secure=False)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if endpoint.security is Security.TLS:
                stream.start_tls(tls, endpoint.host, timeout)
        except BaseException:
            stream.close()
            raise
        return stream

    def start_tls(self, tls: Tls, host: str, timeout: float | None) -> None:
        """Negotiate TLS on the connected socket.

        Raises:
            TlsFailed: the handshake failed, or the certificate or protocol is not accepted.
        """
        import ssl

        from imaplus.client.handshake import check_alpn, handshake_error

        context = tls.make_context()
        try:
            self._socket.settimeout(timeout)
            self._socket = self._tls = wrapped = context.wrap_socket(
                self._socket, server_hostname=host
            )
            check_alpn(wrapped.selected_alpn_protocol())
        except (OSError, ValueError) as error:
            raise handshake_error(host, error, timeout) from error
        wrapped.setblocking(False)
        self._wants_read = (BlockingIOError, ssl.SSLWantReadError)
        self._wants_write = (ssl.SSLWantWriteError,)
        self._ended = (ssl.SSLEOFError,)
        self.secure = True

    def channel_bindings(self) -> Sequence[ChannelBinding]:
        """Return the channel bindings of this connection: see `handshake.channel_bindings()`."""
        if self._tls is None:
            return ()
        from imaplus.client.handshake import channel_bindings

        return channel_bindings(self._tls)

    # -- owner -----------------------------------------------------------------------------

    @property
    def is_foreign(self) -> bool:
        """Whether this process was forked from the one that connected."""
        return self._forks != forks.forks

    def check_owner(self) -> None:
        """Refuse to be used in a forked process.

        Raises:
            StateError: this process was forked from the one that connected.
        """
        if self._forks != forks.forks:
            raise StateError(forks.FORKED)

    def let_go(self) -> None:
        """Close the socket of this process. The connection stays open in the other process."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.close()

    # -- both directions --------------------------------------------------------------------

    def write(self, data: memoryview) -> int:
        """Write as many bytes as the socket accepts; return how many."""
        with self._busy:
            try:
                return self._socket.send(data)
            except (*self._wants_read, *self._wants_write):
                return 0
            except OSError as error:
                raise self._make_error(error) from error

    def read(self) -> bytes | None:
        """Return the bytes received; None if there are none yet, b"" at the end of the stream."""
        with self._busy:
            try:
                data = self._recv()
            except self._wants_read:
                self._wants_to_write = False
                return None
            except self._wants_write:
                self._wants_to_write = True
                return None
            except self._ended:
                return b""  # closed without close_notify; framing detects truncated responses
            except OSError as error:
                raise self._make_error(error) from error
        self._wants_to_write = False
        return data

    def _recv(self) -> bytes:
        if not self._in_bulk:
            data = self._socket.recv(READ_SIZE)
        else:
            buffer = shared.buffer
            data = bytes(buffer[: self._socket.recv_into(buffer)])
        self._in_bulk = len(data) >= READ_SIZE  # a full read: there is probably more
        return data

    def wait(self, *, read: bool, write: bool, timeout: float | None) -> None:
        """Wait until the stream can be read, or written.

        Raises:
            TimedOut: neither within `timeout` seconds.
        """
        if self._closed:
            raise ConnectionLost("the connection has been closed")
        if read and self._tls is not None and self._tls.pending():
            return
        if not self._select(read, write or self._wants_to_write, timeout):
            raise TimedOut(f"nothing came for {timeout:.3g} seconds")

    def breathe(self) -> None:
        """Do nothing: threads need not yield."""

    def _select(self, read: bool, write: bool, timeout: float | None) -> object:
        """Wait for the socket; return a true value if it is ready, a false one after `timeout`."""
        try:
            if not write:  # one thread at a time waits to read: the selector is kept
                if self._reading is None:
                    self._reading = _Selector()
                    self._reading.register(self._socket.fileno(), selectors.EVENT_READ)
                return self._reading.select(timeout)
            with _Selector() as selector:
                wanted = selectors.EVENT_WRITE | (selectors.EVENT_READ if read else 0)
                selector.register(self._socket.fileno(), wanted)
                return selector.select(timeout)
        except (ValueError, OSError) as error:  # another thread has closed the socket
            raise self._make_error(error) from error

    def close(self) -> None:
        """Close the socket, and end the child process. Later calls do nothing."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()
        if self._child is not None:
            from imaplus.client.children import end_child

            with contextlib.suppress(OSError):
                end_child(self._child)

    def _make_error(self, error: Exception) -> ConnectionLost:
        if self._closed:
            return ConnectionLost("the connection has been closed")
        return ConnectionLost(f"the connection was lost: {error}")

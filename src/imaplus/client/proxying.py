"""Connecting through a proxy, for the sync client and for asyncio.

The handshakes are in `proxies`. One time limit covers the whole of it.
"""

from __future__ import annotations

import socket
from time import monotonic
from typing import TYPE_CHECKING

from imaplus.client.proxies import advance, encode_step
from imaplus.client.unreachable import too_late
from imaplus.errors import ConnectionLost

if TYPE_CHECKING:
    from imaplus.client.proxies import Proxy


def connect_through(proxy: Proxy, host: str, port: int, timeout: float | None) -> socket.socket:
    """Return a socket that a proxy has connected to a server.

    Raises:
        ProxyFailed: the proxy cannot be reached, or refuses to connect.
        TimedOut: it took longer than `timeout` seconds.
    """
    talk = proxy.talk(host, port)
    ends = None if timeout is None else monotonic() + timeout
    try:
        sock = socket.create_connection((proxy.host, proxy.port), timeout)
    except OSError as error:
        raise _unreachable_error(proxy, error, timeout) from error
    try:
        step = advance(talk)
        while step is not None:
            data: bytes | None = None
            if not isinstance(step, int):
                _limit(sock, ends)
                sock.sendall(encode_step(step))
            else:
                data = b""
                while len(data) < step:
                    _limit(sock, ends)
                    data += _more(proxy, sock.recv(step - len(data)))
            step = advance(talk, data)
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError) and not isinstance(error, ConnectionLost):
            raise _lost_error(proxy, error, timeout) from error
        raise
    return sock


def _limit(sock: socket.socket, ends: float | None) -> None:
    if ends is not None:
        left = ends - monotonic()
        if left <= 0:
            raise TimeoutError
        sock.settimeout(left)


async def connect_from_loop(
    proxy: Proxy, host: str, port: int, timeout: float | None
) -> socket.socket:
    """Connect as `connect_through()` does, in an event loop."""
    import asyncio

    talk = proxy.talk(host, port)
    loop = asyncio.get_running_loop()
    sock: socket.socket | None = None
    try:
        async with asyncio.timeout(timeout):
            try:
                sock = await _open(proxy)
            except OSError as error:
                raise _unreachable_error(proxy, error, timeout) from error
            step = advance(talk)
            while step is not None:
                data: bytes | None = None
                if not isinstance(step, int):
                    await loop.sock_sendall(sock, encode_step(step))
                else:
                    data = b""
                    while len(data) < step:
                        data += _more(proxy, await loop.sock_recv(sock, step - len(data)))
                step = advance(talk, data)
    except BaseException as error:
        if sock is not None:
            sock.close()
        if isinstance(error, OSError) and not isinstance(error, ConnectionLost):
            raise _lost_error(proxy, error, timeout) from error
        raise
    return sock


async def _open(proxy: Proxy) -> socket.socket:
    """Connect to the first of the proxy's addresses that answers."""
    import asyncio

    loop = asyncio.get_running_loop()
    failed: OSError | None = None
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        proxy.host, proxy.port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failed = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failed or OSError("it has no address")


def _more(proxy: Proxy, data: bytes) -> bytes:
    if not data:
        raise proxy.make_error("closed the connection")
    return data


def _unreachable_error(proxy: Proxy, error: OSError, timeout: float | None) -> ConnectionLost:
    if isinstance(error, socket.gaierror):
        return proxy.make_error(f"is not known: no such host ({error.strerror})")
    return _make_error(proxy, "cannot be reached", error, timeout)


def _lost_error(proxy: Proxy, error: OSError, timeout: float | None) -> ConnectionLost:
    return _make_error(proxy, "was lost", error, timeout)


def _make_error(proxy: Proxy, what: str, error: OSError, timeout: float | None) -> ConnectionLost:
    if isinstance(error, TimeoutError):
        return too_late(f"the proxy {proxy.url} did not answer", error, timeout)
    return proxy.make_error(f"{what}: {error.strerror or error}")

"""A small proxy: SOCKS5 or HTTP CONNECT, for one server, on a thread for each connection.

It connects to the server that it was made for, whatever name it is asked for, so that tests can
use names that do not exist. What it was asked, and what it is to do wrong, is for the test to say.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from binascii import a2b_base64

HANG = b""
"""As `reply`: nothing is said, and the connection stays open."""


class SmallProxy:
    """`with SmallProxy("socks5", port) as proxy: connect(..., proxy=proxy.url)`."""

    def __init__(
        self,
        kind: str,
        to: int,
        *,
        login: tuple[str, str] | None = None,
        reply: bytes | None = None,
    ) -> None:
        self.kind = kind
        self.asked: list[tuple[str, int]] = []
        """The host and port of each request."""
        self.logins: list[tuple[str, str]] = []
        self._to = to
        self._login = login
        self._reply = reply  # said to whatever comes first, instead of an answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = [self._listener]

    @property
    def url(self) -> str:
        return f"{self.kind}://127.0.0.1:{self.port}"

    def url_for(self, user: str, password: str) -> str:
        return f"{self.kind}://{user}:{password}@127.0.0.1:{self.port}"

    def __enter__(self) -> SmallProxy:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join()

    def _begin(self, function: object, *args: object) -> None:
        thread = threading.Thread(target=function, args=args)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._sockets.append(sock)
                self._begin(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            if self._reply is not None:
                sock.recv(1)
                sock.sendall(self._reply)
                if self._reply != HANG:
                    sock.shutdown(socket.SHUT_WR)
                while sock.recv(1000):
                    pass
                return
            file = sock.makefile("rb", buffering=0)
            if (self._socks5 if self.kind.startswith("socks5") else self._http)(sock, file):
                self._forward(sock)

    def _socks5(self, sock: socket.socket, file: socket.SocketIO) -> bool:
        def read(count: int) -> bytes:
            data = b""
            while len(data) < count:
                data += file.read(count - len(data)) or _ended()
            return data

        version, count = read(2)
        assert version == 5
        methods = read(count)
        if self._login is None:
            sock.sendall(b"\x05\x00")
        elif 2 not in methods:
            sock.sendall(b"\x05\xff")
            return False
        else:
            sock.sendall(b"\x05\x02")
            assert read(1) == b"\x01"
            user = read(read(1)[0]).decode()
            password = read(read(1)[0]).decode()
            self.logins.append((user, password))
            sock.sendall(bytes([1, (user, password) != self._login]))
        assert read(3) == b"\x05\x01\x00"
        kind = read(1)[0]
        if kind == 3:
            host = read(read(1)[0]).decode("ascii")
        elif kind == 1:
            host = socket.inet_ntop(socket.AF_INET, read(4))
        else:
            host = socket.inet_ntop(socket.AF_INET6, read(16))
        self.asked.append((host, int.from_bytes(read(2), "big")))
        sock.sendall(b"\x05\x00\x00\x03\x04here\x00\x01")
        return True

    def _http(self, sock: socket.socket, file: socket.SocketIO) -> bool:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += file.read(1) or _ended()
        first, *fields = head.decode("ascii").split("\r\n")
        method, authority, version = first.split(" ")
        assert (method, version) == ("CONNECT", "HTTP/1.1")
        assert f"Host: {authority}" in fields
        host, _, port = authority.rpartition(":")
        self.asked.append((host.strip("[]"), int(port)))
        given = [field.split(" ")[2] for field in fields if field.startswith("Proxy-Auth")]
        if self._login is not None:
            user, _, password = a2b_base64(given[0]).decode().partition(":") if given else ("",) * 3
            self.logins.append((user, password))
            if (user, password) != self._login:
                sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                return False
        sock.sendall(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 small\r\n\r\n")
        return True

    def _forward(self, sock: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._to))
        self._sockets.append(server)
        self._begin(self._copy, server, sock)
        self._copy(sock, server)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _ended() -> bytes:
    raise EOFError

"""A client of a few lines: raw bytes both ways, so that nothing of imaplus tests itself."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imaplus.testing import Server

Dial = Callable[..., "Talk"]


class Talk:
    """One connection. `talk("NOOP")` gives all that was answered, the tagged line included."""

    def __init__(self, sock: socket.socket, *, greeting: bool = True) -> None:
        self.sock = sock
        self.sock.settimeout(10)
        self.data = b""
        self.count = 0
        self.greeting = self.line() if greeting else b""

    def line(self) -> bytes:
        """The next line, its end with it; what there is at the end of the stream."""
        while b"\n" not in self.data:
            more = self.sock.recv(1 << 16)
            if not more:
                rest, self.data = self.data, b""
                return rest
            self.data += more
        line, end, self.data = self.data.partition(b"\n")
        return line + end

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, tag: bytes) -> bytes:
        """All up to the tagged line."""
        lines = []
        while True:
            lines.append(self.line())
            if lines[-1].startswith((tag + b" ", b"+ ")) or not lines[-1]:
                return b"".join(lines)

    def __call__(self, command: str | bytes) -> bytes:
        self.count += 1
        tag = b"t%d" % self.count
        octets = command.encode() if isinstance(command, str) else command
        self.send(tag + b" " + octets + b"\r\n")
        return self.answer(tag)

    def ok(self, command: str | bytes) -> bytes:
        """The answer, which must end in OK."""
        answer = self(command)
        assert answer.splitlines()[-1].split()[1] == b"OK", answer
        return answer

    def rest(self) -> bytes:
        """All up to the end of the stream."""
        data, self.data = self.data, b""
        try:
            while more := self.sock.recv(1 << 16):
                data += more
        except ConnectionResetError:
            pass
        return data

    def wrap(self, context: ssl.SSLContext) -> None:
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Starts servers, and stops them when the test ends."""
    servers: list[Server] = []

    def make(**options: Any) -> Server:
        server = Server(**options)
        server.start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start()


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Opens connections: `dial(server)` logged in, `dial(server, login=False)` not."""
    talks: list[Talk] = []

    def open_one(
        server: Server,
        *,
        login: bool = True,
        select: str = "",
        enable: str = "",
        greeting: bool = True,
    ) -> Talk:
        talk = Talk(socket.create_connection((server.host, server.port)), greeting=greeting)
        talks.append(talk)
        if login:
            talk.ok(f'LOGIN {server.user} "{server.password}"')
        if enable:
            talk.ok(f"ENABLE {enable}")
        if select:
            talk.ok(f"SELECT {select}")
        return talk

    yield open_one
    for talk in talks:
        talk.sock.close()


def letter(subject: str = "hello", body: str = "world\r\n") -> bytes:
    """A small message."""
    return f"From: Ann <ann@example.org>\r\nSubject: {subject}\r\n\r\n{body}".encode()


@pytest.fixture(name="letter")
def _letter() -> Callable[..., bytes]:
    return letter

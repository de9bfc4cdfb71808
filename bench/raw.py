"""IMAP by hand: the least a client can do, which everything else is measured against.

It knows lines, literals and tags, as far as this benchmark's own commands need them. It keeps
nothing of what it drains, trusts the server, and is no example of how to write a client.
"""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence

BUFFER = 256 * 1024
"""Bytes of the one buffer that everything is read into."""
LONGEST_LAST_LINE = 512
"""Bytes within which the tagged line must fit: how the drain knows its end."""

_LITERAL = re.compile(rb"UID ([0-9]+) [^\n]*\{([0-9]+)\}\r\n")


class Raw:
    """A connection to a server, logged in if a user is given."""

    def __init__(
        self,
        host: str,
        port: int,
        user: str = "",
        password: str = "",
        *,
        tunnel: Sequence[str] = (),
    ) -> None:
        """To a host and port, or to a program that is logged in already."""
        if tunnel:
            self._socket, theirs = socket.socketpair()
            with theirs:
                subprocess.Popen(tunnel, stdin=theirs.fileno(), stdout=theirs.fileno())
            user = ""
        else:
            self._socket = socket.create_connection((host, port), 600)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._view = memoryview(bytearray(BUFFER))
        self._tags = 0
        self._socket.recv_into(self._view)  # the greeting
        if user:
            self.command(f"LOGIN {user} {password}")

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *exception: object) -> None:
        self._socket.close()

    def tag(self) -> bytes:
        """The next one."""
        self._tags += 1
        return b"r%d" % self._tags

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._socket.sendall(data)

    def command(self, text: str) -> int:
        """One command to its end, all answers thrown away; the bytes that came."""
        tag = self.tag()
        self.send(b"%s %s\r\n" % (tag, text.encode()))
        return self.drain(tag)

    def ask(self, text: str) -> bytes:
        """One command to its end; the answers."""
        answers = bytearray()
        tag = self.tag()
        self.send(b"%s %s\r\n" % (tag, text.encode()))
        self.drain(tag, answers.extend)
        return bytes(answers)

    def together(self, texts: Iterable[str]) -> int:
        """Commands written at once; the bytes that answered them."""
        lines = [b"%s %s\r\n" % (self.tag(), text.encode()) for text in texts]
        self.send(b"".join(lines))
        return self.drain(lines[-1].partition(b" ")[0])

    def drain(self, tag: bytes, take: Callable[[memoryview], object] | None = None) -> int:
        """Read until the tagged OK, into one buffer, over and over; the bytes that came.

        `take` is given each piece. Raises RuntimeError when it is not an OK.
        """
        view, recv_into, octets = self._view, self._socket.recv_into, 0
        tail = b"\r\n"
        while True:
            n = recv_into(view)
            if not n:
                raise ConnectionError("the server closed the connection")
            octets += n
            if take is not None:
                take(view[:n])
            tail = (tail + view[max(0, n - LONGEST_LAST_LINE) : n])[-LONGEST_LAST_LINE:]
            if tail.endswith(b"\r\n"):
                last = tail[tail.rfind(b"\r\n", 0, -2) + 2 :]
                if last.startswith(tag + b" "):
                    if not last.startswith(tag + b" OK"):
                        raise RuntimeError(last.decode(errors="replace").strip())
                    return octets

    def bodies(self, text: str) -> Iterator[tuple[int, Iterator[memoryview]]]:
        """UIDs, and the pieces of each one's body, which must be taken before the next."""
        tag = self.tag()
        self.send(b"%s %s\r\n" % (tag, text.encode()))
        pending = b""
        while True:
            while (found := _LITERAL.search(pending)) is None:
                if (b"\r\n" + pending).find(b"\r\n%s OK" % tag) >= 0:
                    return
                n = self._socket.recv_into(self._view)
                pending += self._view[:n]
            rest = pending[found.end() :]
            size = int(found[2])
            pending = rest[size:]
            yield int(found[1]), self._pieces(rest[:size], size)

    def _pieces(self, first: bytes, size: int) -> Iterator[memoryview]:
        if first:
            yield memoryview(first)
        left = size - len(first)
        while left:
            n = self._socket.recv_into(self._view[: min(left, BUFFER)])
            if not n:
                raise ConnectionError("the server closed the connection")
            yield self._view[:n]
            left -= n

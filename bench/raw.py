"""A minimal IMAP client without parsing: the reference for all measurements.

It knows lines, literals and tags, as far as this benchmark's own commands need them. It keeps
nothing of what it drains, trusts the server, and is no example of how to write a client.
"""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence

BUFFER = 256 * 1024
"""Size of the receive buffer in bytes."""
LONGEST_LAST_LINE = 512
"""Maximum size of the tagged line in bytes; the drain searches the last bytes for it."""

_LITERAL = re.compile(rb"UID ([0-9]+) [^\n]*\{([0-9]+)\}\r\n")


class Raw:
    """A connection to a server; it logs in if a user is given."""

    def __init__(
        self,
        host: str,
        port: int,
        user: str = "",
        password: str = "",
        *,
        tunnel: Sequence[str] = (),
    ) -> None:
        """Connect to a host and port, or start a program that greets with PREAUTH."""
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
        """Return the next tag."""
        self._tags += 1
        return b"r%d" % self._tags

    def send(self, data: bytes) -> None:
        """Write bytes unchanged."""
        self._socket.sendall(data)

    def command(self, text: str) -> int:
        """Run one command and discard its responses; return their size in bytes."""
        tag = self.tag()
        self.send(b"%s %s\r\n" % (tag, text.encode()))
        return self.drain(tag)

    def ask(self, text: str) -> bytes:
        """Run one command; return its responses."""
        answers = bytearray()
        tag = self.tag()
        self.send(b"%s %s\r\n" % (tag, text.encode()))
        self.drain(tag, answers.extend)
        return bytes(answers)

    def together(self, texts: Iterable[str]) -> int:
        """Send commands together and discard the responses; return their size in bytes."""
        lines = [b"%s %s\r\n" % (self.tag(), text.encode()) for text in texts]
        self.send(b"".join(lines))
        return self.drain(lines[-1].partition(b" ")[0])

    def drain(self, tag: bytes, take: Callable[[memoryview], object] | None = None) -> int:
        """Read into one buffer until the tagged OK; return the number of bytes.

        `take` is given each piece. Raises RuntimeError when it is not an OK.
        """
        view, recv_into, received = self._view, self._socket.recv_into, 0
        tail = b"\r\n"
        while True:
            n = recv_into(view)
            if not n:
                raise ConnectionError("the server closed the connection")
            received += n
            if take is not None:
                take(view[:n])
            tail = (tail + view[max(0, n - LONGEST_LAST_LINE) : n])[-LONGEST_LAST_LINE:]
            if tail.endswith(b"\r\n"):
                last = tail[tail.rfind(b"\r\n", 0, -2) + 2 :]
                if last.startswith(tag + b" "):
                    if not last.startswith(tag + b" OK"):
                        raise RuntimeError(last.decode(errors="replace").strip())
                    return received

    def bodies(self, text: str) -> Iterator[tuple[int, Iterator[memoryview]]]:
        """Yield UIDs and the pieces of each body, which must be consumed before the next."""
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

"""A server that says what a plan says, whatever it is asked, and remembers every byte it heard.

It knows where a command ends, and nothing of what it means: so two clients that ask the same are
answered the same.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest


def _can_make_certificates() -> bool:
    try:
        import trustme  # noqa: F401
    except ImportError:  # PyPy, where Debian's cryptography is CPython's
        return False
    return True


needs_certificates = pytest.mark.skipif(not _can_make_certificates(), reason="needs trustme")
_LITERAL = re.compile(rb"\{([0-9]+)\+?\}\r\n\Z")


@dataclass(frozen=True)
class Answer:
    """What a command is answered: untagged lines, then a status such as b"OK done"."""

    untagged: tuple[bytes, ...] = ()
    status: bytes = b"OK done"
    refuses_literal: bool = False
    silent: bool = False
    """The command is read, and not answered."""


@dataclass
class ScriptedServer:
    """One conversation. `CAPABILITY` is always answered; other commands take the next answer."""

    answers: Sequence[Answer] = ()
    greeting: bytes = b"* OK ready"
    capabilities: bytes = b"IMAP4rev1 ENABLE IDLE UTF8=ACCEPT ACL QUOTA"
    heard: list[bytes] = field(default_factory=list)
    """The commands, without their tags."""

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """The client's end of a connection."""
        ours, theirs = socket.socketpair()
        theirs.settimeout(10)
        thread = threading.Thread(target=self._serve, args=(theirs,), daemon=True)
        thread.start()
        try:
            yield ours
        finally:
            with suppress(OSError):  # a file over the socket may keep it open
                ours.shutdown(socket.SHUT_RDWR)
            ours.close()
            thread.join(10)

    def client(self, base: Any, sock: socket.socket) -> Any:
        """An instance of IMAP4 that talks over this socket."""

        class Client(base):
            def _create_socket(self, timeout: float | None) -> socket.socket:
                return sock

        return Client("server")

    def _serve(self, sock: socket.socket) -> None:
        answers = iter(self.answers)
        with sock, sock.makefile("rb") as incoming:
            try:
                sock.sendall(self.greeting + b"\r\n")
                while line := incoming.readline():
                    self._answer(sock, incoming, line, answers)
            except OSError:
                pass  # the client has gone

    def _answer(self, sock: socket.socket, incoming: Any, line: bytes, answers: Any) -> None:
        tag, _, command = line.partition(b" ")
        if command == b"CAPABILITY\r\n":
            self.heard.append(command)
            sock.sendall(b"* CAPABILITY %b\r\n%b OK done\r\n" % (self.capabilities, tag))
            return
        answer = next(answers, Answer())
        if answer.silent:
            return
        if command.startswith(b"AUTHENTICATE"):
            sock.sendall(b"+ Y2hhbGxlbmdl\r\n")
            command += incoming.readline()
        line = command
        while found := _LITERAL.search(line):
            if answer.refuses_literal:
                self.heard.append(command)
                sock.sendall(tag + b" NO not now\r\n")
                return
            sock.sendall(b"+ go on\r\n")
            literal, line = incoming.read(int(found[1])), incoming.readline()
            command += literal + line
        self.heard.append(command)
        lines = (*answer.untagged, tag + b" " + answer.status)
        sock.sendall(b"".join(each + b"\r\n" for each in lines))

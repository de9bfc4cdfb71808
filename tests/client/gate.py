"""A proxy that holds a server's answers back until enough commands have come: no clock decides.

If a client waited for one answer before it sent the next command, the gate would stay shut, and
the client's own time-out would fail the test.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading

from imaplus.endpoints import Connected
from imaplus.testing import Server

TAGGED = re.compile(rb"(?m)^[0-9A-F]{4}-[0-9]+ ")


class Gate:
    """Between one client and a server: `with Gate(server) as gate: connect(gate.endpoint, ...)`."""

    def __init__(self, server: Server) -> None:
        ours, self._client = socket.socketpair()
        self.endpoint = Connected(ours, secure=True)
        self._server = socket.create_connection((server.host, server.port))
        self._open = threading.Event()
        self._open.set()
        self._wanted = 0
        self.commands = 0
        """Commands that have come since `hold()`."""
        self._threads = [
            threading.Thread(target=self._outwards),
            threading.Thread(target=self._inwards),
        ]

    def hold(self, commands: int) -> None:
        """From now on the client hears nothing until it has sent so many commands."""
        self._open.clear()
        self.commands = 0
        self._wanted = commands

    def _outwards(self) -> None:
        while data := self._receive(self._client):
            self.commands += len(TAGGED.findall(data))
            if self.commands >= self._wanted:
                self._open.set()
            self._server.sendall(data)
        self._shut(self._server)

    def _inwards(self) -> None:
        while data := self._receive(self._server):
            self._open.wait(10)
            try:
                self._client.sendall(data)
            except OSError:
                break
        self._shut(self._client)

    def _receive(self, sock: socket.socket) -> bytes:
        try:
            return sock.recv(1 << 16)
        except OSError:
            return b""

    def _shut(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Gate:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.set()
        self._shut(self._client)
        for thread in self._threads:
            thread.join()
        self._client.close()
        self._server.close()

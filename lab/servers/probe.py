"""A minimal IMAP client, to check that a server is ready and which capabilities it has.

It is not imaplus, on purpose: the lab must not depend on what it helps to test.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from pathlib import Path

from .machine import HOST, PASSWORD, LabError

TIMEOUT = 5.0  # seconds for one answer of a server on this machine


class Probe:
    """One connection to a server of the lab.

    Raises: OSError or LabError, here and in every method, when the server is not there.
    """

    def __init__(self, port: int, ca: Path | None = None, *, implicit_tls: bool = False):
        self._socket = socket.create_connection((HOST, port), TIMEOUT)
        self._ca = ca
        self._count = 0
        if implicit_tls:
            self._secure()
        self._file = self._socket.makefile("rb")
        self.greeting = self._line()
        if not self.greeting.startswith(("* OK", "* PREAUTH")):
            raise LabError(f"port {port}: {self.greeting!r}")

    def command(self, text: str) -> list[str]:
        """Send one command; return its untagged lines and the tagged OK."""
        self._count += 1
        tag = f"p{self._count}"
        self._socket.sendall(f"{tag} {text}\r\n".encode())
        lines = []
        while True:
            lines.append(line := self._line())
            if line.startswith(f"{tag} "):
                if not line.startswith(f"{tag} OK"):
                    raise LabError(f"{text!r}: {line}")
                return lines

    def capability(self) -> list[str]:
        """Return the capabilities in the current state."""
        for line in self.command("CAPABILITY"):
            if line.upper().startswith("* CAPABILITY "):
                return line.split()[2:]
        return []

    def starttls(self) -> None:
        """Switch to TLS and verify the server's certificate."""
        self.command("STARTTLS")
        self._secure()
        self._file = self._socket.makefile("rb")

    def login(self, user: str, password: str = PASSWORD) -> None:
        """Log in as one of the lab's users."""
        self.command(f"LOGIN {user} {password}")

    def close(self) -> None:
        """Log out, ignoring errors."""
        with contextlib.suppress(OSError, LabError):
            self.command("LOGOUT")
        self._file.close()
        self._socket.close()

    def _secure(self) -> None:
        context = ssl.create_default_context(cafile=self._ca)
        self._socket = context.wrap_socket(self._socket, server_hostname="localhost")

    def _line(self) -> str:
        line = self._file.readline()
        if not line:
            raise ConnectionResetError("connection closed")
        while literal := re.search(rb"\{(\d+)\}\r\n$", line):  # the response continues
            line += self._file.read(int(literal[1])) + self._file.readline()
        return line.decode("utf-8", "replace").rstrip("\r\n")

"""Servers that run as child processes, with IMAP on standard input and output."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence

from imaplus.client.unreachable import check_unix_sockets, unreachable

ENDING = 5.0
"""Seconds that a child process may take to end after its input was closed."""


def start_child(argv: Sequence[str]) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Run a program with a socket as its standard input and output; return the other end.

    Raises:
        ConnectionLost: the program cannot be run.
        InvalidArgument: the system has no UNIX sockets.
    """
    check_unix_sockets("a child process")
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            child = subprocess.Popen(list(argv), stdin=theirs.fileno(), stdout=theirs.fileno())
        except (OSError, ValueError, IndexError) as error:
            ours.close()
            raise unreachable(argv[0] if argv else "a program without a name", error) from error
    return ours, child


def end_child(child: subprocess.Popen[bytes]) -> None:
    """Wait for a child process to end, and kill it after `ENDING` seconds."""
    try:
        child.wait(ENDING)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()

"""Servers that are child processes, speaking IMAP on their standard input and output."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence

from imaplus.client.unreachable import insist_on_posix, unreachable

ENDING = 5.0
"""Seconds that a child process has to end by itself once its input has."""


def start_child(argv: Sequence[str]) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Run a program whose standard input and output are the other end of a socket.

    Raises:
        ConnectionLost: it cannot be run.
        InvalidArgument: not on this system, where a socket is no standard input.
    """
    insist_on_posix("a child process")
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

"""What both kinds of stream need to connect: child processes, and errors that say what to do."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Sequence

from imaplus.client.endpoints import ALPN
from imaplus.errors import ConnectionLost, TimedOut, TlsFailed

ENDING = 5.0
"""Seconds that a child process has to end by itself once its input has."""


def start_child(argv: Sequence[str]) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Run a program whose standard input and output are the other end of a socket.

    Raises:
        ConnectionLost: it cannot be run.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            child = subprocess.Popen(list(argv), stdin=theirs.fileno(), stdout=theirs.fileno())
        except (OSError, ValueError, IndexError) as error:
            ours.close()
            raise unreachable(argv[0] if argv else "a program without a name", error) from error
    return ours, child


def end_child(child: subprocess.Popen[bytes]) -> None:
    """Let a child process end by itself, or end it."""
    try:
        child.wait(ENDING)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def check_alpn(selected: str | None) -> None:
    """Refuse a server that says it speaks something else (ALPACA; RFC 7301, 3.2)."""
    if selected not in (None, ALPN):
        raise ssl.SSLError(f"the server speaks {selected!r}, not {ALPN!r}")


def tls_failed(host: str, error: Exception) -> ConnectionLost:
    """The error for a handshake that failed."""
    if isinstance(error, TimeoutError):
        return TimedOut(f"{host} did not finish the TLS handshake in time")
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed(f"the certificate of {host} is not accepted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return TlsFailed(f"TLS with {host} failed: {getattr(error, 'reason', None) or error}")
    return TlsFailed(f"TLS with {host} failed: {str(error) or 'the connection was closed'}")


def unreachable(what: str, error: Exception) -> ConnectionLost:
    """The error for a server that cannot be connected to."""
    if isinstance(error, TimeoutError):
        return TimedOut(f"{what} did not answer in time")
    if isinstance(error, socket.gaierror):
        return ConnectionLost(f"{what}: no such host ({error.strerror})")
    if isinstance(error, OSError) and error.strerror:
        return ConnectionLost(f"cannot connect to {what}: {error.strerror}")
    return ConnectionLost(f"cannot connect to {what}: {error}")

"""Errors for servers that cannot be connected to."""

from __future__ import annotations

import socket

from imaplus.errors import ConnectionLost, InvalidArgument, TimedOut


def check_unix_sockets(what: str) -> None:
    """Refuse an endpoint that needs UNIX sockets on systems without them, such as Windows.

    Raises:
        InvalidArgument: the system has no UNIX sockets.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise InvalidArgument(f"cannot connect to {what} on this system: use Tcp(...)")


def too_late(what: str, error: Exception, timeout: float | None) -> TimedOut:
    """The error for a time-out: ours after `timeout` seconds, or one of the system."""
    if timeout is None or (isinstance(error, OSError) and error.errno is not None):
        return TimedOut(f"{what} in time")
    return TimedOut(f"{what} within {timeout:g} seconds")


def unreachable(what: str, error: Exception, timeout: float | None = None) -> ConnectionLost:
    """The error for a server that cannot be connected to. `timeout` is the limit in seconds."""
    # BlockingIOError: no time was left, so that the socket did not block at all.
    if isinstance(error, (TimeoutError, BlockingIOError)):
        return too_late(f"{what} did not answer", error, timeout)
    if isinstance(error, socket.gaierror):
        return ConnectionLost(f"{what}: no such host ({error.strerror})")
    if isinstance(error, OSError) and error.strerror:
        return ConnectionLost(f"cannot connect to {what}: {error.strerror}")
    return ConnectionLost(f"cannot connect to {what}: {error}")

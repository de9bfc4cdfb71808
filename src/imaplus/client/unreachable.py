"""Errors that say what is wrong with a server that cannot be connected to."""

from __future__ import annotations

import socket

from imaplus.errors import ConnectionLost, InvalidArgument, TimedOut


def insist_on_posix(what: str) -> None:
    """Refuse an endpoint that needs UNIX sockets, where there are none: on Windows.

    Raises:
        InvalidArgument: there are none.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise InvalidArgument(f"{what} cannot be connected to on this system: use Tcp(...)")


def too_late(what: str, error: Exception, timeout: float | None) -> TimedOut:
    """The error for what was not over in time: in `timeout` seconds, or sooner for the system."""
    if timeout is None or (isinstance(error, OSError) and error.errno is not None):
        return TimedOut(f"{what} in time")
    return TimedOut(f"{what} within {timeout:g} seconds")


def unreachable(what: str, error: Exception, timeout: float | None = None) -> ConnectionLost:
    """The error for a server that cannot be connected to, `timeout` being the seconds it had."""
    # BlockingIOError: no time was left, so that the socket did not block at all.
    if isinstance(error, (TimeoutError, BlockingIOError)):
        return too_late(f"{what} did not answer", error, timeout)
    if isinstance(error, socket.gaierror):
        return ConnectionLost(f"{what}: no such host ({error.strerror})")
    if isinstance(error, OSError) and error.strerror:
        return ConnectionLost(f"cannot connect to {what}: {error.strerror}")
    return ConnectionLost(f"cannot connect to {what}: {error}")

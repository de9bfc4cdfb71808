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


def unreachable(what: str, error: Exception) -> ConnectionLost:
    """The error for a server that cannot be connected to."""
    if isinstance(error, TimeoutError):
        return TimedOut(f"{what} did not answer in time")
    if isinstance(error, socket.gaierror):
        return ConnectionLost(f"{what}: no such host ({error.strerror})")
    if isinstance(error, OSError) and error.strerror:
        return ConnectionLost(f"cannot connect to {what}: {error.strerror}")
    return ConnectionLost(f"cannot connect to {what}: {error}")

"""Errors that say what is wrong with a server that cannot be connected to."""

from __future__ import annotations

import socket

from imaplus.errors import ConnectionLost, TimedOut


def unreachable(what: str, error: Exception) -> ConnectionLost:
    """The error for a server that cannot be connected to."""
    if isinstance(error, TimeoutError):
        return TimedOut(f"{what} did not answer in time")
    if isinstance(error, socket.gaierror):
        return ConnectionLost(f"{what}: no such host ({error.strerror})")
    if isinstance(error, OSError) and error.strerror:
        return ConnectionLost(f"cannot connect to {what}: {error.strerror}")
    return ConnectionLost(f"cannot connect to {what}: {error}")

"""Commands that a session can do without."""

from __future__ import annotations

from typing import TypeVar

from imaplus.errors import AuthenticationFailed, CommandError
from imaplus.protocol.command import Command, Flow

T = TypeVar("T")


def if_granted(command: Command[T]) -> Flow[T | None]:
    """The result of a command, or None if the server says NO or BAD (quirk 84).

    Raises:
        AuthenticationFailed: it says that nobody has logged in.
    """
    try:
        result: T = yield from command
    except AuthenticationFailed:
        raise
    except CommandError:
        return None
    return result

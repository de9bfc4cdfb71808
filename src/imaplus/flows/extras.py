"""Optional commands, whose refusal does not matter."""

from __future__ import annotations

from typing import TypeVar

from imaplus.errors import AuthenticationFailed, CommandError
from imaplus.protocol.command import Command
from imaplus.protocol.flow import Flow

T = TypeVar("T")


def is_login_failure(error: object) -> bool:
    """Whether an answer says that the login has failed after all (quirk 26). A response code, even
    one that is about logging in, refuses the command alone."""
    return isinstance(error, AuthenticationFailed) and error.code is None


def ask_for(command: Command[T]) -> Flow[T | None]:
    """The result of a command, or None if the server says NO or BAD (quirk 84).

    Raises:
        AuthenticationFailed: the server says that the login has failed.
    """
    try:
        result: T = yield from command
    except CommandError as error:
        if is_login_failure(error):
            raise
        return None
    return result

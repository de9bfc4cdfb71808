"""Flow: a generator that needs several commands, and the steps that it may yield.

A flow does no I/O: whoever runs it carries out each step and sends the result back in. No
particular command is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from imaplus.errors import CommandError
from imaplus.protocol.command import Command

T = TypeVar("T")


class Together:
    """Several commands, sent at once without waiting for each other (pipelining).

    The flow is sent the list of their results, where a command that failed has its CommandError.
    `results()` raises the first of these errors instead.
    """

    __slots__ = ("commands",)

    def __init__(self, *commands: Command[Any]) -> None:
        self.commands: tuple[Command[Any], ...] = commands

    def __iter__(self) -> Generator[Together, list[Any], list[Any]]:
        return (yield self)

    def results(self) -> Generator[Together, list[Any], list[Any]]:
        """The list of results.

        Raises:
            CommandError: a command failed; the first error, in the order of the commands.
        """
        found = yield self
        for each in found:
            if isinstance(each, CommandError):
                raise each
        return found


class Ahead(Together):
    """A command, and others sent right after it that rely on its success (`Command.follows()`).

    If the first fails, the flow is sent its error and the answers to the others are ignored. If it
    succeeds, the flow is sent the results of all, as from `Together`.
    """

    __slots__ = ()


class Handshake:
    """A request to negotiate TLS on the stream now. The flow is sent None."""

    __slots__ = ()

    def __iter__(self) -> Generator[Handshake, None, None]:
        yield self


class Ask:
    """A request to call a function of the user's, and to await what it returns if it is awaitable.

    The flow is sent the result, or the exception is raised in it.
    """

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], object]) -> None:
        self.function: Callable[[], object] = function

    def __iter__(self) -> Generator[Ask, Any, Any]:
        return (yield self)


Step = Command[Any] | Together | Handshake | Ask
"""What a flow yields: a command, several at once, a request for TLS, or a call to make."""
Flow = Generator[Step, Any, T]
"""A generator of commands: it yields each, is sent its result, and returns a result of its own."""

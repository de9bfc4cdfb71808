"""The registry of commands: the function of each, its states and its capabilities.

The `commands_*` modules fill it at import. A command function reads its arguments from a cursor,
sends responses through the session, and raises No or Bad to refuse.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from imaplus.records import record

if TYPE_CHECKING:
    from imaplus.testing.session import Session
    from imaplus.wire.cursor import Cursor


class State(enum.Enum):
    """The states of RFC 9051, 3."""

    NOT_AUTHENTICATED = 1
    AUTHENTICATED = 2
    SELECTED = 3
    LOGOUT = 4


ANY: Final = frozenset({State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED})
LOGGED_OUT: Final = frozenset({State.NOT_AUTHENTICATED})
LOGGED_IN: Final = frozenset({State.AUTHENTICATED, State.SELECTED})
SELECTED: Final = frozenset({State.SELECTED})


class No(Exception):
    """Raised by a command function to answer NO."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class Bad(Exception):
    """Raised by a command function to answer BAD."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class Ok(NamedTuple):
    """Returned by a command function to answer OK, with an optional code and text."""

    code: str = ""
    text: str = ""


Run = Callable[["Session", "Cursor"], Awaitable[Ok | None]]


@record
class Handler:
    """The function of a command and when it may be called."""

    run: Run
    states: frozenset[State]
    requires: tuple[str, ...]
    """Capabilities of which the personality must have one."""
    hides_expunges: bool
    """During this command no EXPUNGE may be sent (RFC 9051, 7.5.1)."""


COMMANDS: Final[dict[str, Handler]] = {}


def command(
    name: str,
    *,
    states: frozenset[State],
    requires: tuple[str, ...] = (),
    hides_expunges: bool = False,
) -> Callable[[Run], Run]:
    """Register the function for a command; `UID FETCH` is a separate name."""

    def register(run: Run) -> Run:
        COMMANDS[name] = Handler(run, states, requires, hides_expunges)
        return run

    return register

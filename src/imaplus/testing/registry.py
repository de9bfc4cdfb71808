"""Which function carries out which command, in which state, under which capability.

Filled at import by the `commands_*` modules and never changed later. A command function reads its
arguments from a cursor, answers through the session, and says no by raising.
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
    """The tagged answer is NO."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class Bad(Exception):
    """The tagged answer is BAD."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class Ok(NamedTuple):
    """The tagged answer is OK, with a code or words of the command's own."""

    code: str = ""
    text: str = ""


Run = Callable[["Session", "Cursor"], Awaitable[Ok | None]]


@record
class Handler:
    """A command's function and when it may be called."""

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
    """Register the function for a command; `UID FETCH` is a name of its own."""

    def register(run: Run) -> Run:
        COMMANDS[name] = Handler(run, states, requires, hides_expunges)
        return run

    return register

"""How a run ends: the exit codes, and an error as the user meets it.

It prints nothing, and does not know which error means what: `explain` does, which is loaded when
there is one.
"""

from __future__ import annotations

import enum

from imaplus.records import record

AGAIN = "Run the same command again: it fetches what is still missing."
"""What is true of a backup, whatever ended it."""


class Exit(enum.IntEnum):
    """The exit codes; scripts rely on them, so they never change their meaning."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    NOT_FOUND = 3
    AUTHENTICATION = 4
    TEMPORARY = 5  # the network, or a server that is busy: the same command may work later
    REFUSED = 6  # the server declined, or its TLS certificate was: somebody has to act
    PARTIAL = 7
    CAP = 8
    NOTHING = 9
    MISMATCH = 10
    INTERRUPTED = 130


@record
class Failure:
    """An error as the user meets it. `server` is what the server said, word for word."""

    exit: Exit
    message: str
    hint: str = ""
    server: str | None = None

    @property
    def retryable(self) -> bool:
        """Whether the same command may succeed later, with nobody having changed anything."""
        return self.exit in (Exit.TEMPORARY, Exit.INTERRUPTED)

    def as_json(self) -> dict[str, object]:
        """The members of the object `error`: documented, and stable."""
        return {
            "code": self.exit.name.lower(),
            "exit": int(self.exit),
            "message": self.message,
            "hint": self.hint,
            "server": self.server,
            "retryable": self.retryable,
        }


class Stop(Exception):
    """The command line itself ends the run: a wrong argument, a missing secret, a lost bet."""

    def __init__(self, exit: Exit, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.failure: Failure = Failure(exit, message, hint)

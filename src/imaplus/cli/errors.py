"""Exit codes, and errors as they are shown to the user. `explain` maps exceptions to them."""

from __future__ import annotations

import enum

from imaplus.records import record

AGAIN = "Run the same command again: it fetches what is still missing."
"""The hint for a backup that ended early."""


class Exit(enum.IntEnum):
    """The exit codes. Scripts rely on them: never change a meaning."""

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
    """An error as it is shown to the user. `server` is the server's line."""

    exit: Exit
    message: str
    hint: str = ""
    server: str | None = None

    @property
    def retryable(self) -> bool:
        """Whether the same command may succeed later without a change."""
        return self.exit in (Exit.TEMPORARY, Exit.INTERRUPTED)

    def as_json(self) -> dict[str, object]:
        """Return the members of the JSON object `error`; documented and stable."""
        return {
            "code": self.exit.name.lower(),
            "exit": int(self.exit),
            "message": self.message,
            "hint": self.hint,
            "server": self.server,
            "retryable": self.retryable,
        }


class Stop(Exception):
    """The command line ends the run: a wrong argument, a missing secret."""

    def __init__(self, exit: Exit, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.failure: Failure = Failure(exit, message, hint)

"""How a run reports its progress, and how it is told to stop: protocols and their empty forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

ShouldStop = Callable[[], object]
"""Called after each message; true ends the run, with everything kept that has come."""


class Progress(Protocol):
    """Receives the progress of a run."""

    def plan(
        self, *, mailboxes: int, messages: int | None = None, octets: int | None = None
    ) -> None:
        """Set the size of the whole run, as far as it is known; called again when more is known."""

    def begin(self, title: str) -> None:
        """Begin a mailbox or another step; the one before is over."""

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """Count what has been done since the last call: nothing while the run waits."""

    def skip(self, mailboxes: int = 1, messages: int = 0, octets: int = 0) -> None:
        """Take from the plan what needs no work."""


class NoProgress:
    """Progress that nobody follows."""

    def plan(
        self, *, mailboxes: int, messages: int | None = None, octets: int | None = None
    ) -> None:
        """Do nothing."""

    def begin(self, title: str) -> None:
        """Do nothing."""

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """Do nothing."""

    def skip(self, mailboxes: int = 1, messages: int = 0, octets: int = 0) -> None:
        """Do nothing."""


def never() -> bool:
    """Let the run go on."""
    return False

"""How a run reports its progress and checks whether to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

ShouldStop = Callable[[], object]
"""Called after each message; true ends the run, and keeps the fetched messages."""


class Progress(Protocol):
    """Receives the progress of a run. `octets` are sizes in bytes."""

    def plan(
        self, *, mailboxes: int, messages: int | None = None, octets: int | None = None
    ) -> None:
        """Set the totals of the run, as far as they are known; may be called again."""

    def begin(self, title: str) -> None:
        """Begin a mailbox or another step, and end the previous one."""

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """Add to what is done. Called with zeros while the run waits to reconnect."""

    def skip(self, mailboxes: int = 1, messages: int = 0, octets: int = 0) -> None:
        """Subtract from the totals what needs no work."""


class NoProgress:
    """Discards the progress."""

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
    """Return False: the run is not to stop."""
    return False

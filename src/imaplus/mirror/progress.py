"""How far a run is: whoever works tells it, and whoever watches asks to stop.

Protocols, and what stands in where nobody watches. Nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

ShouldStop = Callable[[], object]
"""Asked after each message: whether to save the place and end."""


class Progress(Protocol):
    """Whoever wants to know how far the work is."""

    def plan(
        self, *, mailboxes: int, messages: int | None = None, octets: int | None = None
    ) -> None:
        """The size of the whole run, as far as it is known; called again when more is known."""

    def begin(self, title: str) -> None:
        """A mailbox, or another step, is begun; the one before is over."""

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """This much more has been done."""

    def skip(self, mailboxes: int = 1, messages: int = 0, octets: int = 0) -> None:
        """This much of the plan needs no work."""


class NoProgress:
    """Nobody wants to know."""

    def plan(
        self, *, mailboxes: int, messages: int | None = None, octets: int | None = None
    ) -> None:
        """Tell nobody."""

    def begin(self, title: str) -> None:
        """Tell nobody."""

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """Tell nobody."""

    def skip(self, mailboxes: int = 1, messages: int = 0, octets: int = 0) -> None:
        """Tell nobody."""


def never() -> bool:
    """Nobody ever stops the run."""
    return False

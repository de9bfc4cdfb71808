"""What a run over a mailbox tells: while it works, and when it is over.

Values, and the protocol of a progress bar. Nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from imaplus.records import record

ShouldStop = Callable[[], object]
"""Asked after each message: whether to save the place and end."""


class Progress(Protocol):
    """Whoever wants to know how far the work is."""

    def begin(self, title: str, messages: int | None = None, octets: int | None = None) -> None:
        """Something new is begun, of this size as far as it is known."""

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """This much more has been done."""


class NoProgress:
    """Nobody wants to know."""

    def begin(self, title: str, messages: int | None = None, octets: int | None = None) -> None:
        """Tell nobody."""

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """Tell nobody."""


def never() -> bool:
    """Nobody ever stops the run."""
    return False


@record
class Problem:
    """What is wrong with one message, with a mailbox (`uid` None) or the store (both None)."""

    mailbox: str | None
    uid: int | None
    problem: str


@record
class BackupReport:
    """What a backup did, or would do.

    `messages` are those that the mirror now has of the `mailboxes`, `fetched` and `octets` what was
    new. What is among the `failures` is tried again by the next run. After `interrupted`, so is
    the rest.
    """

    mailboxes: int
    messages: int
    fetched: int
    octets: int
    flags_changed: int
    vanished: int
    failures: tuple[Problem, ...]
    interrupted: bool


@record
class VerifyReport:
    """What is wrong with a mirror, if anything; of how many mailboxes, messages and octets."""

    mailboxes: int
    messages: int
    octets: int
    problems: tuple[Problem, ...]
    interrupted: bool

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong, as far as was looked."""
        return not self.problems

"""What a run over a mailbox tells when it is over: values.

While it works, it tells `progress`.
"""

from __future__ import annotations

from imaplus.mirror.progress import NoProgress, Progress, ShouldStop, never
from imaplus.records import record

__all__ = [
    "BackupReport",
    "NoProgress",
    "Problem",
    "Progress",
    "ShouldStop",
    "VerifyReport",
    "never",
]


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

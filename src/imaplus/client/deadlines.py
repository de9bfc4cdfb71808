"""By when something must be over."""

from __future__ import annotations


class Deadline:
    """A moment of the monotonic clock, and how many seconds there were until then."""

    __slots__ = ("at", "seconds")

    def __init__(self, seconds: float, now: float) -> None:
        self.seconds: float = seconds
        self.at: float = now + seconds


def deadline_in(seconds: float | None, now: float) -> Deadline | None:
    """A deadline so many seconds from now; None if there is none."""
    return None if seconds is None else Deadline(seconds, now)

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


def time_left(deadline: Deadline | None, now: float) -> float | None:
    """Seconds until a deadline, at least 0; None if there is none."""
    return None if deadline is None else max(0.0, deadline.at - now)


def least(one: float | None, other: float | None) -> float | None:
    """The shorter of two times; None stands for ever."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)

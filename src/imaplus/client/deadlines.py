"""Deadlines on the monotonic clock."""

from __future__ import annotations


class Deadline:
    """A moment of the monotonic clock, `at`, and the seconds from its creation until then."""

    __slots__ = ("at", "seconds")

    def __init__(self, seconds: float, now: float) -> None:
        self.seconds: float = seconds
        self.at: float = now + seconds


def deadline_in(seconds: float | None, now: float) -> Deadline | None:
    """Return a deadline in `seconds` from now; None for no limit."""
    return None if seconds is None else Deadline(seconds, now)


def time_left(deadline: Deadline | None, now: float) -> float | None:
    """Return the seconds until a deadline, at least 0; None for no limit."""
    return None if deadline is None else max(0.0, deadline.at - now)


def least(one: float | None, other: float | None) -> float | None:
    """Return the shorter of two limits; None is no limit."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)

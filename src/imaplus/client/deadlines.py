"""By when something must be over."""

from __future__ import annotations

from time import monotonic as now


class Deadline:
    """A moment, and how many seconds there were until then."""

    __slots__ = ("_at", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = now() + seconds

    def left(self) -> float:
        """Seconds that are left; none or fewer when it has passed."""
        return self._at - now()


def deadline_in(seconds: float | None) -> Deadline | None:
    """A deadline from now on; None for those who wait for ever."""
    return None if seconds is None else Deadline(seconds)

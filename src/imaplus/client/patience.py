"""Limits of a wait for an answer: a deadline, or progress of the server.

The caller passes the time and the connection's counters: no clock, no I/O. `endpoints.Timeouts`
documents the limits for users.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from imaplus.client.deadlines import Deadline
from imaplus.client.endpoints import Timeouts
from imaplus.errors import TimedOut
from imaplus.protocol.progress import Progress

IN_PROGRESS: Final = 86_400.0
"""Seconds for which [INPROGRESS] alone counts as progress."""
UNFINISHED: Final = 1 << 10
"""Bytes of an incomplete response that extend the wait by a second: which command it answers is
unknown until it is complete. The longest (`Limits.text`) extends it by four and a half hours."""


class Patience:
    """The limits of one wait. Call `left()` before each step."""

    __slots__ = (
        "_bytes",
        "_deadline",
        "_easy_until",
        "_ends",
        "_in_progress",
        "_limit",
        "_progress",
        "_silence",
        "_since",
        "_slowest",
        "_steps",
        "_waits_for",
    )

    def __init__(
        self,
        timeouts: Timeouts,
        progress: Progress,
        deadline: Deadline | None,
        now: float,
        waits_for: Callable[[], str | None],
    ) -> None:
        """`waits_for` returns the name of the command that is waited for, None for the greeting."""
        self._waits_for = waits_for
        self._deadline = deadline
        self._silence = timeouts.silence
        self._limit = timeouts.command if deadline is None else None
        self._progress = progress
        if self._limit is not None:
            self._ends = now + self._limit
            self._slowest = timeouts.slowest
            self._bytes, self._steps = progress.octets + progress.written, progress.steps
            self._in_progress = progress.in_progress
            self._since = now  # time of the latest progress other than [INPROGRESS]
        else:
            self._ends = inf if deadline is None else deadline.at
        # Until then only silence matters: most waits are that short.
        self._easy_until = self._ends - (inf if self._silence is None else self._silence)

    def left(self, now: float) -> float | None:
        """Return the seconds to wait for the next byte; None for no limit.

        Raises:
            TimedOut: the wait has reached its limit.
        """
        if now < self._easy_until or self._ends == inf:
            return self._silence
        if self._limit is not None:
            self._look(self._limit, now)
        left = self._ends - now
        if self._limit is not None:
            left += self._progress.unfinished / UNFINISHED
        if left <= 0:
            raise self.make_error()
        return left if self._silence is None else min(left, self._silence)

    def is_over(self, now: float) -> bool:
        """Whether the wait has reached its deadline, or its limit without progress."""
        return now >= self._ends

    def make_error(self) -> TimedOut:
        """Make the error for a wait that has reached its deadline, or its limit."""
        what = self._waits_for()
        seconds = self._limit if self._deadline is None else self._deadline.seconds
        if what is None:
            return TimedOut(f"no greeting came within {seconds:g} seconds")
        if self._deadline is not None:
            return TimedOut(f"{what} was not over within the deadline of {seconds:g} seconds")
        return TimedOut(f"{what} was not over in time: no progress for {seconds:g} seconds")

    def silence_error(self, seconds: float | None, now: float) -> TimedOut:
        """Make the error for a wait of `seconds`, as returned by `left()`, without a byte.

        Timers may fire early, so `is_over(now)` alone does not tell which limit was reached.
        """
        if seconds != self._silence or self.is_over(now):
            return self.make_error()
        what = "nothing came for" if self._waits_for() else "no greeting came within"
        return TimedOut(f"{what} {seconds:g} seconds")

    def _look(self, limit: float, now: float) -> None:
        """Extend the wait by the progress since the last call."""
        progress, earned = self._progress, 0.0
        moved = progress.octets + progress.written
        if progress.steps != self._steps:
            self._since, earned = now, limit
        elif moved != self._bytes:
            self._since, earned = now, (moved - self._bytes) / max(self._slowest, 1)
        elif progress.in_progress != self._in_progress and now - self._since < IN_PROGRESS:
            earned = limit
        self._bytes, self._steps = moved, progress.steps
        self._in_progress = progress.in_progress
        self._ends = now + limit if earned >= limit else min(now + limit, self._ends + earned)

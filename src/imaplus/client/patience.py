"""How long a wait for an answer may go on: a deadline, or the progress that the server makes.

It is told the time and what a connection counts, so it has no clock and does no I/O. What the
times mean to users is said in `endpoints.Timeouts`.
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
"""Seconds for which a server may say [INPROGRESS], and show no other progress."""
UNFINISHED: Final = 1 << 10
"""Octets of an unfinished response that put the end off by a second: whose answer it is shows when
it is complete. A longest one (`Limits.text`) is given four and a half hours."""


class Patience:
    """One wait. Ask `left()` before each step of it."""

    __slots__ = (
        "_deadline",
        "_easy_until",
        "_ends",
        "_in_progress",
        "_limit",
        "_octets",
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
        """`waits_for` gives the name of what the server is to end, None for its greeting."""
        self._waits_for = waits_for
        self._deadline = deadline
        self._silence = timeouts.silence
        self._limit = timeouts.command if deadline is None else None
        self._progress = progress
        if self._limit is not None:
            self._ends = now + self._limit
            self._slowest = timeouts.slowest
            self._octets, self._steps = progress.octets + progress.written, progress.steps
            self._in_progress = progress.in_progress
            self._since = now  # the latest progress that is more than [INPROGRESS]
        else:
            self._ends = inf if deadline is None else deadline.at
        # Up to here it is silence that counts, whatever the progress: most waits are that short.
        self._easy_until = self._ends - (inf if self._silence is None else self._silence)

    def left(self, now: float) -> float | None:
        """Seconds that may pass from now without an octet; None for any number.

        Raises:
            TimedOut: there are none left.
        """
        if now < self._easy_until or self._ends == inf:
            return self._silence
        if self._limit is not None:
            self._look(self._limit, now)
        left = self._ends - now
        if self._limit is not None:
            left += self._progress.unfinished / UNFINISHED
        if left <= 0:
            raise self.over()
        return left if self._silence is None else min(left, self._silence)

    def is_over(self, now: float) -> bool:
        """Whether it has ended by its own measure, and not because nothing came."""
        return now >= self._ends

    def over(self) -> TimedOut:
        """The error for a wait that has ended by its own measure."""
        what = self._waits_for()
        seconds = self._limit if self._deadline is None else self._deadline.seconds
        if what is None:
            return TimedOut(f"no greeting came within {seconds:g} seconds")
        if self._deadline is not None:
            return TimedOut(f"{what} was not over within the deadline of {seconds:g} seconds")
        return TimedOut(f"{what} was not over in time: no progress for {seconds:g} seconds")

    def late(self, seconds: float | None, now: float) -> TimedOut:
        """The error where nothing came for `seconds`, as many as `left()` allowed.

        A timer may be early by a little, so that it is not for the clock alone to say why.
        """
        if seconds != self._silence or self.is_over(now):
            return self.over()
        what = "nothing came for" if self._waits_for() else "no greeting came within"
        return TimedOut(f"{what} {seconds:g} seconds")

    def _look(self, limit: float, now: float) -> None:
        """Take the progress since the last look into account."""
        progress, earned = self._progress, 0.0
        octets = progress.octets + progress.written
        if progress.steps != self._steps:
            self._since, earned = now, limit
        elif octets != self._octets:
            self._since, earned = now, (octets - self._octets) / max(self._slowest, 1)
        elif progress.in_progress != self._in_progress and now - self._since < IN_PROGRESS:
            earned = limit
        self._octets, self._steps = octets, progress.steps
        self._in_progress = progress.in_progress
        self._ends = now + limit if earned >= limit else min(now + limit, self._ends + earned)

"""Events for `idle()`: a bounded buffer, and the choice between IDLE and polling. No I/O."""

from __future__ import annotations

from typing import Any

from imaplus.protocol.pending import Pending

MOST_EVENTS = 100_000
"""Events kept for a listener; beyond that, the oldest are dropped."""


class Listener:
    """The events for one caller of `idle()`."""

    __slots__ = ("_heard", "pending")

    def __init__(self) -> None:
        self._heard: list[object] = []  # a deque takes ten times the memory, and thousands may idle
        self.pending: Pending[Any] | None = None
        """The IDLE command, whose end counts as news."""

    def hear(self, events: list[object]) -> None:
        """Add events."""
        self._heard += events
        if len(self._heard) > MOST_EVENTS:
            del self._heard[: -MOST_EVENTS // 2]  # by halves: one by one is quadratic

    def take(self) -> list[object]:
        """Return and forget the events since the last call, in order."""
        events, self._heard = self._heard, []
        return events

    def has_news(self) -> bool:
        """Whether there are events, or IDLE has ended."""
        return bool(self._heard) or (self.pending is not None and self.pending.done)


class Pace:
    """Decides between IDLE and polling, for servers that end IDLE by themselves (quirk 90).

    After an IDLE shorter than the polling interval, IDLE is not used for one interval, after the
    next one for twice as long, and so on up to a limit. An IDLE that lasts resets this. All times
    are in seconds.
    """

    __slots__ = ("_longest", "_pause", "_poll", "_resumes")

    def __init__(self, poll: float, longest: float) -> None:
        self._poll = poll
        self._longest = longest
        self._pause = 0.0
        self._resumes: float | None = None

    def may_idle(self, now: float) -> bool:
        """Whether IDLE may be sent at this time."""
        return self._resumes is None or now >= self._resumes

    def note_end(self, began: float, now: float) -> None:
        """Note that the server ended an IDLE that began at `began`, or refused it."""
        if now - began >= self._poll:
            self._pause, self._resumes = 0.0, None
            return
        self._pause = min(max(2 * self._pause, self._poll), max(self._longest, self._poll))
        self._resumes = now + self._pause

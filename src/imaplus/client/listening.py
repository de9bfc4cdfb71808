"""What the server says unasked, until the caller who listens has taken it.

It knows when there is something to tell, how much may wait, and when to poll a server that ends
IDLE early. Who reads is the runner's affair, and what the events mean is the caller's.
"""

from __future__ import annotations

from typing import Any

from imaplus.protocol.pending import Pending

MOST_EVENTS = 100_000
"""Events kept for a listener that does not take them; then the oldest are dropped."""


class Listener:
    """The events that one caller has not been told yet."""

    __slots__ = ("_heard", "pending")

    def __init__(self) -> None:
        self._heard: list[object] = []  # thousands may idle: a deque takes ten times as much
        self.pending: Pending[Any] | None = None
        """The command whose end is of interest too."""

    def hear(self, events: list[object]) -> None:
        """The server has said this."""
        self._heard += events
        if len(self._heard) > MOST_EVENTS:
            del self._heard[: -MOST_EVENTS // 2]  # not one by one, which would take for ever

    def take(self) -> list[object]:
        """The events since the last call, in order."""
        events, self._heard = self._heard, []
        return events

    def has_news(self) -> bool:
        """Whether there is something to tell, or the command is over."""
        return bool(self._heard) or (self.pending is not None and self.pending.done)


class Pace:
    """Whether to wait by IDLE or to poll, with a server that ends IDLE by itself (quirk 90).

    If IDLE ends in less time than lies between two polls, it is not used for that time, then for
    twice as long, and so on up to a limit. The first IDLE that lasts ends this. All times are in
    seconds.
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

    def idle_ended(self, began: float, now: float) -> None:
        """The server has ended an IDLE that began at that time, or refused it."""
        if now - began >= self._poll:
            self._pause, self._resumes = 0.0, None
            return
        self._pause = min(max(2 * self._pause, self._poll), max(self._longest, self._poll))
        self._resumes = now + self._pause

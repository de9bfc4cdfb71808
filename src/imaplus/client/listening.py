"""What the server says unasked, until the caller who listens has taken it.

It knows when there is something to tell, and how much may wait. Who reads is the runner's affair,
and what the events mean is the caller's.
"""

from __future__ import annotations

from typing import Any

from imaplus.protocol.command import Pending

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

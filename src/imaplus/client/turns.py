"""How threads that share a sync client wait for each other, and for what takes a while.

Its counterpart for asyncio is `async_turns`. It knows nothing of streams.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from imaplus.errors import InvalidArgument

T = TypeVar("T")

Mutex = threading.RLock


def in_thread(work: Callable[[], T]) -> T:
    """Do what takes a while: here, since this thread is the caller's own."""
    return work()


def result_of(function: Callable[[], object]) -> object:
    """What a function of the caller's gives.

    Raises:
        InvalidArgument: it is something to await, which takes the async client.
    """
    result = function()
    if hasattr(result, "__await__"):
        close = getattr(result, "close", None)
        if close is not None:
            close()  # a coroutine that is never awaited warns
        raise InvalidArgument("credentials that must be awaited need the AsyncClient")
    return result


def never() -> bool:
    """For a wait that only ends with the lock or the time-out."""
    return False


class Turn:
    """A lock that can be tried: who holds it reads the socket, for all."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held = False

    def try_acquire(self) -> bool:
        """Take it if nobody has it."""
        with self._changed:
            if self._held:
                return False
            self._held = True
            return True

    def release(self) -> None:
        """Give it back. Whoever waits looks again, since the holder may have read the answer."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def acquire(self, timeout: float | None, enough: Callable[[], object] = never) -> bool:
        """Wait for it, so many seconds at most, or until there is enough; whether it was had."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or enough(), timeout)
            if self._held:
                return False
            self._held = True
            return True

"""Locks for threads that share a sync client. The counterpart for asyncio is `async_turns`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from imaplus.errors import InvalidArgument

T = TypeVar("T")

Mutex = threading.RLock


def in_thread(work: Callable[[], T]) -> T:
    """Do long work: in this thread, which belongs to the caller."""
    return work()


def result_of(function: Callable[[], object]) -> object:
    """Call a function of the caller, and return its result.

    Raises:
        InvalidArgument: the result is awaitable, which requires the async client.
    """
    result = function()
    if hasattr(result, "__await__"):
        close = getattr(result, "close", None)
        if close is not None:
            close()  # avoids the warning about a coroutine that is never awaited
        raise InvalidArgument("a coroutine function as `credentials` requires AsyncClient")
    return result


def never() -> bool:
    """A condition that is never true."""
    return False


class Turn:
    """A lock whose holder reads the socket for all threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held = False

    def try_acquire(self) -> bool:
        """Acquire the lock if it is free; return whether it was."""
        with self._changed:
            if self._held:
                return False
            self._held = True
            return True

    def release(self) -> None:
        """Release the lock, and let the waiting threads check their conditions."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def acquire(self, timeout: float | None, enough: Callable[[], object] = never) -> bool:
        """Wait for the lock, or until `enough()`, or `timeout` seconds; return whether acquired."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or enough(), timeout)
            if self._held:
                return False
            self._held = True
            return True

"""Locks for tasks that share an async client: the counterpart of `turns`."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import TypeVar

from imaplus.client.turns import never

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Do long work in a thread, so that it does not block the event loop."""
    return await asyncio.to_thread(work)


async def result_of(function: Callable[[], object]) -> object:
    """Call a function of the caller, and return its result, awaited if necessary."""
    result = function()
    return await result if inspect.isawaitable(result) else result


class AsyncMutex:
    """A lock that does nothing: tasks are not interrupted between two awaits."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass


class AsyncTurn:
    """A lock whose holder reads the stream for all tasks."""

    __slots__ = ("_held", "_waiters")

    def __init__(self) -> None:
        self._held = False
        self._waiters: dict[asyncio.Future[bool], Callable[[], object]] = {}  # oldest first

    def try_acquire(self) -> bool:
        """Acquire the lock if it is free; return whether it was."""
        if self._held:
            return False
        self._held = True
        return True

    def release(self) -> None:
        """Wake all tasks whose condition is true; pass the lock to the first of the others."""
        waiters, self._waiters, self._held = self._waiters, {}, False
        for waiter, enough in waiters.items():
            if waiter.done():
                continue  # cancelled
            if enough():
                waiter.set_result(False)
            elif not self._held:
                self._held = True
                waiter.set_result(True)
            else:
                self._waiters[waiter] = enough

    async def acquire(self, timeout: float | None, enough: Callable[[], object] = never) -> bool:
        """Wait for the lock, or until `enough()`, or `timeout` seconds; return whether acquired."""
        if self.try_acquire():
            return True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiters[waiter] = enough
        # A timer takes half the memory of asyncio.timeout(), and thousands may wait.
        timer = None if timeout is None else loop.call_later(timeout, settle, waiter, False)
        try:
            return await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled() and waiter.result():
                self.release()  # it was passed to this task during the cancellation
            raise
        finally:
            self._waiters.pop(waiter, None)
            if timer is not None:
                timer.cancel()


def settle(waiter: asyncio.Future[bool], result: bool) -> None:
    """Set the result of a future, unless it is done."""
    if not waiter.done():
        waiter.set_result(result)

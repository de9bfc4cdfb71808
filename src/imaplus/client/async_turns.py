"""How tasks that share an async client wait for each other, and for what takes a while.

The counterpart of `turns`. It knows nothing of streams.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import TypeVar

from imaplus.client.turns import never

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Do what takes a while without holding up the event loop."""
    return await asyncio.to_thread(work)


async def result_of(function: Callable[[], object]) -> object:
    """What a function of the caller's gives, which may be something to await."""
    result = function()
    return await result if inspect.isawaitable(result) else result


class AsyncMutex:
    """Nothing: tasks do not get in each other's way between two awaits, as threads do."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass


class AsyncTurn:
    """A lock that can be tried: who holds it reads the stream."""

    __slots__ = ("_held", "_waiters")

    def __init__(self) -> None:
        self._held = False
        self._waiters: dict[asyncio.Future[bool], Callable[[], object]] = {}  # oldest first

    def try_acquire(self) -> bool:
        """Take it if nobody has it."""
        if self._held:
            return False
        self._held = True
        return True

    def release(self) -> None:
        """Wake all who have enough by now, and hand it to who waits longest of the others."""
        waiters, self._waiters, self._held = self._waiters, {}, False
        for waiter, enough in waiters.items():
            if waiter.done():
                continue  # it was cancelled just now
            if enough():
                waiter.set_result(False)
            elif not self._held:
                self._held = True
                waiter.set_result(True)
            else:
                self._waiters[waiter] = enough

    async def acquire(self, timeout: float | None, enough: Callable[[], object] = never) -> bool:
        """Wait for it, so many seconds at most, or until there is enough; whether it was had."""
        if self.try_acquire():
            return True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiters[waiter] = enough
        # Thousands may wait for hours: a timer is half of what asyncio.timeout() takes.
        timer = None if timeout is None else loop.call_later(timeout, settle, waiter, False)
        try:
            return await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled() and waiter.result():
                self.release()  # it was handed to us just as we gave up
            raise
        finally:
            self._waiters.pop(waiter, None)
            if timer is not None:
                timer.cancel()


def settle(waiter: asyncio.Future[bool], result: bool) -> None:
    """Give a waiter its result, unless it has one or was cancelled."""
    if not waiter.done():
        waiter.set_result(result)

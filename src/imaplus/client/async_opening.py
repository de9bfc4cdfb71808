"""Results of async methods that open something: awaitable, and usable in `async with`::

    async with AsyncClient.connect(
        "imap.example.org", user="ada", password="correct horse"
    ) as client:
        async with client.select("INBOX") as inbox:
            print(inbox.exists)

The sync methods return context managers, and need no counterpart.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T", bound=AbstractAsyncContextManager[Any])


class AsyncOpening(Coroutine[Any, Any, T]):
    """A client or a mailbox to be opened.

    `await` returns it; `async with` binds it, and closes it at the end of the block. It is a
    coroutine, so it works with `asyncio.create_task()` and `asyncio.wait_for()`.
    """

    __slots__ = ("_coroutine", "_opened")

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._opened: T | None = None

    def __await__(self) -> Generator[Any, Any, T]:
        return self._coroutine.__await__()

    async def __aenter__(self) -> T:
        opened: T = await self._coroutine
        self._opened = await opened.__aenter__()
        return opened

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._opened is not None
        await self._opened.__aexit__(kind, error, trace)

    # -- as a coroutine ---------------------------------------------------------------------

    def send(self, value: Any) -> Any:
        """Resume the coroutine; asyncio calls this."""
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error in the coroutine; asyncio calls this."""
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """Close the coroutine without opening anything."""
        self._coroutine.close()


def opening(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, AsyncOpening[T]]:
    """Make a coroutine function usable in `async with`, too."""

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> AsyncOpening[T]:
        return AsyncOpening(function(*args, **options))

    return call

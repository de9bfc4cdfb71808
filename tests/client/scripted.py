"""A stream on which a script speaks for the server, and a clock that only waiting moves.

A script is a generator of (seconds until then, octets). It is asked for more when the client reads,
so it can look at what the client has written by then. Nothing here sleeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imaplus import AsyncClient, Client, TimedOut
from imaplus.endpoints import Connected

from .harness import Blocking

Script = Callable[["Scripted"], Iterator[tuple[float, bytes]]]

GREETING = b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE LITERAL+ COMPRESS=DEFLATE] ready\r\n"
ROOM = 1 << 20


class Scripted:
    """A server's part of one session, seen by a client as its stream."""

    secure = True
    is_foreign = False

    def __init__(self, script: Script) -> None:
        self.time = 1000.0
        """The clock of the client."""
        self.written = bytearray()
        self.room = ROOM
        """Octets that the server takes before the client has to wait."""
        self._script = script(self)
        self._next: tuple[float, bytes] | None = (self.time, GREETING)

    @property
    def tag(self) -> bytes:
        """The tag of the latest command."""
        return re.findall(rb"(?m)^([0-9A-F]{4}-[0-9]+) ", self.written)[-1]

    def now(self) -> float:
        return self.time

    def _coming(self) -> tuple[float, bytes]:
        if self._next is None:
            gap, data = next(self._script, (float("inf"), b""))
            self._next = self.time + gap, data
        return self._next

    # -- what both kinds of stream do -------------------------------------------------------

    def write(self, data: memoryview) -> int:
        taken = min(len(data), self.room)
        self.room -= taken
        self.written += data[:taken]
        return taken

    def read(self) -> bytes | None:
        when, data = self._coming()
        if when > self.time:
            return None
        self._next = None
        return data

    def check_owner(self) -> None:
        """It is everybody's."""

    def channel_bindings(self) -> tuple[()]:
        """There is no TLS to bind to."""
        return ()

    def wait_now(self, timeout: float | None) -> None:
        when, _ = self._coming()
        gap = max(0.0, when - self.time)
        if timeout is not None and timeout < gap:
            self.time += timeout
            raise TimedOut("nothing came")
        assert gap < float("inf"), "the client waits for ever"
        self.time += gap


class SyncScripted(Scripted):
    """As the sync client sees it."""

    def wait(self, *, read: bool, write: bool, timeout: float | None) -> None:
        self.wait_now(timeout)

    def breathe(self) -> None:
        pass

    def close(self) -> None:
        pass


class AsyncScripted(Scripted):
    """As the async client sees it."""

    async def wait(self, *, read: bool, write: bool, timeout: float | None) -> None:
        self.wait_now(timeout)

    async def breathe(self) -> None:
        pass

    async def close(self) -> None:
        pass


async def scripted(
    kind: str, script: Script, patch: pytest.MonkeyPatch, **options: Any
) -> tuple[AsyncClient, Scripted]:
    """A client of a kind whose server is a script, and the stream between them."""
    import imaplus.client.async_streams
    import imaplus.client.streams

    stream: Any = AsyncScripted(script) if kind == "async" else SyncScripted(script)
    for module in ("", "_exchange", "_runner"):
        patch.setattr(f"imaplus.client._{kind}{module}.now", stream.now)
    where: Any = Connected(None, secure=True)  # type: ignore[arg-type]
    if kind == "async":

        async def connect(*_: object) -> Any:
            return stream

        patch.setattr(imaplus.client.async_streams.AsyncStream, "connect", connect)
        return await AsyncClient.connect(where, identity={}, **options), stream
    patch.setattr(imaplus.client.streams.Stream, "connect", lambda *_: stream)
    client: Any = Blocking(Client.connect(where, identity={}, **options))
    return client, stream

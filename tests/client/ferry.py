"""A stream that counts round trips: one ferry, which leaves when the client has no more to say.

What the client writes stays on the bank until the client waits for an answer. Then all of it goes
over, the server answers all of it, and all answers come back: that is one round trip. No clock
decides, and nothing is guessed: a client waits when it says so, the server when it reads.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Coroutine
from typing import Any

from imaplus.testing import AsyncServer, Fault
from imaplus.testing.session import Session

COMMAND = re.compile(rb"(?m)^[0-9A-F]{4}-[0-9]+ ((?:UID )?[A-Z]+)")


class Ferry:
    """Both ends of a connection to a server that runs in this thread: see the two clients' ends."""

    secure = True
    is_foreign = False

    def __init__(self, server: AsyncServer) -> None:
        self.server = server
        self.round_trips = 0
        self.written = bytearray()
        """All that the client has said."""
        self.passengers: list[set[str]] = []
        """The names of the commands of each round trip."""
        self._outwards = bytearray()
        self._inwards = bytearray()
        self._landed: asyncio.Queue[bytes] = asyncio.Queue()
        self._unloaded = asyncio.Event()  # the server has nothing more to do
        self._session: asyncio.Task[None] | None = None

    # -- the client's end -------------------------------------------------------------------

    def check_owner(self) -> None:
        """Nothing that it is used for is another's."""

    def channel_bindings(self) -> tuple[()]:
        """There is no TLS to bind to."""
        return ()

    def write_now(self, data: memoryview) -> int:
        self._outwards += data
        self.written += data
        return len(data)

    def read_now(self) -> bytes | None:
        data = bytes(self._inwards)
        self._inwards.clear()
        over = self._session is not None and self._session.done()
        return data or (b"" if over else None)

    async def cross(self) -> None:
        """Take over what there is, and come back with all the answers."""
        if self._inwards:
            return
        said = -1
        while len(self._outwards) != said:  # until every task has had its say
            said = len(self._outwards)
            await asyncio.sleep(0)
        self.round_trips += 1
        self.passengers.append({name.decode() for name in COMMAND.findall(self._outwards)})
        self._unloaded.clear()
        if self._session is None:
            session = Session(End(self), self.server.hub, fault=Fault(), secure=True, context=None)
            self._session = asyncio.get_running_loop().create_task(session.run())
        else:
            assert self._outwards, "the client waits, and has not said what for"
            self._landed.put_nowait(bytes(self._outwards))
            self._outwards.clear()
        await self._unloaded.wait()
        await asyncio.sleep(0)  # a session that is over ends here

    async def stop(self) -> None:
        if self._session is not None:
            self._session.cancel()
            await asyncio.gather(self._session, return_exceptions=True)


class End:
    """The server's end."""

    def __init__(self, ferry: Ferry) -> None:
        self._ferry = ferry

    async def read(self) -> bytes:
        if self._ferry._landed.empty():
            self._ferry._unloaded.set()
        return await self._ferry._landed.get()

    async def write(self, data: bytes) -> None:
        self._ferry._inwards += data

    async def close(self, *, politely: bool = True) -> None:
        self._ferry._unloaded.set()


class AsyncFerry(Ferry):
    """As the async client sees it."""

    def write(self, data: memoryview) -> int:
        return self.write_now(data)

    def read(self) -> bytes | None:
        return self.read_now()

    async def wait(self, **_: Any) -> None:
        await self.cross()

    async def close(self) -> None:
        await self.stop()


class SyncFerry(Ferry):
    """As the sync client sees it: the server's event loop has a thread of its own."""

    def __init__(self, server: AsyncServer) -> None:
        super().__init__(server)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result()

    def write(self, data: memoryview) -> int:
        return self.write_now(data)

    def read(self) -> bytes | None:
        return self.read_now()

    def wait(self, **_: Any) -> None:
        self._do(self.cross())

    def close(self) -> None:
        if self._thread.is_alive():
            self._do(self.stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

"""What a thousand connections cost at least: an asyncio.Protocol each, that looks for one word."""

from __future__ import annotations

import asyncio

from many import Idling, idle_together
from worker import Job, Measured, serve_async

SCRIPT = (b"a LOGIN x x\r\n", b"b SELECT INBOX\r\n", b"c IDLE\r\n")


class Minimal(asyncio.Protocol):
    """Sends its script, a line for each answer, then waits for EXISTS."""

    __slots__ = ("_done", "_step", "close", "told")

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.told = loop.create_future()
        self._step = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._done = transport
        self.close = transport.close

    def data_received(self, data: bytes) -> None:
        if self._step < len(SCRIPT):
            if data.endswith((b"ready\r\n", b"OK done\r\n")):
                self._done.write(SCRIPT[self._step])
                self._step += 1
        elif b"EXISTS" in data and not self.told.done():
            self.told.set_result(None)


async def idle(_: None, job: Job) -> Measured:
    loop = asyncio.get_running_loop()

    async def one(job: Job) -> Idling:
        _, protocol = await loop.create_connection(Minimal, job.host, job.port)
        return Idling(protocol.told, protocol.close)

    return await idle_together(one, job)


async def connect(job: Job) -> None:
    """Nothing: every workload here does it by itself."""


serve_async(connect, {}, {"idle": idle})

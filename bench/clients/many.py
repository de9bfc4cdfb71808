"""A thousand connections that idle in one process: what each takes, and when all have been told.

The server is `idle_server.py`. Each connection that is to idle is made by the client; one more, of
our own, has the server tell them all.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import threading
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from raw import Raw
from worker import Job, Measured, memory

AT_ONCE = 50
"""Connections that are being made at the same time."""


class Idling(NamedTuple):
    """A connection that idles: `told` is over with the first event."""

    told: Awaitable[object]
    close: Callable[[], object]


class Thread(Protocol):
    """A connection that idles, for a thread to wait on."""

    def wait(self) -> None: ...
    def close(self) -> None: ...


def allow_files(n: int) -> None:
    """Have as many files open as that, if the machine lets us."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = n + 200
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def idle_together(one: Callable[[Job], Awaitable[Idling]], job: Job) -> Measured:
    """`one` makes a connection; its `told` is awaited in a task of its own."""
    allow_files(job.count)
    gate = asyncio.Semaphore(AT_ONCE)

    async def make() -> Idling:
        async with gate:
            return await one(job)

    control = Raw(job.host, job.port)
    await close(await make())  # what is loaded and made once is not each one's
    gc.collect()
    base = memory("VmRSS")
    idling = await asyncio.gather(*(make() for _ in range(job.count)))
    tasks = [asyncio.ensure_future(each.told) for each in idling]
    while idle_number(control) < job.count:
        await asyncio.sleep(0.05)
    gc.collect()
    growth = memory("VmRSS") - base
    began = time.perf_counter()
    control.send(b"x XTELL\r\n")
    await asyncio.wait(tasks)
    seconds = time.perf_counter() - began
    for task in tasks:
        task.result()
    for each in idling:
        await close(each)
    return Measured(seconds, growth / job.count, job.count)


async def close(idling: Idling) -> None:
    """Some close at once, others take their time."""
    if isinstance(closing := idling.close(), Awaitable):
        await closing


def idle_in_threads(one: Callable[[Job], Thread], job: Job) -> Measured:
    """The same with a thread for each connection."""
    allow_files(job.count)
    control = Raw(job.host, job.port)
    one(job).close()
    gc.collect()
    base = memory("VmRSS")
    idling: list[Thread] = []
    all_told = threading.Barrier(job.count + 1)

    def wait(each: Thread) -> None:
        each.wait()
        all_told.wait()

    for _ in range(job.count):
        idling.append(each := one(job))
        threading.Thread(target=wait, args=(each,), daemon=True).start()
    while idle_number(control) < job.count:
        time.sleep(0.05)
    gc.collect()
    growth = memory("VmRSS") - base
    began = time.perf_counter()
    control.send(b"x XTELL\r\n")
    all_told.wait()
    seconds = time.perf_counter() - began
    for each in idling:
        each.close()
    return Measured(seconds, growth / job.count, job.count)


def idle_number(control: Raw) -> int:
    """How many connections the server has seen begin to idle."""
    return int(control.ask("XIDLING").split()[1])

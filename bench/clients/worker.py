"""The protocol of workers: read requests as JSON lines, time a function, answer in JSON lines.

    -> {"workload": "flags", "host": ..., "port": ..., ...}     connect, log in, select
    <- {"ready": true}
    -> {}                                                       one sample
    <- {"seconds": 0.1, "growth_kb": 2048, "check": [...]}
    <- {"error": "RecursionError", "message": "..."}            instead of either, and the end

A workload is a function of a session and a job. It returns its check, or a function that computes
the check after the time has been measured.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MESSAGE_SIZE = 4096
"""Size in bytes of each message to append."""


@dataclass(frozen=True)
class Job:
    """A workload and the server for it."""

    workload: str
    host: str
    port: int
    user: str
    password: str
    mailbox: str
    limit: float
    """Maximum duration of a sample in seconds."""
    uids: str
    total: int
    """Number of messages: all of the mailbox's, or the first ones; their UIDs are `uids`."""
    count: int = 0
    """Number of commands, messages or connections."""
    tunnel: Sequence[str] = ()
    """A program to run instead of connecting."""
    folder: str = ""
    """The folder for files."""

    def scattered(self) -> list[int]:
        """Return `count` non-adjacent UIDs from the whole mailbox."""
        return [1 + i * 7919 % self.total for i in range(self.count)]

    def names(self) -> list[str]:
        """Return the names of `count` mailboxes."""
        return [f"many/{i}" for i in range(self.count)]

    def messages(self) -> list[bytes]:
        """Make `count` messages to append, with CRLF line ends."""
        return [small_message(i) for i in range(self.count)]


@dataclass(frozen=True)
class Measured:
    """The result of a workload that measures its own time."""

    seconds: float
    growth_kb: float
    check: object


def small_message(i: int) -> bytes:
    """Make a message of MESSAGE_SIZE bytes."""
    head = b"From: a@example.org\r\nSubject: message %d\r\n\r\n" % i
    lines = (MESSAGE_SIZE - len(head)) // 64 * (b"x" * 62 + b"\r\n")
    return head + b"y" * (MESSAGE_SIZE - len(head) - len(lines) - 2) + b"\r\n" + lines


Function = Callable[[Any, Job], Any]


def serve(
    connect: Callable[[Job], Any],
    connected: Mapping[str, Function],
    alone: Mapping[str, Function] | None = None,
) -> None:
    """Run as a worker. Workloads in `alone` connect themselves."""
    try:
        job = Job(**json.loads(sys.stdin.readline()))
        session = None if alone and job.workload in alone else connect(job)
        function = {**connected, **(alone or {})}[job.workload]
        tell(ready=True)
        base = memory("VmRSS")
        reset_peak()
        while sys.stdin.readline():
            gc.collect()
            began = time.perf_counter()
            check = function(session, job)
            answer(time.perf_counter() - began, base, check)
            del check
    except Exception as error:
        tell(error=type(error).__name__, message=str(error)[:500])


def serve_async(
    connect: Callable[[Job], Awaitable[Any]],
    connected: Mapping[str, Callable[[Any, Job], Coroutine[Any, Any, Any]]],
    alone: Mapping[str, Callable[[Any, Job], Coroutine[Any, Any, Any]]] | None = None,
) -> None:
    """Like `serve`, in an event loop. An exception in a callback ends the sample."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        raised: list[Exception] = []
        running: list[asyncio.Task[Any]] = []

        def note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            if isinstance(error := context.get("exception"), Exception):
                raised.append(error)
                for task in running:
                    task.cancel()

        loop.set_exception_handler(note)
        try:
            job = Job(**json.loads(sys.stdin.readline()))
            session = None if alone and job.workload in alone else await connect(job)
            function = {**connected, **(alone or {})}[job.workload]
            tell(ready=True)
            base = memory("VmRSS")
            reset_peak()
            while await loop.run_in_executor(None, sys.stdin.readline):
                gc.collect()
                began = time.perf_counter()
                running[:] = [asyncio.create_task(function(session, job))]
                check = await running[0]
                answer(time.perf_counter() - began, base, check)
                del check
                running.clear()
        except (Exception, asyncio.CancelledError) as error:
            cause = raised[0] if raised else error
            tell(error=type(cause).__name__, message=str(cause)[:500])

    asyncio.run(work())


def answer(seconds: float, base: int, check: object) -> None:
    """Print the seconds and the check of a sample."""
    growth: float = memory("VmHWM") - base
    if isinstance(check, Measured):
        seconds, growth, check = check.seconds, check.growth_kb, check.check
    tell(seconds=seconds, growth_kb=growth, check=check() if callable(check) else check)


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


def memory(name: str) -> int:
    """Return VmRSS or VmHWM (its peak) of this process, in kB."""
    found = re.search(rf"{name}:\s+([0-9]+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


def reset_peak() -> None:
    """Reset the peak VmHWM."""
    Path("/proc/self/clear_refs").write_text("5")

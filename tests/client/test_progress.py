"""How long a server may take that shows no progress, and that one which does is never left.

The clock is the test's own: it moves only when the client waits.
"""

from __future__ import annotations

import asyncio
import io
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from imaplus import AsyncClient, ProtocolError, TimedOut, Timeouts
from imaplus.client.deadlines import Deadline
from imaplus.client.patience import IN_PROGRESS, Patience
from imaplus.core.mailboxes import GetStatus
from imaplus.core.session import Noop
from imaplus.endpoints import Connected
from imaplus.errors import OutcomeUnknown
from imaplus.protocol.deflate import STEP
from imaplus.protocol.progress import Progress

from .scripted import GREETING, Script, Scripted, scripted

LIMIT = Timeouts().command or 0.0
Start = Callable[..., Awaitable[tuple[AsyncClient, Scripted]]]


@pytest.fixture(params=["async", "sync"])
def start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Connects a client of each kind to a script."""

    async def begin(script: Script, **options: Any) -> tuple[AsyncClient, Scripted]:
        return await scripted(request.param, script, monkeypatch, **options)

    return begin


def again(seconds: float, data: bytes) -> Script:
    """The same bytes, forever."""
    return lambda _: repeat((seconds, data))


def steps(*parts: tuple[float, bytes]) -> Script:
    """These lines in turn; `%t` is the tag of the latest command."""

    def script(stream: Scripted) -> Iterator[tuple[float, bytes]]:
        for seconds, data in parts:
            yield seconds, data.replace(b"%t", stream.tag)

    return script


async def ends(start: Start, script: Script) -> float:
    """The time at which a NOOP or STATUS times out."""
    client, stream = await start(script)
    began = stream.time
    with pytest.raises(
        TimedOut, match=r"^STATUS was not over in time: no progress for 600 seconds"
    ):
        await client.status("x")
    return stream.time - began


# -- servers that show none ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"* OK still here\r\n",
        b"* 5 EXISTS\r\n",
        b"* 1 FETCH (FLAGS ())\r\n",
        b"+ go on\r\n",
        b"* STATUS other (MESSAGES 1)\r\n",
        b"\r\n",
        b"A1 OK whose?\r\n",
    ],
)
async def test_talk_is_no_progress(start: Start, data: bytes) -> None:
    assert LIMIT <= await ends(start, again(10, data)) <= LIMIT + 10


async def test_an_answer_now_and_then_is_too_little(start: Start) -> None:
    """One second for each response: it would take forever."""
    took = await ends(start, again(100, b"* STATUS x (MESSAGES 1)\r\n"))
    assert LIMIT < took < 2 * LIMIT


async def test_a_line_without_end(start: Start) -> None:
    """The minimum rate of a response that is never complete."""
    took = await ends(start, again(1, b"x" * 70))
    assert LIMIT < took < 2 * LIMIT


async def test_an_unsolicited_body(start: Start) -> None:
    def script(_: Scripted) -> Iterator[tuple[float, bytes]]:
        yield 1, b"* 1 FETCH (BODY[] {50000000}\r\n"
        yield from repeat((1, b"x" * 100))

    assert await ends(start, script) < 2 * LIMIT


async def test_a_server_that_does_not_read(start: Start) -> None:
    client, stream = await start(again(10, b"* OK still here\r\n"))
    stream.room = 0
    began = stream.time
    with pytest.raises(OutcomeUnknown, match="no progress"):
        await client.append("x", b"x" * 1000)
    assert LIMIT <= stream.time - began <= LIMIT + 10


async def test_the_end_of_idle(start: Start) -> None:
    """IDLE has no limit; the answer to DONE has one."""
    script = steps((0, b"* 1 EXISTS\r\n%t OK done\r\n"), *[(60, b"* OK still here\r\n")] * 100)
    client, stream = await start(script)
    inbox = await client.select("INBOX")
    with pytest.raises(TimedOut, match="no progress"):
        _ = [event async for event in inbox.idle(1000)]
    assert 1000 + LIMIT <= stream.time - 1000 <= 1000 + LIMIT + 60


async def test_in_progress_for_ever(start: Start) -> None:
    took = await ends(start, again(60, b'* OK [INPROGRESS ("A1" 1 1)] working\r\n'))
    assert IN_PROGRESS < took <= IN_PROGRESS + 2 * LIMIT


# -- servers that do -------------------------------------------------------------------------------


async def test_in_progress_for_hours(start: Start) -> None:
    working = [(60, b"* OK [INPROGRESS] working\r\n")] * 300
    client, _ = await start(steps(*working, (60, b"* STATUS x (MESSAGES 7)\r\n%t OK done\r\n")))
    assert (await client.status("x")).messages == 7


async def test_an_answer_of_hours_in_one_line(start: Start) -> None:
    uids = b" ".join(b"%d" % n for n in range(1, 200_000))
    pieces = [b"* SEARCH ", *(uids[at : at + 20_000] for at in range(0, len(uids), 20_000))]
    slowly = [(17.0, piece) for piece in pieces]
    script = steps((0, b"* 1 EXISTS\r\n%t OK done\r\n"), *slowly, (1, b"\r\n%t OK done\r\n"))
    client, stream = await start(script)
    inbox = await client.select("INBOX")
    assert len(await inbox.uids()) == 199_999
    assert stream.time - 1000 > LIMIT


async def test_a_download_of_days(start: Start) -> None:
    """A hundred bytes per second."""
    size = 100 * 2 * 86_400
    body = [(100.0, b"x" * 10_000)] * (size // 10_000)
    script = steps(
        (0, b"* 1 EXISTS\r\n%t OK done\r\n"),
        (1, b"* 1 FETCH (UID 1 BODY[] {%d}\r\n" % size),
        *body,
        (1, b")\r\n%t OK done\r\n"),
    )
    client, stream = await start(script)
    inbox = await client.select("INBOX")
    file = io.BytesIO()
    await inbox.download(1, file)
    assert len(file.getvalue()) == size
    assert stream.time - 1000 > 2 * 86_400


async def test_an_upload_of_hours(start: Start) -> None:
    def script(stream: Scripted) -> Iterator[tuple[float, bytes]]:
        while len(stream.written) < 1_000_000:
            stream.room = 6400
            yield 60, b"\r\n"
        yield 1, stream.tag + b" OK done\r\n"

    client, stream = await start(script)
    stream.room = 100
    await client.append("x", b"x" * 1_000_000)
    assert stream.time - 1000 > 10 * LIMIT


async def test_idling_is_not_counted(start: Start) -> None:
    def script(stream: Scripted) -> Iterator[tuple[float, bytes]]:
        yield 0, b"* 1 EXISTS\r\n" + stream.tag + b" OK done\r\n"
        while True:
            if stream.written.endswith(b"DONE\r\n"):
                yield 0, stream.tag + b" OK done\r\n"
            yield 10, b"* OK still here\r\n+ idling\r\n"

    client, stream = await start(script)
    inbox = await client.select("INBOX")
    _ = [event async for event in inbox.idle(6000)]
    assert stream.written.count(b"DONE") == 4
    assert 7000 <= stream.time <= 7010


async def test_a_call_with_a_time_of_its_own(start: Start) -> None:
    client, stream = await start(again(10, b"* STATUS x (MESSAGES 1)\r\n"))
    with pytest.raises(
        TimedOut, match=r"^STATUS was not over within the deadline of 3000 seconds$"
    ):
        await client.run(GetStatus("x"), timeout=3000)
    assert 4000 <= stream.time <= 4010


def test_progress_gives_no_more_than_the_whole() -> None:
    progress = Progress()
    patience = Patience(Timeouts(silence=None), progress, None, 0, lambda: None)
    progress.count_answer(1 << 40)
    assert patience.left(100) == LIMIT
    assert patience.left(100 + LIMIT - 1) == 1
    with pytest.raises(TimedOut):
        patience.left(100 + LIMIT)


def test_why_a_wait_is_over() -> None:
    """A timer that fires early does not turn a deadline into silence."""
    deadline = Deadline(50, 1000)
    for due, limit, timer, said in (
        ("NOOP", deadline, (50, 1049.99), "NOOP was not over within the deadline of 50 seconds"),
        ("NOOP", deadline, (120, 1060), "NOOP was not over within the deadline of 50 seconds"),
        ("NOOP", Deadline(500, 1000), (120, 1120), "nothing came for 120 seconds"),
        ("NOOP", None, (120, 1120), "nothing came for 120 seconds"),
        ("NOOP", None, (70, 1599.99), "NOOP was not over in time: no progress for 600 seconds"),
        (None, deadline, (50, 1050), "no greeting came within 50 seconds"),
        (None, None, (120, 1120), "no greeting came within 120 seconds"),
    ):
        patience = Patience(Timeouts(), Progress(), limit, 1000, lambda due=due: due)
        assert str(patience.silence_error(*timer)) == said


def test_time_without_limits() -> None:
    assert (
        Patience(Timeouts(silence=None, command=None), Progress(), None, 0, lambda: None).left(1e9)
        is None
    )
    assert Patience(Timeouts(command=None), Progress(), None, 0, lambda: None).left(1e9) == 120


# -- compressed ------------------------------------------------------------------------------------


def compressed(plain: bytes) -> Script:
    """COMPRESS is accepted, and all of `plain` comes at the next command."""

    def script(stream: Scripted) -> Iterator[tuple[float, bytes]]:
        yield 0, stream.tag + b" OK go\r\n"
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        yield 1, deflate.compress(plain) + deflate.flush(zlib.Z_SYNC_FLUSH)

    return script


async def test_a_deadline_is_looked_at_after_each_inflated_step(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    lines = 200_000
    client, stream = await start(
        compressed(b"* 1 EXISTS\r\n" * lines), compress=True, on_event=lambda _: tick()
    )

    def tick() -> None:
        heard.append(1)
        stream.time += 0.001  # what it takes to deal with a response

    with pytest.raises(TimedOut, match="NOOP was not over within the deadline of 20 seconds"):
        await client.run(Noop(), timeout=20)
    assert 19_000 < len(heard) < 30_000, "the first 20 seconds' worth, and a step"


async def test_what_follows_the_end_of_a_deflate_stream(start: Start) -> None:
    def script(stream: Scripted) -> Iterator[tuple[float, bytes]]:
        yield 0, stream.tag + b" OK go\r\n"
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        whole = deflate.compress(b"* 1 EXISTS\r\n") + deflate.flush()
        yield 1, whole + b"* OK more\r\n"

    client, _ = await start(script, compress=True)
    with pytest.raises(ProtocolError, match="after the end of its deflate stream"):
        await client.noop()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is not limited everywhere")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_compressed_flood_takes_neither_memory_nor_time(kind: str) -> None:
    """200 MiB of short responses, a deadline of a second, and half a gigabyte to live in."""
    argv = [sys.executable, str(Path(__file__).with_name("bomb.py")), kind]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "TimedOut NOOP was not over within the deadline of 1 seconds\n", (
        done.stderr
    )


async def test_other_tasks_have_their_turn_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two steps, if that is how often it is to be."""
    monkeypatch.setattr("imaplus.client.async_streams.BREATH", -1.0)
    ours, theirs = socket.socketpair()
    flood = b"* 1 EXISTS\r\n" * 100_000
    turns = 0

    def serve() -> None:
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        with theirs:
            theirs.sendall(GREETING)
            theirs.sendall(theirs.recv(1000).split()[0] + b" OK go\r\n")
            tag = inflate.decompress(theirs.recv(1000)).split()[0]
            said = deflate.compress(flood + tag + b" OK done\r\n")
            theirs.sendall(said + deflate.flush(zlib.Z_SYNC_FLUSH))
            theirs.recv(1000)  # until the client is done

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    server = threading.Thread(target=serve)
    server.start()
    seen: list[int] = []
    client = await AsyncClient.connect(
        Connected(ours, secure=True),
        identity={},
        compress=True,
        on_event=lambda _: seen.append(turns),
    )
    task = asyncio.create_task(others())
    await client.noop()
    task.cancel()
    await client.close()
    server.join()
    assert len(seen) == 100_000
    assert len(set(seen)) >= len(flood) // STEP

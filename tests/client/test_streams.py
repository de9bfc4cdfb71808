"""What a stream does with octets, whatever they mean: how they are put together, and read."""

from __future__ import annotations

import asyncio
import hashlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from imaplus import ConnectionLost, TimedOut
from imaplus.client.async_streams import TOGETHER, AsyncStream
from imaplus.client.endpoints import Connected, Tls
from imaplus.client.streams import BULK_SIZE, READ_SIZE, Stream

MANY = bytes(random.Random(3).randbytes(5 * BULK_SIZE + 12_345))


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


class Counting:
    """A transport that notes what it is given to write."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))
        self.transport.write(data)

    def __getattr__(self, name: str) -> object:
        return getattr(self.transport, name)


Scenario = Callable[[AsyncStream, Counting, socket.socket], object]


def run(ends: tuple[socket.socket, socket.socket], scenario: Scenario) -> None:
    """A scenario over a stream whose transport counts."""

    async def work() -> None:
        ours, theirs = ends
        stream = await AsyncStream.connect(Connected(ours, True), Tls(), 5)
        assert stream._transport is not None
        counting = Counting(stream._transport)
        stream._transport = counting  # type: ignore[assignment]
        try:
            result = scenario(stream, counting, theirs)
            if asyncio.iscoroutine(result):
                await result
        finally:
            await stream.close()

    asyncio.run(work())


def write(stream: AsyncStream, data: bytes) -> None:
    assert stream.write(memoryview(data)) == len(data)


def test_what_tasks_write_at_once_goes_together(ends: tuple[socket.socket, socket.socket]) -> None:
    lines = [b"A%d NOOP\r\n" % n for n in range(20)]

    async def scenario(stream: AsyncStream, transport: Counting, theirs: socket.socket) -> None:
        async def one(line: bytes) -> None:
            write(stream, line)

        await asyncio.gather(*map(one, lines))
        assert transport.written == [b"".join(lines)]
        assert theirs.recv(1000) == b"".join(lines)

    run(ends, scenario)


def test_much_does_not_wait_for_more(ends: tuple[socket.socket, socket.socket]) -> None:
    def scenario(stream: AsyncStream, transport: Counting, theirs: socket.socket) -> None:
        write(stream, b"a")
        write(stream, b"b" * TOGETHER)
        assert transport.written == [b"a" + b"b" * TOGETHER]
        write(stream, b"c" * TOGETHER)
        assert transport.written[1:] == [b"c" * TOGETHER]

    run(ends, scenario)


def test_what_has_been_written_goes_before_the_end(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    async def scenario(stream: AsyncStream, transport: Counting, theirs: socket.socket) -> None:
        write(stream, b"DONE\r\n")
        await stream.close()
        assert theirs.recv(100) == b"DONE\r\n"
        assert theirs.recv(100) == b""
        with pytest.raises(ConnectionLost):
            stream.write(memoryview(b"more"))

    run(ends, scenario)


def test_who_closes_may_be_cancelled_and_others_still_close(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    async def scenario(stream: AsyncStream, transport: Counting, theirs: socket.socket) -> None:
        first, second = (asyncio.create_task(stream.close()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first
        await stream.close()

    run(ends, scenario)


def test_nothing_is_lost_or_mixed_up_in_bulk(ends: tuple[socket.socket, socket.socket]) -> None:
    """Two streams of a thread take turns with one buffer: each must have its own octets."""
    others = socket.socketpair()
    streams = [Stream(ends[0], secure=True), Stream(others[0], secure=True)]
    sent = [MANY, MANY[::-1]]
    writers = [
        threading.Thread(target=theirs.sendall, args=(data,))
        for theirs, data in zip((ends[1], others[1]), sent, strict=True)
    ]
    for writer in writers:
        writer.start()
    came: list[list[bytes]] = [[], []]
    deadline = time.monotonic() + 10
    while [sum(map(len, pieces)) for pieces in came] != [len(MANY)] * 2:
        assert time.monotonic() < deadline
        for stream, pieces in zip(streams, came, strict=True):
            if data := stream.read():
                pieces.append(data)
    for writer in writers:
        writer.join()
    assert [b"".join(pieces) for pieces in came] == sent
    others[1].close()
    for stream in streams:
        stream.close()


def test_bulk_is_read_in_larger_pieces_and_the_rest_in_small_ones(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    for sock in ends:
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, 4 * BULK_SIZE)
    stream = Stream(ours, secure=True)
    theirs.setblocking(False)
    sent = theirs.send(MANY[: READ_SIZE + BULK_SIZE + 100])
    if sent < READ_SIZE + BULK_SIZE + 100:
        pytest.skip("this system keeps less than that between two ends")
    sizes = [len(stream.read() or b"") for _ in range(3)]
    assert sizes == [READ_SIZE, BULK_SIZE, 100]
    assert stream.read() is None
    theirs.send(MANY[: 2 * READ_SIZE])
    assert [len(stream.read() or b"") for _ in range(2)] == [READ_SIZE, READ_SIZE]
    stream.close()


def test_asyncio_reads_what_was_sent(ends: tuple[socket.socket, socket.socket]) -> None:
    async def scenario(stream: AsyncStream, transport: Counting, theirs: socket.socket) -> None:
        writer = threading.Thread(target=theirs.sendall, args=(MANY,))
        writer.start()
        digest, missing = hashlib.sha256(), len(MANY)
        while missing:
            await stream.wait(read=True, write=False, timeout=5)
            data = stream.read() or b""
            digest.update(data)
            missing -= len(data)
        writer.join()
        assert digest.digest() == hashlib.sha256(MANY).digest()

    run(ends, scenario)


def test_asyncio_waits_as_long_as_each_was_told(ends: tuple[socket.socket, socket.socket]) -> None:
    async def scenario(stream: AsyncStream, transport: Counting, theirs: socket.socket) -> None:
        def wait(timeout: float | None) -> asyncio.Task[None]:
            return asyncio.create_task(stream.wait(read=True, write=False, timeout=timeout))

        long, for_ever, short, at_once = map(wait, (60, None, 0.05, 0))
        with pytest.raises(TimedOut, match="for 0 seconds"):
            await at_once
        with pytest.raises(TimedOut, match=r"for 0\.05 seconds"):
            await short
        assert not long.done()
        with pytest.raises(TimedOut):
            await wait(0.05)  # a timer is set that rings before the one that is
        theirs.sendall(b"x")
        await asyncio.gather(long, for_ever)
        assert stream.read() == b"x"

    run(ends, scenario)

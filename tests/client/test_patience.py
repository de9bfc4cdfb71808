"""Time-outs: each limits its kind of waiting, closes the connection, and names the limit."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from imaplus import ConnectionLost, Exists, Security, TimedOut, Timeouts
from imaplus.endpoints import Tcp
from imaplus.testing import Fault, Server

from .harness import Connector, pair

LONG = 30.0
SHORT = 0.1
GREETING = b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE] ready\r\n"


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts connections, and sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


Drip = Callable[[socket.socket, bytes], None]


@pytest.fixture
def drip() -> Iterator[Drip]:
    """Sends the same bytes every 20 ms, until the test ends."""
    done = threading.Event()
    threads: list[threading.Thread] = []

    def run(sock: socket.socket, data: bytes) -> None:
        while not done.wait(0.02):
            try:
                sock.sendall(data)
            except OSError:
                return

    def begin(sock: socket.socket, data: bytes) -> None:
        threads.append(threading.Thread(target=run, args=(sock, data)))
        threads[-1].start()

    yield begin
    done.set()
    for thread in threads:
        thread.join()


async def test_with_a_handshake(connect: Connector, silent: int) -> None:
    with pytest.raises(TimedOut, match=f"TLS handshake within {SHORT:g} seconds"):
        await connect(Tcp("127.0.0.1", silent), timeouts=Timeouts(connect=SHORT))


async def test_with_no_time_to_connect(connect: Connector, silent: int) -> None:
    with pytest.raises(TimedOut):
        await connect(Tcp("127.0.0.1", silent, Security.PLAIN), timeout=0)


@pytest.mark.skipif(sys.platform != "linux", reason="a full backlog is silent on Linux only")
async def test_with_connecting(connect: Connector) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        with pytest.raises(TimedOut, match=f"did not answer within {SHORT:g} seconds"):
            await connect(
                Tcp("127.0.0.1", listener.getsockname()[1], Security.PLAIN),
                timeouts=Timeouts(connect=SHORT),
            )
        for sock in waiting:
            sock.close()


async def test_with_a_greeting(connect: Connector, silent: int) -> None:
    with pytest.raises(TimedOut):
        await connect(
            Tcp("127.0.0.1", silent, Security.PLAIN),
            timeouts=Timeouts(greeting=SHORT, silence=LONG),
        )


async def test_with_a_greeting_that_drips(connect: Connector, server: Server) -> None:
    server.fail_next(Fault.slow(1, 0.01))
    with pytest.raises(TimedOut):
        await connect(server, timeouts=Timeouts(silence=SHORT, slowest=1000))


async def test_with_silence(connect: Connector) -> None:
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    with theirs:
        client = await connect(endpoint, timeouts=Timeouts(silence=SHORT))
        with pytest.raises(TimedOut):
            await client.noop()
        with pytest.raises(ConnectionLost):
            await client.noop()


async def test_with_a_server_that_does_not_read(connect: Connector) -> None:
    endpoint, theirs = pair()
    theirs.sendall(GREETING.replace(b"IDLE", b"LITERAL+"))
    with theirs:
        client = await connect(endpoint, timeouts=Timeouts(silence=SHORT))
        with pytest.raises(ConnectionLost) as caught:
            await client.append("INBOX", b"x" * (10 << 20))
        assert isinstance(caught.value.__cause__, TimedOut)


async def test_with_a_response_that_drips(connect: Connector, drip: Drip) -> None:
    """Each byte arrives in time, but the response never ends."""
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    with theirs:
        client = await connect(endpoint, timeouts=Timeouts(silence=SHORT, slowest=1000))
        drip(theirs, b"x")
        with pytest.raises(TimedOut, match="bytes of a response"):
            await client.noop()


async def test_with_a_command(connect: Connector, drip: Drip) -> None:
    """Responses keep arriving, and none of them is the answer."""
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    with theirs:
        client = await connect(endpoint, timeouts=Timeouts(silence=LONG, command=SHORT))
        drip(theirs, b"* OK still here\r\n")
        with pytest.raises(
            TimedOut, match=r"NOOP was not over in time: no progress for 0\.1 seconds"
        ):
            await client.noop()


async def test_with_one_command(connect: Connector, drip: Drip) -> None:
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    with theirs:
        client = await connect(endpoint)
        drip(theirs, b"* OK still here\r\n")
        with pytest.raises(
            TimedOut, match=r"NOOP was not over within the deadline of 0\.1 seconds"
        ):
            await client.noop(timeout=SHORT)


async def test_farewells_are_short(connect: Connector) -> None:
    """If the server does not answer LOGOUT, the connection is closed without an error."""
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    with theirs:
        client = await connect(endpoint)
        await client.logout(timeout=SHORT)
        heard = b"".join(iter(lambda: theirs.recv(1 << 16), b""))
    assert heard.endswith(b" LOGOUT\r\n")


async def test_idling_is_no_silence(connect: Connector, server: Server) -> None:
    """`Timeouts.silence` does not apply to IDLE."""
    client = await connect(server, timeouts=Timeouts(silence=SHORT))
    inbox = await client.select("INBOX")
    assert [event async for event in inbox.idle(3 * SHORT)] == []
    server.add_message("INBOX", b"\r\n")
    events = [event async for event in inbox.idle(SHORT)]
    assert Exists(1) in events

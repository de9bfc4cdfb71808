"""Idling by the thousand: what a client holds, and what a listener who does not listen does."""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from collections.abc import Iterator

import pytest

from imaplus import AsyncClient, AsyncMailbox, Client, Exists, Security
from imaplus.client import listening
from imaplus.client.listening import Listener
from imaplus.client.streams import Stream
from imaplus.testing import Server

CLIENTS = 50
MOST_OCTETS = 20_000
"""For each client, counted where our own code asks for them: it is a third of that."""
OURS = ("*/imaplus/client/*", "*/imaplus/protocol/*")


@pytest.fixture
def tracing() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


async def first_event(mailbox: AsyncMailbox) -> object:
    return await anext(aiter(mailbox.idle()))


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="it cannot tell what is held")
async def test_what_idling_clients_hold(server: Server, tracing: None) -> None:
    clients: list[AsyncClient] = []
    all_idle = asyncio.Event()
    idling: list[bytes] = []

    def trace(side: str, line: bytes) -> None:
        if side == "S" and line.startswith(b"+ idling"):
            idling.append(line)
            if len(idling) == CLIENTS:
                all_idle.set()

    async def connect() -> AsyncMailbox:
        client = await AsyncClient.connect(
            server.host,
            server.port,
            user=server.user,
            password=server.password,
            security=Security.PLAIN,
            trace=trace,
        )
        clients.append(client)
        return await client.select("INBOX")

    await connect()  # what is loaded and made once is not each one's
    ours = [tracemalloc.Filter(True, pattern) for pattern in OURS]
    before = tracemalloc.take_snapshot().filter_traces(ours)
    told = [asyncio.create_task(first_event(await connect())) for _ in range(CLIENTS)]
    await all_idle.wait()
    after = tracemalloc.take_snapshot().filter_traces(ours)
    server.add_message("INBOX", b"\r\n")
    assert await asyncio.gather(*told) == [Exists(1)] * CLIENTS
    for client in clients:
        await client.close()
    growth = sum(each.size_diff for each in after.compare_to(before, "filename"))
    assert 0 < growth / CLIENTS < MOST_OCTETS


def test_what_comes_under_tls_may_be_no_words(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example a key update: the socket is readable, but there is no data."""
    read = Stream.read
    held: list[bytes] = []

    def later(stream: Stream) -> bytes | None:
        data = read(stream)
        if not held:
            held.append(data or b"")
            return None
        first, held[0] = held[0], b""
        return first + (data or b"") or None

    with Client.connect(
        server.host,
        server.port,
        user=server.user,
        password=server.password,
        security=Security.PLAIN,
    ) as client:
        inbox = client.select("INBOX")
        with monkeypatch.context() as patched:
            patched.setattr(Stream, "read", later)
            assert list(inbox.idle(0.1)) == []
        assert held == [b""]


def test_a_listener_who_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "MOST_EVENTS", 10)
    listener = Listener()
    for number in range(95):
        listener.hear([Exists(number)])
    events = listener.take()
    assert 5 <= len(events) <= 10
    assert events == [Exists(95 - len(events) + i) for i in range(len(events))]
    assert listener.take() == []

"""Cancelling one of several commands: the others complete, and the connection stays in sync."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaplus import AsyncClient, BodySection, Security
from imaplus.client._async_mailbox import AsyncMailbox
from imaplus.endpoints import Connected, Tcp
from imaplus.testing import AsyncServer, Generated

from .harness import letter, pair, tags

N = 12


async def connected(server: AsyncServer) -> AsyncClient:
    return await AsyncClient.connect(
        Tcp(server.host, server.port, Security.PLAIN), user=server.user, password=server.password
    )


def filled() -> AsyncServer:
    server = AsyncServer()
    server.mailbox().add_many([letter(f"letter {n}") for n in range(1, 21)])
    server.add_message("INBOX", Generated(200_000))
    for number in range(N):
        server.add_mailbox(f"Box {number}")
        server.mailbox(f"Box {number}").add_many([letter()] * number)
    return server


Action = Callable[[AsyncClient, AsyncMailbox], Coroutine[Any, Any, object]]


async def _fetch(client: AsyncClient, inbox: AsyncMailbox) -> None:
    uids = [each.uid async for each in inbox.fetch("1:20", "ENVELOPE", BodySection())]
    assert uids == list(range(1, 21))


async def _download(client: AsyncClient, inbox: AsyncMailbox) -> None:
    assert await inbox.download(21, io.BytesIO()) == 200_000


async def _append(client: AsyncClient, inbox: AsyncMailbox) -> None:
    await client.append("Box 0", letter() * 1000)


async def _append_large(client: AsyncClient, inbox: AsyncMailbox) -> None:
    await client.append("Box 0", b"x" * 1_500_000)


async def _store(client: AsyncClient, inbox: AsyncMailbox) -> None:
    assert len((await inbox.add_flags("1:20", "$X")).messages) >= 0


async def _search(client: AsyncClient, inbox: AsyncMailbox) -> None:
    assert len(await inbox.uids()) == 21


async def _idle(client: AsyncClient, inbox: AsyncMailbox) -> None:
    async for _ in inbox.idle(0.02):
        pass


async def _list(client: AsyncClient, inbox: AsyncMailbox) -> None:
    assert len(await client.list(status=("MESSAGES",))) == N + 1


ACTIONS: list[Action] = [_fetch, _download, _append, _append_large, _store, _search, _idle, _list]


async def still_in_step(client: AsyncClient, inbox: AsyncMailbox) -> None:
    """Every command still receives its own answer."""
    assert len(await inbox.uids()) == 21
    assert (await client.status("Box 7")).messages == 7
    file = io.BytesIO()
    assert await inbox.download(5, file) == len(letter("letter 5"))
    assert file.getvalue() == letter("letter 5")
    await client.append("Box 1", letter())


async def cancel_at(step: int, action: Action) -> bool:
    """Run the action beside others, and cancel it after this many turns of the loop.

    Whether it was still running then.
    """
    async with filled() as server:
        client = await connected(server)
        inbox = await client.select("INBOX")
        others = [asyncio.ensure_future(client.status(f"Box {n}")) for n in range(2, N)]
        task = asyncio.ensure_future(action(client, inbox))
        more = [asyncio.ensure_future(client.status(f"Box {n}")) for n in range(2, 5)]
        for _ in range(step):
            await asyncio.sleep(0)
        running = not task.done()
        task.cancel()
        results = await asyncio.gather(*others, *more)
        assert [each.messages for each in results] == [*range(2, N), *range(2, 5)]
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            task.result()
        assert len(server.sessions) == 1
        await still_in_step(client, inbox)
        await client.logout()
        return running


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__.strip("_"))
async def test_at_every_early_step(action: Action) -> None:
    ran = [await cancel_at(step, action) for step in range(25)]
    assert ran[0], "at least once it was cancelled while it ran"


@given(st.integers(0, 400), st.sampled_from(ACTIONS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_at_any_step(step: int, action: Action) -> None:
    asyncio.run(cancel_at(step, action))


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(ACTIONS)), min_size=2, max_size=8))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_at_once(plan: list[tuple[int, Action]]) -> None:
    async def scenario() -> None:
        async with filled() as server:
            client = await connected(server)
            inbox = await client.select("INBOX")
            tasks = [asyncio.ensure_future(action(client, inbox)) for _, action in plan]
            waits = [asyncio.ensure_future(client.status(f"Box {n}")) for n in range(2, N)]
            for step in range(61):
                for (at, _), task in zip(plan, tasks, strict=True):
                    if at == step:
                        task.cancel()
                await asyncio.sleep(0)
            assert [each.messages for each in await asyncio.gather(*waits)] == list(range(2, N))
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert result is None or isinstance(result, asyncio.CancelledError), result
            await still_in_step(client, inbox)
            await client.logout()

    asyncio.run(scenario())


async def test_a_time_out_around_a_command() -> None:
    """`asyncio.timeout` cancels the commands inside it only."""
    async with filled() as server:
        client = await connected(server)
        inbox = await client.select("INBOX")

        async def impatient() -> None:
            async with asyncio.timeout(0):
                await inbox.download(21, io.BytesIO())

        with pytest.raises(TimeoutError):
            await impatient()
        await still_in_step(client, inbox)
        await client.close()


async def test_the_next_writer_completes_an_interrupted_write() -> None:
    """All bytes of a partly written command are sent, by another task if necessary."""
    endpoint, theirs = pair()
    theirs.setblocking(False)
    theirs.send(b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n")
    loop = asyncio.get_running_loop()
    with theirs:
        client = await AsyncClient.connect(endpoint)
        message = b"x" * 1_000_000
        task = asyncio.ensure_future(client.append("INBOX", message))
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        noop = asyncio.ensure_future(client.noop())
        received = b""
        while not received.endswith(b"NOOP\r\n"):
            received += await loop.sock_recv(theirs, 1 << 16)
        assert b"{1000000+}\r\n" + message + b"\r\n" in received
        first, last = received.split(b" ", 1)[0], received.rsplit(b" ", 1)[0].rsplit(b"\n")[-1]
        await loop.sock_sendall(theirs, b"%b OK added\r\n%b OK\r\n" % (first, last))
        await noop
        await client.close()


async def test_the_waiter_that_reads_is_cancelled() -> None:
    """A cancelled reader passes the stream on, so that the other tasks get their answers."""
    endpoint, theirs = pair()
    assert isinstance(endpoint, Connected)
    theirs.send(b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
    with theirs:
        client = await AsyncClient.connect(endpoint)
        tasks: list[Awaitable[object]] = []
        running = [asyncio.ensure_future(client.noop()) for _ in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running[0].cancel()
        await asyncio.sleep(0)
        running[1].cancel()
        theirs.send(b"".join(b"%b OK\r\n" % tag for tag in await tags(theirs, 5)))
        results = await asyncio.gather(*running, *tasks, return_exceptions=True)
        assert [type(each).__name__ for each in results] == [
            "CancelledError", "CancelledError", "NoneType", "NoneType", "NoneType",
        ]  # fmt: skip
        await client.close()

"""Misuse raises at once: another loop, thread or process, or a lost connection."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from typing import Any

import pytest

from imaplus import AsyncClient, Client, ConnectionLost, Security, StateError
from imaplus.testing import Server

from .harness import Connector, pair

OTHER = "belongs to another event loop"


@pytest.fixture
def loop() -> Any:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def connected(loop: asyncio.AbstractEventLoop, server: Server) -> AsyncClient:
    return loop.run_until_complete(
        AsyncClient.connect(
            server.host,
            server.port,
            user=server.user,
            password=server.password,
            security=Security.PLAIN,
            mailbox="INBOX",
        )
    )


async def fetched(client: AsyncClient) -> None:
    async for _ in client.mailbox.fetch("1:*"):
        pass


async def idle(client: AsyncClient) -> None:
    async for _ in client.mailbox.idle():
        return


async def pipelined(client: AsyncClient) -> None:
    async with client.pipeline() as pipe:
        pipe.status("INBOX")


USES: dict[str, Callable[[AsyncClient], Coroutine[Any, Any, object]]] = {
    "a command": AsyncClient.noop,
    "a flow": lambda client: client.mailbox.search(),
    "a stream": fetched,
    "a pipeline": pipelined,
    "idling": idle,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_an_async_client_in_another_loop(
    full: Server, loop: asyncio.AbstractEventLoop, use: Callable[..., Any]
) -> None:
    client = connected(loop, full)
    before = list(full.commands[0])
    with pytest.raises(StateError, match=OTHER):
        asyncio.run(use(client))
    assert list(full.commands[0]) == before
    loop.run_until_complete(client.noop())  # it is as good as before where it belongs
    loop.run_until_complete(client.logout())


def test_an_async_client_in_another_thread(full: Server, loop: asyncio.AbstractEventLoop) -> None:
    client = connected(loop, full)
    caught: list[BaseException] = []

    def use() -> None:
        try:
            asyncio.run(client.noop())
        except StateError as error:
            caught.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert OTHER in str(caught[0])
    loop.run_until_complete(client.logout())


def test_an_async_client_is_closed_from_another_loop(
    full: Server, loop: asyncio.AbstractEventLoop
) -> None:
    client = connected(loop, full)
    asyncio.run(client.logout())
    with pytest.raises(ConnectionLost):
        loop.run_until_complete(client.noop())
    loop.run_until_complete(client.close())


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # asyncio's, of a loop closed too early
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_async_client_after_its_loop() -> None:
    endpoint, theirs = pair()
    with theirs:
        theirs.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
        loop = asyncio.new_event_loop()
        client = loop.run_until_complete(AsyncClient.connect(endpoint, identity={}, enable=()))
        loop.close()
        with pytest.raises(StateError, match="that this client belongs to has been closed"):
            asyncio.run(client.noop())
        for _ in range(2):
            asyncio.run(client.close())
            asyncio.run(client.logout())
        theirs.settimeout(10)
        assert theirs.recv(100) == b""
        del client, endpoint
        gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python 3.12 on: threads and fork
def test_a_client_after_a_fork(full: Server) -> None:
    client = Client.connect(
        full.host,
        full.port,
        user=full.user,
        password=full.password,
        security=Security.PLAIN,
        mailbox="INBOX",
    )
    with closing(client):
        mailbox = client.mailbox
        before = list(full.commands[0])
        if not (child := os.fork()):
            status = 1
            try:
                for use in (client.noop, mailbox.search, lambda: list(mailbox.fetch("1:*"))):
                    with pytest.raises(StateError, match="connect again after a fork"):
                        use()
                client.logout()
                client.close()
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert list(full.commands[0]) == before  # not even LOGOUT
        client.noop()


async def test_a_mailbox_after_the_connection_was_lost(connect: Connector, full: Server) -> None:
    client = await connect(full)
    mailbox = await client.select("INBOX")
    full.disconnect("Disconnected for inactivity")
    with pytest.raises(ConnectionLost, match="inactivity"):
        await client.noop()
    uses = {
        "search": lambda: mailbox.search(),
        "uids": lambda: mailbox.uids(),
        "flags": lambda: mailbox.flags(),
        "add_flags": lambda: mailbox.add_flags(1, "\\Seen"),
        "copy": lambda: mailbox.copy(1, "INBOX"),
        "move": lambda: mailbox.move(1, "INBOX"),
        "delete": lambda: mailbox.delete(1),
        "append": lambda: mailbox.append(b"x"),
        "select": lambda: client.select("INBOX"),
        "status": lambda: client.status("INBOX"),
    }
    for use in uses.values():
        with pytest.raises(ConnectionLost, match="inactivity"):
            await use()
    for iterate in (lambda: mailbox.idle(timeout=1), lambda: mailbox.fetch("1:*")):
        with pytest.raises(ConnectionLost, match="inactivity"):
            async for _ in iterate():
                pass
    with pytest.raises(ConnectionLost, match="inactivity"):
        client.mailbox  # noqa: B018
    with pytest.raises(ConnectionLost, match="inactivity"):
        async with client.pipeline() as pipe:
            pipe.mailbox.search()
    await mailbox.close()
    await client.close()
    await client.logout()


async def test_idle_raises_what_ended_the_connection(connect: Connector, full: Server) -> None:
    client = await connect(full)
    mailbox = await client.select("INBOX")
    full.add_message("INBOX", b"\r\n")
    happens = aiter(mailbox.idle(timeout=30))
    await anext(happens)
    full.disconnect("Disconnected for inactivity")
    with pytest.raises(ConnectionLost, match="inactivity"):
        async for _ in happens:
            pass
    with pytest.raises(ConnectionLost, match="inactivity"):
        await mailbox.search()


async def test_what_was_lost_before_idling_is_told_then(connect: Connector, full: Server) -> None:
    client = await connect(full)
    mailbox = await client.select("INBOX")
    full.disconnect("Disconnected for inactivity")
    with pytest.raises(ConnectionLost, match="inactivity"):
        async for _ in mailbox.idle(timeout=30):
            pass


async def test_closing_never_raises(connect: Connector, full: Server) -> None:
    client = await connect(full)
    mailbox = await client.select("INBOX")
    for _ in range(2):
        await client.close()
    with pytest.raises(ConnectionLost, match="has been closed"):
        await mailbox.search()
    await client.logout()

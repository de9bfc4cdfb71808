"""`with` statements close sessions and mailboxes, however the block ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from imaplus import AsyncClient, Client, ConnectionLost, Security, StateError, TimedOut
from imaplus.errors import CommandError, UidValidityChanged
from imaplus.testing import BASIC, Personality, Server

from .harness import Connector, names, pair

Start = Callable[..., Server]


def login(server: Server) -> dict[str, Any]:
    return {"user": server.user, "password": server.password, "security": Security.PLAIN}


# -- sessions --------------------------------------------------------------------------------------


async def test_a_session_as_a_block(full: Server) -> None:
    async with AsyncClient.connect(full.host, full.port, **login(full)) as client:
        async with client.select("INBOX") as inbox:
            assert inbox.exists == 10
        assert not inbox.is_open
    assert names(full)[-1] == "LOGOUT"


async def test_a_session_that_is_awaited(full: Server) -> None:
    async with await AsyncClient.connect(full.host, full.port, **login(full)) as client:
        async with await client.select("INBOX") as inbox:
            assert inbox.exists == 10
        assert not inbox.is_open
    assert names(full)[-1] == "LOGOUT"


def test_a_session_of_the_sync_client(full: Server) -> None:
    with Client.connect(full.host, full.port, **login(full)) as client:
        with client.select("INBOX") as inbox:
            assert inbox.exists == 10
        assert not inbox.is_open
    assert names(full)[-1] == "LOGOUT"


async def test_connecting_as_a_task(full: Server) -> None:
    connecting = [AsyncClient.connect(full.host, full.port, **login(full)) for _ in range(3)]
    tasks = [asyncio.create_task(connecting[0]), *connecting[1:]]
    clients = await asyncio.gather(*tasks)
    assert len(full.commands) == 3
    for client in clients:
        await client.close()


async def test_a_block_that_is_not_entered(server: Server) -> None:
    options = login(server) | {"password": "wrong"}
    with pytest.raises(CommandError):
        async with AsyncClient.connect(server.host, server.port, **options):
            pytest.fail("the block is not entered")


async def test_connecting_within_a_time(connect: Connector) -> None:
    endpoint, theirs = pair()
    with theirs, pytest.raises(TimedOut):
        await connect(endpoint, timeout=0.05)


# -- mailboxes -------------------------------------------------------------------------------------


async def test_nothing_is_expunged(connect: Connector, full: Server) -> None:
    client = await connect(full)
    async with client.select("INBOX") as inbox:
        await inbox.add_flags("1:3", "\\Deleted")
    assert names(full)[-1] == "UNSELECT"
    assert len(full.mailbox().messages) == 10
    with pytest.raises(StateError):
        await inbox.search()


async def test_nothing_is_expunged_without_unselect(connect: Connector, start: Start) -> None:
    server = start(personality=Personality(name="old", capabilities=BASIC))
    server.add_message("INBOX", b"Subject: x\r\n\r\n", ["\\Deleted"])
    client = await connect(server)
    async with client.select("INBOX") as inbox:
        assert inbox.exists == 1
    assert not inbox.is_open
    assert names(server)[-2:] == ["EXAMINE", "CLOSE"]
    assert len(server.mailbox().messages) == 1


async def test_a_block_that_ends_by_an_exception(connect: Connector, full: Server) -> None:
    client = await connect(full)
    with pytest.raises(KeyError):
        async with client.examine("INBOX"):
            raise KeyError("mine")
    assert names(full)[-1] == "UNSELECT"


async def test_the_exception_counts_and_not_what_closing_says(
    connect: Connector, full: Server
) -> None:
    client = await connect(full)

    async def use() -> None:
        async with client.select("INBOX"):
            full.stop()
            raise KeyError("mine")

    with pytest.raises(KeyError):
        await use()


async def test_a_connection_that_is_lost_in_the_block(connect: Connector, full: Server) -> None:
    client = await connect(full)

    async def use() -> None:
        async with client.select("INBOX") as inbox:
            full.stop()
            await inbox.search()

    with pytest.raises(ConnectionLost):
        await use()


async def test_another_mailbox_opened_in_the_block_stays_open(
    connect: Connector, full: Server
) -> None:
    full.add_mailbox("Other")
    client = await connect(full)
    async with client.select("INBOX"):
        other = await client.select("Other")
    assert other.is_open
    assert names(full)[-1] == "SELECT"


async def test_another_uidvalidity(connect: Connector, full: Server) -> None:
    client = await connect(full)
    with pytest.raises(UidValidityChanged):
        async with client.select("INBOX", uidvalidity=1):
            pytest.fail("the block is not entered")


# -- what an editor shows --------------------------------------------------------------------------


def shown(value: object) -> set[str]:
    return {name for name in dir(value) if not name.startswith("_")}


CLIENT = {
    "append",
    "append_many",
    "can",
    "capabilities",
    "close",
    "connect",
    "connection",
    "create",
    "delete",
    "examine",
    "exists",
    "find",
    "id",
    "list",
    "logout",
    "mailbox",
    "namespaces",
    "noop",
    "pipeline",
    "rename",
    "run",
    "save_draft",
    "select",
    "status",
    "subscribe",
    "unsubscribe",
}
NOT_IN_PIPELINES = {
    *("append_many", "can", "capabilities", "close", "connect", "connection", "examine"),
    *("logout", "pipeline", "save_draft", "select"),
}
COMMANDS = {
    *(
        "add_flags",
        "add_labels",
        "append",
        "copy",
        "count",
        "delete",
        "download",
        "fetch",
        "flags",
        "move",
    ),
    *(
        "expunge",
        "name",
        "remove_flags",
        "remove_labels",
        "search",
        "set_flags",
        "set_labels",
        "uids",
    ),
}
MAILBOX = {
    *("applicable_flags", "changes", "close", "exists", "highestmodseq", "idle", "is_open"),
    *("mailboxid", "permanent_flags", "read_only", "uidnext", "uids_persist", "uidvalidity"),
    *("message", "messages", "vanished"),
}


def test_an_editor_shows_what_may_be_called(full: Server) -> None:
    with Client.connect(full.host, full.port, **login(full)) as client:
        inbox = client.select("INBOX")
        pipe = client.pipeline()
        assert shown(client) == CLIENT
        assert shown(inbox) == MAILBOX | COMMANDS
        assert shown(pipe) == CLIENT - NOT_IN_PIPELINES
        assert shown(pipe.mailbox) == COMMANDS
    assert shown(AsyncClient) == CLIENT

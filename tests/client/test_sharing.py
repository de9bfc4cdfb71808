"""One connection shared by tasks and threads, some of them in IDLE."""

from __future__ import annotations

import asyncio
import io
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from imaplus import (
    AsyncClient,
    BodySection,
    Client,
    ConnectionLost,
    Exists,
    Expunged,
    Fetched,
    Security,
)
from imaplus.endpoints import Tcp
from imaplus.search import Subject
from imaplus.testing import Server
from imaplus.testing.personality import named

from .harness import Connector, letter, names, pair, tags


@pytest.fixture
def shared(full: Server) -> Server:
    """Ten messages, and ten mailboxes with as many messages as their number says."""
    for number in range(10):
        full.add_mailbox(f"Box {number}").add_many([letter()] * number)
    return full


def at(server: Server) -> Tcp:
    return Tcp(server.host, server.port, Security.PLAIN)


async def test_two_hundred_tasks(shared: Server) -> None:
    client = await AsyncClient.connect(at(shared), user="ada", password=shared.password)
    inbox = await client.select("INBOX")

    async def one(number: int) -> None:
        uid = number % 10 + 1
        match number % 8:
            case 0:
                assert (await client.status(f"Box {number % 10}")).messages == number % 10
            case 1:
                found = [each async for each in inbox.fetch(uid, "ENVELOPE")]
                assert found[0].envelope.subject == f"letter {uid}"
            case 2:
                assert uid in await inbox.search(Subject(f"letter {uid}"))
            case 3:
                await inbox.add_flags(uid, f"$Task{number}")
            case 4:
                file = io.BytesIO()
                await inbox.download(uid, file)
                assert file.getvalue() == letter(f"letter {uid}")
            case 5:
                await client.append("Sink", letter(f"task {number}"))
            case 6:
                bodies = [each.body() async for each in inbox.fetch("1:10", BodySection())]
                assert bodies == [letter(f"letter {n}") for n in range(1, 11)]
            case 7:
                assert len(await client.list(pattern="Box*")) == 10

    shared.add_mailbox("Sink")
    await asyncio.gather(*map(one, range(200)))
    for number in range(3, 200, 8):
        assert f"$Task{number}" in shared.mailbox().flags(number % 10 + 1)
    subjects = sorted(m.data for m in shared.mailbox("Sink").messages.values())
    assert subjects == sorted(letter(f"task {n}") for n in range(5, 200, 8))
    await client.logout()


def test_eight_threads(shared: Server) -> None:
    shared.add_mailbox("Sink")
    client = Client.connect(at(shared), user="ada", password=shared.password)
    inbox = client.select("INBOX")
    begin = threading.Barrier(8)

    def one(thread: int) -> None:
        dice = random.Random(thread)
        begin.wait()
        for turn in range(25):
            number, uid = dice.randrange(10), dice.randrange(1, 11)
            match dice.randrange(6):
                case 0:
                    assert client.status(f"Box {number}").messages == number
                case 1:
                    (found,) = [e for e in inbox.fetch(uid, "ENVELOPE") if "ENVELOPE" in e]
                    assert found.envelope.subject == f"letter {uid}"
                case 2:
                    inbox.add_flags(uid, f"$Thread{thread}")
                case 3:
                    file = io.BytesIO()
                    inbox.download(uid, file)
                    assert file.getvalue() == letter(f"letter {uid}")
                case 4:
                    client.append("Sink", letter(f"{thread} {turn}") + b"x" * 100_000)
                case 5:
                    bodies = [each.body() for each in inbox.fetch("1:10", BodySection())]
                    assert bodies == [letter(f"letter {n}") for n in range(1, 11)]

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(one, thread) for thread in range(8)]:
            done.result()
    client.logout()
    assert len(shared.sessions) == 1


def test_threads_that_share_a_connection_share_its_end(shared: Server) -> None:
    client = Client.connect(at(shared), user="ada", password=shared.password)
    begin = threading.Barrier(5)

    def one(_: int) -> str:
        begin.wait()
        try:
            while True:
                client.noop()
        except ConnectionLost as error:
            return str(error)

    with ThreadPoolExecutor(5) as pool:
        ends = [pool.submit(one, thread) for thread in range(4)]
        begin.wait()
        shared.disconnect("Enough")
        assert {"Enough" in end.result(10) for end in ends} == {True}
    client.close()


async def test_commands_while_another_task_idles(shared: Server) -> None:
    client = await AsyncClient.connect(at(shared), user="ada", password=shared.password)
    inbox = await client.select("INBOX")
    events: list[object] = []
    enough = asyncio.Event()

    async def watch() -> None:
        async for event in inbox.idle():
            events.append(event)
            if isinstance(event, Exists) and event.count == 15:
                enough.set()

    watching = asyncio.create_task(watch())
    for number in range(5):
        assert (await client.status(f"Box {number}")).messages == number
        shared.add_message("INBOX", letter())
        await asyncio.sleep(0)
    await enough.wait()
    assert inbox.exists == 15
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert len(await inbox.uids()) == 15
    await client.logout()


def test_commands_while_another_thread_idles(shared: Server) -> None:
    client = Client.connect(at(shared), user="ada", password=shared.password)
    inbox = client.select("INBOX")
    enough = threading.Event()

    def watch() -> None:
        for event in inbox.idle(10):
            if isinstance(event, Exists) and event.count >= 15:
                enough.set()
                return

    watching = threading.Thread(target=watch)
    watching.start()
    turns = 0
    while not enough.wait(0.01) and turns < 500:  # it may have begun to listen only by now
        number = turns % 10
        assert client.status(f"Box {number}").messages == number
        shared.add_message("INBOX", letter())
        turns += 1
    watching.join(10)
    assert not watching.is_alive()
    assert enough.is_set()
    assert len(inbox.uids()) == 10 + turns
    client.logout()


# -- idling, on both -------------------------------------------------------------------------------


async def test_idle_hears_what_others_do(connect: Connector, full: Server) -> None:
    client = await connect(full)
    inbox = await client.select("INBOX")
    await inbox.uids()  # from here on the map knows every UID
    other = await (await connect(full)).select("INBOX")
    events = []
    steps = iter((other.append(letter()), other.add_flags(3, "\\Flagged"), other.delete(4)))
    await next(steps)
    async for event in inbox.idle(10):
        if isinstance(event, Exists | Expunged) or (
            isinstance(event, Fetched) and "\\Flagged" in event.flags
        ):
            events.append(event)
            step = next(steps, None)
            if step is None:
                break
            await step
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["Exists", "Fetched", "Expunged"]
    assert isinstance(events[1], Fetched)
    assert isinstance(events[2], Expunged)
    assert (events[1].uid, events[2].uid) == (3, 4)
    assert inbox.exists == 10
    assert len(await inbox.uids()) == 10


async def test_idle_ends_in_time(connect: Connector, full: Server) -> None:
    client = await connect(full)
    inbox = await client.select("INBOX")
    assert [event async for event in inbox.idle(0.05)] == []
    assert names(full)[-1] == "IDLE"
    await client.noop()


async def test_idle_is_renewed(connect: Connector, full: Server) -> None:
    """Servers log out clients that idle for half an hour (RFC 9051, 6.3.13)."""
    inbox = await (await connect(full)).select("INBOX")
    assert [event async for event in inbox.idle(0.2, renew=0.02)] == []
    assert names(full).count("IDLE") > 2


async def test_idle_without_idle(connect: Connector) -> None:
    with Server(personality=named("rev1").but(minus="IDLE")) as plain:
        plain.add_message("INBOX", letter())
        inbox = await (await connect(plain)).select("INBOX")
        plain.add_message("INBOX", letter())
        events = [event async for event in inbox.idle(0.1, poll=0.02)]
        assert Exists(2) in events
        assert names(plain).count("NOOP") > 1


async def test_idle_on_a_connection_that_ends(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    full.add_message("INBOX", letter())

    async def watch() -> None:
        async for _ in inbox.idle(10):
            full.disconnect("Enough")

    with pytest.raises(ConnectionLost, match="Enough"):
        await watch()


async def test_two_idle_at_once(shared: Server) -> None:
    client = await AsyncClient.connect(at(shared), user="ada", password=shared.password)
    inbox = await client.select("INBOX")

    async def watch() -> object:
        async for event in inbox.idle(10):
            if isinstance(event, Exists):
                return event
        return None

    watching = [asyncio.create_task(watch()) for _ in range(2)]
    for _ in range(5):
        await asyncio.sleep(0)
    shared.add_message("INBOX", letter())
    assert await asyncio.gather(*watching) == [Exists(11), Exists(11)]
    await client.logout()


async def test_the_first_answered_call_returns_first() -> None:
    """Even if another task, which waits longer, is reading."""
    endpoint, theirs = pair()
    with theirs:
        theirs.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
        client = await AsyncClient.connect(endpoint)
        tasks = [asyncio.create_task(client.noop()) for _ in range(5)]
        await asyncio.sleep(0)
        sent = await tags(theirs, 5)
        for number in (3, 5, 2):
            theirs.sendall(b"%b OK done\r\n" % sent[number - 1])
            async with asyncio.timeout(5):
                await tasks[number - 1]
        assert [task.done() for task in tasks] == [False, True, True, False, True]
        theirs.sendall(b"%b OK done\r\n%b OK done\r\n" % (sent[0], sent[3]))
        await asyncio.gather(*tasks)
        await client.close()


async def test_those_who_gave_up_are_passed_over() -> None:
    endpoint, theirs = pair()
    with theirs:
        theirs.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
        client = await AsyncClient.connect(endpoint)
        tasks = [asyncio.create_task(client.noop()) for _ in range(5)]
        await asyncio.sleep(0)
        for number in (0, 1, 3):
            tasks[number].cancel()
        await asyncio.sleep(0)
        theirs.sendall(b"".join(b"%b OK done\r\n" % tag for tag in await tags(theirs, 5)))
        async with asyncio.timeout(5):
            await asyncio.gather(tasks[2], tasks[4])
        await client.close()

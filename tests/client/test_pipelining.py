"""Commands share round trips: the server answers after it has received all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from imaplus import AsyncClient, BodySection, Client, Outgoing, SequenceSet, Timeouts
from imaplus.core.append import Append
from imaplus.core.fetch import Fetch
from imaplus.core.mailboxes import GetStatus, Select
from imaplus.core.messages import Change, Store
from imaplus.core.session import Noop
from imaplus.flows.listing import _with_status
from imaplus.protocol.command import Command
from imaplus.protocol.flow import Flow
from imaplus.sansio import Together
from imaplus.testing import Server
from imaplus.wire.sources import Octets

from .gate import Gate
from .harness import Connector, letter

N = 40
PATIENCE = Timeouts(silence=5.0)


@pytest.fixture
def many(server: Server) -> Server:
    """A server with forty mailboxes, and forty messages in INBOX."""
    server.mailbox().add_many([letter()] * N)
    for number in range(N):
        server.add_mailbox(f"Box {number}")
    return server


@pytest.fixture
def gate(many: Server) -> Iterator[Gate]:
    with Gate(many) as gate:
        yield gate


async def through(connect: Connector, gate: Gate) -> AsyncClient:
    client = await connect(gate.endpoint, user="ada", password="correct horse", timeouts=PATIENCE)
    await client.select("INBOX")
    return client


def together(*commands: Command[object]) -> Flow[list[object]]:
    return (yield from Together(*commands).results())


COMMANDS: dict[str, Callable[[int], Command[object]]] = {
    "STATUS": lambda n: GetStatus(f"Box {n}"),
    "STORE": lambda n: Store(SequenceSet.of(n + 1), Change.ADD, frozenset({"$X"})),
    "FETCH": lambda n: Fetch(SequenceSet.of(n + 1), ("FLAGS",)),
    "APPEND": lambda n: Append(f"Box {n}", (Outgoing(Octets(letter()), frozenset()),)),
    "NOOP": lambda n: Noop(),
}


@pytest.mark.parametrize("kind", COMMANDS)
async def test_a_flow_gives_them_together(connect: Connector, gate: Gate, kind: str) -> None:
    client = await through(connect, gate)
    gate.hold(N)
    results = await client.run(together(*map(COMMANDS[kind], range(N))))
    assert len(results) == N
    assert gate.commands == N


async def test_answers_go_to_those_who_asked(connect: Connector, gate: Gate, many: Server) -> None:
    for number in range(N):
        many.mailbox(f"Box {number}").add_many([letter()] * number)
    client = await through(connect, gate)
    gate.hold(N)
    results = await client.run(together(*map(COMMANDS["STATUS"], range(N))))
    assert [each.messages for each in results] == list(range(N))  # type: ignore[attr-defined]


async def test_status_of_a_list(connect: Connector, start: Callable[..., Server]) -> None:
    """Without LIST-STATUS, STATUS is sent for all mailboxes at once."""
    server = start(personality="rev1-basic")
    for number in range(N):
        server.add_mailbox(f"Box {number}")
    with Gate(server) as gate:
        client = await connect(
            gate.endpoint, user="ada", password="correct horse", timeouts=PATIENCE
        )
        entries = await client.list(pattern="Box*")
        gate.hold(N)
        found = await client.run(_with_status(entries, ("MESSAGES",)))
        assert all(entry.status is not None for entry in found)
        assert gate.commands == N


async def test_tasks_send_together(gate: Gate) -> None:
    client = await AsyncClient.connect(
        gate.endpoint, user="ada", password="correct horse", timeouts=PATIENCE
    )
    gate.hold(N)
    results = await asyncio.gather(*(client.status(f"Box {n}") for n in range(N)))
    assert [each.mailbox for each in results] == [f"Box {n}" for n in range(N)]
    await client.close()


def test_threads_send_together(gate: Gate) -> None:
    client = Client.connect(gate.endpoint, user="ada", password="correct horse", timeouts=PATIENCE)
    gate.hold(8)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(client.status, [f"Box {n}" for n in range(8)]))
    assert [each.mailbox for each in results] == [f"Box {n}" for n in range(8)]
    client.close()


async def test_a_window_of_fetches_is_always_under_way(
    connect: Connector, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next portion is requested before the current one is complete."""
    module = "_async_mailbox" if connect.kind == "async" else "_sync_mailbox"
    monkeypatch.setattr(f"imaplus.client.{module}.WINDOW", 10)
    client = await through(connect, gate)
    inbox = await client.select("INBOX")
    gate.hold(2)
    found = [each.uid async for each in inbox.fetch("1:40", BodySection())]
    assert found == list(range(1, 41))
    assert gate.commands == 4


async def test_messages_are_appended_together(
    connect: Connector, start: Callable[..., Server]
) -> None:
    """With LITERAL+ and without MULTIAPPEND, messages do not wait for each other."""
    server = start(personality="exchange")
    with Gate(server) as gate:
        client = await connect(
            gate.endpoint, user="ada", password="correct horse", timeouts=PATIENCE
        )
        gate.hold(N)
        await client.append_many("INBOX", [letter(f"number {n}") for n in range(N)])
        assert [m.data for m in server.mailbox().messages.values()] == [
            letter(f"number {n}") for n in range(N)
        ]


async def test_what_changes_state_travels_alone(
    connect: Connector, gate: Gate, many: Server
) -> None:
    """Nothing is sent between SELECT and its answer (RFC 9051, 5.5)."""
    client = await through(connect, gate)
    many.add_message("Box 1", letter("in box 1"))

    def flow() -> Flow[list[object]]:
        return (
            yield from Together(
                Select("Box 1"), Fetch(SequenceSet.parse("1:*"), ("ENVELOPE",))
            ).results()
        )

    _, found = await client.run(flow())
    assert [each.envelope.subject for each in found] == ["in box 1"]  # type: ignore[attr-defined]


async def test_overlapping_changes_wait_for_each_other(
    connect: Connector, gate: Gate, many: Server
) -> None:
    """STORE and FETCH for the same message keep their order."""
    client = await through(connect, gate)
    one = SequenceSet.of(1)
    results = await client.run(
        together(
            Store(one, Change.ADD, frozenset({"$A"})),
            Fetch(one, ("FLAGS",)),
            Store(one, Change.REMOVE, frozenset({"$A"})),
            Fetch(one, ("FLAGS",)),
        )
    )
    with_flag, without = (each[0].flags for each in (results[1], results[3]))  # type: ignore[index]
    assert "$A" in with_flag
    assert "$A" not in without


async def test_one_that_is_refused_leaves_the_others_whole(connect: Connector, gate: Gate) -> None:
    client = await through(connect, gate)

    def flow() -> Flow[list[object]]:
        return (yield from Together(GetStatus("Box 1"), GetStatus("nowhere"), GetStatus("Box 2")))

    gate.hold(3)
    one, nowhere, two = await client.run(flow())
    assert (one.mailbox, two.mailbox) == ("Box 1", "Box 2")  # type: ignore[attr-defined]
    assert isinstance(nowhere, Exception)
    await client.noop()

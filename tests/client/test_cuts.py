"""The connection is cut after every octet of a session, either way: nothing is lost or doubled.

No sockets: a flow of commands, our connection and the embedded server's session are joined in
memory, and the wire between them breaks after exactly so many octets. What the flow had been told
by then must be the beginning of what it is told without a cut; the error must say that the
connection is gone; and what the server holds must be one of the states between two commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from imaplus import (
    AsyncClient,
    BodySection,
    ConnectionLost,
    ImapError,
    Outgoing,
    ProtocolError,
    SequenceSet,
)
from imaplus.core.append import Append, Appended
from imaplus.core.fetch import Fetch
from imaplus.core.mailboxes import Create, Select
from imaplus.core.messages import Change, Store
from imaplus.core.session import Login, Logout
from imaplus.flows import listing, messages
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow, Together
from imaplus.testing import AsyncServer, Fault, Server
from imaplus.testing.session import Session
from imaplus.wire.secret import Secret
from imaplus.wire.sources import Octets

from .harness import Connector, letter

NEVER = 1 << 30
OLD = [letter("old 1"), letter("old 2", "x" * 100 + "\r\n")]


class Told(NamedTuple):
    """The results of a session."""

    results: list[object]
    error: BaseException | None
    bodies: list[bytes]
    """The messages in INBOX and Other after the session."""
    sent: int
    received: int


def work(connection: Connection, results: list[object]) -> Flow[None]:
    """Log in, append, search, store and move; note each result at once."""
    yield from Login("ada", Secret("correct horse"))
    results.append((yield from listing.list_mailboxes(connection, status=("MESSAGES",))))
    yield from Create("Other")
    results.append("created")
    for number in range(3):
        body = f"body {number}\r\n" * 40
        message = Outgoing(Octets(letter(f"new {number}", body)), frozenset({"\\Seen"}))
        results += yield from Append("INBOX", (message,))
    opened = yield from Select("INBOX")
    results.append(opened.mailbox.exists)
    everything = SequenceSet.parse("1:*")
    found = yield from Fetch(everything, ("FLAGS", "ENVELOPE", BodySection()))
    results += [(each.uid, each.flags, each.envelope.subject, each.body()) for each in found]
    results += yield from Together(
        Store(SequenceSet.of(1), Change.ADD, frozenset({"$A"})),
        Store(SequenceSet.of(2), Change.ADD, frozenset({"$B"})),
    ).results()
    results.append((yield from messages.search(connection)))
    results.append((yield from messages.move(connection, SequenceSet.of([1, 2]), "Other")))
    yield from Logout()
    results.append("over")


class Run:
    """Runs the flow as far as the answers allow."""

    def __init__(self) -> None:
        self.connection = connection = Connection(secure=True)
        self.results: list[object] = []
        self.error: BaseException | None = None
        self.flow = work(connection, self.results)
        self.waiting: list[Any] | None = None
        self.together = False
        self.over = False

    def go(self) -> None:
        """Send the next commands, up to the first that needs an answer."""
        if self.connection.greeting is None and self.connection.error is None:
            return
        while not self.over:
            if self.waiting is None:
                self._step(None)
            elif all(pending.done for pending in self.waiting):
                self._answer()
            else:
                return

    def _answer(self) -> None:
        assert self.waiting is not None
        try:
            values = [pending.result() for pending in self.waiting]
        except ImapError as error:
            self._step(error)
        else:
            self._step(values if self.together else values[0])

    def _step(self, value: Any) -> None:
        try:
            step = self.flow.throw(value) if isinstance(value, ImapError) else self.flow.send(value)
            self.together = isinstance(step, Together)
            commands: Any = step.commands if isinstance(step, Together) else (step,)
            self.waiting = [self.connection.send(each) for each in commands]
        except StopIteration:
            self.over = True
        except ImapError as error:
            self.error, self.over = error, True


class Wire:
    """A stream for the server's session; reading from it runs the client."""

    def __init__(self, run: Run, sent: int, received: int) -> None:
        self.run = run
        self.connection = run.connection
        self.left_to_send = sent
        self.left_to_receive = received
        self.sent = self.received = 0

    async def read(self) -> bytes:
        """The bytes from the client; none after the cut, or at the end."""
        self.run.go()
        data = self.connection.data_to_send()[: self.left_to_send]
        self.sent += len(data)
        self.left_to_send -= len(data)
        return data

    async def write(self, data: bytes) -> None:
        piece = data[: self.left_to_receive]
        self.received += len(piece)
        self.left_to_receive -= len(piece)
        self.connection.receive_data(piece)
        if len(piece) < len(data):
            self.connection.receive_eof()
            raise ConnectionResetError

    async def close(self, *, politely: bool = True) -> None:
        self.connection.receive_eof()


async def session(sent: int = NEVER, received: int = NEVER) -> Told:
    """Run a session, cut after a number of bytes sent or received by the client."""
    server = AsyncServer()
    server.mailbox().add_many(OLD)
    run = Run()
    wire = Wire(run, sent, received)
    await Session(wire, server.hub, fault=Fault(), secure=True, context=None).run()
    run.connection.receive_eof()
    run.go()
    boxes = server.account().mailboxes
    bodies = [
        message.data
        for name in ("INBOX", "Other")
        if name in boxes
        for message in boxes[name].messages.values()
    ]
    return Told(run.results, run.error, bodies, wire.sent, wire.received)


@pytest.fixture(scope="module")
def whole() -> Told:
    return asyncio.run(session())


def test_without_a_cut(whole: Told) -> None:
    assert whole.error is None
    assert whole.results[-1] == "over"
    assert len(whole.bodies) == 5
    assert 5_000 < whole.sent + whole.received < 20_000


def check(told: Told, whole: Told) -> None:
    """Check the results of a session that was cut."""
    assert told.results == whole.results[: len(told.results)], "altered or out of order"
    if told.results[-1:] != ["over"]:
        assert isinstance(told.error, ConnectionLost | ProtocolError)
        assert str(told.error)
    assert len(set(told.bodies)) == len(told.bodies), "doubled"
    assert set(told.bodies) <= set(whole.bodies), "half a message"
    assert set(OLD) <= set(told.bodies), "lost"
    added = sum(isinstance(each, Appended) for each in told.results)
    assert len(told.bodies) >= len(OLD) + added, "told to be there, and is not"


@pytest.mark.parametrize("part", range(4))
def test_after_every_octet_that_is_sent(whole: Told, part: int) -> None:
    async def cut_all() -> None:
        for octets in range(part, whole.sent, 4):
            check(await session(sent=octets), whole)

    asyncio.run(cut_all())


@pytest.mark.parametrize("part", range(4))
def test_after_every_octet_that_is_received(whole: Told, part: int) -> None:
    async def cut_all() -> None:
        for octets in range(part, whole.received, 4):
            check(await session(received=octets), whole)

    asyncio.run(cut_all())


# -- the same over sockets, at some places ---------------------------------------------------------


async def use(client: AsyncClient) -> list[object]:
    """A session with commands of every kind."""
    inbox = await client.select("INBOX")
    results: list[object] = [each.body() async for each in inbox.fetch("1:*", BodySection())]
    results.append((await inbox.add_flags("1:2", "$A")).modified)
    results.append((await client.append("INBOX", letter("new"))).uid)
    results.append([each.name for each in await client.list()])
    return results


@pytest.mark.parametrize(
    ("way", "cut"), [("sent", Fault.cut_after_sent), ("received", Fault.cut_after_received)]
)
async def test_the_clients(
    connect: Connector, start: Callable[..., Server], way: str, cut: Callable[[int], Fault]
) -> None:
    server = start()
    server.mailbox().add_many(OLD)
    whole = await use(await connect(server))
    stream = server.sessions[0].stream
    for octets in range(0, getattr(stream, way), 29):
        with Server() as server:
            server.mailbox().add_many(OLD)
            server.fail_next(cut(octets))
            with pytest.raises((ConnectionLost, ProtocolError)):
                await use(await connect(server))
            assert server.mailbox().uids[:3] in ([1, 2], [1, 2, 3])
            again = await use(await connect(server))
            assert again[:2] == whole[:2]

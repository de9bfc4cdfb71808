"""How often a client waits for the server: counted, not timed.

`Ferry` carries what the client says only when it waits for an answer, and all of it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from imaplus import (
    Answer,
    AsyncClient,
    AsyncMailbox,
    AsyncPipeline,
    AuthenticationFailed,
    Client,
    NoSuchMailbox,
    Security,
    StateError,
)
from imaplus.client.async_streams import AsyncStream
from imaplus.client.streams import Stream
from imaplus.credentials import BearerToken
from imaplus.testing import AsyncServer, Personality
from imaplus.testing.personality import named

from .ferry import AsyncFerry, Ferry, SyncFerry
from .harness import Blocking, letter

N = 1000
MOST = 3
"""Maximum number of round trips for a thousand commands."""
MESSAGES = [letter(f"number {n}") for n in range(200)]


class Pier:
    """Connects a client of one kind to a server, with a ferry between them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.server = AsyncServer()
        self.ferry: Ferry = AsyncFerry(self.server)
        self._clients: list[AsyncClient] = []

    def build(self, personality: str | Personality) -> AsyncServer:
        """The server to connect to."""
        self.server = AsyncServer(personality=personality)
        return self.server

    async def connect(self, **options: Any) -> AsyncClient:
        """A logged-in client."""
        ferry = self.ferry = (AsyncFerry if self.kind == "async" else SyncFerry)(self.server)
        options = {"user": "ada", "password": "correct horse", "mechanisms": ["PLAIN"]} | options
        client: Any
        with pytest.MonkeyPatch.context() as patch:
            if self.kind == "async":

                async def connected(*_: object) -> Ferry:
                    return ferry

                patch.setattr(AsyncStream, "connect", connected)
                client = await AsyncClient.connect("there", security=Security.PLAIN, **options)
            else:
                patch.setattr(Stream, "connect", lambda *_: ferry)
                client = Blocking(Client.connect("there", security=Security.PLAIN, **options))
        self._clients.append(client)
        return cast(AsyncClient, client)

    async def close(self) -> None:
        for client in self._clients:
            await client.close()


@pytest.fixture(params=["async", "sync"])
async def pier(request: pytest.FixtureRequest) -> AsyncIterator[Pier]:
    pier = Pier(request.param)
    yield pier
    await pier.close()


@pytest.fixture
def crowded(pier: Pier) -> AsyncServer:
    """A thousand mailboxes, and a thousand messages in INBOX, every second one of them gone."""
    server = pier.build("rev1")
    for number in range(N):
        server.add_mailbox(f"Box {number}")
    server.mailbox().add_many([letter()] * 2 * N)
    server.mailbox().expunge(range(1, 2 * N, 2))
    return server


# -- many small commands -----------------------------------------------------------------------

Given = Callable[[AsyncPipeline, AsyncMailbox, int], Answer[Any]]
SMALL: dict[str, Given] = {
    "STATUS": lambda pipe, inbox, n: pipe.status(f"Box {n}"),
    "STORE": lambda pipe, inbox, n: pipe.mailbox.add_flags(2 * n + 2, f"$N{n % 7}"),
    "FETCH": lambda pipe, inbox, n: pipe.mailbox.fetch(2 * n + 2, "FLAGS"),
    "all of them": lambda pipe, inbox, n: SMALL[["STATUS", "STORE", "FETCH"][n % 3]](
        pipe, inbox, n
    ),
}


@pytest.mark.parametrize("what", SMALL)
async def test_a_pipeline_of_small_commands(pier: Pier, crowded: AsyncServer, what: str) -> None:
    client = await pier.connect()
    inbox = await client.select("INBOX")
    before = pier.ferry.round_trips
    async with client.pipeline() as pipe:
        answers = [SMALL[what](pipe, inbox, n) for n in range(N)]
    assert pier.ferry.round_trips - before <= MOST
    assert all(answer.result() for answer in answers)


@pytest.mark.parametrize("pier", ["async"], indirect=True)
@pytest.mark.parametrize("what", ["STATUS", "STORE", "FETCH"])
async def test_gathered_small_commands(pier: Pier, crowded: AsyncServer, what: str) -> None:
    client = await pier.connect()
    inbox = await client.select("INBOX")

    async def one(number: int) -> Any:
        match what:
            case "STATUS":
                return (await client.status(f"Box {number}")).mailbox
            case "STORE":
                return await inbox.add_flags(2 * number + 2, f"$N{number % 7}")
            case _:
                return [each.uid async for each in inbox.fetch(2 * number + 2, "FLAGS")]

    before = pier.ferry.round_trips
    answers = await asyncio.gather(*map(one, range(N)))
    assert pier.ferry.round_trips - before <= MOST
    assert all(answers)


async def test_no_pipeline_no_gain(pier: Pier) -> None:
    """The ferry counts: sequential commands take a round trip each."""
    client = await pier.connect()
    before = pier.ferry.round_trips
    for _ in range(10):
        await client.noop()
    assert pier.ferry.round_trips - before == 10


# -- adding messages ---------------------------------------------------------------------------

LITERALS = {
    "MULTIAPPEND and LITERAL+": named("rev1"),
    "LITERAL+": named("rev1").but(minus="MULTIAPPEND"),
    "MULTIAPPEND and LITERAL-": named("rev1").but(plus="LITERAL-", minus="LITERAL+"),
    "LITERAL-": named("rev1").but(plus="LITERAL-", minus="LITERAL+ MULTIAPPEND"),
}


@pytest.mark.parametrize("literals", LITERALS)
async def test_append_many(pier: Pier, literals: str) -> None:
    server = pier.build(LITERALS[literals])
    client = await pier.connect()
    before = pier.ferry.round_trips
    added = await client.append_many("INBOX", iter(MESSAGES))
    assert pier.ferry.round_trips - before <= MOST
    assert [each.uid for each in added] == list(range(1, 201))
    assert [message.data for message in server.mailbox().messages.values()] == MESSAGES


@pytest.mark.parametrize("literals", LITERALS)
async def test_a_pipeline_of_appends(pier: Pier, literals: str) -> None:
    server = pier.build(LITERALS[literals])
    client = await pier.connect()
    before = pier.ferry.round_trips
    async with client.pipeline() as pipe:
        answers = [pipe.append("INBOX", each) for each in MESSAGES]
    assert pier.ferry.round_trips - before <= MOST
    assert [answer.result().uid for answer in answers] == list(range(1, 201))
    assert [message.data for message in server.mailbox().messages.values()] == MESSAGES


@pytest.mark.parametrize("pier", ["async"], indirect=True)
async def test_gathered_appends(pier: Pier) -> None:
    pier.build("rev1")
    client = await pier.connect()
    before = pier.ferry.round_trips
    added = await asyncio.gather(*(client.append("INBOX", each) for each in MESSAGES))
    assert pier.ferry.round_trips - before <= MOST
    assert [each.uid for each in added] == list(range(1, 201))


async def test_a_stream_of_batches_does_not_wait_for_each(pier: Pier) -> None:
    """The next batches are sent before the first one is answered."""
    pier.build("rev1")
    client = await pier.connect()
    before = pier.ferry.round_trips
    await client.append_many("INBOX", MESSAGES * 10)
    assert pier.ferry.round_trips - before <= 5


# -- a session ---------------------------------------------------------------------------------

DOVECOT = named("dovecot")
EXTRA = {"enable": ["UTF8=ACCEPT"]}
"""Extensions to enable."""


def trips(*commands: str) -> list[set[str]]:
    return [set(each.split()) for each in commands]


async def session(pier: Pier, **options: Any) -> list[set[str]]:
    """Connect, open INBOX, and log out: the commands of each round trip."""
    pier.server.mailbox().add_many([letter()] * 3)
    client = await pier.connect(**EXTRA | options)
    inbox = client.mailbox if "mailbox" in options else await client.select("INBOX")
    assert (inbox.name, inbox.exists) == ("INBOX", 3)
    assert client.mailbox.is_open
    assert client.connection.enabled == {"UTF8=ACCEPT"}
    await client.logout()
    return pier.ferry.passengers


async def test_a_session(pier: Pier) -> None:
    """Greeting, login, commands before SELECT, SELECT, LOGOUT."""
    pier.build(DOVECOT)
    assert await session(pier) == trips("", "AUTHENTICATE ID ENABLE", "SELECT", "LOGOUT")


async def test_a_session_that_knows_its_mailbox(pier: Pier) -> None:
    """One round trip more than without reading between greeting and LOGOUT."""
    pier.build(DOVECOT)
    assert await session(pier, mailbox="INBOX") == trips(
        "", "AUTHENTICATE ID ENABLE SELECT", "LOGOUT"
    )


async def test_a_session_that_begins_by_login(pier: Pier) -> None:
    pier.build(DOVECOT.but(minus="AUTH=PLAIN AUTH=LOGIN"))
    assert await session(pier, mailbox="INBOX", mechanisms=["LOGIN"]) == trips(
        "", "LOGIN ID ENABLE SELECT", "LOGOUT"
    )


@pytest.mark.parametrize(
    "personality",
    [named("rev1"), DOVECOT.but(minus="SASL-IR"), DOVECOT.but(minus="ID")],
    ids=["who may not read ahead", "without SASL-IR", "without ID"],
)
async def test_what_may_not_go_ahead_goes_together_afterwards(
    pier: Pier, personality: Personality
) -> None:
    pier.build(personality)
    sent = await session(pier, mailbox="INBOX")
    assert "AUTHENTICATE" in sent[1]
    assert sent[-2] == {"ENABLE", "SELECT"} | (
        {"ID"} if "ID" in personality.capabilities else set()
    )


async def test_several_steps_come_before_all_else(pier: Pier) -> None:
    """Nothing is sent that the server could read as the answer to its challenge."""
    pier.build(DOVECOT)
    sent = await session(pier, mailbox="INBOX", mechanisms=["SCRAM-SHA-256"])
    assert sent[-2:] == trips("ID ENABLE SELECT", "LOGOUT")
    assert "SELECT" not in set().union(*sent[:-2])


async def test_a_name_that_enable_spells_otherwise(pier: Pier) -> None:
    server = pier.build(DOVECOT)
    server.add_mailbox("Entwürfe & mehr")
    client = await pier.connect(mailbox="Entwürfe & mehr", **EXTRA)
    assert client.mailbox.name == "Entwürfe & mehr"
    assert pier.ferry.passengers == trips("", "AUTHENTICATE ID ENABLE", "SELECT")
    assert "Entwürfe & mehr".encode() in pier.ferry.written


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_a_wrong_password_is_the_error(pier: Pier, mechanism: str) -> None:
    """The error is that of the login, not of the commands after it."""
    pier.build(DOVECOT if mechanism == "PLAIN" else DOVECOT.but(minus="AUTH=PLAIN AUTH=LOGIN"))
    with pytest.raises(AuthenticationFailed):
        await pier.connect(mailbox="INBOX", password="wrong", mechanisms=[mechanism])
    assert pier.ferry.passengers[1] >= {"SELECT"}


async def test_a_token_that_is_not_good_any_more(pier: Pier) -> None:
    """The server reads the next line as the answer to its explanation."""
    pier.build(DOVECOT)
    with pytest.raises(AuthenticationFailed, match="status"):
        await pier.connect(
            mailbox="INBOX",
            user=None,
            password=None,
            credentials=BearerToken("ada", "expired"),
            mechanisms=["XOAUTH2"],
        )


async def test_a_mailbox_that_is_not_there(pier: Pier) -> None:
    for personality in (DOVECOT, named("rev1")):
        pier.build(personality)
        with pytest.raises(NoSuchMailbox):
            await pier.connect(mailbox="nowhere")


async def test_reading_only(pier: Pier) -> None:
    pier.build(DOVECOT)
    client = await pier.connect(mailbox="INBOX", read_only=True)
    assert client.mailbox.read_only
    await client.mailbox.close()
    with pytest.raises(StateError):
        str(client.mailbox)


async def test_a_mailbox_without_a_login(pier: Pier) -> None:
    pier.build(DOVECOT)
    with pytest.raises(StateError):
        await pier.connect(mailbox="INBOX", user=None, password=None)

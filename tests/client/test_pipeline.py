"""`client.pipeline()`: calls are sent at the end of the block; each has an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from imaplus import (
    AlreadyExists,
    Answer,
    AsyncClient,
    ConnectionLost,
    Exists,
    InvalidArgument,
    NoSuchMailbox,
    SequenceSet,
    StateError,
    TimedOut,
)
from imaplus.core.session import Noop, StartTls
from imaplus.errors import OutcomeUnknown
from imaplus.protocol.flow import Flow, Handshake
from imaplus.search import Flagged, Seen
from imaplus.testing import Fault, Server
from imaplus.testing.personality import named

from .harness import Connector, letter, names


async def test_something_of_everything(connect: Connector, full: Server) -> None:
    full.add_mailbox("Old")
    client = await connect(full)
    await client.select("INBOX")
    async with client.pipeline() as pipe:
        made = pipe.create("New")
        renamed = pipe.rename("Old", "Older")
        told = [pipe.subscribe("New"), pipe.unsubscribe("Older")]
        status = pipe.status("New", ["MESSAGES"])
        added = pipe.append("New", letter("added"), flags=["\\Seen"])
        stored = pipe.mailbox.add_flags(1, "\\Flagged")
        pipe.mailbox.remove_flags(8, "\\Seen")
        pipe.mailbox.set_flags("9:10", ["$A", "$B"])
        fetched = pipe.mailbox.fetch([3, 2], "ENVELOPE")
        found = pipe.mailbox.search(Seen)
        copied = pipe.mailbox.copy(4, "New")
        moved = pipe.mailbox.move("5:6", "New")
        nothing = pipe.run(Noop())
    assert made.result() == full.mailbox("New").mailboxid
    assert renamed.result() is nothing.result() is None
    assert [answer.result() for answer in told] == [None, None]
    assert status.result().messages == 0
    assert added.result().uid == 1
    assert [each.uid for each in stored.result().messages] == [1]
    assert [each.envelope.subject for each in fetched.result()] == ["letter 2", "letter 3"]
    assert list(found.result()) == []
    assert list(copied.result().pairs()) == [(4, 2)]
    assert list(moved.result().pairs()) == [(5, 3), (6, 4)]
    assert full.mailbox().uids == [1, 2, 3, 4, 7, 8, 9, 10]
    assert [full.mailbox().flags(uid) for uid in (8, 9)] == [set(), {"$A", "$B"}]
    assert set(full.account().mailboxes) == {"INBOX", "Older", "New"}


async def test_nothing_is_sent_before_the_end(connect: Connector, full: Server) -> None:
    client = await connect(full)
    async with client.pipeline() as pipe:
        answer = pipe.status("INBOX")
        await client.noop()
        assert "STATUS" not in names(full)
        assert not answer.done
        with pytest.raises(StateError):
            answer.result()
    assert answer.done


async def test_a_block_that_fails_sends_nothing(connect: Connector, full: Server) -> None:
    client = await connect(full)
    answers = []

    async def fail() -> None:
        async with client.pipeline() as pipe:
            answers.append(pipe.create("New"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await client.noop()
    assert "CREATE" not in names(full)
    with pytest.raises(StateError):
        answers[0].result()


async def test_an_empty_block(connect: Connector, full: Server) -> None:
    client = await connect(full)
    before = names(full)
    async with client.pipeline():
        pass
    assert names(full) == before
    await client.noop()
    assert names(full) == [*before, "NOOP"]


async def test_the_first_error_is_raised_when_all_are_over(
    connect: Connector, full: Server
) -> None:
    client = await connect(full)
    answers: list[Answer[Any]] = []

    async def give() -> None:
        async with client.pipeline() as pipe:
            answers.append(pipe.status("INBOX"))
            answers.append(pipe.append("nowhere", letter()))
            answers.append(pipe.create("INBOX"))
            answers.append(pipe.status("INBOX"))

    with pytest.raises(NoSuchMailbox):
        await give()
    assert answers[0].result() == answers[3].result()
    assert isinstance(answers[1].error, NoSuchMailbox)
    assert isinstance(answers[2].error, AlreadyExists)


async def test_errors_may_stay_where_they_are(connect: Connector, full: Server) -> None:
    client = await connect(full)
    async with client.pipeline(check=False) as pipe:
        answers = [pipe.append(name, letter()) for name in ("nowhere", "INBOX")]
    assert answers[0].error is not None
    assert answers[1].error is None
    with pytest.raises(NoSuchMailbox):
        answers[0].result()
    assert answers[1].result().uid == 11


async def test_each_takes_its_own_steps(connect: Connector, start: Callable[..., Server]) -> None:
    """Without MOVE each call takes three steps, independently of the others."""
    server = start(personality=named("rev1").but(minus="MOVE"))
    server.mailbox().add_many([letter()] * 5)
    server.add_mailbox("Other")
    client = await connect(server)
    await client.select("INBOX")
    async with client.pipeline() as pipe:
        answers = [pipe.mailbox.move(uid, "Other") for uid in range(1, 6)]
    assert [dict(answer.result().pairs()) for answer in answers] == [{n: n} for n in range(1, 6)]
    assert server.mailbox().uids == []
    assert names(server)[-15:-10] == ["UID COPY"] * 5


async def test_a_flow_that_knows_another_way(
    connect: Connector, start: Callable[..., Server]
) -> None:
    """Its error is the flow's own concern: quirk 80, a message without its last CRLF."""
    server = start(personality="yahoo")
    client = await connect(server)
    async with client.pipeline() as pipe:
        answers = [
            pipe.append("INBOX", data) for data in (letter(), b"Subject: x\r\n\r\ny", letter())
        ]
    assert sorted(answer.result().uid for answer in answers) == [1, 2, 3]
    assert len(server.mailbox().messages) == 3


async def test_changes_of_one_message_keep_their_order(connect: Connector, full: Server) -> None:
    client = await connect(full)
    await client.select("INBOX")
    async with client.pipeline() as pipe:
        answers = []
        for flag in ("$A", "$B", "$C"):
            pipe.mailbox.set_flags(1, flag)
            answers.append(pipe.mailbox.fetch(1, "FLAGS"))
    found = [each.result()[0].flags - {"\\Recent"} for each in answers]
    assert found == [{"$A"}, {"$B"}, {"$C"}]


async def test_more_than_fit_on_the_wire(connect: Connector, full: Server) -> None:
    client = await connect(full)
    await client.select("INBOX")
    async with client.pipeline() as pipe:
        answers = [pipe.mailbox.fetch(n % 10 + 1, "UID") for n in range(2500)]
    assert [answer.result()[0].uid for answer in answers] == [n % 10 + 1 for n in range(2500)]


async def test_what_is_no_argument(connect: Connector, full: Server) -> None:
    """Invalid calls raise at once, or else in the answer; the others are sent."""
    client = await connect(full)
    await client.select("INBOX")
    with pytest.raises(InvalidArgument):
        client.pipeline().mailbox.add_flags("x", "\\Seen")
    for flags in ((), "a b", ["\\Seen", ""]):
        with pytest.raises(InvalidArgument):
            client.pipeline().mailbox.add_flags(1, flags)
    with pytest.raises(InvalidArgument):
        client.pipeline().append("INBOX", letter(), flags="(x)")
    async with client.pipeline(check=False) as pipe:
        wrong = [pipe.status("INBOX", ["no item"]), pipe.mailbox.fetch(1, "no item")]
        right = pipe.status("INBOX")
    assert [type(answer.error) for answer in wrong] == [InvalidArgument] * 2
    assert right.result().messages == 10


async def test_a_mailbox_that_is_not_open(connect: Connector, full: Server) -> None:
    client = await connect(full)
    async with client.pipeline(check=False) as pipe:
        with pytest.raises(StateError):
            pipe.mailbox  # noqa: B018
        await client.select("INBOX")
        before = pipe.mailbox
        late = before.add_flags(1, "$Late")
        await client.select("INBOX")
        with pytest.raises(StateError):
            before.fetch(1)
    assert isinstance(late.error, StateError)
    assert full.mailbox().flags(1) == set()


def with_tls() -> Flow[None]:
    yield from Handshake()


async def test_what_begins_a_session_is_no_part_of_it(connect: Connector, full: Server) -> None:
    client = await connect(full)
    async with client.pipeline(check=False) as pipe:
        answers = [pipe.run(with_tls()), pipe.run(StartTls())]
        status = pipe.status("INBOX")
    assert all(isinstance(answer.error, StateError) for answer in answers)
    assert status.result().messages == 10


async def test_a_connection_that_is_lost(connect: Connector, full: Server) -> None:
    """Complete answers stay; an APPEND without an answer has OutcomeUnknown."""
    full.fail_next(Fault.bye(6))
    client = await connect(full)
    async with client.pipeline(check=False) as pipe:
        answers = [pipe.status("INBOX"), *(pipe.append("INBOX", letter()) for _ in range(9))]
    assert answers[0].error is None
    assert isinstance(answers[-1].error, OutcomeUnknown)
    assert all(answer.done for answer in answers)
    with pytest.raises(ConnectionLost):
        async with client.pipeline() as pipe:
            pipe.status("INBOX")


async def test_too_slow(connect: Connector, full: Server) -> None:
    client = await connect(full)
    full.fail_always(Fault())
    full.sessions[0].stream.fault = Fault.stall_after_sent(full.sessions[0].stream.sent)
    with pytest.raises(TimedOut):
        async with client.pipeline(timeout=0.05) as pipe:
            pipe.status("INBOX")


async def test_cancelled_in_the_middle(full: Server) -> None:
    """Other commands complete, and the stream stays in sync."""
    client = await Connector("async")(full)
    inbox = await client.select("INBOX")

    async def many() -> None:
        async with client.pipeline() as pipe:
            for number in range(300):
                pipe.mailbox.fetch(number % 10 + 1, "ENVELOPE")

    task = asyncio.create_task(many())
    beside = asyncio.create_task(client.status("INBOX"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await beside).messages == 10
    found = [each.uid async for each in inbox.fetch("1:*", "FLAGS")]
    assert found == list(range(1, 11))
    await client.logout()


async def test_tasks_with_pipelines_of_their_own(full: Server) -> None:
    client = await Connector("async")(full)
    await client.select("INBOX")

    async def one(number: int) -> list[SequenceSet]:
        async with client.pipeline() as pipe:
            pipe.mailbox.add_flags(number, "\\Flagged")
            answers = [pipe.mailbox.search(Flagged) for _ in range(3)]
        return [answer.result() for answer in answers]

    for number, found in enumerate(await asyncio.gather(*map(one, range(1, 11))), 1):
        assert all(number in uids for uids in found)
    await client.logout()


async def test_news_are_heard_meanwhile(connect: Connector, full: Server) -> None:
    heard: list[object] = []
    client: AsyncClient = await connect(full, on_event=heard.append)
    inbox = await client.select("INBOX")
    full.add_message("INBOX", letter())
    async with client.pipeline() as pipe:
        for _ in range(5):
            pipe.status("INBOX")
    assert inbox.exists == 11
    assert Exists(11) in heard

"""OBJECTID and X-GM-EXT-1 through both clients, against the embedded server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from imaplus import Fetched, InvalidArgument
from imaplus.errors import CapabilityMissing
from imaplus.search import EmailId, GmailLabel, GmailMessage, GmailSearch, GmailThread, ThreadId
from imaplus.testing import Server

from .harness import Connector, letter


@pytest.fixture(params=["rev1", "rev2"])
def plain(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Server:
    """Servers with OBJECTID: 600 messages, more than one command fetches, and copies of two."""
    server = start(personality=request.param)
    server.add_mailbox("Other")
    server.mailbox().add_many(letter(f"letter {number}") for number in range(600))
    for uid in (3, 600):
        server.copy_message("INBOX", uid, "Other")
    return server


@pytest.fixture
def gmail(start: Callable[..., Server]) -> Server:
    server = start(personality="gmail")
    server.add_mailbox("Work")
    server.add_mailbox("Äpfel")
    for number in range(1, 41):
        server.add_message("INBOX", letter(f"letter {number}"))
    server.copy_message("INBOX", 2, "Work")
    server.copy_message("INBOX", 2, "Äpfel")
    return server


async def test_emailids_are_the_same_elsewhere(connect: Connector, plain: Server) -> None:
    client = await connect(plain)
    inbox = await client.select("INBOX")
    found = {
        message.uid: (message["EMAILID"], message["THREADID"])
        async for message in inbox.fetch("1:*", "EMAILID", "THREADID", "FLAGS")
    }
    assert len(set(found.values())) == len(found) == 600
    assert list(await inbox.search(EmailId(found[3][0]) | ThreadId(found[9][1]))) == [3, 9]
    assert isinstance(inbox.mailboxid, str)
    assert inbox.mailboxid.startswith("F")
    other = await client.select("Other")
    assert other.mailboxid != inbox.mailboxid
    elsewhere = [message["EMAILID"] async for message in other.fetch("1:*", "EMAILID")]
    assert elsewhere == [found[3][0], found[600][0]]


async def test_a_mailbox_keeps_its_id(connect: Connector, server: Server) -> None:
    client = await connect(server)
    made = await client.create("Old")
    assert (await client.status("Old", ("MESSAGES", "MAILBOXID"))).mailboxid == made
    await client.rename("Old", "New")
    assert (await client.examine("New")).mailboxid == made
    async with client.pipeline() as pipe:
        another = pipe.create("Other")
    assert another.result() not in (None, made)
    listed = {entry.name: entry.status for entry in await client.list(status=("MAILBOXID",))}
    assert listed["New"] is not None
    assert listed["New"].mailboxid == made


async def test_without_objectid(connect: Connector, start: Callable[..., Server]) -> None:
    client = await connect(start(personality="rev1-basic"))
    assert await client.create("Other") is None
    assert (await client.status("Other", ("MESSAGES", "MAILBOXID"))).mailboxid is None
    inbox = await client.select("INBOX")
    assert inbox.mailboxid is None
    with pytest.raises(CapabilityMissing, match="OBJECTID"):
        await inbox.search(EmailId("M1"))
    with pytest.raises(CapabilityMissing, match="X-GM-EXT-1"):
        await inbox.add_labels(1, "x")


async def test_fetch_without_objectid(connect: Connector, start: Callable[..., Server]) -> None:
    server = start(personality="rev1-basic")
    server.add_message("INBOX", letter())
    inbox = await (await connect(server)).select("INBOX")
    for item, capability in (("EMAILID", "OBJECTID"), ("X-GM-LABELS", "X-GM-EXT-1")):
        with pytest.raises(CapabilityMissing, match=capability):
            async for _ in inbox.fetch(1, item):
                pass


async def test_messages_of_gmail(connect: Connector, gmail: Server) -> None:
    client = await connect(gmail)
    inbox = await client.select("INBOX")
    items = ("X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS")
    found = {message.uid: message async for message in inbox.fetch("1:*", *items)}
    assert len(found) == 40
    assert found[2]["X-GM-LABELS"] == {"Work", "Äpfel"}
    assert found[40]["X-GM-LABELS"] == frozenset()
    number, thread = found[2]["X-GM-MSGID"], found[2]["X-GM-THRID"]
    assert list(await inbox.search(GmailMessage(number) & GmailThread(thread))) == [2]
    assert list(await inbox.search(GmailLabel("Äpfel"))) == [2]
    assert list(await inbox.search(GmailSearch("subject:'letter 40'"))) == [40]
    everything = await client.select("[Gmail]/All Mail")
    assert list(await everything.search(GmailLabel("\\Inbox") & ~GmailLabel("Work"))) == [
        1,
        *range(3, 41),
    ]
    async for message in everything.fetch(2, *items):
        assert message["X-GM-MSGID"] == number
        assert message["X-GM-LABELS"] == {"\\Inbox", "Work", "Äpfel"}


async def test_labels_are_changed(connect: Connector, gmail: Server) -> None:
    client = await connect(gmail)
    everything = await client.select("[Gmail]/All Mail")
    stored = await everything.add_labels("1:2", ["\\Starred", "New & old"])
    assert [labels_of(message) for message in stored.messages] == [
        {"\\Inbox", "\\Starred", "New & old"},
        {"\\Inbox", "\\Starred", "New & old", "Work", "Äpfel"},
    ]
    await everything.remove_labels(2, ["Äpfel", "\\Starred"])
    await everything.set_labels(1, ())
    found = [labels_of(message) async for message in everything.fetch("1:2", "X-GM-LABELS")]
    assert found == [set(), {"\\Inbox", "New & old", "Work"}]
    with pytest.raises(InvalidArgument):
        await everything.add_labels(1, [])
    with pytest.raises(InvalidArgument):
        await everything.add_labels(1, "\\No label")


def labels_of(message: object) -> object:
    assert isinstance(message, Fetched)
    return message["X-GM-LABELS"]

"""Mailboxes by purpose: find, create, save drafts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from imaplus import AlreadyExists, InvalidArgument
from imaplus.core.listing import SPECIAL_USES, ListEntry
from imaplus.flows.special_use import _key_word
from imaplus.flows.well_known import WELL_KNOWN
from imaplus.testing import Server
from imaplus.testing.personality import named

from .harness import Connector, letter


@pytest.fixture
def plain(start: Callable[..., Server]) -> Server:
    """A server without special uses."""
    return start(personality="rev1-basic")


async def test_by_special_use(connect: Connector, server: Server) -> None:
    server.add_mailbox("Sent")
    server.add_mailbox("Outgoing", "\\Sent")
    client = await connect(server)
    found = await client.find("\\sent")
    assert found is not None
    assert found.name == "Outgoing"
    assert await client.find("\\Trash") is None
    with pytest.raises(InvalidArgument, match="expected one of"):
        await client.find("\\Nonsense")


@pytest.mark.parametrize(
    ("use", "name"),
    [
        ("\\Sent", "Sent Items"),
        ("\\Sent", "Gesendete Elemente"),
        ("\\Sent", "Éléments envoyés"),
        ("\\Sent", "Posta inviata"),
        ("\\Sent", "Elementos enviados"),
        ("\\Sent", "Verzonden berichten"),
        ("\\Sent", "Wysłane"),
        ("\\Sent", "Отправленные"),
        ("\\Sent", "[Gmail]/Sent Mail"),
        ("\\Drafts", "Entwürfe"),
        ("\\Trash", "Deleted Messages"),
        ("\\Trash", "Papierkorb"),
        ("\\Trash", "Cestino"),
        ("\\Trash", "Kosz"),
        ("\\Junk", "Bulk Mail"),
        ("\\Junk", "Junk E-Mail"),
        ("\\Junk", "Courrier indésirable"),
        ("\\Junk", "迷惑メール"),
        ("\\Archive", "Archiv"),
        ("\\All", "[Gmail]/All Mail"),
        ("\\Flagged", "Starred"),
        ("\\Important", "Important"),
    ],
)
async def test_by_well_known_names(connect: Connector, plain: Server, use: str, name: str) -> None:
    for other in ("Sent to clients", "Clients/Sent", "Trash talk", "Archive 2025"):
        plain.add_mailbox(other)
    client = await connect(plain)
    assert await client.find(use) is None
    plain.add_mailbox(name)
    found = await client.find(use)
    assert found is not None
    assert found.name == name


def test_below_inbox() -> None:
    entry = ListEntry("INBOX.Sent", ".", frozenset())
    assert _key_word(entry, WELL_KNOWN["\\Sent"]) == "sent"


def test_there_are_names_for_every_use() -> None:
    assert WELL_KNOWN.keys() == SPECIAL_USES
    for names in WELL_KNOWN.values():
        for name in names:
            assert _key_word(ListEntry(name.upper(), "/", frozenset()), names) == name


def test_no_name_has_two_meanings() -> None:
    every = [name for names in WELL_KNOWN.values() for name in names]
    assert len(every) == len(set(every))


async def test_exists(connect: Connector, server: Server) -> None:
    server.add_mailbox("Work/Übung")
    client = await connect(server)
    assert await client.exists("inbox")
    assert await client.exists("Work/Übung")
    assert not await client.exists("Work/%")
    assert not await client.exists("Play")


@pytest.mark.parametrize("personality", ["rev1", "rev1-basic"])
async def test_create(connect: Connector, start: Callable[..., Server], personality: str) -> None:
    server = start(personality=personality)
    client = await connect(server)
    await client.create("Outgoing", special_use="\\Sent")
    with pytest.raises(AlreadyExists):
        await client.create("Outgoing")
    assert await client.create("Outgoing", exist_ok=True) is None
    found = await client.find("\\Sent")
    assert (found is not None) == (personality == "rev1")
    with pytest.raises(InvalidArgument):
        await client.create("Other", special_use="Sent items")
    assert not await client.exists("Other")


async def test_save_draft(connect: Connector, server: Server) -> None:
    server.add_message("INBOX", letter())
    server.add_mailbox("Entwürfe")
    client = await connect(server)
    inbox = await client.select("INBOX")
    draft = await (await inbox.message(1)).reply("hi", sender="ada@example.org")
    added = await client.save_draft(draft)
    (kept,) = server.mailbox("Entwürfe").messages.values()
    assert (added.uid, kept.flags >= {"\\Draft", "\\Seen"}) == (1, True)
    assert b"\r\nSubject: Re: hello\r\n" in kept.data
    assert (await client.save_draft(b"Subject: x\r\n\r\n", mailbox="INBOX")).uid == 2


@pytest.mark.parametrize("personality", ["rev1", "courier"])
async def test_drafts_are_made_where_there_are_none(
    connect: Connector, start: Callable[..., Server], personality: str
) -> None:
    server = start(personality=personality)
    client = await connect(server)
    assert (await client.save_draft(b"Subject: x\r\n\r\n")).uid
    name = "Drafts" if personality == "rev1" else "INBOX.Drafts"
    assert len(server.mailbox(name).messages) == 1
    assert named(personality).prefix + "Drafts" == name
    await client.save_draft(b"Subject: y\r\n\r\n")
    assert len(server.mailbox(name).messages) == 2

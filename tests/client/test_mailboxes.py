"""Mailboxes: list, create, rename, open; and mailboxes that are no longer selected."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from imaplus import AlreadyExists, NoSuchMailbox, Refused, Resync, StateError
from imaplus.errors import CapabilityMissing, UidValidityChanged
from imaplus.testing import Fault, Server
from imaplus.types import Namespace

from .harness import Connector, letter, names

ODD_NAMES = [
    "Entwürfe",
    "日本語/メール",
    "a & b",
    'quo"te',
    "back\\slash",
    "{5}",
    "sp ace",
    "NIL",
    "~peter",
    "é" * 60,
    "x" * 200,
]


@pytest.fixture(params=["rev1", "rev2", "rev1-basic", "dovecot", "gmail", "strato", "sloppy"])
def anyone(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Server:
    """Servers of several kinds, with a few mailboxes."""
    server = start(personality=request.param)
    server.add_mailbox("Sent", "\\Sent", subscribed=True)
    server.add_mailbox("Entwürfe/2025")
    server.add_message("Entwürfe/2025", letter())
    return server


async def test_list(connect: Connector, anyone: Server) -> None:
    client = await connect(anyone)
    entries = {entry.name: entry for entry in await client.list()}
    own = {name for name in entries if not name.startswith("[Gmail]")}
    assert own == {"INBOX", "Sent", "Entwürfe", "Entwürfe/2025"}
    assert entries["INBOX"].delimiter == "/"
    if client.can("SPECIAL-USE"):
        assert entries["Sent"].special_use == "\\Sent"


async def test_list_with_status(connect: Connector, anyone: Server) -> None:
    """With LIST-STATUS in one command, else each on its own."""
    client = await connect(anyone)
    entries = {each.name: each for each in await client.list(status=("MESSAGES", "UIDNEXT"))}
    status = entries["Entwürfe/2025"].status
    assert status is not None
    assert (status.messages, status.uidnext) == (1, 2)


async def test_list_subscribed(connect: Connector, anyone: Server) -> None:
    client = await connect(anyone)
    assert {entry.name for entry in await client.list(subscribed=True)} == {"INBOX", "Sent"}
    await client.subscribe("Entwürfe")
    await client.unsubscribe("Sent")
    assert {entry.name for entry in await client.list(subscribed=True)} == {"INBOX", "Entwürfe"}


async def test_list_by_pattern(connect: Connector, anyone: Server) -> None:
    client = await connect(anyone)
    assert [entry.name for entry in await client.list(pattern="S%")] == ["Sent"]
    assert [entry.name for entry in await client.list("Entwürfe/", "%")] == ["Entwürfe/2025"]
    assert await client.list(pattern="nothing") == []


@pytest.mark.parametrize("personality", ["rev1", "rev2", "rev1-basic"])
@pytest.mark.parametrize("name", ODD_NAMES)
async def test_names_travel_as_they_are(
    connect: Connector, start: Callable[..., Server], personality: str, name: str
) -> None:
    server = start(personality=personality)
    client = await connect(server)
    await client.create(name)
    assert name in server.account().mailboxes
    assert name in [entry.name for entry in await client.list()]
    assert (await client.status(name)).mailbox == name
    await client.append(name, letter())
    assert (await client.select(name)).exists == 1
    await client.rename(name, f"{name}2")
    await client.delete(f"{name}2")
    assert set(server.account().mailboxes) - {"日本語"} == {"INBOX"}


async def test_status(connect: Connector, full: Server) -> None:
    client = await connect(full)
    status = await client.status("inbox", ("MESSAGES", "UNSEEN", "SIZE", "HIGHESTMODSEQ"))
    assert status.messages == 10
    assert status.unseen == 7
    assert status.size == sum(message.size for message in full.mailbox().messages.values())
    assert status.highestmodseq == full.mailbox().highestmodseq
    assert status.uidnext is None


async def test_status_items_that_the_server_lacks_are_left_out(
    connect: Connector, start: Callable[..., Server]
) -> None:
    client = await connect(start(personality="rev1-basic"))
    status = await client.status("INBOX", ("MESSAGES", "SIZE", "HIGHESTMODSEQ", "DELETED"))
    assert (status.messages, status.size, status.deleted) == (0, None, None)


async def test_namespaces(connect: Connector, anyone: Server) -> None:
    client = await connect(anyone)
    assert (await client.namespaces()).personal == (Namespace("", "/"),)


async def test_what_the_server_refuses(connect: Connector, server: Server) -> None:
    client = await connect(server)
    with pytest.raises(NoSuchMailbox):
        await client.select("nowhere")
    with pytest.raises(NoSuchMailbox):
        await client.delete("nowhere")
    with pytest.raises(NoSuchMailbox):
        await client.append("nowhere", letter())
    with pytest.raises(AlreadyExists) as caught:
        await client.create("INBOX")
    assert caught.value.command == "CREATE"
    assert caught.value.status == "NO"
    assert caught.value.code == "ALREADYEXISTS"
    await client.noop()


# -- opening ---------------------------------------------------------------------------------------


async def test_select(connect: Connector, full: Server) -> None:
    client = await connect(full)
    inbox = await client.select("INBOX")
    assert (inbox.name, inbox.exists, inbox.uidnext) == ("INBOX", 10, 11)
    assert inbox.uidvalidity == full.mailbox().uidvalidity
    assert inbox.highestmodseq == full.mailbox().highestmodseq
    assert "\\*" in inbox.permanent_flags
    assert inbox.applicable_flags >= {"\\Seen", "\\Deleted"}
    assert not inbox.read_only
    assert inbox.is_open
    assert repr(inbox).endswith("Mailbox 'INBOX', 10 messages>")


async def test_examine(connect: Connector, full: Server) -> None:
    client = await connect(full)
    inbox = await client.examine("INBOX")
    assert inbox.read_only
    with pytest.raises(Refused):
        await inbox.add_flags(1, "\\Seen")
    assert "\\Seen" not in full.mailbox().flags(1)


async def test_closing_expunges_nothing(connect: Connector, anyone: Server) -> None:
    anyone.add_message("INBOX", letter(), ["\\Deleted"])
    client = await connect(anyone)
    inbox = await client.select("INBOX")
    await inbox.close()
    assert not inbox.is_open
    await inbox.close()
    assert anyone.mailbox().uids == [1]


async def test_a_changed_uidvalidity_raises_before_any_uid_is_used(
    connect: Connector, full: Server
) -> None:
    client = await connect(full)
    known = (await client.select("INBOX")).uidvalidity
    assert (await client.select("INBOX", uidvalidity=known)).is_open
    full.mailbox().recreate()
    with pytest.raises(UidValidityChanged) as caught:
        await client.select("INBOX", uidvalidity=known)
    assert caught.value.expected == known
    assert caught.value.found == full.mailbox().uidvalidity
    assert names(full)[-1] == "UNSELECT", "it is closed again"
    with pytest.raises(UidValidityChanged):
        await client.examine("INBOX", uidvalidity=known)


async def test_a_stale_handle_raises(connect: Connector, full: Server) -> None:
    full.add_mailbox("Other")
    client = await connect(full)
    inbox = await client.select("INBOX")
    other = await client.select("Other")
    before = len(full.commands[0])
    for call in (
        lambda: inbox.search(),
        lambda: inbox.uids(),
        lambda: inbox.flags(),
        lambda: inbox.add_flags(1, "\\Deleted"),
        lambda: inbox.copy(1, "Other"),
        lambda: inbox.move(1, "Other"),
        lambda: inbox.delete(1),
        lambda: inbox.append(letter()),
    ):
        with pytest.raises(StateError, match="INBOX"):
            await call()
    with pytest.raises(StateError):
        [each async for each in inbox.fetch("1:*")]
    with pytest.raises(StateError):
        [each async for each in inbox.idle(0)]
    assert len(full.commands[0]) == before
    assert other.is_open


async def test_a_select_that_fails_closes_what_was_open(connect: Connector, full: Server) -> None:
    client = await connect(full)
    inbox = await client.select("INBOX")
    with pytest.raises(NoSuchMailbox):
        await client.select("nowhere")
    with pytest.raises(StateError):
        await inbox.uids()
    assert len(await (await client.select("INBOX")).uids()) == 10


async def test_a_mailbox_that_is_selected_again_is_another_handle(
    connect: Connector, full: Server
) -> None:
    client = await connect(full)
    first = await client.select("INBOX")
    second = await client.select("INBOX")
    assert not first.is_open
    assert second.is_open


# -- coming back -----------------------------------------------------------------------------------


async def test_resync_tells_what_changed_and_what_went(connect: Connector, full: Server) -> None:
    client = await connect(full)
    inbox = await client.select("INBOX")
    knew = Resync(inbox.uidvalidity, inbox.highestmodseq)
    await inbox.close()
    full.mailbox().set_flags(3, ["\\Flagged"])
    full.mailbox().expunge([5, 6])
    full.add_message("INBOX", letter("new"))
    inbox = await client.select("INBOX", resync=knew)
    assert {each.uid: each.flags for each in inbox.changes if each.uid != 11} == {3: {"\\Flagged"}}
    assert list(inbox.vanished) == [5, 6]
    assert inbox.exists == 9
    assert list(await inbox.uids()) == [1, 2, 3, 4, 7, 8, 9, 10, 11]


async def test_resync_without_qresync_is_a_plain_select(
    connect: Connector, start: Callable[..., Server]
) -> None:
    for personality in ("condstore", "rev1-basic"):
        client = await connect(start(personality=personality))
        inbox = await client.select("INBOX", resync=Resync(1, 1))
        assert (inbox.changes, len(inbox.vanished)) == ([], 0)


async def test_resync_of_a_mailbox_that_was_made_anew(connect: Connector, full: Server) -> None:
    client = await connect(full)
    inbox = await client.select("INBOX")
    knew = Resync(inbox.uidvalidity, inbox.highestmodseq)
    full.mailbox().recreate()
    with pytest.raises(UidValidityChanged):
        await client.select("INBOX", uidvalidity=knew.uidvalidity, resync=knew)


async def test_commands_need_their_state(connect: Connector, server: Server) -> None:
    client = await connect(server, user=None)
    with pytest.raises(StateError):
        await client.list()
    with pytest.raises(StateError):
        await client.select("INBOX")
    assert names(server) == []


async def test_commands_need_their_capability(
    connect: Connector, start: Callable[..., Server]
) -> None:
    server = start(personality="rev1-basic")
    client = await connect(server)
    with pytest.raises(CapabilityMissing, match="ID"):
        await client.id()
    assert "ID" not in names(server)


async def test_id(connect: Connector, server: Server) -> None:
    client = await connect(server)
    assert await client.id() == {"name": "imaplus.testing"}
    await client.id({"name": 'a "client"', "os": None, "vendor": "Grüße"})
    await client.id({})
    assert '"os" NIL' in server.commands[0][-2]
    assert server.commands[0][-1].endswith("ID NIL")


async def test_an_identity_may_be_kept_to_oneself(connect: Connector, server: Server) -> None:
    await connect(server, identity={})
    assert "ID" not in names(server)


async def test_enable(connect: Connector, start: Callable[..., Server]) -> None:
    client = await connect(start(personality="rev2"))
    assert "IMAP4REV2" in client.connection.enabled
    client = await connect(start(personality="rev2"), enable=())
    assert client.connection.enabled == frozenset()


async def test_a_refused_command_has_all_its_details(connect: Connector, server: Server) -> None:
    server.fail_next(Fault.refuse("NOOP", text="[ALERT] Not now"))
    client = await connect(server)
    with pytest.raises(Refused, match=r"NOOP: NO \[ALERT\] Not now"):
        await client.noop()

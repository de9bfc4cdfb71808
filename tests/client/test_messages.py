"""An open mailbox: search, fetch, flags, copy, move, delete, in constant memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from imaplus import BodySection, InvalidArgument, Limits, ProtocolError, Refused, SequenceSet
from imaplus.core.fetch import Fetch
from imaplus.errors import CapabilityMissing, UnknownCharset
from imaplus.protocol.pending import Pending
from imaplus.search import From, Seen, Since, Subject, Uid
from imaplus.testing import Fault, Personality, Server
from imaplus.testing.personality import REV1, Quirk

from .harness import Connector, letter, names

KINDS = "rev1 rev2 rev1-basic condstore dovecot gmail exchange zoho courier sloppy".split()


@pytest.fixture(params=KINDS)
def anyone(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Server:
    """Servers of several kinds, each with ten messages."""
    server = start(personality=request.param)
    for number in range(1, 11):
        server.add_message("INBOX", letter(f"letter {number}"), ["\\Seen"] if number > 7 else [])
    server.add_mailbox(f"{server.personality.prefix}Other")
    return server


def other(server: Server) -> str:
    return f"{server.personality.prefix}Other"


# -- finding ---------------------------------------------------------------------------------------


async def test_search(connect: Connector, anyone: Server) -> None:
    inbox = await (await connect(anyone)).select("INBOX")
    assert list(await inbox.search(Seen)) == [8, 9, 10]
    assert list(await inbox.search(~Seen & Since(date(2020, 1, 1)))) == [1, 2, 3, 4, 5, 6, 7]
    assert list(await inbox.search(Subject("letter 1") | Uid("3:4"))) == [1, 3, 4, 10]
    assert list(await inbox.search(From("nobody"))) == []
    assert len(await inbox.search()) == 10
    assert await inbox.uids() == SequenceSet.parse("1:10")


async def test_uids_by_sequence_numbers(connect: Connector, anyone: Server) -> None:
    """If SEARCH returns some UIDs only, FETCH returns all."""
    anyone.mailbox().expunge([3, 7])
    anyone.fail_always(Fault.short_search(5))
    inbox = await (await connect(anyone)).select("INBOX")
    assert len(await inbox.uids()) == 5
    assert list(await inbox.uids(by_sequence=True)) == anyone.mailbox().uids


async def test_search_beyond_ascii(connect: Connector, anyone: Server) -> None:
    uid = anyone.add_message("INBOX", letter("Grüße"))
    inbox = await (await connect(anyone)).select("INBOX")
    if Quirk.NO_SEARCH_CHARSET in anyone.personality.quirks:
        with pytest.raises(UnknownCharset):
            await inbox.search(Subject("grüße"))
    else:
        assert list(await inbox.search(Subject("grüße"))) == [uid]
    assert len(await inbox.uids()) == 11


async def test_search_in_an_empty_mailbox(connect: Connector, server: Server) -> None:
    inbox = await (await connect(server)).select("INBOX")
    assert len(await inbox.search(Seen)) == 0
    assert len(await inbox.uids()) == 0
    server.add_message("INBOX", letter())
    assert len(await inbox.uids()) == 1


# -- fetching --------------------------------------------------------------------------------------


async def test_fetch(connect: Connector, anyone: Server) -> None:
    inbox = await (await connect(anyone)).select("INBOX")
    found = [each async for each in inbox.fetch("1:*", "FLAGS", "ENVELOPE", "RFC822.SIZE")]
    assert [each.uid for each in found] == list(range(1, 11))
    assert [each.envelope.subject for each in found] == [f"letter {n}" for n in range(1, 11)]
    assert [each.size for each in found] == [
        message.size for message in anyone.mailbox().messages.values()
    ]
    assert ["\\Seen" in each.flags for each in found] == [False] * 7 + [True] * 3


async def test_fetch_bodies(connect: Connector, anyone: Server) -> None:
    inbox = await (await connect(anyone)).select("INBOX")
    items = (
        BodySection(),
        BodySection("HEADER.FIELDS", ("Subject",)),
        BodySection("TEXT", partial=(2, 3)),
    )
    async for each in inbox.fetch([2, 3], *items):
        assert each.uid is not None
        assert each.body() == anyone.mailbox().messages[each.uid].data
        assert each.email()["Subject"] == f"letter {each.uid}"
        assert each[items[1].key] == b"Subject: letter %d\r\n\r\n" % each.uid
        assert each["BODY[TEXT]<2>"] == b"rld"
    assert "\\Seen" not in anyone.mailbox().flags(2), "reading is not seeing"
    assert [each async for each in inbox.fetch(2, BodySection(peek=False))]
    assert "\\Seen" in anyone.mailbox().flags(2)


async def test_fetch_of_what_is_not_there(connect: Connector, anyone: Server) -> None:
    inbox = await (await connect(anyone)).select("INBOX")
    assert [each async for each in inbox.fetch("500:600", "FLAGS")] == []
    assert [each.uid async for each in inbox.fetch("9:600", "FLAGS")] == [9, 10]


async def test_flags_of_messages(connect: Connector, anyone: Server) -> None:
    inbox = await (await connect(anyone)).select("INBOX")
    flags = await inbox.flags("7:8")
    assert {uid: each - {"\\Recent"} for uid, each in flags.items()} == {7: set(), 8: {"\\Seen"}}


async def test_fetch_what_changed(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    before = inbox.highestmodseq
    full.mailbox().set_flags(4, ["\\Flagged"])
    changed = [each async for each in inbox.fetch("1:*", "FLAGS", changed_since=before)]
    # The server's news of the change may come beside its answer, and looks the same.
    assert {(each.uid, "\\Flagged" in each.flags) for each in changed} == {(4, True)}


async def test_fetch_what_changed_needs_condstore(
    connect: Connector, start: Callable[..., Server]
) -> None:
    server = start(personality="rev1-basic")
    server.add_message("INBOX", letter())
    inbox = await (await connect(server)).select("INBOX")
    with pytest.raises(CapabilityMissing):
        [each async for each in inbox.fetch("1:*", changed_since=1)]


class Held:
    """Records how much data the client's pending commands hold."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = self.octets = 0
        original = Pending.collect

        def collect(pending: Pending[Any], value: object, size: int, *limits: int) -> None:
            original(pending, value, size, *limits)
            self.most = max(self.most, len(pending.values))
            self.octets = max(self.octets, pending._held)

        monkeypatch.setattr(Pending, "collect", collect)


async def test_fetch_collects_nothing(
    connect: Connector, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 20 MB, no more is held than one read returns."""
    server.mailbox().add_many([b"\r\n" + b"x" * 20_000] * 1000)
    inbox = await (await connect(server)).select("INBOX")
    held = Held(monkeypatch)
    count = 0
    async for each in inbox.fetch("1:*", BodySection()):
        count += len(each.body()) > 0
    assert count == 1000
    assert held.octets < 5_000_000


async def test_a_fetch_that_is_left_early(connect: Connector, full: Server) -> None:
    client = await connect(full)
    inbox = await client.select("INBOX")
    values = inbox.fetch("1:*", BodySection())
    async for each in values:
        assert each.uid == 1
        break
    await values.aclose()  # type: ignore[attr-defined]
    assert len(await inbox.uids()) == 10
    assert [each.uid async for each in inbox.fetch("2:3")] == [2, 3]


async def test_commands_inside_the_loop(connect: Connector, full: Server) -> None:
    """Messages can be changed while others are still being fetched."""
    full.add_mailbox("Other")
    client = await connect(full)
    inbox = await client.select("INBOX")
    seen: list[int] = []
    async for each in inbox.fetch("1:*", "FLAGS", BodySection()):
        assert each.uid is not None
        seen.append(each.uid)
        await inbox.add_flags(each.uid, "$Done")
        await inbox.copy(each.uid, "Other")
        assert (await client.status("Other")).messages == len(seen)
        assert [again.uid async for again in inbox.fetch(each.uid, "UID")] == [each.uid]
        await client.append("Other", letter())
        full.mailbox("Other").expunge(full.mailbox("Other").uids[-1:])
    assert seen == list(range(1, 11))
    assert all("$Done" in full.mailbox().flags(uid) for uid in range(1, 11))


async def test_messages_that_are_removed_inside_the_loop(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    seen = []
    async for each in inbox.fetch("1:*", "ENVELOPE"):
        assert each.uid is not None
        assert each.envelope.subject == f"letter {each.uid}"
        seen.append(each.uid)
        await inbox.delete(each.uid)
    assert seen == list(range(1, 11))
    assert inbox.exists == 0


async def test_messages_that_go_while_they_are_fetched(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    full.mailbox().expunge([2, 3])
    found = [(each.uid, each.envelope.subject) async for each in inbox.fetch("1:*", "ENVELOPE")]
    assert found == [(uid, f"letter {uid}") for uid in (1, 4, 5, 6, 7, 8, 9, 10)]


async def test_what_is_held_has_a_limit(connect: Connector, full: Server) -> None:
    client = await connect(full, limits=Limits(responses=5))
    await client.select("INBOX")
    with pytest.raises(ProtocolError, match="more than 5 responses"):
        await client.run(Fetch(SequenceSet.parse("1:*"), ("FLAGS",)))
    await client.noop()


@pytest.mark.parametrize("item", ["FLAGS)", "a b", "", "BODY[]\r\nx NOOP", "{3}", "ü"])
async def test_what_is_no_item(connect: Connector, full: Server, item: str) -> None:
    inbox = await (await connect(full)).select("INBOX")
    before = len(full.commands[0])
    with pytest.raises(InvalidArgument):
        [each async for each in inbox.fetch("1:*", item)]
    assert len(full.commands[0]) == before


# -- flags -----------------------------------------------------------------------------------------


async def test_flags_are_changed(connect: Connector, anyone: Server) -> None:
    inbox = await (await connect(anyone)).select("INBOX")
    mailbox = anyone.mailbox()
    stored = await inbox.add_flags("1:3", ["\\Flagged", "$Work"])
    assert {each.uid for each in stored.messages} == {1, 2, 3}
    assert mailbox.flags(2) == {"\\Flagged", "$Work"}
    await inbox.remove_flags([2], "\\Flagged")
    assert mailbox.flags(2) == {"$Work"}
    await inbox.set_flags(3, "\\Answered")
    assert mailbox.flags(3) == {"\\Answered"}
    await inbox.set_flags(3, ())
    assert mailbox.flags(3) == set()
    assert mailbox.flags(1) == {"\\Flagged", "$Work"}


async def test_flags_in_every_form(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    await inbox.set_flags(1, ["\\Seen", "$Mine"])
    assert full.mailbox().flags(1) == {"\\Seen", "$Mine"}
    await inbox.add_flags(1, {"\\Flagged", "$Junk"})
    await inbox.remove_flags(1, ("\\Seen", "$Mine"))
    assert full.mailbox().flags(1) == {"\\Flagged", "$Junk"}
    await inbox.set_flags(1, [])
    assert full.mailbox().flags(1) == set()


async def test_flags_unless_they_have_changed(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    before = inbox.highestmodseq
    full.mailbox().set_flags(2, ["\\Flagged"])
    stored = await inbox.add_flags("1:3", "$Mine", unchanged_since=before)
    assert list(stored.modified) == [2]
    assert [("$Mine" in full.mailbox().flags(uid)) for uid in (1, 2, 3)] == [True, False, True]


@pytest.mark.parametrize(
    "flags",
    [(), [], "a b", "\\", "x\r\n", "(", "ü", "", ["\\Seen", ""], b"x", 7],
)
async def test_what_is_no_flag(connect: Connector, full: Server, flags: Any) -> None:
    inbox = await (await connect(full)).select("INBOX")
    before = len(full.commands[0])
    with pytest.raises(InvalidArgument):
        await inbox.add_flags(1, flags)
    assert len(full.commands[0]) == before


async def test_uids_in_every_form(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    for uids, expected in (
        (3, [3]),
        ([3, 1, 2], [1, 2, 3]),
        ("2:4,9", [2, 3, 4, 9]),
        (range(1, 4), [1, 2, 3]),
        ("*", [10]),
        ("9:*", [9, 10]),
        (SequenceSet.of([5, 6]), [5, 6]),
    ):
        assert [each.uid async for each in inbox.fetch(uids)] == expected


async def test_more_uids_than_fit_on_a_line(connect: Connector, server: Server) -> None:
    """Commands are split; each line stays short enough for any server (quirk 37)."""
    server.mailbox().add_many([letter()] * 4000)
    server.add_mailbox("Other")
    inbox = await (await connect(server)).select("INBOX")
    odd = range(1, 4001, 2)
    await inbox.add_flags(odd, "$Odd")
    copied = await inbox.copy(odd, "Other")
    assert list(copied.pairs()) == [(uid, n) for n, uid in enumerate(odd, 1)]
    assert len([each async for each in inbox.fetch(odd)]) == 2000
    assert all("$Odd" in server.mailbox().flags(uid) for uid in odd)
    assert max(map(len, server.commands[0])) < 8000
    assert names(server).count("UID STORE") == names(server).count("UID COPY") > 1


# -- copying, moving, removing ---------------------------------------------------------------------


async def test_copy(connect: Connector, anyone: Server) -> None:
    inbox = await (await connect(anyone)).select("INBOX")
    copied = await inbox.copy("2:3", other(anyone))
    target = anyone.mailbox(other(anyone))
    assert [message.data for message in target.messages.values()] == [
        anyone.mailbox().messages[uid].data for uid in (2, 3)
    ]
    if anyone.personality.capabilities & {"UIDPLUS"} and not anyone.personality.quirks & {
        Quirk.EMPTY_COPYUID
    }:
        assert copied.uidvalidity == target.uidvalidity
        assert list(copied.pairs()) == [(2, 1), (3, 2)]


async def test_move(connect: Connector, anyone: Server) -> None:
    """By MOVE; else by COPY, STORE and UID EXPUNGE; without UIDPLUS nothing is expunged."""
    mailbox, target = anyone.mailbox(), anyone.mailbox(other(anyone))
    bystander = anyone.add_message("INBOX", letter("somebody else's"), ["\\Deleted"])
    moved = [mailbox.messages[uid].data for uid in (2, 3)]
    inbox = await (await connect(anyone)).select("INBOX")
    await inbox.move("2:3", other(anyone))
    assert [message.data for message in target.messages.values()] == moved
    assert bystander in mailbox.uids
    assert "EXPUNGE" not in names(anyone)
    capabilities = anyone.personality.capabilities
    if "MOVE" in capabilities or "UIDPLUS" in capabilities:
        assert not {2, 3} & set(mailbox.uids)
        assert inbox.exists == len(mailbox.uids) == 9
    else:
        assert all("\\Deleted" in mailbox.flags(uid) for uid in (2, 3))


async def test_delete(connect: Connector, anyone: Server) -> None:
    mailbox = anyone.mailbox()
    bystander = anyone.add_message("INBOX", letter("somebody else's"), ["\\Deleted"])
    inbox = await (await connect(anyone)).select("INBOX")
    if "UIDPLUS" in anyone.personality.capabilities:
        await inbox.delete([4, 5])
        assert not {4, 5} & set(mailbox.uids)
        assert bystander in mailbox.uids
        assert inbox.exists == 9
    else:
        with pytest.raises(CapabilityMissing):
            await inbox.delete([4, 5])
        assert mailbox.flags(4) == set()


async def test_moving_to_what_is_not_there_loses_nothing(
    connect: Connector, start: Callable[..., Server]
) -> None:
    for capabilities in (REV1, REV1 - {"MOVE"}, REV1 - {"MOVE", "UIDPLUS"}):
        server = start(personality=Personality(name="x", capabilities=capabilities))
        server.add_message("INBOX", letter())
        inbox = await (await connect(server)).select("INBOX")
        with pytest.raises(Refused):
            await inbox.move(1, "nowhere")
        assert server.mailbox().flags(1) == set()

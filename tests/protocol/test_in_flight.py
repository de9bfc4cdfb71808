"""Whose answer a value is: the oldest command that wants it, however few are asked."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from imaplus.core.fetch import Fetch
from imaplus.core.fetched import FetchData, Fetched
from imaplus.core.listing import List, WithStatus
from imaplus.core.mailboxes import GetStatus, MailboxStatus, Select
from imaplus.core.messages import Change, Copied, Copy, Move, Store
from imaplus.core.search import Found, Search
from imaplus.core.search_query import ALL
from imaplus.core.session import GetCapability, Noop
from imaplus.protocol.command import Command
from imaplus.protocol.data import Capability, Exists, Expunged
from imaplus.protocol.in_flight import InFlight
from imaplus.protocol.pending import Pending
from imaplus.protocol.response import Malformed, parse
from imaplus.protocol.status import Status
from imaplus.wire.frames import Frame
from imaplus.wire.sets import SequenceSet

from .talking import selected

names = st.sampled_from(["INBOX", "inbox", "a", "b"])
sets_ = st.sampled_from(["1", "2", "3", "1:2", "2:*", "*", "1,3"]).map(SequenceSet.of)
seen = frozenset({"\\Seen"})

commands = st.one_of(
    st.builds(Fetch, sets_, st.sampled_from([("FLAGS",), ("UID", "RFC822.SIZE")])),
    st.builds(lambda uids: Store(uids, Change.ADD, seen), sets_),
    st.builds(Copy, sets_, names),
    st.builds(Move, sets_, names),
    st.builds(GetStatus, names),
    st.builds(List, returns=st.sampled_from([(), (WithStatus(),)])),
    st.just(Search(ALL)),
    st.just(Noop()),
    st.just(GetCapability()),
    st.builds(Select, names),
)


def fetched(uid: int | None, items: dict[str, object]) -> FetchData:
    return FetchData(1, items) if uid is None else Fetched(1, uid, items)


uids_ = st.one_of(st.none(), st.integers(1, 4))
values = st.one_of(
    st.builds(lambda uid: fetched(uid, {"FLAGS": seen}), uids_),
    st.builds(lambda uid: fetched(uid, {"RFC822.SIZE": 1}), uids_),
    st.builds(lambda uid: fetched(uid, {}), uids_),
    st.builds(MailboxStatus, names),
    st.builds(lambda line: parse(Frame(line)), st.sampled_from([
        b"* OK [COPYUID 7 1 9] x", b"* OK [COPYUID 7 2:3 8:9] x", b"* OK [CLOSED] x", b"* OK x",
        b"* SEARCH 1 2", b'* ESEARCH (TAG "T1") ALL 1', b'* ESEARCH (TAG "T4") ALL 1', b"* 0 x",
        b'* LIST () "/" a', b"* CAPABILITY IMAP4rev1", b"* VANISHED 1", b"* FLAGS (",
    ])),
    st.just(Exists(3)),
    st.builds(Expunged, st.just(1), uids_),
)  # fmt: skip


def flying(pending: list[Command[Any]]) -> tuple[InFlight, list[Pending[Any]]]:
    in_flight, added = InFlight(), []
    for n, command in enumerate(pending):
        each: Pending[Any] = Pending(command, f"T{n}")
        each.subject = command.subject
        in_flight.add(each)
        added.append(each)
    return in_flight, added


@settings(max_examples=500)
@given(st.lists(commands, max_size=12), st.data(), values)
def test_the_owner_is_whom_asking_one_after_the_other_finds(
    pending: list[Command[Any]], data: st.DataObject, value: object
) -> None:
    """Whether or not they may be on the wire together, which is not asked here."""
    in_flight, added = flying(pending)
    for each in data.draw(st.lists(st.sampled_from(added), unique=True) if added else st.just([])):
        in_flight.remove(each)
    expected = next((each for each in in_flight if each.wants(value)), None)
    assert in_flight.owner_of(value) is expected


@settings(max_examples=500)
@given(commands, values)
def test_what_a_command_wants_is_of_its_subject_and_types(
    command: Command[Any], value: object
) -> None:
    if not command.wants(value):
        return
    assert isinstance(value, command.collects)
    theirs = getattr(value, "subject", None)
    assert command.exclusive or None in (command.subject, theirs) or command.subject == theirs


def test_each_kind_of_value_has_an_owner_somewhere() -> None:
    """So that the properties above say something."""
    told = parse(Frame(b"* OK [COPYUID 7 1 9] x"))
    one = SequenceSet.of(1)
    for command, value in [
        (Copy(one, "a"), told),
        (Select("a"), parse(Frame(b"* OK [CLOSED] x"))),
        (Fetch(one), Fetched(1, 1, {"FLAGS": seen})),
        (GetStatus("inbox"), MailboxStatus("INBOX")),
        (List(returns=(WithStatus(),)), MailboxStatus("a")),
        (Search(ALL), parse(Frame(b"* SEARCH 1"))),
        (GetCapability(), Capability(frozenset())),
    ]:
        in_flight, (mine,) = flying([command])
        assert in_flight.owner_of(value) is mine
    assert isinstance(told, Status)
    assert isinstance(told.data, Copied)
    assert isinstance(parse(Frame(b"* SEARCH 1")), Found)
    assert isinstance(parse(Frame(b"* FLAGS (")), Malformed)


def test_answers_out_of_order_find_their_commands() -> None:
    talk = selected()
    asked = [talk.connection.send(Fetch(SequenceSet.of(uid))) for uid in (1, 2, 3)]
    talk.wrote()
    talk.hear(*(f"* {uid} FETCH (UID {uid} FLAGS ())" for uid in (3, 1, 2)), "* 9 EXISTS")
    for each in reversed(asked):
        talk.hear("{} OK done", after=each)
    assert [[found.uid for found in each.result()] for each in asked] == [[1], [2], [3]]
    assert talk.events[-1] == Exists(9)


def test_who_watches_is_told_once() -> None:
    talk = selected()
    done, failed = talk.connection.send(Noop()), talk.connection.send(Noop())
    told: list[str] = []
    done.watch(lambda: told.append("done"))
    failed.watch(lambda: told.append("failed"))
    talk.wrote()
    talk.hear("{} OK x", after=done)
    assert told == ["done"]
    talk.connection.receive_eof()
    assert told == ["done", "failed"]

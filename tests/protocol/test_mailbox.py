"""The map of sequence numbers to UIDs, against a list that holds the truth."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from imaplus.core.fetched import FetchData, Fetched
from imaplus.protocol import mailbox as mailbox_module
from imaplus.protocol.data import (
    Exists,
    Expunged,
    UidValidity,
    Vanished,
)
from imaplus.protocol.mailbox import Mailbox
from imaplus.protocol.response import parse
from imaplus.wire.frames import Frame, Limits
from imaplus.wire.sets import SequenceSet


class AgainstAList(RuleBasedStateMachine):
    """An honest server: its messages stand in a list, and what it says of them is true."""

    @initialize(gone=st.integers(1, 4), few=st.integers(0, 4))
    def begin(self, gone: int, few: int) -> None:
        # Small, so that the map is moved together now and then.
        mailbox_module.MOST_GONE, mailbox_module.FEW = gone, few
        self.mailbox = Mailbox("INBOX", read_only=False)
        self.uids: list[int] = []
        self.next = 1
        self.forgotten = False  # the map may know less than it was told

    def teardown(self) -> None:
        mailbox_module.MOST_GONE, mailbox_module.FEW = 1024, 64

    @rule(steps=st.lists(st.integers(1, 5), min_size=1, max_size=6))
    def arrive(self, steps: list[int]) -> None:
        for step in steps:
            self.next += step
            self.uids.append(self.next)
        self.mailbox.apply(Exists(len(self.uids)))

    @precondition(lambda self: self.uids)
    @rule(data=st.data())
    def fetch(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.uids) - 1))
        value = Fetched(at + 1, self.uids[at], {})
        assert self.mailbox.apply(value) == value
        assert self.mailbox.uid_of(at + 1) == self.uids[at]
        assert self.mailbox.apply(FetchData(at + 1, {})) == value

    @rule()
    def fetch_all(self) -> None:
        for seq, uid in enumerate(self.uids, 1):
            self.mailbox.apply(Fetched(seq, uid, {}))
        assert self.mailbox.complete

    @rule()
    def search_all(self) -> None:
        self.mailbox.learn_all(SequenceSet.of(self.uids))
        assert self.mailbox.complete

    @precondition(lambda self: self.uids)
    @rule(data=st.data())
    def expunge(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.uids) - 1))
        known = self.mailbox.uid_of(at + 1)
        told = self.mailbox.apply(Expunged(at + 1))
        assert told == Expunged(at + 1, known)
        assert known in (None, self.uids.pop(at))

    @precondition(lambda self: self.uids)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        gone = data.draw(st.sets(st.sampled_from(self.uids), min_size=1))
        self.mailbox.apply(Vanished(SequenceSet.of(gone)))
        self.uids = [uid for uid in self.uids if uid not in gone]

    @rule(uid=st.integers(1, 100))
    def vanish_earlier(self, uid: int) -> None:
        before = self.mailbox.vanished_earlier
        self.mailbox.apply(Vanished(SequenceSet.of(uid), earlier=True))
        assert self.mailbox.vanished_earlier == before | SequenceSet.of(uid)

    @invariant()
    def what_it_knows_is_true(self) -> None:
        assert self.mailbox.exists == len(self.uids)
        known = [self.mailbox.uid_of(seq) for seq in range(1, len(self.uids) + 1)]
        assert all(uid in (None, true) for uid, true in zip(known, self.uids, strict=True))
        assert self.mailbox.uid_of(0) is self.mailbox.uid_of(len(self.uids) + 1) is None
        assert self.mailbox.complete == (None not in known)

    @rule()
    def what_it_tells_by_uid(self) -> None:
        known = {uid: seq for seq, uid in enumerate(self.uids, 1) if self.mailbox.uid_of(seq)}
        assert list(self.mailbox.uids) == sorted(known)
        for uid in range(1, self.next + 2):
            assert self.mailbox.seq_of(uid) == known.get(uid)


def test_a_message_that_went_before_its_uid_was_known_does_not_hide_another() -> None:
    mailbox = Mailbox("INBOX", read_only=False)
    mailbox.apply(Exists(3))
    mailbox.apply(Fetched(3, 6, {}))
    mailbox.apply(Expunged(2))
    mailbox.apply(Fetched(1, 4, {}))
    assert mailbox.complete
    mailbox.apply(Vanished(SequenceSet.of(4)))
    assert (mailbox.exists, mailbox.uid_of(1)) == (1, 6)


TestAgainstAList = AgainstAList.TestCase
TestAgainstAList.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_numbers_of_a_hostile_server_take_no_room() -> None:
    mailbox = Mailbox("INBOX", read_only=False)
    huge = [0, 1, 4294967295, 4294967296, (1 << 64) - 1]
    tracemalloc.start()
    try:
        for number in huge:
            mailbox.apply(Exists(number))
            for other in huge:
                mailbox.apply(Fetched(other, number, {}))
                mailbox.apply(Fetched(number, other, {}))
                mailbox.apply(Expunged(other))
        mailbox.apply(Exists(4294967295))
        mailbox.apply(Vanished(SequenceSet.parse("1:4294967295")))
        mailbox.apply(Vanished(SequenceSet.parse("1:4294967295"), earlier=True))
        mailbox.learn_all(SequenceSet.parse("1:4294967295"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
    assert mailbox.exists == 0


def test_one_line_makes_it_hold_little() -> None:
    mailbox = Mailbox("INBOX", read_only=False)
    mailbox.apply(Exists(4294967295))
    tracemalloc.start()
    try:
        for seq in (20_000_000, 4_000_000):
            mailbox.apply(Fetched(seq, 7, {}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000  # four octets for each of four million, and once more for a moment
    assert mailbox.uid_of(20_000_000) is None
    assert mailbox.uid_of(4_000_000) == 7


def test_no_more_messages_than_the_limit() -> None:
    mailbox = Mailbox("INBOX", read_only=False, limits=Limits(messages=3))
    mailbox.apply(Exists(5))
    for seq in range(1, 6):
        mailbox.apply(Fetched(seq, seq * 10, {}))
    assert [mailbox.uid_of(seq) for seq in range(1, 6)] == [10, 20, 30, None, None]
    mailbox.learn_all(SequenceSet.parse("1:5"))
    assert not mailbox.complete


def test_fewer_messages_without_expunge_forget_the_map() -> None:
    mailbox = Mailbox("INBOX", read_only=False)
    mailbox.apply(Exists(2))
    mailbox.learn_all(SequenceSet.parse("5,7"))
    mailbox.apply(Exists(1))
    assert mailbox.uid_of(1) is None


def test_a_vanished_message_among_unknown_ones_forgets_the_map() -> None:
    mailbox = Mailbox("INBOX", read_only=False)
    mailbox.apply(Exists(3))
    mailbox.apply(Fetched(2, 20, {}))
    mailbox.apply(Vanished(SequenceSet.parse("10")))
    assert (mailbox.exists, mailbox.uid_of(2), mailbox.uid_of(1)) == (2, None, None)


@pytest.mark.parametrize("seq", [0, 4, 99])
def test_an_expunge_of_what_is_not_there_changes_nothing(seq: int) -> None:
    mailbox = Mailbox("INBOX", read_only=False)
    mailbox.apply(Exists(3))
    mailbox.learn_all(SequenceSet.parse("1:3"))
    assert mailbox.apply(Expunged(seq)) == Expunged(seq)
    assert (mailbox.exists, mailbox.complete) == (3, True)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (b"* OK [UIDVALIDITY 7] x", "uidvalidity", 7),
        (b"* OK [UIDNEXT 7] x", "uidnext", 7),
        (b"* OK [HIGHESTMODSEQ 7] x", "highestmodseq", 7),
        (b"* OK [UNSEEN 7] x", "first_unseen", 7),
        (b"* OK [PERMANENTFLAGS (\\*)] x", "permanent_flags", frozenset({"\\*"})),
        (b"* OK [READ-ONLY] x", "read_only", True),
        (b"* NO [UIDNOTSTICKY] x", "uids_persist", False),
        (b"* FLAGS (\\Seen)", "flags", frozenset({"\\Seen"})),
        (b"* 3 RECENT", "recent", 3),
        (b"* 3 EXISTS", "exists", 3),
        (b"* OK [UIDNEXT x] x", "uidnext", None),
    ],
)
def test_what_is_said_of_it(text: bytes, name: str, expected: object) -> None:
    mailbox = Mailbox("INBOX", read_only=False)
    mailbox.apply(parse(Frame(text)))
    assert getattr(mailbox, name) == expected


def test_what_is_taken_back() -> None:
    mailbox = Mailbox("INBOX", read_only=False)
    for text in (b"* OK [HIGHESTMODSEQ 7] x", b"* OK [NOMODSEQ] x", b"* OK [READ-ONLY] x"):
        mailbox.apply(parse(Frame(text)))
    assert (mailbox.highestmodseq, mailbox.read_only) == (None, True)
    mailbox.apply(parse(Frame(b"* OK [READ-WRITE] x")))
    assert not mailbox.read_only


@settings(max_examples=25)
@given(st.lists(st.integers(1, 300), unique=True, min_size=100, max_size=250), st.data())
def test_a_flood_of_expunges(uids: list[int], data: st.DataObject) -> None:
    truth = sorted(uids)
    mailbox = Mailbox("INBOX", read_only=False)
    mailbox.apply(Exists(len(truth)))
    mailbox.learn_all(SequenceSet.of(truth))
    for number in data.draw(st.lists(st.integers(0, 1000), max_size=90)):
        at = number % len(truth)
        assert mailbox.apply(Expunged(at + 1)) == Expunged(at + 1, truth.pop(at))
    assert mailbox.uids == SequenceSet.of(truth)


def test_other_values_pass_through() -> None:
    value = UidValidity(3)
    assert Mailbox("x", read_only=True).apply(value) is value

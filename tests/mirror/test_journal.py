"""The journal: what was said is what is read, and a damaged file costs no more than its damage."""

from __future__ import annotations

import tracemalloc
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import InvalidArgument
from imaplus.mirror import Checkpoint, Entry, Journal, Store, StoredObject

SHA = "ab" * 32
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(-timedelta(hours=3, minutes=30)))


def body(number: int = 0) -> StoredObject:
    return StoredObject(f"{number:064x}", number, new=True)


def again(store: Store, journal: Journal) -> Journal:
    """The journal as another process finds it."""
    store.commit()
    with Store.open(store.path, readonly=True) as other:
        found = other.mailbox(journal.mailbox, journal.uidvalidity)
        found.entries  # noqa: B018 - reads the file while the store is open
        return found


def test_written_changes_are_read_again(store: Store) -> None:
    journal = store.mailbox("INBOX", 17)
    assert journal.checkpoint is None
    flags = {"\\Seen", "$Junk", "\\Recent"}
    journal.add(5, StoredObject(SHA, 1234, new=True), flags=flags, internaldate=WHEN, modseq=7)
    journal.add(4294967295, body(2))
    journal.add(6, body(3), flags=["a,b", "c%d", "é ü", "\udcff"])
    assert journal.set_flags(4294967295, ["\\Deleted"], modseq=2**63 - 1)
    assert journal.vanish([6, 7], WHEN) == 1
    checkpoint = journal.mark(exists=2, uidnext=7, highestmodseq=9, when=WHEN)

    found = again(store, journal)
    assert found.checkpoint == checkpoint == Checkpoint(17, 7, 9, 2, WHEN, 2)
    assert dict(found.entries) == {
        5: Entry(SHA, 1234, frozenset({"\\Seen", "$Junk"}), WHEN, 7),
        4294967295: Entry(f"{2:064x}", 2, frozenset({"\\Deleted"}), None, 2**63 - 1),
    }
    assert dict(found.gone) == {
        6: Entry(f"{3:064x}", 3, frozenset({"a,b", "c%d", "é ü", "\udcff"}), gone=WHEN)
    }
    assert found.entries.flags(5) == {"\\Seen", "$Junk"}
    assert (found.damaged, found.torn) == (0, 0)


def test_unchanged_values_write_nothing(store: Store) -> None:
    journal = store.mailbox("INBOX", 17)
    journal.add(1, body(), flags=["\\Seen"], modseq=3)
    store.commit()
    before = journal.path.read_bytes()
    journal.add(1, body(), flags=["\\Seen", "\\Recent"], modseq=3)
    assert not journal.set_flags(1, ["\\Seen"])
    assert journal.vanish([2]) == 0
    store.commit()
    assert journal.path.read_bytes() == before


def test_a_gone_message_can_come_back(store: Store) -> None:
    journal = store.mailbox("INBOX", 17)
    journal.add(1, body())
    journal.vanish([1])
    journal.add(1, body())
    found = again(store, journal)
    assert (list(found.entries), list(found.gone)) == ([1], [])


@pytest.mark.parametrize("uid", [0, -1, 2**32])
def test_a_uid_out_of_range_is_refused(store: Store, uid: int) -> None:
    with pytest.raises(InvalidArgument):
        store.mailbox("INBOX", 17).add(uid, body())


def test_other_invalid_arguments_are_refused(store: Store) -> None:
    journal = store.mailbox("INBOX", 17)
    with pytest.raises(InvalidArgument):
        journal.add(1, body(), internaldate=datetime(2026, 1, 1))
    with pytest.raises(InvalidArgument):
        journal.add(1, body(), modseq=2**63)
    with pytest.raises(InvalidArgument):
        journal.add(1, body(), flags=[""])
    with pytest.raises(InvalidArgument):
        store.mailbox("INBOX", -1)
    with pytest.raises(KeyError):
        journal.set_flags(9, [])
    store.commit()
    assert not journal.path.exists()


def test_the_checkpoint_is_found_without_reading_the_rest(store: Store) -> None:
    journal = store.mailbox("INBOX", 17)
    for uid in range(1, 50):
        journal.add(uid, body(uid))
    journal.mark(exists=49, uidnext=50)
    store.commit()
    content = journal.path.read_bytes()
    journal.path.write_bytes(b"?" * (len(content) - 500) + content[-500:])
    with Store.open(store.path, readonly=True) as other:
        found = other.mailbox("INBOX", 17)
        assert found.checkpoint is not None
        assert found.checkpoint.uidnext == 50


flag_sets = st.frozensets(st.text(min_size=1, max_size=5), max_size=3)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
dates = st.none() | st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=zones).map(
    lambda date: date.replace(microsecond=0)
)
uids = st.integers(1, 6) | st.integers(1, 2**32 - 1)
modseqs = st.none() | st.integers(0, 2**63 - 1)
steps = st.one_of(
    st.tuples(st.just("add"), uids, flag_sets, dates, modseqs, st.integers(0, 2**63)),
    st.tuples(st.just("flags"), uids, flag_sets, modseqs),
    st.tuples(st.just("vanish"), st.lists(uids, max_size=3)),
    st.tuples(st.just("mark"), st.integers(0, 2**32)),
    st.tuples(st.just("commit")),
)


@given(st.lists(steps, max_size=25))
def test_any_history_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[object, ...]]
) -> None:
    with Store.open(tmp_path_factory.mktemp("mail"), create=True, sync=False) as store:
        journal = store.mailbox("INBOX", 1)
        for step in history:
            match step:
                case ("add", int(uid), frozenset(flags), date, modseq, int(size)):
                    stored = StoredObject(SHA, size, new=True)
                    journal.add(uid, stored, flags=flags, internaldate=date, modseq=modseq)
                case ("flags", int(uid), frozenset(flags), modseq) if uid in journal.entries:
                    journal.set_flags(uid, flags, modseq)
                case ("vanish", list(gone)):
                    journal.vanish(gone)
                case ("mark", int(exists)):
                    journal.mark(exists=exists)
                case ("commit",):
                    store.commit()
        found = again(store, journal)
        assert dict(found.entries) == dict(journal.entries)
        assert dict(found.gone) == dict(journal.gone)
        assert found.checkpoint == journal.checkpoint
        assert found.damaged == 0


def told(store: Store) -> Journal:
    journal = store.mailbox("INBOX", 17)
    for uid in range(1, 4):
        journal.add(uid, body(uid))
        journal.mark(exists=uid, uidnext=uid + 1)
    store.commit()
    return journal


def test_a_file_cut_anywhere_keeps_every_whole_line(store: Store) -> None:
    path = told(store).path
    content = path.read_bytes()
    for cut in range(len(content)):
        path.write_bytes(content[:cut])
        with Store.open(store.path, readonly=True) as other:
            found = other.mailbox("INBOX", 17)
            lines = content[:cut].count(b"\n")
            assert len(found.entries) == lines // 2
            assert found.damaged == 0
            assert found.torn == cut - (content.rfind(b"\n", 0, cut) + 1)
            whole = (lines - 1) // 2
            assert (found.checkpoint.exists if found.checkpoint else 0) == max(whole, 0)


@pytest.mark.parametrize("tail", [b"\0" * 5000, b"12345678 a 9 torn", b"\xff\n" * 9, b"x" * 2**21])
def test_a_half_written_end_is_removed_by_the_next_write(root: Path, tail: bytes) -> None:
    with Store.open(root, create=True, sync=False) as store:
        path = told(store).path
    content = path.read_bytes()
    path.write_bytes(content + tail)
    with Store.open(root, sync=False) as store:
        journal = store.mailbox("INBOX", 17)
        assert journal.torn == len(tail)
        assert len(journal.entries) == 3
        assert journal.checkpoint is not None
        journal.add(9, body(9))
        store.commit()
        assert journal.torn == 0
        assert path.read_bytes().startswith(content)
        assert path.read_bytes().count(b"\n") == content.count(b"\n") + 1
        found = again(store, journal)
        assert (sorted(found.entries), found.torn) == ([1, 2, 3, 9], 0)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_wrong_byte_loses_one_line_and_the_checkpoint(
    tmp_path_factory: pytest.TempPathFactory, position: int, change: int
) -> None:
    root = tmp_path_factory.mktemp("mail")
    with Store.open(root, create=True, sync=False) as store:
        path = told(store).path
    content = bytearray(path.read_bytes())
    last = content.rstrip(b"\n").rfind(b"\n") + 1
    position %= last - 1  # without that line feed, the last line would be one that was cut short
    content[position] ^= change
    path.write_bytes(content)
    with Store.open(root, sync=False) as store:
        journal = store.mailbox("INBOX", 17)
        assert len(journal.entries) >= 1
        assert journal.damaged in (1, 2)  # two, if the octet became a line feed, or was one
        if path.stat().st_size > 512:
            return  # then the last line has been believed, for it is whole
        assert journal.checkpoint is None


def test_a_damaged_journal_is_rewritten_and_the_old_one_kept(root: Path) -> None:
    with Store.open(root, create=True, sync=False) as store:
        journal = told(store)
        journal.vanish([3])
        store.commit()
        path = journal.path
        identity = journal.identity
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = b"rotten\n"
    path.write_bytes(b"".join(lines))
    with Store.open(root) as store:
        journal = store.mailbox("INBOX", 17)
        assert (journal.damaged, list(journal.entries), list(journal.gone)) == (1, [2], [3])
        assert journal.checkpoint is None
        journal.add(1, body(1))
        checkpoint = journal.mark(exists=2)
        store.commit()
        found = again(store, journal)
    assert (found.damaged, sorted(found.entries), list(found.gone)) == (0, [1, 2], [3])
    assert found.checkpoint == checkpoint
    assert found.identity != identity
    assert path.with_name("17.journal.damaged").read_bytes() == b"".join(lines)


def test_memory_for_many_messages_is_small(store: Store) -> None:
    journal = store.mailbox("INBOX", 17)
    sets = [frozenset(), frozenset({"\\Seen"}), frozenset({"\\Seen", "\\Answered"})]
    for uid in range(1, 20_001):
        journal.add(uid, body(uid), flags=sets[uid % 3], internaldate=WHEN, modseq=uid)
    store.commit()
    with Store.open(store.path, readonly=True) as other:
        tracemalloc.start()
        try:
            found = other.mailbox("INBOX", 17)
            assert len(found.entries) == 20_000
            kept, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert kept < 20_000 * 250
    assert peak - kept < 8 * 1024 * 1024
    assert found.entries[20_000].internaldate == WHEN

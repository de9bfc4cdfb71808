"""The store as a whole: made, found, locked, refused; and no planted link is followed."""

from __future__ import annotations

import errno
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imaplus.errors import ImapError, InvalidArgument, StateError
from imaplus.mirror import (
    Choice,
    MailboxInfo,
    NotAStore,
    Owner,
    Store,
    StoreCorrupt,
    StoreFailed,
    StoreLocked,
    UnsafePath,
    WrongFormat,
)

ADA = Owner("ada", "imap.example.org", 993, "Dovecot")


def test_a_store_is_made_and_found_again(root: Path) -> None:
    with Store.open(root / "new", create=True) as store:
        assert (store.path, store.owner, store.readonly) == (root / "new", None, False)
        store.describe(owner=ADA)
    with Store.open(root / "new") as store:
        assert store.owner == ADA
        assert store.mailboxes() == []
    assert (root / "new").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("create", [False, True])
def test_other_folders_are_left_alone(root: Path, create: bool) -> None:
    root.mkdir()
    (root / "thesis.txt").write_text("x")
    with pytest.raises(NotAStore):
        Store.open(root, create=create)
    assert [path.name for path in root.iterdir()] == ["thesis.txt"]


def test_no_folder_is_no_store(root: Path) -> None:
    with pytest.raises(NotAStore):
        Store.open(root)
    with pytest.raises(NotAStore):
        Store.open(root, create=True, readonly=True)
    root.touch()
    with pytest.raises(NotAStore):
        Store.open(root)
    assert issubclass(NotAStore, ImapError)


def test_owner_and_choice_are_recorded(root: Path) -> None:
    choice = Choice(("INBOX", "Lists/*"), ("@junk",), True)
    with Store.open(root, create=True) as store:
        assert (store.owner, store.choice) == (None, None)
        store.describe(owner=ADA)
        store.describe(choice=choice)
        assert (store.owner, store.choice) == (ADA, choice)
    with Store.open(root, readonly=True) as store:
        assert (store.owner, store.choice) == (ADA, choice)
        with pytest.raises(StateError):
            store.describe(owner=Owner("bob"))


def test_a_store_of_format_1_becomes_one_of_format_2(root: Path, put) -> None:
    with Store.open(root, create=True) as store:
        store.mailbox("INBOX", 1).add(1, put(store, b"x"))
        store.commit()
    old = {"format": 1, "account": "ada@imap.example.org"}
    (root / "store.json").write_text(json.dumps(old))
    with Store.open(root, readonly=True) as store:
        assert store.owner == Owner("ada", "imap.example.org")
        assert json.loads((root / "store.json").read_bytes()) == old
    with Store.open(root) as store:
        assert store.owner == Owner("ada", "imap.example.org")
        assert list(store.mailbox("INBOX", 1).entries) == [1]
        assert json.loads((root / "store.json").read_bytes()) == old  # nothing was written
        store.mailbox("INBOX", 1).vanish([1])
        store.commit()
        assert store.owner == Owner("ada", "imap.example.org")
    assert json.loads((root / "store.json").read_bytes())["format"] == 2


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000, b"\xff", b" " * 2**21])
def test_an_unreadable_description_is_reported(root: Path, content: bytes) -> None:
    Store.open(root, create=True).close()
    (root / "store.json").write_bytes(content)
    with pytest.raises(StoreCorrupt, match=r"store\.json"):
        Store.open(root)


def test_a_newer_format_is_refused_and_not_touched(root: Path) -> None:
    Store.open(root, create=True).close()
    (root / "store.json").write_text('{"format": 3}')
    (root / "tmp" / "theirs").touch()
    with pytest.raises(WrongFormat):
        Store.open(root)
    assert (root / "tmp" / "theirs").exists()


def test_two_runs_do_not_meet(root: Path) -> None:
    with Store.open(root, create=True):
        with pytest.raises(StoreLocked) as caught:
            Store.open(root)
        assert caught.value.pid == os.getpid()
        Store.open(root, readonly=True).close()
    Store.open(root).close()


def test_reading_only_writes_nothing(store: Store, put) -> None:
    journal = store.mailbox("INBOX", 1)
    stored = put(store, b"x")
    journal.add(1, stored)
    store.commit()
    with Store.open(store.path, readonly=True) as other:
        assert other.readonly
        found = other.mailbox("INBOX", 1)
        assert list(found.entries) == [1]
        with other.open_body(stored.sha256) as file:
            assert file.read() == b"x"
        for write in (other.writer, other.commit, lambda: found.vanish([1])):
            with pytest.raises(StateError):
                write()
        with pytest.raises(KeyError):
            other.mailbox("Sent", 1)


def test_a_closed_store_does_nothing(root: Path) -> None:
    store = Store.open(root, create=True)
    journal = store.mailbox("INBOX", 1)
    descriptors = len(list(Path("/dev/fd").iterdir()))
    store.close()
    store.close()
    assert len(list(Path("/dev/fd").iterdir())) < descriptors
    for use in (store.mailboxes, store.commit, store.writer, lambda: journal.mark(exists=0)):
        with pytest.raises(StateError):
            use()


def test_generations_lie_side_by_side(store: Store, put) -> None:
    for uidvalidity in (30, 10, 20):
        journal = store.mailbox("INBOX", uidvalidity, delimiter="/", attributes=["\\Marked"])
        journal.add(1, put(store, b"%d" % uidvalidity))
    store.mailbox("INBOX", 30).mark(exists=1)
    store.commit()
    assert store.mailboxes() == [MailboxInfo("INBOX", "/", frozenset({"\\Marked"}), (10, 20, 30))]
    assert store.mailbox("INBOX", 10).entries[1] != store.mailbox("INBOX", 20).entries[1]
    assert store.mailbox("INBOX", 10) is store.mailbox("INBOX", 10)
    store.mailbox("INBOX", 10).mark(exists=1, when=datetime(2200, 1, 1, tzinfo=UTC))
    store.commit()
    assert store.mailboxes()[0].generations == (20, 30, 10)


def test_what_is_known_of_a_mailbox_is_kept(root: Path) -> None:
    with Store.open(root, create=True) as store:
        store.mailbox("Sent", 1, delimiter="/", attributes=["\\Sent"])
    with Store.open(root) as store:
        store.mailbox("Sent", 1)
        assert store.mailboxes() == [MailboxInfo("Sent", "/", frozenset({"\\Sent"}), ())]
        store.mailbox("Sent", 2, delimiter=".")
        assert store.mailboxes()[0].delimiter == "."


def test_an_unreadable_mailbox_is_reported_and_healed_by_the_next_run(root: Path) -> None:
    with Store.open(root, create=True) as store:
        store.mailbox("Sent", 1).mark(exists=0)
        store.commit()
    described = root / "mailboxes" / "Sent" / "mailbox.json"
    described.write_bytes(b"")
    with Store.open(root) as store:
        with pytest.raises(StoreCorrupt):
            store.mailboxes()
        assert [described.name in text for text in store.inspect().unreadable] == [True]
        assert store.mailbox("Sent", 1).checkpoint is not None
        assert [info.name for info in store.mailboxes()] == ["Sent"]


def test_files_that_others_left_are_no_mailboxes(store: Store) -> None:
    (store.path / "mailboxes" / ".DS_Store").touch()
    store.mailbox("Sent", 1)
    (store.path / "mailboxes" / "Sent" / "00.journal").touch()
    assert store.mailboxes() == [MailboxInfo("Sent", None, frozenset(), ())]


@pytest.mark.parametrize("name", ["tmp", "objects", "mailboxes", "lock", "store.json"])
def test_no_planted_link_is_followed(root: Path, tmp_path: Path, name: str) -> None:
    Store.open(root, create=True).close()
    elsewhere = tmp_path / "elsewhere"
    (root / name).rename(elsewhere)
    if elsewhere.is_dir():
        (elsewhere / "precious").touch()
    (root / name).symlink_to(elsewhere)
    with pytest.raises(UnsafePath, match=name):
        Store.open(root)
    if elsewhere.is_dir():
        assert [path.name for path in elsewhere.iterdir()] == ["precious"]


def test_a_planted_link_for_a_mailbox_is_not_followed(store: Store, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (store.path / "mailboxes" / "Sent").symlink_to(victim)
    with pytest.raises(StoreCorrupt):
        store.mailbox("Sent", 1)
    assert list(victim.iterdir()) == []


def test_a_planted_link_for_a_journal_is_not_followed(store: Store, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.touch()
    journal = store.mailbox("Sent", 1)
    journal.path.symlink_to(victim)
    with pytest.raises(UnsafePath):
        journal.mark(exists=1)
    assert victim.read_bytes() == b""


def test_what_lies_in_tmp_is_cleared_away_without_following_it(root: Path, tmp_path: Path) -> None:
    Store.open(root, create=True).close()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "x").touch()
    (root / "tmp" / "folder").mkdir()
    (root / "tmp" / "folder" / "link").symlink_to(precious)
    (root / "tmp" / "link").symlink_to(precious)
    (root / "tmp" / "file").touch()
    Store.open(root).close()
    assert list((root / "tmp").iterdir()) == []
    assert [path.name for path in precious.iterdir()] == ["x"]


def test_an_empty_name_is_refused(store: Store) -> None:
    with pytest.raises(InvalidArgument):
        store.mailbox("", 1)


def test_after_a_failed_commit_the_store_is_opened_again(
    root: Path, put, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def full(fd: int, data: bytes, offset: int) -> int:
        real(fd, bytes(data)[:9], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    with Store.open(root, create=True) as store:
        journal = store.mailbox("INBOX", 1)
        journal.add(1, put(store, b"one"))
        store.commit()
        journal.add(2, put(store, b"two"))
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            with pytest.raises(OSError, match="space") as caught:
                store.commit()
        assert caught.value.filename == str(journal.path)
        for write in (store.commit, store.writer, lambda: journal.mark(exists=1)):
            with pytest.raises(StoreFailed):
                write()
    with Store.open(root) as store:
        journal = store.mailbox("INBOX", 1)
        assert list(journal.entries) == [1]
        assert journal.torn == 0
        assert not put(store, b"two").new
        assert store.inspect().clean


def test_a_commit_runs_beside_writers(store: Store, put) -> None:
    journal = store.mailbox("INBOX", 1)
    failures: list[BaseException] = []
    done = threading.Event()

    def committing() -> None:
        try:
            while not done.is_set():
                store.commit()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=committing)
    thread.start()
    for uid in range(1, 1001):
        journal.add(uid, put(store, b"%d" % (uid % 300)))
    done.set()
    thread.join()
    store.commit()
    report = store.inspect()
    assert failures == []
    assert (report.clean, report.messages, report.objects) == (True, 1000, 300)
    assert list((store.path / "tmp").iterdir()) == []


def test_the_order_of_a_synced_commit(root: Path, put, monkeypatch: pytest.MonkeyPatch) -> None:
    """State after data: bodies synced, renamed, folders synced; and only then the journal."""
    names: dict[int, str] = {}
    calls: list[str] = []
    real_open, real_rename = os.open, os.rename
    real_pwrite, real_fsync = os.pwrite, os.fsync

    def spy_open(path: str, *args: object, **kwargs: object) -> int:
        fd = real_open(path, *args, **kwargs)  # type: ignore[arg-type]
        names[fd] = path
        return fd

    def spy_fsync(fd: int) -> None:
        calls.append(f"fsync {names[fd]}")
        real_fsync(fd)

    def spy_rename(one: str, two: str, **kwargs: int) -> None:
        calls.append(f"rename {one} {two}")
        real_rename(one, two, **kwargs)

    def spy_pwrite(fd: int, data: bytes, offset: int) -> int:
        calls.append(f"write {names[fd]}")
        return real_pwrite(fd, data, offset)

    monkeypatch.setattr("imaplus.mirror.files._fsync", spy_fsync)
    for name, spy in (("open", spy_open), ("rename", spy_rename), ("pwrite", spy_pwrite)):
        monkeypatch.setattr(os, name, spy)
    with Store.open(root, create=True) as store:
        journal = store.mailbox("INBOX", 7)
        stored = put(store, b"x")
        journal.add(1, stored)
        calls.clear()
        store.commit()
        (tmp, *_) = calls[0].split()[1:]
        fan = stored.sha256[:2]
        assert calls == [
            f"fsync {tmp}",
            f"rename {tmp} {fan}/{stored.sha256[2:]}.eml",
            f"fsync {fan}",
            "fsync objects",
            "write 7.journal",
            "fsync 7.journal",
            "fsync INBOX",
        ]


def test_many_bodies_are_synced_too(root: Path, put) -> None:
    with Store.open(root, create=True, sync=True) as store:
        journal = store.mailbox("INBOX", 1)
        for uid in range(1, 200):
            journal.add(uid, put(store, b"%d" % uid))
        store.commit()
        assert store.inspect().clean


def test_without_syncfs_every_body_is_synced(
    root: Path, put, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def spy_fsync(fd: int) -> None:
        synced.append(os.fstat(fd).st_ino)
        os.fsync(fd)

    monkeypatch.setattr("imaplus.mirror.files._syncfs", lambda root: None)
    monkeypatch.setattr("imaplus.mirror.files._fsync", spy_fsync)
    with Store.open(root, create=True) as store:
        journal = store.mailbox("INBOX", 1)
        for uid in range(1, 200):
            journal.add(uid, put(store, b"%d" % uid))
        inodes = {path.stat().st_ino for path in (root / "tmp").glob("*.eml")}
        store.commit()
        fans = {path.stat().st_ino for path in (root / "objects").iterdir()}
    assert len(inodes) == 199
    assert inodes | fans <= set(synced)


def test_one_body_that_cannot_be_synced_fails_the_commit(
    root: Path, put, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def broken_fsync(fd: int) -> None:
        calls.append(fd)
        if len(calls) == 50:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("imaplus.mirror.files._syncfs", lambda root: None)
    with Store.open(root, create=True) as store:
        journal = store.mailbox("INBOX", 1)
        for uid in range(1, 200):
            journal.add(uid, put(store, b"%d" % uid))
        monkeypatch.setattr("imaplus.mirror.files._fsync", broken_fsync)
        with pytest.raises(OSError, match="Input/output error") as caught:
            store.commit()
        assert str(root / "tmp") in caught.value.filename
        with pytest.raises(StoreFailed):
            store.commit()
    with Store.open(root, readonly=True) as store:
        assert not store.mailbox("INBOX", 1).entries


def test_what_has_not_changed_is_neither_read_nor_synced(
    root: Path, put, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(root, create=True, sync=False) as store:
        journal = store.mailbox("INBOX", 1)
        for uid in range(1, 1000):
            journal.add(uid, put(store, b"%d" % uid))
        journal.mark(exists=999)
        store.commit()
    monkeypatch.setattr("imaplus.mirror.files._fsync", lambda fd: pytest.fail("synced"))
    monkeypatch.setattr("imaplus.mirror.files._syncfs", lambda root: pytest.fail("synced"))
    monkeypatch.setattr(
        "imaplus.mirror.lines.State.apply", lambda self, text: pytest.fail("a line was read")
    )
    with Store.open(root, create=True) as store:
        checkpoint = store.mailbox("INBOX", 1).checkpoint
        assert checkpoint is not None
        assert checkpoint.exists == 999
        store.commit()


def test_store_json_says_what_it_is(store: Store) -> None:
    assert json.loads((store.path / "store.json").read_bytes()) == {"format": 2}


def test_a_commit_has_room_on_a_disk_that_bodies_have_filled(
    store: Store, put, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = store.path / "tmp" / "reserve"
    store.mailbox("INBOX", 1).add(1, put(store, b"x"))
    assert reserve.stat().st_blocks * 512 >= 2 << 20
    settle = store.objects.settle

    def settled(taken: object) -> None:
        assert not reserve.exists()
        settle(taken)  # type: ignore[arg-type]

    monkeypatch.setattr(store.objects, "settle", settled)
    store.commit()
    assert not reserve.exists()
    put(store, b"y")
    assert reserve.exists()


def test_a_disk_that_reserves_nothing_is_used_all_the_same(
    store: Store, put, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    store.mailbox("INBOX", 1).add(1, put(store, b"x"))
    store.commit()
    assert list(store.mailbox("INBOX", 1).entries) == [1]

"""Verify: a whole store is clean, and every kind of damage has its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaplus.mirror import Damage, Store


@pytest.fixture
def filled(store: Store, put) -> Store:
    journal = store.mailbox("INBOX", 7)
    for uid in (1, 2, 3):
        journal.add(uid, put(store, b"body %d" % uid))
    journal.vanish([3])
    journal.mark(exists=2)
    store.commit()
    return store


def test_a_whole_store_is_clean(filled: Store) -> None:
    seen: list[tuple[int, int]] = []
    report = filled.inspect(lambda done, total: seen.append((done, total)))
    assert report.clean
    assert (report.mailboxes, report.messages, report.gone) == (1, 2, 1)
    assert (report.objects, report.octets, report.orphans, report.torn) == (3, 18, (), ())
    assert seen == [(6, 18), (12, 18), (18, 18)]


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "missing"), (b"BODY 1", "corrupt"), (b"body", "corrupt")]
)
def test_a_damaged_body_is_found(filled: Store, content: bytes | None, problem: str) -> None:
    sha256 = filled.mailbox("INBOX", 7).entries[1].sha256
    path = filled.objects.path(sha256)
    path.unlink() if content is None else path.write_bytes(content)
    report = filled.inspect()
    assert not report.clean
    assert report.damages == (Damage("INBOX", 7, 1, sha256, problem),)
    assert report.corrupt == (() if content is None else (sha256,))


def test_the_body_of_a_gone_message_counts_too(filled: Store) -> None:
    filled.objects.path(filled.mailbox("INBOX", 7).gone[3].sha256).unlink()
    assert [damage.uid for damage in filled.inspect().damages] == [3]


def test_a_link_in_place_of_a_body_is_damage(filled: Store, tmp_path: Path) -> None:
    path = filled.objects.path(filled.mailbox("INBOX", 7).entries[1].sha256)
    path.rename(tmp_path / "aside")
    path.symlink_to(tmp_path / "aside")
    assert [damage.problem for damage in filled.inspect().damages] == ["corrupt"]


def test_a_link_in_place_of_a_folder_is_damage(filled: Store, tmp_path: Path) -> None:
    fan = filled.objects.path(filled.mailbox("INBOX", 7).entries[1].sha256).parent
    fan.rename(tmp_path / "aside")
    fan.symlink_to(tmp_path / "aside")
    with Store.open(filled.path, readonly=True) as other:
        report = other.inspect()
    assert report.strangers == (str(fan),)
    assert [damage.problem for damage in report.damages] == ["missing"]


def test_orphans_and_half_written_ends_are_not_damage(filled: Store, put) -> None:
    orphan = put(filled, b"left by a killed run")
    filled.commit()
    path = filled.mailbox("INBOX", 7).path
    path.write_bytes(path.read_bytes() + b"torn")
    with Store.open(filled.path, readonly=True) as other:
        report = other.inspect()
    assert report.clean
    assert (report.orphans, report.torn) == ((orphan.sha256,), (str(path),))


def test_damaged_journals_are_found(filled: Store) -> None:
    path = filled.mailbox("INBOX", 7).path
    path.write_bytes(path.read_bytes().replace(b" a 2 ", b" a 4 "))
    with Store.open(filled.path, readonly=True) as other:
        report = other.inspect()
    assert not report.clean
    assert report.unreadable == (f"{path}: damaged lines: 1",)
    assert report.messages == 1

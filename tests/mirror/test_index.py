"""The index: finds what is in the store, follows it, and can be thrown away at any time."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from imaplus.mirror import Store, StoreError, UnsafePath
from imaplus.mirror import index as index_module
from imaplus.mirror.index import Hit, Index


def message(subject: str, body: str, sender: str = "ada@example.org") -> bytes:
    return f"From: {sender}\r\nTo: bob@example.org\r\nSubject: {subject}\r\n\r\n{body}".encode()


@pytest.fixture(params=["fts5", "plain"])
def filled(
    store: Store, put, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Store:
    if request.param == "plain":
        monkeypatch.setattr(index_module, "_FTS5", "CREATE VIRTUAL TABLE words USING missing ()")
    inbox = store.mailbox("INBOX", 7)
    inbox.add(1, put(store, message("annual report", "numbers and figures")), flags=["\\Seen"])
    inbox.add(2, put(store, message("lunch", "the annual soup", "eve@example.org")))
    bad = store.mailbox("bad\udcff", 1)
    bad.add(9, put(store, message("lunch", "the annual soup", "eve@example.org")))
    store.commit()
    return store


def found(hits: list[Hit]) -> list[tuple[str, int]]:
    return sorted((hit.mailbox, hit.uid) for hit in hits)


def test_searching(filled: Store) -> None:
    with Index.open(filled) as index:
        assert found(index.search("annual")) == [("INBOX", 1), ("INBOX", 2), ("bad\ufffdFF", 9)]
        assert found(index.search("annual", field="subject")) == [("INBOX", 1)]
        assert found(index.search("ANNUAL soup", mailbox="INBOX")) == [("INBOX", 2)]
        assert found(index.search("eve", field="sender", mailbox="bad\udcff")) == [
            ("bad\ufffdFF", 9)
        ]
        assert index.search("annual missing") == []
        assert len(index.search("", limit=2)) == 2
        (hit,) = index.search("figures")
        entry = filled.mailbox("INBOX", 7).entries[1]
        assert hit == Hit(
            "INBOX",
            7,
            1,
            entry.sha256,
            entry.size,
            "annual report",
            "ada@example.org",
            None,
            gone=False,
        )


@pytest.mark.parametrize(
    "text",
    ['"', "a OR", "NEAR(", "subject:", "*", "'; --", "\0", "\udcff", "(", "x " * 500, "^-{}"],
)
def test_no_text_has_a_meaning_for_the_database(filled: Store, text: str) -> None:
    with Index.open(filled) as index:
        assert isinstance(index.search(text), list)


def test_it_follows_the_store(filled: Store, put) -> None:
    Index.open(filled).close()
    inbox = filled.mailbox("INBOX", 7)
    inbox.add(3, put(filled, message("later", "news")))
    inbox.set_flags(2, ["\\Answered"])
    inbox.vanish([1])
    filled.commit()
    read: list[tuple[int, int]] = []
    with Index.open(filled, progress=lambda done, total: read.append((done, total))) as index:
        assert read == [(1, 1)]
        assert found(index.search("news")) == [("INBOX", 3)]
        assert [hit.gone for hit in index.search("figures")] == [True]
        rows = index.connection.execute("SELECT flags FROM messages WHERE uid = 2").fetchall()
        assert rows == [('["\\\\Answered"]',)]


def test_a_journal_made_anew_is_read_anew(filled: Store, put) -> None:
    Index.open(filled).close()
    path = filled.mailbox("INBOX", 7).path
    path.write_bytes(path.read_bytes().replace(b" a 1 ", b" a 5 "))
    filled.close()
    with Store.open(filled.path, sync=False) as store:
        store.mailbox("INBOX", 7).mark(exists=1)
        store.commit()
        with Index.open(store) as index:
            assert found(index.search("annual", mailbox="INBOX")) == [("INBOX", 2)]


@pytest.mark.parametrize(
    "content", [b"this is no database, but it is long enough to be taken for one" * 99, b"", None]
)
def test_whatever_is_wrong_with_it_is_healed(filled: Store, content: bytes | None) -> None:
    with Index.open(filled) as index:
        path = index.path
        if content is None:
            index.connection.execute("PRAGMA user_version = 99")
    if content is not None:
        path.write_bytes(content)
    with Index.open(filled) as index:
        assert len(index.search("annual")) == 3
        index.rebuild()
        assert len(index.search("annual")) == 3


def test_damage_inside_is_healed_too(filled: Store) -> None:
    with Index.open(filled) as index:
        path = index.path
        index.connection.execute("DROP TABLE contents")
        with pytest.raises(sqlite3.OperationalError):
            index.update()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with Index.open(filled) as index:
        assert len(index.search("annual")) == 3


def test_a_missing_body_is_left_out(filled: Store) -> None:
    entry = filled.mailbox("INBOX", 7).entries[1]
    body = filled.objects.path(entry.sha256)
    content = body.read_bytes()
    body.unlink()
    with Index.open(filled) as index:
        assert found(index.search("annual", mailbox="INBOX")) == [("INBOX", 2)]
        body.write_bytes(content)
        index.update()
        assert len(index.search("annual", mailbox="INBOX")) == 2


def test_it_is_not_written_through_a_link(filled: Store, tmp_path: Path) -> None:
    (filled.path / "index.sqlite").symlink_to(tmp_path / "victim")
    with pytest.raises(UnsafePath):
        Index.open(filled)
    assert not (tmp_path / "victim").exists()


def test_a_locked_database_is_reported(filled: Store, put) -> None:
    with Index.open(filled) as index:
        filled.mailbox("INBOX", 7).vanish([1])
        filled.commit()
        index.connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            Index.open(filled, timeout=0)
        index.connection.execute("ROLLBACK")


def test_hostile_messages_are_indexed_too(store: Store, put) -> None:
    journal = store.mailbox("INBOX", 1)
    for uid, raw in enumerate([b"", b"\xff\0" * 500, b"Subject: =?x?q?\xff?="], 1):
        journal.add(uid, put(store, raw), flags=["\udcff"])
    store.commit()
    with Index.open(store) as index:
        assert len(index.search("")) == 3

"""The index: finds what is in the store, follows it, and can be thrown away at any time."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imaplus.mirror import Hit, Index, Store, StoreError, UnsafePath
from imaplus.mirror.index import bodies, database, journals
from imaplus.query import QueryError


def message(subject: str, body: str, sender: str = "ada@example.org") -> bytes:
    return f"From: {sender}\r\nTo: bob@example.org\r\nSubject: {subject}\r\n\r\n{body}".encode()


@pytest.fixture(params=["fts5", "plain"])
def filled(
    store: Store, put, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Store:
    if request.param == "plain":
        monkeypatch.setattr(database, "FTS5", "CREATE VIRTUAL TABLE words USING missing ()")
    inbox = store.mailbox("INBOX", 7)
    inbox.add(1, put(store, message("annual report", "numbers and figures")), flags=["\\Seen"])
    inbox.add(2, put(store, message("lunch", "the annual soup", "eve@example.org")))
    bad = store.mailbox("bad\udcff", 1)
    bad.add(9, put(store, message("lunch", "the annual soup", "eve@example.org")))
    store.commit()
    return store


def found(hits: list[Hit]) -> list[tuple[str, int]]:
    return sorted((hit.mailbox, hit.uid) for hit in hits)


def test_the_table_is_what_it_should_be(
    filled: Store, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other error than a missing module is one: it must not end in a plain table."""
    with Index.open(filled) as index:
        fts5 = request.node.callspec.params["filled"] == "fts5"
        assert database.has_fts5(index.connection) == fts5
        if fts5:
            assert index.connection.execute(
                "SELECT count(*) FROM words WHERE words MATCH 'annual'"
            ).fetchone() == (2,)
        index.path.unlink()
    monkeypatch.setattr(
        database, "FTS5", "CREATE VIRTUAL TABLE words USING fts5 (a, tokenize='x\n1')"
    )
    with pytest.raises(StoreError):
        Index.open(filled)


def test_searching(filled: Store) -> None:
    with Index.open(filled) as index:
        assert found(index.find("annual")) == [("INBOX", 1), ("INBOX", 2), ("bad\ufffdFF", 9)]
        assert found(index.find("subject:annual")) == [("INBOX", 1)]
        assert found(index.find("ANNUAL soup", mailboxes=["INBOX"])) == [("INBOX", 2)]
        assert found(index.find("from:eve", mailboxes=["bad\udcff"])) == [("bad\ufffdFF", 9)]
        assert index.find("annual missing") == []
        assert len(index.find("", limit=2)) == 2
        (hit,) = index.find("figures")
        entry = filled.mailbox("INBOX", 7).entries[1]
        assert hit == Hit(
            *("INBOX", 7, 1, entry.sha256, entry.size, frozenset({"\\Seen"}), None, None),
            *("annual report", "ada@example.org", ""),
            gone=False,
        )


@pytest.mark.parametrize(
    ("query", "uids"),
    [
        ("ann", [1, 2]),  # the text begins where a word begins, and may end inside one
        ("nnual", []),
        ('"annual rep"', [1]),
        ('"annual rep "', []),
        ('"nnual report"', []),
        ("annual-report", [1]),
        ("header:subject:nnual", [1]),
        ("-annual", []),
        ("-subject:annual", [2]),
        ("is:read OR soup", [1, 2]),
        ("uid:2:*", [2]),
        ("uid:9:*", [2]),
        ("uid:*", [2]),
        ("larger:80", [1]),
        ("has:attachment", []),
        ("since:2020-01-01", []),
        ("-since:2020-01-01", [1, 2]),
    ],
)
def test_queries(filled: Store, query: str, uids: list[int]) -> None:
    with Index.open(filled) as index:
        hits = index.find(query, mailboxes=["INBOX"])
        assert sorted(hit.uid for hit in hits) == uids


@pytest.mark.parametrize(
    "text",
    [
        "a NEAR( b",
        "subject:*x",
        "'x; --x",
        "\udcff",
        "x " * 500,
        "^-{}a",
        '"a \\" b"',
        "%a_",
        "a*b",
    ],
)
def test_texts_are_not_interpreted_as_sql(filled: Store, text: str) -> None:
    with Index.open(filled) as index:
        try:
            assert isinstance(index.find(text), list)
        except QueryError:
            assert "\udcff" in text or "(" in text


@pytest.mark.parametrize("text", ["***", '"- -"', "a ...", "from:@"])
def test_a_text_without_words_cannot_be_found(filled: Store, text: str) -> None:
    with Index.open(filled) as index, pytest.raises(QueryError, match="column"):
        index.find(text)


LETTERS = "Zażółć Straße smørrebrød Đà Nẵng ıspanak Æther 会議の議事録 데이터 naïve"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "zazolc",
            "ZAŻÓŁĆ",
            "strasse",
            "straße",
            "smorre",
            "da",
            "nang",
            "Ispanak",
            "aether",
            "会議",
        ),
        *("議", "議事録", "会議の", "이터", "데", "NAIVE", "nai\u0308ve", "会議の議事録 데이터"),
    ],
)
def test_letters(store: Store, put, text: str) -> None:
    store.mailbox("INBOX", 1).add(1, put(store, message("x", LETTERS)))
    store.commit()
    with Index.open(store) as index:
        assert len(index.find(f'"{text}"')) == 1
        assert index.find('"録会"') == []


def test_dates_are_compared_as_moments_and_shown_in_their_zone(store: Store, put) -> None:
    journal = store.mailbox("INBOX", 1)
    for uid, text in enumerate(
        ["2026-01-30T23:30:00-05:00", "2026-01-31T01:00:00+13:00", "1950-01-01T00:00:00+00:00"], 1
    ):
        journal.add(uid, put(store, message(text, "x")), internaldate=datetime.fromisoformat(text))
    store.commit()
    with Index.open(store) as index:
        hits = index.find("")
        assert [hit.uid for hit in hits] == [1, 2, 3]  # by the moment, not by the text
        assert [str(hit.internaldate) for hit in hits][:2] == [
            "2026-01-30 23:30:00-05:00",
            "2026-01-31 01:00:00+13:00",
        ]
        assert [hit.uid for hit in index.find("since:2026-01-31")] == [2]
        assert [hit.uid for hit in index.find("on:2026-01-30")] == [1]
        assert [hit.uid for hit in index.find("before:1960-01")] == [3]


def test_is_gone_finds_what_only_the_mirror_has(store: Store, put) -> None:
    moved, lost, kept = (put(store, message(name, "x")) for name in ("moved", "lost", "kept"))
    inbox, archive = store.mailbox("INBOX", 1), store.mailbox("Archive", 1)
    for uid, body in enumerate((moved, lost, kept), 1):
        inbox.add(uid, body)
    archive.add(1, moved)
    inbox.vanish([1, 2])
    store.mailbox("Old", 1).add(5, put(store, message("old", "x")))
    store.mailbox("Old", 1).set_absent(True)
    store.mailbox("Anew", 1).add(6, put(store, message("anew", "x")))
    store.mailbox("Anew", 1).mark(exists=1, when=datetime(2025, 1, 1, tzinfo=UTC))
    store.mailbox("Anew", 2).mark(exists=0, when=datetime(2026, 1, 1, tzinfo=UTC))
    store.commit()
    with Index.open(store) as index:
        gone = [("Anew", 6), ("INBOX", 2), ("Old", 5)]
        assert found(index.find("is:gone")) == gone
        assert found(index.find("-is:gone")) == [("Archive", 1), ("INBOX", 3)]
        assert found(index.find("")) == sorted([*gone, ("Archive", 1), ("INBOX", 3)])
        assert all(hit.gone for hit in index.find("is:gone"))
        store.mailbox("Old", 1).set_absent(False)
        store.commit()
        index.update()
        assert found(index.find("is:gone")) == gone[:2]


def test_an_older_copy_is_found(store: Store, put) -> None:
    journal = store.mailbox("INBOX", 1)
    journal.add(1, put(store, message("first", "x")))
    store.commit()
    Index.open(store).close()
    journal.add(1, put(store, message("second", "x")))
    store.commit()
    with Index.open(store) as index:
        assert [(hit.subject, hit.gone) for hit in index.find("is:gone")] == [("first", True)]
        assert [hit.subject for hit in index.find("-is:gone")] == ["second"]


def test_many_are_read_by_processes(store: Store, put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_MANY", 10)
    monkeypatch.setattr(bodies, "_PORTION", 7)
    monkeypatch.setattr(bodies, "_COMMIT", 100)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    journal = store.mailbox("INBOX", 1)
    for uid in range(1, 101):
        journal.add(uid, put(store, message(f"number{uid}", "same")))
    store.commit()
    read: list[tuple[int, int]] = []
    with Index.open(store, progress=lambda done, total: read.append((done, total))) as index:
        assert read[-1] == (100, 100)
        assert len(index.find("same")) == 100
        assert [hit.uid for hit in index.find('"number77 "')] == [77]
        assert index.connection.execute("SELECT * FROM meta").fetchall() == []


def test_a_reader_that_dies_is_replaced(store: Store, put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_MANY", 10)
    monkeypatch.setattr(bodies, "_PORTION", 3)
    monkeypatch.setattr(bodies, "_send", lambda store, portions, pipe: None)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    journal = store.mailbox("INBOX", 1)
    for uid in range(1, 21):
        journal.add(uid, put(store, message(f"number{uid}", "same")))
    store.commit()
    with Index.open(store) as index:
        assert len(index.find("same")) == 20


def test_an_interrupted_update_goes_on(store: Store, put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_MANY", 10)
    monkeypatch.setattr(bodies, "_PORTION", 5)
    monkeypatch.setattr(bodies, "_COMMIT", 1)
    journal = store.mailbox("INBOX", 1)
    for uid in range(1, 31):
        journal.add(uid, put(store, message(f"number{uid}", "same")))
    store.commit()

    def stop(done: int, total: int) -> None:
        if done >= 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Index.open(store, progress=stop)
    read: list[int] = []
    with Index.open(store, progress=lambda done, total: read.append(total)) as index:
        assert set(read) == {20}
        assert len(index.find("same")) == 30


@pytest.mark.parametrize(("boot", "kept"), [("this", True), ("another", False), ("", False)])
def test_after_a_power_failure_it_is_rebuilt(
    filled: Store, monkeypatch: pytest.MonkeyPatch, boot: str, kept: bool
) -> None:
    monkeypatch.setattr(database, "_boot", lambda: "this")
    with Index.open(filled) as index:
        index.connection.execute("INSERT INTO meta VALUES ('unsynced', ?)", (boot,))
        index.connection.execute("INSERT INTO meta VALUES ('mark', '')")
    with Index.open(filled) as index:
        found = index.connection.execute("SELECT 1 FROM meta WHERE name = 'mark'").fetchall()
        assert bool(found) == kept
        assert len(index.find("annual")) == 3


def test_what_has_not_changed_is_not_read(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    Index.open(filled).close()
    monkeypatch.setattr(journals, "_Taking", None)
    Index.open(filled).close()


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
        assert found(index.find("news")) == [("INBOX", 3)]
        assert [hit.gone for hit in index.find("figures")] == [True]
        assert found(index.find("is:answered")) == [("INBOX", 2)]


def test_a_rewritten_journal_is_read_again(filled: Store, put) -> None:
    Index.open(filled).close()
    path = filled.mailbox("INBOX", 7).path
    path.write_bytes(path.read_bytes().replace(b" a 1 ", b" a 5 "))
    filled.close()
    with Store.open(filled.path, sync=False) as store:
        store.mailbox("INBOX", 7).mark(exists=1)
        store.commit()
        with Index.open(store) as index:
            assert found(index.find("annual", mailboxes=["INBOX"])) == [("INBOX", 2)]


@pytest.mark.parametrize(
    "content", [b"this is no database, but it is long enough to be taken for one" * 99, b"", None]
)
def test_a_damaged_database_is_rebuilt(filled: Store, content: bytes | None) -> None:
    with Index.open(filled) as index:
        path = index.path
        if content is None:
            index.connection.execute("PRAGMA user_version = 99")
    if content is not None:
        path.write_bytes(content)
    with Index.open(filled) as index:
        assert len(index.find("annual")) == 3
        index.rebuild()
        assert len(index.find("annual")) == 3


def test_damage_inside_the_database_is_repaired(filled: Store) -> None:
    with Index.open(filled) as index:
        path = index.path
        index.connection.execute("DROP TABLE contents")
        with pytest.raises(sqlite3.OperationalError):
            index.find("annual")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with Index.open(filled) as index:
        assert len(index.find("annual")) == 3


def test_a_missing_body_is_left_out(filled: Store) -> None:
    entry = filled.mailbox("INBOX", 7).entries[1]
    body = filled.objects.path(entry.sha256)
    content = body.read_bytes()
    body.unlink()
    with Index.open(filled) as index:
        assert found(index.find("annual", mailboxes=["INBOX"])) == [("INBOX", 2)]
        body.write_bytes(content)
        index.update()
        assert len(index.find("annual", mailboxes=["INBOX"])) == 2


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


def test_a_database_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"index.* cannot be opened: unable to open"):
        database.connect(tmp_path / "missing" / "index.sqlite", timeout=0)


def test_hostile_messages_are_indexed_too(store: Store, put) -> None:
    journal = store.mailbox("INBOX", 1)
    for uid, raw in enumerate([b"", b"\xff\0" * 500, b"Subject: =?x?q?\xff?="], 1):
        journal.add(uid, put(store, raw), flags=["\udcff"])
    store.commit()
    with Index.open(store) as index:
        assert len(index.find("")) == 3

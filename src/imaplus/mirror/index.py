"""The index: a SQLite database that answers questions about a store, made from what is in it.

It holds nothing of its own: deleting `index.sqlite` loses nothing, and whatever is wrong with the
file is healed by making it anew. Messages are rows of `messages`; their words, once for each
distinct body, are in `words`, an FTS5 table where SQLite has FTS5 and else a plain one. A backup
never touches it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from imaplus.mirror.entries import Entry
from imaplus.mirror.errors import StoreCorrupt, StoreError, UnsafePath
from imaplus.mirror.journal import Journal
from imaplus.mirror.names import kept_name, shown_name
from imaplus.mirror.store import Store
from imaplus.mirror.text import MAX_OCTETS, Words, words
from imaplus.records import record

Field = Literal["subject", "sender", "recipients", "body", "files"]

_FILE = "index.sqlite"
_VERSION = 1
_BATCH = 500  # messages in one transaction: an interrupted update repeats no more than that
_MAX_WORDS = 64  # of one search: each is a lookup of its own

_SCHEMA = """
    CREATE TABLE generations (
        id INTEGER PRIMARY KEY, mailbox TEXT NOT NULL, uidvalidity INTEGER NOT NULL,
        journal TEXT NOT NULL, offset INTEGER NOT NULL, UNIQUE (mailbox, uidvalidity));
    CREATE TABLE messages (
        generation INTEGER NOT NULL, uid INTEGER NOT NULL, sha256 BLOB NOT NULL,
        size INTEGER NOT NULL, flags TEXT NOT NULL, internaldate TEXT, modseq INTEGER, gone TEXT,
        PRIMARY KEY (generation, uid)) WITHOUT ROWID;
    CREATE INDEX messages_by_body ON messages (sha256);
    CREATE TABLE contents (
        id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, subject TEXT NOT NULL,
        sender TEXT NOT NULL, recipients TEXT NOT NULL, files TEXT NOT NULL);
"""
_FTS5 = """
    CREATE VIRTUAL TABLE words USING fts5 (
        subject, sender, recipients, body, files, content='', tokenize='unicode61 remove_diacritics
        2');
"""
_PLAIN = """
    CREATE TABLE words (
        rowid INTEGER PRIMARY KEY, subject TEXT, sender TEXT, recipients TEXT, body TEXT, files
        TEXT);
"""


@record
class Hit:
    """A message that a search found. `gone`: the server no longer has it, the store does."""

    mailbox: str
    uidvalidity: int
    uid: int
    sha256: str
    size: int
    subject: str
    sender: str
    internaldate: datetime | None
    gone: bool


class Index:
    """The index of one store. Made by `Index.open`; close it, or use it in a `with` statement.

    `connection` is the database, for questions that `search` does not ask. The `mailbox` of a row
    of `generations` is the name as JSON, for a name may hold what SQLite takes for no text.
    """

    def __init__(self, store: Store, *, timeout: float = 5.0) -> None:
        self.store = store
        self._timeout = timeout
        self.path: Path = store.path / _FILE
        self.connection: sqlite3.Connection = self._connect()

    @classmethod
    def open(
        cls,
        store: Store,
        *,
        progress: Callable[[int, int], None] | None = None,
        timeout: float = 5.0,
    ) -> Index:
        """The index of `store`, up to date with what is committed; made if there is none.

        `progress` is called with the bodies read so far and those to be read; `timeout` is for how
        many seconds another process may keep the database locked.

        Raises:
            StoreError: the database cannot be written, or stays broken.
            OSError: a body cannot be read.
        """
        index = cls(store, timeout=timeout)
        try:
            index.update(progress)
        except sqlite3.OperationalError as error:  # locked, disk full
            index.close()
            raise StoreError(str(index.path), f"cannot be written: {error}") from error
        except sqlite3.DatabaseError:  # damaged
            index.rebuild(progress)
        except BaseException:
            index.close()
            raise
        return index

    def close(self) -> None:
        """Close the database."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Delete the database and make it anew.

        Raises:
            StoreError: it cannot be written.
        """
        self.close()
        self.connection = self._connect(anew=True)
        try:
            self.update(progress)
        except sqlite3.Error as error:
            self.close()
            raise StoreError(str(self.path), f"cannot be made: {error}") from error

    def update(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Take in what was committed since the last time."""
        for folder in self.store.shelf.folders():
            try:
                info = self.store.shelf.info(folder)
            except StoreCorrupt:
                continue  # what `verify` is for; the other mailboxes can be searched
            for uidvalidity in info.generations:
                self._follow(self.store.mailbox(info.name, uidvalidity))
        self._read_bodies(progress)

    def search(
        self, text: str, *, field: Field | None = None, mailbox: str | None = None, limit: int = 100
    ) -> list[Hit]:
        """Messages that contain every word of `text`, in `field` or anywhere; the best first.

        `text` is words and nothing else: no character in it has a meaning for the database.
        """
        asked = text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8").split()
        condition, values = self._condition(asked[:_MAX_WORDS], field)
        order = "words.rank" if asked and self._has_fts5() else "m.internaldate DESC"
        if mailbox is not None:
            condition += " AND g.mailbox = ?"
            values.append(json.dumps(kept_name(mailbox)))
        rows = self.connection.execute(
            "SELECT g.mailbox, g.uidvalidity, m.uid, m.sha256, m.size, c.subject, c.sender,"
            " m.internaldate, m.gone FROM words"
            " JOIN contents c ON c.id = words.rowid JOIN messages m ON m.sha256 = c.sha256"
            f" JOIN generations g ON g.id = m.generation WHERE {condition}"
            f" ORDER BY {order} LIMIT ?",
            [*values, limit],
        )
        return [_hit(*row) for row in rows]

    def _condition(self, asked: Sequence[str], field: Field | None) -> tuple[str, list[object]]:
        """The part of WHERE that finds words, and its values."""
        columns = [field] if field else ["subject", "sender", "recipients", "body", "files"]
        if not asked:
            return "1", []
        if self._has_fts5():
            quoted = " ".join('"' + word.replace('"', '""') + '"' for word in asked)
            return "words MATCH ?", [f"{{{' '.join(columns)}}} : ({quoted})"]
        any_column = " OR ".join(f"instr(lower(words.{column}), lower(?))" for column in columns)
        values: list[object] = [word for word in asked for _ in columns]
        return " AND ".join(f"({any_column})" for _ in asked), values

    def _has_fts5(self) -> bool:
        made = "SELECT sql FROM sqlite_master WHERE name = 'words'"
        return "fts5" in str(self.connection.execute(made).fetchone())

    def _connect(self, *, anew: bool = False) -> sqlite3.Connection:
        """The database with its tables; what is broken, or of another version, is made anew."""
        for name in (_FILE, f"{_FILE}-journal"):
            path = self.store.path / name
            if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
                raise UnsafePath(str(path), "not a regular file")
            if anew:
                path.unlink(missing_ok=True)
        connection = sqlite3.connect(self.path, timeout=self._timeout, isolation_level=None)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                _make(connection)
            elif version != _VERSION:
                raise sqlite3.DatabaseError("another version")
        except sqlite3.Error as error:
            connection.close()
            if anew or isinstance(error, sqlite3.OperationalError):
                raise StoreError(str(self.path), f"cannot be opened: {error}") from error
            return self._connect(anew=True)
        return connection

    def _follow(self, journal: Journal) -> None:
        """Bring the rows of one generation up to date."""
        generation, offset = self._generation(journal)
        if offset == journal.end:
            return
        touched = {
            int(text.split(b" ", 2)[1])
            for end, text in journal.scan(offset)
            if end <= journal.end and text[:2] in (b"a ", b"f ", b"v ")
        }
        with _transaction(self.connection):
            for uid in touched:
                entry = journal.entries.get(uid) or journal.gone.get(uid)
                if entry is not None:
                    self.connection.execute(
                        "INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        (generation, uid, *_columns(entry)),
                    )
            self.connection.execute(
                "UPDATE generations SET offset = ? WHERE id = ?", (journal.end, generation)
            )

    def _generation(self, journal: Journal) -> tuple[int, int]:
        """The number of a generation, and how far its journal is known."""
        key = (json.dumps(kept_name(journal.mailbox)), journal.uidvalidity)
        row = self.connection.execute(
            "SELECT id, offset, journal FROM generations WHERE mailbox = ? AND uidvalidity = ?", key
        ).fetchone()
        if row is not None and row[2] == journal.identity:
            return row[0], row[1]
        with _transaction(self.connection):
            if row is not None:  # the journal was made anew: nothing known of it holds
                self.connection.execute("DELETE FROM messages WHERE generation = ?", row[:1])
                self.connection.execute("DELETE FROM generations WHERE id = ?", row[:1])
            cursor = self.connection.execute(
                "INSERT INTO generations (mailbox, uidvalidity, journal, offset)"
                " VALUES (?, ?, ?, 0)",
                (*key, journal.identity),
            )
        return int(cursor.lastrowid or 0), 0

    def _read_bodies(self, progress: Callable[[int, int], None] | None) -> None:
        """Read every body that a message has and the index does not."""
        missing = self.connection.execute(
            "SELECT DISTINCT sha256 FROM messages WHERE sha256 NOT IN (SELECT sha256 FROM contents)"
        ).fetchall()
        for start in range(0, len(missing), _BATCH):
            with _transaction(self.connection):
                for (sha256,) in missing[start : start + _BATCH]:
                    self._insert(sha256)
            if progress is not None:
                progress(min(start + _BATCH, len(missing)), len(missing))

    def _insert(self, sha256: bytes) -> None:
        try:
            with self.store.open_body(sha256.hex()) as file:
                found: Words = words(file.read(MAX_OCTETS))
        except (FileNotFoundError, StoreCorrupt):
            return  # what `verify` is for
        fields = (found.subject, found.sender, found.recipients, found.files)
        cursor = self.connection.execute(
            "INSERT INTO contents (sha256, subject, sender, recipients, files)"
            " VALUES (?, ?, ?, ?, ?)",
            (sha256, *fields),
        )
        self.connection.execute(
            "INSERT INTO words (rowid, subject, sender, recipients, files, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (cursor.lastrowid, *fields, found.body),
        )


def _make(connection: sqlite3.Connection) -> None:
    with _transaction(connection):
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        try:
            connection.execute(_FTS5)
        except sqlite3.OperationalError:  # not compiled in
            connection.execute(_PLAIN)
        connection.execute(f"PRAGMA user_version = {_VERSION}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _hit(
    mailbox: str,
    uidvalidity: int,
    uid: int,
    sha256: bytes,
    size: int,
    subject: str,
    sender: str,
    date: str | None,
    gone: str | None,
) -> Hit:
    at = datetime.fromisoformat(date) if date else None
    name = shown_name(json.loads(mailbox))
    return Hit(name, uidvalidity, uid, sha256.hex(), size, subject, sender, at, gone is not None)


def _columns(entry: Entry) -> Iterator[object]:
    yield bytes.fromhex(entry.sha256)
    yield entry.size
    yield json.dumps(sorted(entry.flags))
    yield entry.internaldate.isoformat() if entry.internaldate else None
    yield entry.modseq
    yield entry.gone.isoformat() if entry.gone else None

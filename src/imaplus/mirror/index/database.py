"""The database file of the index: its tables, opening, rebuilding, and safety.

A large update does not sync pages to disk. It first records the boot ID of the machine; after a
power failure the database is rebuilt.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from binascii import crc32
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imaplus.mirror.errors import StoreError, UnsafePath

VERSION = 2
HASH = 12 << 20
"""Bytes of postings that FTS5 collects before it writes them as one segment."""
COLUMNS = ("subject", "sender", "to_", "cc", "bcc", "body", "files")
"""Columns of the table of words."""

_TABLES = """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
    CREATE TABLE generations (
        id INTEGER PRIMARY KEY, mailbox TEXT NOT NULL, uidvalidity INTEGER NOT NULL,
        journal TEXT NOT NULL, stamp TEXT NOT NULL, known INTEGER NOT NULL, live INTEGER NOT NULL,
        UNIQUE (mailbox, uidvalidity));
    CREATE TABLE flags (
        id INTEGER PRIMARY KEY, flags TEXT NOT NULL UNIQUE);
    CREATE TABLE messages (
        generation INTEGER NOT NULL, uid INTEGER NOT NULL, body INTEGER NOT NULL,
        size INTEGER NOT NULL, flags INTEGER NOT NULL, date INTEGER, zone INTEGER, gone INTEGER,
        PRIMARY KEY (generation, uid, body)) WITHOUT ROWID;
    CREATE INDEX messages_by_body ON messages (body);
    CREATE INDEX messages_by_date ON messages (date);
    CREATE TABLE bodies (id INTEGER PRIMARY KEY, key INTEGER NOT NULL, sha256 BLOB NOT NULL);
    CREATE INDEX bodies_by_key ON bodies (key);
    CREATE TABLE unread (id INTEGER PRIMARY KEY);
    CREATE TABLE contents (
        id INTEGER PRIMARY KEY, subject TEXT NOT NULL, sender TEXT NOT NULL,
        message_id TEXT NOT NULL, message_key INTEGER, sent INTEGER, sent_zone INTEGER,
        attachment INTEGER NOT NULL);
    CREATE INDEX contents_by_message_key ON contents (message_key);
    CREATE INDEX attachments ON contents (id) WHERE attachment;
    CREATE TABLE files (body INTEGER NOT NULL, name TEXT NOT NULL);
"""
FTS5 = (
    f"CREATE VIRTUAL TABLE words USING fts5({', '.join(COLUMNS)}, content='', columnsize=0,"
    " tokenize='unicode61 remove_diacritics 2')"
)
_PLAIN = f"CREATE TABLE words (rowid INTEGER PRIMARY KEY, {', '.join(COLUMNS)})"


def connect(path: Path, *, timeout: float, anew: bool = False) -> sqlite3.Connection:
    """Open the database, and create its tables; rebuild a damaged one, or one of another version.

    Raises:
        StoreError: it cannot be opened.
        UnsafePath: it is not a regular file.
    """
    for name in (path, path.with_name(f"{path.name}-journal")):
        if os.path.lexists(name) and not stat.S_ISREG(name.lstat().st_mode):
            raise UnsafePath(str(name), "not a regular file")
        if anew:
            name.unlink(missing_ok=True)
    try:
        connection = sqlite3.connect(path, timeout=timeout, isolation_level=None)
    except sqlite3.Error as error:  # a read-only folder
        raise StoreError(str(path), f"cannot be opened: {error}") from error
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            _make(connection)
        elif version != VERSION or _has_lost_power(connection):
            raise sqlite3.DatabaseError("another version, or incomplete")
    except sqlite3.Error as error:
        connection.close()
        if anew or isinstance(error, sqlite3.OperationalError):
            raise StoreError(str(path), f"cannot be opened: {error}") from error
        return connect(path, timeout=timeout, anew=True)
    return connection


def _make(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise sqlite3.DatabaseError("tables without a version")
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        try:
            connection.execute(FTS5)
        except sqlite3.OperationalError as error:
            if "no such module" not in str(error):
                raise
            connection.execute(_PLAIN)
        else:
            for name, value in (("hashsize", HASH), ("automerge", 8), ("crisismerge", 16)):
                connection.execute("INSERT INTO words (words, rank) VALUES (?, ?)", (name, value))
        connection.execute(f"PRAGMA user_version = {VERSION}")


def key_of(message_id: str) -> int | None:
    """Return the number that indexes a Message-ID; None for an empty one."""
    return crc32(message_id.encode("utf-8", "replace")) if message_id else None


def has_fts5(connection: sqlite3.Connection) -> bool:
    """Whether the words are in an FTS5 table."""
    made = "SELECT sql FROM sqlite_master WHERE name = 'words'"
    return bool(re.search(r"\bUSING fts5\b", str(connection.execute(made).fetchone())))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block in a transaction; roll back on an exception."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def without_sync(connection: sqlite3.Connection) -> Iterator[None]:
    """Do not sync pages to disk while the block runs; sync them at the end."""
    with transaction(connection):
        connection.execute("REPLACE INTO meta VALUES ('unsynced', ?)", (_boot(),))
    connection.execute("PRAGMA synchronous = OFF")
    yield
    connection.execute("PRAGMA synchronous = FULL")
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    with transaction(connection):
        connection.execute("DELETE FROM meta WHERE name = 'unsynced'")


def _has_lost_power(connection: sqlite3.Connection) -> bool:
    """Whether the machine restarted during an update without syncing."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'unsynced'").fetchone()
    return row is not None and (not row[0] or row[0] != _boot())


def _boot() -> str:
    """The boot ID of the machine; empty if unknown."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""

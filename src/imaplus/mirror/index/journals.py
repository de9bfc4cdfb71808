"""Copy the journals of a store to the index: messages, mailboxes, flags and dates.

`bodies` reads the texts of the messages.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from datetime import datetime, timedelta

from imaplus.mirror.entries import FlagTable, parse_date
from imaplus.mirror.errors import StoreCorrupt
from imaplus.mirror.index.database import transaction
from imaplus.mirror.journal import Journal
from imaplus.mirror.names import kept_name
from imaplus.mirror.store import Store

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)


def follow(connection: sqlite3.Connection, store: Store) -> None:
    """Add what was appended to the journals since the last update."""
    for folder in store.shelf.folders():
        try:
            info = store.shelf.info(folder)
        except StoreCorrupt:
            continue  # `verify` reports it; the other mailboxes can be searched
        for uidvalidity in info.generations:
            journal = store.mailbox(info.name, uidvalidity)
            live = uidvalidity == info.generations[-1] and info.gone is None
            _follow(connection, journal, live=live)


def microseconds(at: datetime | None) -> int | None:
    """Convert a time to microseconds since 1970, UTC; exact for every year."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def zone_of(at: datetime | None) -> int | None:
    """Return the offset of a date from UTC, in minutes."""
    offset = None if at is None else at.utcoffset()
    return None if offset is None else round(offset.total_seconds() / 60)


def _follow(connection: sqlite3.Connection, journal: Journal, *, live: bool) -> None:
    """Read the lines that were added to one journal, if its file has changed."""
    name = json.dumps(kept_name(journal.mailbox))
    try:
        status = os.stat(journal.path)  # noqa: PTH116 - a Path has no cheaper way
    except FileNotFoundError:
        return  # there is no commit yet
    stamp = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
    row = connection.execute(
        "SELECT id, known, journal, live, stamp FROM generations"
        " WHERE mailbox = ? AND uidvalidity = ?",
        (name, journal.uidvalidity),
    ).fetchone()
    if row is not None and row[3:] == (live, stamp):
        return
    identity = next((text for _, text in journal.scan()), b"").decode("ascii", "replace")
    with transaction(connection):
        if row is not None and (row[2] != identity or row[1] > status.st_size):
            # The journal was rewritten: read it from the start.
            connection.execute("DELETE FROM messages WHERE generation = ?", row[:1])
            connection.execute("DELETE FROM generations WHERE id = ?", row[:1])
            row = None
        if row is None:
            cursor = connection.execute(
                "INSERT INTO generations (mailbox, uidvalidity, journal, stamp, known, live)"
                " VALUES (?, ?, ?, '', 0, 0)",
                (name, journal.uidvalidity, identity),
            )
            row = (int(cursor.lastrowid or 0), 0)
        generation, known = row[:2]
        taking = _Taking(connection, generation)
        for end, text in journal.scan(known):
            with contextlib.suppress(ValueError):  # a malformed line
                taking.take(text)
            known = end
        connection.execute(
            "UPDATE generations SET known = ?, live = ?, stamp = ? WHERE id = ?",
            (known, live, stamp, generation),
        )


class _Taking:
    """Converts the lines of one journal to rows, in order."""

    def __init__(self, connection: sqlite3.Connection, generation: int) -> None:
        self._connection = connection
        self._generation = generation
        self._table = FlagTable()
        self._flags: dict[bytes, int] = {}

    def take(self, text: bytes) -> None:
        """Apply one line of `imaplus.mirror.lines`; ignore those about other things."""
        kind = text[:2]
        if kind == b"a ":
            _, uid, digest, size, _, date, flags = text.split(b" ", 6)
            at = None if date == b"-" else parse_date(date)
            self._connection.execute(
                "REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    *(self._generation, int(uid), self._body(digest), int(size)),
                    *(self._number(flags), microseconds(at), zone_of(at)),
                ),
            )
        elif kind == b"f ":
            _, uid, _, flags = text.split(b" ", 3)
            self._change(int(uid), "flags", self._number(flags))
        elif kind in (b"v ", b"r "):
            _, uid, when = text.split(b" ")
            self._change(int(uid), "gone", microseconds(parse_date(when)) or 0)

    def _change(self, uid: int, column: str, value: int) -> None:
        self._connection.execute(
            f"UPDATE messages SET {column} = ? WHERE generation = ? AND uid = ? AND gone IS NULL",
            (value, self._generation, uid),
        )

    def _number(self, text: bytes) -> int:
        """The number of a set of flags."""
        found = self._flags.get(text)
        if found is None:
            flags = self._table.sets[self._table.number_of_text(text)]
            value = json.dumps(sorted(flags))
            self._connection.execute("INSERT OR IGNORE INTO flags (flags) VALUES (?)", (value,))
            row = self._connection.execute("SELECT id FROM flags WHERE flags = ?", (value,))
            found = self._flags[text] = int(row.fetchone()[0])
        return found

    def _body(self, hexadecimal: bytes) -> int:
        """The number of a body; a new one is added as unread."""
        digest = bytes.fromhex(hexadecimal.decode("ascii"))
        key = int.from_bytes(digest[:8], "big", signed=True)
        row = self._connection.execute(
            "SELECT id FROM bodies WHERE key = ? AND sha256 = ?", (key, digest)
        ).fetchone()
        if row is not None:
            return int(row[0])
        cursor = self._connection.execute(
            "INSERT INTO bodies (key, sha256) VALUES (?, ?)", (key, digest)
        )
        self._connection.execute("INSERT INTO unread VALUES (?)", (cursor.lastrowid,))
        return int(cursor.lastrowid or 0)

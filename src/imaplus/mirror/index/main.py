"""`Index`: opens, updates and queries the search index of a store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Self

from imaplus.mirror.errors import StoreCorrupt, StoreError
from imaplus.mirror.index.database import connect, has_fts5
from imaplus.mirror.index.journals import follow
from imaplus.mirror.names import kept_name, shown_name
from imaplus.mirror.store import Store
from imaplus.query import Node, parse
from imaplus.records import record

FILE = "index.sqlite"
_HEADER = 256 * 1024  # bytes of a message that are read for its header
_COLUMNS = (
    "g.mailbox, g.uidvalidity, m.uid, b.sha256, m.size, f.flags, m.date, m.zone,"
    " c.sent, c.sent_zone, c.subject, c.sender, c.message_id,"
)
_FROM = (
    "FROM messages m JOIN generations g ON g.id = m.generation JOIN contents c ON c.id = m.body"
    " JOIN bodies b ON b.id = m.body JOIN flags f ON f.id = m.flags"
)
_MOVED = (
    "EXISTS (SELECT 1 FROM messages n JOIN generations h ON h.id = n.generation"
    " WHERE n.body = m.body AND n.gone IS NULL AND h.live)"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@record
class Hit:
    """A message that a search found.

    Attributes:
        mailbox, uidvalidity, uid: the message.
        sha256: the SHA-256 of its body, for `Store.open_body`.
        size: its size in bytes.
        flags: its flags.
        internaldate: when it arrived (INTERNALDATE); None if unknown.
        sent: its Date field; None if missing or invalid.
        subject, sender: decoded, and cut after 500 and 200 characters.
        message_id: its Message-ID; empty if there is none.
        gone: the server no longer has the message.
    """

    mailbox: str
    uidvalidity: int
    uid: int
    sha256: str
    size: int
    flags: frozenset[str]
    internaldate: datetime | None
    sent: datetime | None
    subject: str
    sender: str
    message_id: str
    gone: bool


class Index:
    """The search index of a store. Made by `Index.open`; close it, or use a `with` statement.

    `connection` is the SQLite database, for other queries. Names of mailboxes in its table
    `generations` are JSON strings, because SQLite cannot store some characters.
    """

    def __init__(self, store: Store, *, timeout: float = 5.0) -> None:
        self.store = store
        self._timeout = timeout
        self.path: Path = store.path / FILE
        self.connection: sqlite3.Connection = self._connect()

    @classmethod
    def open(
        cls,
        store: Store,
        *,
        progress: Callable[[int, int], None] | None = None,
        timeout: float = 5.0,
    ) -> Index:
        """Open the index of `store`, and update it to the last commit; create it if necessary.

        Args:
            store: the store; it may be opened read-only.
            progress: called with the bodies read so far, and the number to read.
            timeout: seconds to wait while another process has the database locked.

        Raises:
            StoreError: the database cannot be written or rebuilt.
            OSError: a body cannot be read.
        """
        index = cls(store, timeout=timeout)
        try:
            index.update(progress)
        except sqlite3.OperationalError as error:  # locked, disk full
            index.close()
            if "no such" not in str(error):  # a table or a column
                raise StoreError(str(index.path), f"cannot be written: {error}") from error
            index.rebuild(progress)
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
        """Delete the database and build it again.

        Raises:
            StoreError: it cannot be written.
        """
        self.close()
        self.connection = self._connect(anew=True)
        try:
            self.update(progress)
        except sqlite3.Error as error:
            self.close()
            raise StoreError(str(self.path), f"cannot be built: {error}") from error

    def update(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Add what was committed to the store since the last update."""
        follow(self.connection, self.store)
        if self.connection.execute("SELECT 1 FROM unread LIMIT 1").fetchone():
            from imaplus.mirror.index.bodies import read_bodies  # rarely needed

            read_bodies(self.connection, self.store, progress)

    def find(
        self,
        query: str | Node,
        *,
        mailboxes: Iterable[str] | None = None,
        limit: int | None = None,
    ) -> list[Hit]:
        """Find messages, the latest arrival first.

        A message that was moved is found where it is now; one that is gone, where it was last.

        Args:
            query: a query in the query language, or the result of `imaplus.query.parse`.
            mailboxes: the names of the mailboxes to search; None: all.
            limit: the largest number of results; None: all.

        Raises:
            QueryError: the query is invalid, or has a text without a letter or digit.
        """
        from imaplus.mirror.index.sql import GONE, Condition

        node = parse(query) if isinstance(query, str) else query
        fts5 = has_fts5(self.connection)
        condition = Condition(self.connection, node, fts5=fts5)
        where, values = condition.text, condition.values
        if mailboxes is not None:
            names = [json.dumps(kept_name(name)) for name in mailboxes]
            where += f" AND g.mailbox IN ({', '.join('?' * len(names))})"
            values += names
        rows = self.connection.execute(
            f"SELECT {_COLUMNS} {GONE} {_FROM} WHERE {where} AND NOT ({GONE} AND {_MOVED})"
            " ORDER BY m.date DESC, g.mailbox, m.uid DESC LIMIT ?",
            [*values, -1 if limit is None else limit],
        )
        return [_hit(*row) for row in rows]

    def header(self, sha256: str, *names: str) -> dict[str, list[str]]:
        """Return decoded header fields of a stored body, by name in lower case.

        The list is empty for a missing field or a missing body.
        """
        from imaplus.mirror.index.headers import decode_fields

        try:
            with self.store.open_body(sha256) as file:
                raw = file.read(_HEADER) or b""
        except (FileNotFoundError, StoreCorrupt):
            raw = b""
        return decode_fields(raw, names)

    def _connect(self, *, anew: bool = False) -> sqlite3.Connection:
        connection = connect(self.path, timeout=self._timeout, anew=anew)
        connection.create_function("in_header", 3, self._in_header)
        return connection

    def _in_header(self, body: int, name: str, text: str) -> bool:
        row = self.connection.execute("SELECT sha256 FROM bodies WHERE id = ?", (body,)).fetchone()
        values = self.header(row[0].hex(), name)[name.lower()]
        return any(text.casefold() in value.casefold() for value in values)


def _hit(
    mailbox: str,
    uidvalidity: int,
    uid: int,
    sha256: bytes,
    size: int,
    flags: str,
    date: int | None,
    zone: int | None,
    sent: int | None,
    sent_zone: int | None,
    subject: str,
    sender: str,
    message_id: str,
    gone: int,
) -> Hit:
    name = shown_name(json.loads(mailbox))
    return Hit(
        *(name, uidvalidity, uid, sha256.hex(), size, frozenset(json.loads(flags))),
        *(_moment(date, zone), _moment(sent, sent_zone), subject, sender, message_id),
        gone=bool(gone),
    )


def _moment(date: int | None, zone: int | None) -> datetime | None:
    if date is None:
        return None
    at = _EPOCH + timedelta(microseconds=date)
    return at.astimezone(timezone(timedelta(minutes=zone or 0))) if zone else at

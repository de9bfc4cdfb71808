"""Read new bodies on all processors, and write their words to the index.

For many bodies, processes are forked that read and decode messages; this process writes their words
to SQLite, which takes about as long. `words` chooses the words of a message.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from struct import Struct

from imaplus.mirror.errors import StoreCorrupt
from imaplus.mirror.index.database import COLUMNS, has_fts5, key_of, transaction, without_sync
from imaplus.mirror.index.folding import fold
from imaplus.mirror.index.journals import microseconds, zone_of
from imaplus.mirror.index.words import MAX_BYTES, words
from imaplus.mirror.store import Store

Body = tuple[int, bytes]
"""The number of a body in the index, and its SHA-256."""
Row = tuple[object, ...]
Rows = tuple[int, list[Row], list[Row], list[Row]]
"""A portion: the number of bodies; rows of `contents`, of `files` and of `words`."""
OnProgress = Callable[[int, int], None]

_PORTION = 64  # bodies read at once
_COMMIT = 24 << 20  # characters of text in one transaction; an interrupted update repeats it
_MANY = 500  # from so many bodies on, processes are forked
_MOST = 8  # processes; SQLite cannot keep up with more
_LENGTH = Struct("=Q")
_MAX_SUBJECT = 500
_MAX_SENDER = 200


def read_bodies(
    connection: sqlite3.Connection, store: Store, progress: OnProgress | None = None
) -> None:
    """Write the words of every unread body; `progress` is called with the bodies done and all."""
    unread: list[Body] = connection.execute(
        "SELECT id, sha256 FROM unread JOIN bodies USING (id) ORDER BY id"
    ).fetchall()
    if not unread:
        return
    if len(unread) < _MANY:
        with transaction(connection):
            _write(connection, _plain_rows(store, unread), len(unread), progress)
        return
    with without_sync(connection), _read_by_many(store, unread) as portions:
        _write_many(connection, portions, len(unread), progress)


def _write_many(
    connection: sqlite3.Connection,
    portions: Iterator[Rows],
    total: int,
    progress: OnProgress | None,
) -> None:
    """Write portions in transactions of a bounded size."""
    done = 0
    more: Rows | None = next(portions, None)
    while more is not None:
        with transaction(connection):
            room = _COMMIT
            while more is not None and room > 0:
                done = _write(connection, iter((more,)), total, progress, done)
                room -= sum(len(str(row[6])) for row in more[3])
                more = next(portions, None)


def _write(
    connection: sqlite3.Connection,
    portions: Iterator[Rows],
    total: int,
    progress: OnProgress | None,
    done: int = 0,
) -> int:
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    into_words = f"INSERT INTO words (rowid, {', '.join(COLUMNS)}) VALUES ({marks})"
    is_plain = not has_fts5(connection)
    for number, contents, files, found in portions:
        # Another process may have read some of them since.
        ids = [
            row[0]
            for row in contents
            if connection.execute("DELETE FROM unread WHERE id = ?", row[:1]).rowcount
        ]
        if len(ids) != len(contents):
            known = set(ids)
            contents, files, found = (
                [row for row in rows if row[0] in known] for rows in (contents, files, found)
            )
        if is_plain:
            from imaplus.mirror.index.fallback import space_words

            found = [(row[0], *(space_words(str(text)) for text in row[1:])) for row in found]
        connection.executemany("INSERT INTO contents VALUES (?, ?, ?, ?, ?, ?, ?, ?)", contents)
        connection.executemany("INSERT INTO files VALUES (?, ?)", files)
        connection.executemany(into_words, found)
        done += number
        if progress is not None:
            progress(done, total)
    return done


def _plain_rows(store: Store, bodies: Sequence[Body]) -> Iterator[Rows]:
    for start in range(0, len(bodies), _PORTION):
        yield _rows(store, bodies[start : start + _PORTION])


def _rows(store: Store, bodies: Sequence[Body]) -> Rows:
    """Read some bodies; missing ones are skipped, and reported by `verify`."""
    contents: list[Row] = []
    files: list[Row] = []
    found: list[Row] = []
    for number, sha256 in bodies:
        try:
            with store.open_body(sha256.hex()) as file:
                raw = file.read(min(MAX_BYTES, os.fstat(file.fileno()).st_size))
        except (FileNotFoundError, StoreCorrupt):
            continue
        it = words(raw or b"")
        contents.append(
            (
                *(number, it.subject.rpartition("\n")[2][:_MAX_SUBJECT], it.sender[:_MAX_SENDER]),
                *(it.message_id, key_of(it.message_id)),
                *(microseconds(it.sent), zone_of(it.sent), it.attachment),
            )
        )
        if it.files:
            files += [(number, name) for name in it.files.casefold().split("\n") if name]
        texts = (it.subject, it.sender, it.to, it.cc, it.bcc, it.body, it.files)
        found.append((number, *map(fold, texts)))
    return len(bodies), contents, files, found


# -- processes -------------------------------------------------------------------------------------


@contextlib.contextmanager
def _read_by_many(store: Store, bodies: Sequence[Body]) -> Iterator[Iterator[Rows]]:
    """Yield the same as `_plain_rows`, in the same order, from forked processes if possible."""
    number = min(_MOST, os.cpu_count() or 1) if threading.active_count() == 1 else 0
    if number < 2 or not hasattr(os, "fork"):
        yield _plain_rows(store, bodies)
        return
    portions = [bodies[at : at + _PORTION] for at in range(0, len(bodies), _PORTION)]
    readers = [_Reader(store, portions[first::number]) for first in range(number)]
    try:
        yield _from_readers(store, readers, portions)
    finally:
        for reader in readers:
            reader.close()


def _from_readers(
    store: Store, readers: Sequence[_Reader], portions: Sequence[Sequence[Body]]
) -> Iterator[Rows]:
    for at, portion in enumerate(portions):
        rows = readers[at % len(readers)].take()
        yield _rows(store, portion) if rows is None else rows


class _Reader:
    """A forked process that reads portions, and sends their rows through a pipe."""

    def __init__(self, store: Store, portions: Sequence[Sequence[Body]]) -> None:
        ours, theirs = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(ours)
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                _send(store, portions, theirs)
            finally:
                os._exit(0)  # without the first process's cleanup
        os.close(theirs)
        self._pipe = os.fdopen(ours, "rb", buffering=1 << 16)

    def take(self) -> Rows | None:
        """Return the rows of the next portion; None if the process has ended early."""
        head = self._pipe.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        (size,) = _LENGTH.unpack(head)
        data = self._pipe.read(size)
        if len(data) < size:
            return None
        rows: Rows = marshal.loads(data)
        return rows

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):  # another thread has waited for all children
            os.waitpid(self._pid, 0)


def _send(store: Store, portions: Sequence[Sequence[Body]], pipe: int) -> None:
    import gc

    gc.disable()
    with os.fdopen(pipe, "wb", buffering=0) as out:
        for portion in portions:
            data = marshal.dumps(_rows(store, portion))
            for piece in (_LENGTH.pack(len(data)), data):
                view = memoryview(piece)
                while view:
                    view = view[out.write(view) :]

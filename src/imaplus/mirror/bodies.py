"""Messages from an open mailbox into the store: streamed, attributed by UID, each at most once.

A message that the server refuses, or sends so that it cannot be read, costs that message only: it
is noted, and the next run tries it again. What ends the run is raised: a lost connection, a full
disk. Which messages are wanted is not known here, nor when to commit.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from imaplus import Body, SequenceSet
from imaplus.errors import CommandError, ProtocolError
from imaplus.mirror.changes import flags_of
from imaplus.mirror.errors import asks_for_patience
from imaplus.mirror.objects import ObjectWriter, StoredObject

if TYPE_CHECKING:
    from datetime import datetime

    from imaplus import Fetched, Mailbox
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.reports import Progress
    from imaplus.mirror.store import Store

BODY = Body()
KEY = BODY.key
ITEMS = ("FLAGS", "INTERNALDATE", "RFC822.SIZE")
HOPELESS = 50
"""Commands refused in a row, after which the rest of the mailbox is not asked for."""

SMALL = 128 * 1024
"""Octets below which a body is taken whole: most have come with one read."""

LARGE = 256 * 1024
"""Octets of a body that is told of while it comes; of a smaller one, when it has come."""

Failed = Callable[[int | None, str], None]
"""Told the UID of a message that could not be had (None: the mailbox) and the reason."""


class Sink:
    """Takes one large body into the store, and tells how it comes along."""

    __slots__ = ("_advance", "_writer", "abort", "close")

    def __init__(self, writer: ObjectWriter, advance: Callable[[int, int], None]) -> None:
        self._writer = writer
        self._advance = advance
        self.close: Callable[[], StoredObject] = writer.close
        self.abort: Callable[[], None] = writer.abort

    def write(self, data: Any, /) -> None:
        """Take the next octets."""
        self._writer.write(data)
        self._advance(0, len(data))


class Fetching:
    """Fetches messages of one mailbox into its journal.

    Made for one call of `fetch`, whose caller may stop early and leave the rest for another run.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        store: Store,
        journal: Journal,
        *,
        progress: Progress,
        failed: Failed,
        replace: bool = False,
    ) -> None:
        self._mailbox = mailbox
        self._store = store
        self._journal = journal
        self._progress = progress
        self._failed = failed
        self._replace = replace
        self._items = (*ITEMS, "MODSEQ") if mailbox.highestmodseq else ITEMS
        self._had = array("I")
        self._refused = 0

    def fetch(self, uids: SequenceSet) -> Generator[int, None, None]:
        """The octets of each message as it comes."""
        waiting = [uids] if uids else []
        while waiting:
            some = waiting.pop()
            try:
                yield from self._fetch(some)
            except CommandError as error:
                if asks_for_patience(error):
                    raise
                waiting += self._left(some, error)
        missing = uids - SequenceSet.of(self._had)
        if missing:
            # Gone in the meantime, most likely; else the answer could not be read.
            for uid in missing & self._mailbox.uids():
                self._failed(uid, "the server did not send it, or not so that it can be read")

    def _fetch(self, uids: SequenceSet) -> Iterator[int]:
        for message in self._mailbox.fetch(
            uids, *self._items, BODY, into=self._sink, into_from=SMALL
        ):
            if message.uid is None:
                continue
            if KEY in message:
                self._refused = 0
                self._had.append(message.uid)
                if (octets := self._keep(message, message.uid)) is not None:
                    self._progress.advance(1, octets if octets < LARGE else 0)
                    yield octets
            elif message.uid in self._journal.entries and (flags := flags_of(message)) is not None:
                self._journal.set_flags(message.uid, flags)  # changed after it was fetched

    def _sink(self, uid: int | None, size: int) -> Any:
        """A sink of the store; its type says what its callers may give, which is less than all."""
        writer = self._store.writer(replace=self._replace)
        return writer if size < LARGE else Sink(writer, self._progress.advance)

    def _keep(self, message: Fetched, uid: int) -> int | None:
        """Put a message into the journal; its octets, None if there were none to put."""
        body = message[KEY]
        if isinstance(body, bytes):
            body = self._store.put(body, replace=self._replace)
        if not isinstance(body, StoredObject) or (
            not body.size and value_of(message, "RFC822.SIZE")
        ):
            self._failed(uid, "the server sent it without its text")
            return None
        flags = flags_of(message)
        if flags is None:
            self._failed(uid, "its flags cannot be read")
        self._journal.add(
            uid,
            body,
            flags=flags or (),
            internaldate=_date(message),
            modseq=value_of(message, "MODSEQ"),
        )
        return body.size

    def _left(self, uids: SequenceSet, error: CommandError) -> list[SequenceSet]:
        """What to try again of messages of which one was refused, so that it is found."""
        left = uids - SequenceSet.of(self._had)
        self._refused += 1
        if left.count > 1 and self._refused < HOPELESS:
            halves = list(left.chunks((left.count + 1) // 2))
            return halves[::-1]
        if left.count > 1:
            self._failed(None, f"the server refuses {left.count} messages: {error}")
        for uid in left if left.count == 1 else ():
            self._failed(uid, str(error))
        self._had.extend(left)
        return []


def value_of(message: Fetched, name: str) -> int | None:
    """A number, if the server told one."""
    try:
        value: int | None = message.get(name)
    except ProtocolError:
        return None
    return value


def _date(message: Fetched) -> datetime | None:
    try:
        date: datetime | None = message.get("INTERNALDATE")
    except ProtocolError:
        return None
    return date

"""The commands that fetch data of many messages, and what to ask when one of them fails.

Whoever runs them takes the next command until there is none, and tells which have failed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from imaplus.core.fetch import BodySink, Fetch
from imaplus.core.fetch_items import BodySection, FetchItem
from imaplus.core.fetched import Fetched
from imaplus.core.parameters import FetchModifier
from imaplus.errors import CommandError, PartlyDone, ProtocolError
from imaplus.flows.limits import portions, rest_of
from imaplus.protocol.bulk import MessageRun
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.records import replace
from imaplus.wire.sets import MAX_NUMBER, STAR, SequenceSet

UNDECODABLE = frozenset({"UNKNOWN-CTE", "PARSE"})
"""Codes of a NO to BINARY: the server cannot decode the part (RFC 3516, 4.3; RFC 9051, 7.1)."""

MOST_EACH: Final = 100
"""Answers for each message, on average: its parts, and changes while the rest is fetched."""
MOST_MORE: Final = 10_000
"""Answers beyond that, so that frequent changes to few messages end nothing."""


class Fetching(Iterator[Fetch]):
    """Commands that fit on a line each and name at most `window` messages each.

    So the data that the server sends between two reads of the caller is bounded. The number of
    answers is bounded, too: a server may not repeat the data of a message without end.
    """

    def __init__(
        self,
        connection: Connection,
        uids: SequenceSet,
        items: Sequence[FetchItem],
        *,
        modifiers: Sequence[FetchModifier] = (),
        into: BodySink | None = None,
        into_from: int = 0,
        window: int | None = None,
    ) -> None:
        self.undecodable: set[int] = set()
        """UIDs of messages of which the server cannot decode a part: they come without it."""
        self._answers = 0
        self._connection = connection
        self._uids = uids
        self._messages = self._count_messages()  # the most so far: some may be expunged meanwhile
        self._items = tuple(items)
        self._decoded = frozenset(
            item.key for item in self._items if isinstance(item, BodySection) and _decodes(item)
        )
        self._seen: set[int] = set()  # of these all of that has come
        self._told: set[int] = set()  # of these something else has
        self._again: deque[Fetch] = deque()
        self._coming = (
            Fetch(part, self._items, tuple(modifiers), into, into_from)
            for portion in portions(connection, uids)
            for part in _windows(portion, window)
        )

    def __next__(self) -> Fetch:
        return self._again.popleft() if self._again else next(self._coming)

    def note(self, values: Iterable[object]) -> None:
        """Take note of answers to commands that are not over yet.

        Raises:
            ProtocolError: there are too many for the messages; the connection has ended.
        """
        self._answers += sum(len(each) if isinstance(each, MessageRun) else 1 for each in values)
        if self._answers > MOST_MORE:
            self._check_answers()
        for value in values if self._decoded else ():
            if isinstance(value, MessageRun) and self._decoded <= value.names:
                self._seen.update(value.uids)
            elif isinstance(value, Fetched):
                whole = self._decoded <= value.claims
                (self._seen if whole else self._told).add(value.uid)

    def _check_answers(self) -> None:
        self._messages = max(self._messages, self._count_messages())
        most = MOST_MORE + MOST_EACH * self._messages
        if self._answers > most:
            error = ProtocolError(
                f"UID FETCH: the server sent more than {most} responses; "
                f"messages asked for: {self._messages}"
            )
            self._connection.fail(error)
            raise error

    def _count_messages(self) -> int:
        """How many messages there are to answer for now, at most."""
        mailbox = self._connection.mailbox
        exists = 0 if mailbox is None else mailbox.exists
        return exists if self._uids.open_ended else min(exists, len(self._uids))

    def settle(self, command: Command[Any], error: CommandError | None) -> bool:
        """A command is over; whether its error is dealt with, mostly by commands that come next.

        Raises:
            PartlyDone: the server gets no further.
        """
        if not isinstance(command, Fetch):
            return error is None
        if isinstance(error, PartlyDone):
            self._again.append(rest_of(command, error))
            return True
        if not self._decoded or not any(map(_decodes, command.items)):
            return error is None
        if error is None:
            self._look_for_gaps(command)
            return True
        return error.code in UNDECODABLE and self._isolate(command)

    def _look_for_gaps(self, command: Fetch) -> None:
        """quirk 103: at a part that it cannot decode Cyrus 3.6 stops, and says OK."""
        without = SequenceSet.of(uid for uid in self._told - self._seen if command.covers(uid))
        if not without:
            return
        self._ask_for_the_rest(command, without)
        if left := (self._find_missing(command.uids) or without) - without:
            self._again.append(replace(command, uids=left))

    def _isolate(self, command: Fetch) -> bool:
        """Ask for fewer messages at a time, until it is known which cannot be decoded."""
        left = self._find_missing(command.uids)
        if left is None:
            return False
        if len(left) == 1:
            self._ask_for_the_rest(command, left)
        elif left:
            # Dovecot and Cyrus 3.10 stop at the one that they cannot decode.
            last = SequenceSet.of(uid for uid in self._told - self._seen if uid in left)
            parts = (last, left - last) if last and left - last else self._halves(left)
            self._again.extend(replace(command, uids=part) for part in parts)
        return True

    def _ask_for_the_rest(self, command: Fetch, uids: SequenceSet) -> None:
        """Ask for all of messages but what the server cannot decode of them."""
        self.undecodable.update(uids)
        items = tuple(item for item in command.items if not _decodes(item))
        if not set(items) - {"UID"}:
            items = (*items, "FLAGS")
        parts = portions(self._connection, uids)
        self._again.extend(replace(command, uids=part, items=items) for part in parts)

    def _find_missing(self, uids: SequenceSet) -> SequenceSet | None:
        """Which of these have not come; None for the last message, whichever that is."""
        mailbox = self._connection.mailbox
        if mailbox is not None and mailbox.complete and (known := mailbox.uids):
            uids = uids.resolve(known.last) & known
        elif uids.ranges[-1][0] == STAR:
            return None
        return uids.resolve(MAX_NUMBER) - SequenceSet.of(self._seen)

    def _halves(self, uids: SequenceSet) -> Iterable[SequenceSet]:
        """Two sets that add up to one: what has come since the mailbox was opened is one of them,
        for there may be no such message."""
        mailbox = self._connection.mailbox
        new = SequenceSet.of(range((mailbox and mailbox.uidnext) or 1, STAR))
        if uids - new and uids & new:
            return uids - new, uids & new
        return uids.chunks(-(-len(uids) // 2))


def _decodes(item: FetchItem) -> bool:
    """Whether the server has to undo a transfer encoding for it."""
    return isinstance(item, BodySection) and (item.binary or item.size)


def _windows(portion: SequenceSet, window: int | None) -> Iterable[SequenceSet]:
    return (portion,) if window is None or portion.open_ended else portion.chunks(window)

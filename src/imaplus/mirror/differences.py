"""Describe the differences between an open mailbox and its mirror, for `verify`.

`comparison` finds the same differences for a backup, as values.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from imaplus import SequenceSet
from imaplus.mirror.comparison import date_differs, date_of, flags_of, value_of
from imaplus.mirror.enumeration import enumerate_uids

if TYPE_CHECKING:
    from imaplus import Fetched, Mailbox
    from imaplus.mirror.entries import Entries
    from imaplus.mirror.identity import IdentityItems
    from imaplus.mirror.link import Link

MISSING = "not in the backup"


class Differences:
    """Finds how the messages of one mailbox differ from the mirror's entries.

    `tick` is called for each message. `doubtful` collects the UIDs of messages whose size or date
    differs, so that their bodies can be compared.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        entries: Entries,
        items: IdentityItems | None,
        tick: Callable[[], object],
    ) -> None:
        self.doubtful: list[int] = []
        self._mailbox = mailbox
        self._entries = entries
        self._items = items
        self._tick = tick

    def all(self, link: Link) -> Iterator[tuple[int | None, str]]:
        """Yield the UID (None: the mailbox) and the description of each difference."""
        labels = () if self._items is None else self._items.labels
        present = array("I")
        if self._mailbox.exists:
            items = ("FLAGS", "INTERNALDATE", "RFC822.SIZE", *labels)
            for message in self._mailbox.fetch("1:*", *items):
                self._tick()
                present.append(message.uid)
                if message.uid in self._entries:
                    yield from self._of_message(message, message.uid)
                else:
                    yield message.uid, f"the message is {MISSING}"
        yield from self._of_absence(link, SequenceSet.of(present))

    def _of_message(self, message: Fetched, uid: int) -> Iterator[tuple[int, str]]:
        entry = self._entries[uid]
        flags = flags_of(message)
        if flags is not None and flags != entry.flags:
            yield uid, f"flags are {_words(flags)} on the server, {_words(entry.flags)} here"
        if self._items is not None and self._items.labels:
            labels = self._items.labels_of(message)
            if labels is not None and labels != entry.labels:
                here = _words(entry.labels or frozenset())
                yield uid, f"labels are {_words(labels)} on the server, {here} here"
        if date_differs(message, entry):
            dates = f"{date_of(message)} on the server, {entry.internaldate} here"
            yield uid, f"INTERNALDATE is {dates}"
            self.doubtful.append(uid)
        elif value_of(message, "RFC822.SIZE") not in (None, entry.size):
            self.doubtful.append(uid)

    def _of_absence(self, link: Link, fetched: SequenceSet) -> Iterator[tuple[int | None, str]]:
        """The differences of messages that the mirror has and FETCH did not return."""
        left = SequenceSet.of(self._entries) - fetched
        if len(fetched) == self._mailbox.exists and (fetched or not left):
            for uid in left:
                yield uid, "the message is gone from the server"
            return
        uids = enumerate_uids(link, self._mailbox, fetched, expected=True)
        if not uids.complete:
            yield None, uids.shortfall
        for uid in left:
            if uid in uids.found:
                yield uid, "the message cannot be read on the server"
            elif uids.complete:
                yield uid, "the message is gone from the server"
        for uid in uids.found - fetched - left:
            yield uid, f"the message is {MISSING}"


def _words(words: frozenset[str]) -> str:
    return f"({' '.join(sorted(words))})"

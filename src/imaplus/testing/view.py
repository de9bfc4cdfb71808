"""A selected mailbox as one session sees it: sequence numbers, and news not yet told.

A session must not learn of an expunge at any moment (RFC 9051, 7.5.1), so its numbering lags behind
the mailbox until `take_expunged` is called. It writes nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection

from imaplus.errors import InvalidArgument
from imaplus.testing.store import Mailbox, Message
from imaplus.wire.sets import STAR, SequenceSet

Numbered = tuple[int, Message]
"""A sequence number and the message it stands for."""


class View:
    """The mailbox that a session has selected."""

    def __init__(self, mailbox: Mailbox, *, read_only: bool, wake: Callable[[], None]) -> None:
        self.mailbox = mailbox
        self.read_only = read_only
        self.uids: list[int] = list(mailbox.messages)
        self.gone: bool = False  # the mailbox itself was deleted
        self.saved: SequenceSet = SequenceSet()  # UIDs: the result of SEARCH RETURN (SAVE), `$`
        self._recent = range(mailbox.recent_from, mailbox.uidnext)
        self._recent_later: set[int] = set()
        self._new: list[int] = []  # not told yet, so not numbered yet
        self._expunged: set[int] = set()
        self._changed: dict[int, Message] = {}
        self._wake = wake
        if not read_only:
            mailbox.recent_from = mailbox.uidnext
        mailbox.watchers.append(self)

    def close(self) -> None:
        """The session has left the mailbox."""
        if self in self.mailbox.watchers:
            self.mailbox.watchers.remove(self)

    # -- what the mailbox tells ---------------------------------------------------------------

    def added(self, message: Message, *, recent: bool) -> None:
        self._new.append(message.uid)
        if recent:
            self._recent_later.add(message.uid)
        self._wake()

    def expunged(self, uids: Collection[int]) -> None:
        gone = set(uids)
        unheard_of = gone.intersection(self._new)
        if unheard_of:
            self._new = [uid for uid in self._new if uid not in gone]
        self._expunged |= gone - unheard_of
        self._wake()

    def flags_changed(self, message: Message) -> None:
        self._changed[message.uid] = message
        self._wake()

    def deleted(self) -> None:
        self.gone = True
        self.close()
        self._wake()

    # -- what the session asks ----------------------------------------------------------------

    def is_recent(self, uid: int) -> bool:
        """Whether this session is the first to be told of a message (RFC 3501, 2.3.2)."""
        return uid in self._recent or uid in self._recent_later

    @property
    def recent(self) -> int:
        """How many messages are `\\Recent`."""
        first = bisect_left(self.uids, self._recent.start)
        last = bisect_left(self.uids, self._recent.stop)
        return last - first + sum(uid in self._recent_later for uid in self.uids[last:])

    def seq(self, uid: int) -> int | None:
        """The sequence number of a UID."""
        at = bisect_left(self.uids, uid)
        return at + 1 if at < len(self.uids) and self.uids[at] == uid else None

    def resolve(self, numbers: SequenceSet, *, by_uid: bool) -> tuple[list[Numbered], bool]:
        """The messages of a set, and whether all that it names by number still exist.

        Raises:
            InvalidArgument: a sequence number that no message has.
        """
        found: list[Numbered] = []
        complete = True
        messages = self.mailbox.messages
        for low, high in self.positions(numbers, by_uid=by_uid):
            for at in range(low, high):
                message = messages.get(self.uids[at])
                if message is not None:
                    found.append((at + 1, message))
                else:
                    complete = False
        return found, complete

    def positions(self, numbers: SequenceSet, *, by_uid: bool) -> list[tuple[int, int]]:
        """The set as half-open ranges of positions in `uids`."""
        if by_uid:
            greatest = self.uids[-1] if self.uids else 0
            ranges = numbers.resolve(greatest).ranges
            return [(bisect_left(self.uids, a), bisect_right(self.uids, b)) for a, b in ranges]
        exists = len(self.uids)
        if numbers.ranges and (numbers.last if numbers.last != STAR else 1) > exists:
            raise InvalidArgument(f"there are {exists} messages")
        ranges = numbers.resolve(exists).ranges
        if ranges and ranges[-1][1] > exists:
            raise InvalidArgument(f"there are {exists} messages")
        return [(low - 1, high) for low, high in ranges]

    def take_new(self) -> bool:
        """Number the messages that have arrived; whether there were any."""
        new, self._new = self._new, []
        self.uids += new
        return bool(new)

    def take_expunged(self) -> tuple[list[int], list[int]]:
        """Sequence numbers, each as it is when those before it are gone, and UIDs; ascending."""
        if not self._expunged:
            return [], []
        gone, self._expunged = self._expunged, set()
        seqs: list[int] = []
        uids: list[int] = []
        kept: list[int] = []
        for uid in self.uids:
            if uid in gone:
                seqs.append(len(kept) + 1)
                uids.append(uid)
            else:
                kept.append(uid)
        self.uids = kept
        self._recent_later -= gone
        for uid in gone:
            self._changed.pop(uid, None)
        return seqs, uids

    def take_changed(self) -> list[Numbered]:
        """Messages whose flags another session changed, with their sequence numbers."""
        changed, self._changed = self._changed, {}
        return [
            (seq, changed[uid])
            for uid in sorted(changed)
            if (seq := self.seq(uid)) is not None and uid in self.mailbox.messages
        ]

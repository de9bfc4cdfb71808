"""A selected mailbox as one session sees it: sequence numbers, and changes not yet reported.

EXPUNGE may not be sent at any time (RFC 9051, 7.5.1), so the sequence numbers of a session stay the
same until `take_expunged` is called.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection

from imaplus.errors import InvalidArgument
from imaplus.testing.store import Mailbox, Message
from imaplus.wire.sets import STAR, SequenceSet

Numbered = tuple[int, Message]
"""A sequence number and its message."""


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
        self._new: list[int] = []  # not reported yet, so without sequence numbers
        self._expunged: set[int] = set()
        self._changed: dict[int, Message] = {}
        self._wake = wake
        if not read_only:
            mailbox.recent_from = mailbox.uidnext
        mailbox.watchers.append(self)

    def close(self) -> None:
        """Stop watching the mailbox."""
        if self in self.mailbox.watchers:
            self.mailbox.watchers.remove(self)

    # -- notifications from the mailbox -------------------------------------------------------

    def on_added(self, message: Message, *, recent: bool) -> None:
        self._new.append(message.uid)
        if recent:
            self._recent_later.add(message.uid)
        self._wake()

    def on_expunged(self, uids: Collection[int]) -> None:
        gone = set(uids)
        unreported = gone.intersection(self._new)
        if unreported:
            self._new = [uid for uid in self._new if uid not in gone]
        self._expunged |= gone - unreported
        self._wake()

    def on_flags_changed(self, message: Message) -> None:
        self._changed[message.uid] = message
        self._wake()

    def on_deleted(self) -> None:
        self.gone = True
        self.close()
        self._wake()

    # -- queries from the session -------------------------------------------------------------

    def is_recent(self, uid: int) -> bool:
        """Return whether a message is `\\Recent` in this session (RFC 3501, 2.3.2)."""
        return uid in self._recent or uid in self._recent_later

    @property
    def recent(self) -> int:
        """Number of `\\Recent` messages."""
        first = bisect_left(self.uids, self._recent.start)
        last = bisect_left(self.uids, self._recent.stop)
        return last - first + sum(uid in self._recent_later for uid in self.uids[last:])

    def seq(self, uid: int) -> int | None:
        """Return the sequence number of a UID; None if there is none."""
        at = bisect_left(self.uids, uid)
        return at + 1 if at < len(self.uids) and self.uids[at] == uid else None

    def resolve(self, numbers: SequenceSet, *, by_uid: bool) -> tuple[list[Numbered], bool]:
        """Return the messages of a set in ascending order, and whether none has been expunged.

        Raises:
            InvalidArgument: a sequence number is too large.
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
        """Return the set as half-open ranges of positions in `uids`."""
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
        """Assign sequence numbers to new messages; return whether there were any."""
        new, self._new = self._new, []
        self.uids += new
        return bool(new)

    def take_expunged(self) -> tuple[list[int], list[int]]:
        """Apply expunges to the sequence numbers; return the expunged messages, ascending.

        Each sequence number is that after the removal of those before it, as EXPUNGE reports it;
        the second list has the UIDs.
        """
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
        """Return the messages whose flags another session changed, and forget them."""
        changed, self._changed = self._changed, {}
        return [
            (seq, changed[uid])
            for uid in sorted(changed)
            if (seq := self.seq(uid)) is not None and uid in self.mailbox.messages
        ]

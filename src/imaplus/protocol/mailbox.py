"""The selected mailbox as the server describes it, and its map of sequence numbers to UIDs.

`apply()` alone changes it, one value at a time and in the order of the wire. Sequence numbers
move whenever a message goes, so they stay in here; everyone else speaks of UIDs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace

from imaplus.protocol.data import (
    Exists,
    Expunged,
    Flags,
    HighestModSeq,
    MessageData,
    PermanentFlags,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Vanished,
)
from imaplus.protocol.response import Status
from imaplus.wire.framing import DEFAULT_LIMITS, Limits
from imaplus.wire.sets import SequenceSet

MOST_RANGES_IN_GAPS = 1000
"""Ranges of a VANISHED that are looked for among unknown UIDs; each costs a pass over the map."""


class Mailbox:
    """What is known of the selected mailbox. 0 stands for a number the server did not tell."""

    def __init__(self, name: str, *, read_only: bool, limits: Limits = DEFAULT_LIMITS) -> None:
        self.name = name
        self.read_only = read_only
        self.exists = 0
        self.recent = 0
        self.uidvalidity = 0
        self.uidnext = 0
        self.highestmodseq = 0
        self.first_unseen = 0
        self.flags: frozenset[str] = frozenset()
        self.permanent_flags: frozenset[str] | None = None
        self.uids_persist = True
        self.vanished_earlier = SequenceSet()
        self._most = limits.messages
        self._uids = array("I")  # the UID of message seq at [seq - 1], 0 if unknown; may be short
        self._unknown = 0  # how many zeros it has

    def apply(self, value: object) -> object:
        """Take in what the server said; the value again, with the UID that the map knows for it."""
        match value:
            case MessageData(seq=seq, uid=uid):
                if uid is not None:
                    self._learn(seq, uid)
                elif (known := self.uid_of(seq)) is not None:
                    return replace(value, uid=known)
            case Expunged(seq=seq):
                return replace(value, uid=self._expunge(seq))
            case Vanished(earlier=False):
                self._vanish(value.uids)
            case Vanished():
                self.vanished_earlier |= value.uids
            case Exists():
                self._resize(value.count)
            case Recent():
                self.recent = value.count
            case Flags():
                self.flags = value.flags
            case Status():
                self._apply_code(value)
        return value

    def _apply_code(self, status: Status) -> None:
        match status.data:
            case UidNext(value):
                self.uidnext = value
            case UidValidity(value):
                self.uidvalidity = value
            case HighestModSeq(value):
                self.highestmodseq = value
            case PermanentFlags(flags):
                self.permanent_flags = flags
            case Unseen(seq):
                self.first_unseen = seq
        match status.code:
            case "READ-ONLY":
                self.read_only = True
            case "READ-WRITE":
                self.read_only = False
            case "NOMODSEQ":
                self.highestmodseq = 0
            case "UIDNOTSTICKY":
                self.uids_persist = False

    # -- the map ----------------------------------------------------------------------------

    def uid_of(self, seq: int) -> int | None:
        """The UID of a message by its sequence number, if it is known."""
        return (self._uids[seq - 1] or None) if 0 < seq <= len(self._uids) else None

    def seq_of(self, uid: int) -> int | None:
        """The sequence number of a message by its UID, if it is known."""
        if self._unknown:
            return next((i + 1 for i, known in enumerate(self._uids) if known == uid), None)
        at = bisect_left(self._uids, uid)
        return at + 1 if at < len(self._uids) and self._uids[at] == uid else None

    @property
    def complete(self) -> bool:
        """Whether the UID of every message is known."""
        return len(self._uids) == self.exists and not self._unknown

    @property
    def uids(self) -> SequenceSet:
        """The UIDs that are known; all of them if `complete`."""
        return SequenceSet(tuple(_runs(self._uids)))

    def learn_all(self, uids: SequenceSet) -> None:
        """These are the UIDs of all messages: the answer to UID SEARCH ALL."""
        if not uids.open_ended and uids.count == self.exists <= self._most:
            self._uids = array("I", uids)
            self._unknown = 0

    def _learn(self, seq: int, uid: int) -> None:
        if not 0 < seq <= min(self.exists, self._most) or uid > 0xFFFFFFFF:
            return  # quirk 32: Courier's message 0
        if (missing := seq - len(self._uids)) > 0:
            self._uids.extend(array("I", bytes(missing * self._uids.itemsize)))
            self._unknown += missing
        self._unknown += (uid == 0) - (self._uids[seq - 1] == 0)
        self._uids[seq - 1] = uid

    def _resize(self, count: int) -> None:
        self.exists = count
        if count < len(self._uids):  # messages went without EXPUNGE: nothing says which
            self._forget()

    def _forget(self) -> None:
        del self._uids[:]
        self._unknown = 0

    def _expunge(self, seq: int) -> int | None:
        if not 0 < seq <= self.exists:
            return None
        self.exists -= 1
        if seq > len(self._uids):
            return None
        uid = self._uids.pop(seq - 1)
        self._unknown -= uid == 0
        return uid or None

    def _vanish(self, uids: SequenceSet) -> None:
        uids = uids.resolve(0xFFFFFFFF)
        if self.complete:
            for low, high in reversed(uids.ranges):
                del self._uids[bisect_left(self._uids, low) : bisect_right(self._uids, high)]
            self.exists = len(self._uids)
            return
        self.exists = max(0, self.exists - uids.count)
        if len(uids.ranges) > MOST_RANGES_IN_GAPS or len(self._uids) == 0:
            self._forget()
            return
        for low, high in reversed(uids.ranges):
            self._vanish_among_unknown(low, high)
        del self._uids[self.exists :]
        self._unknown = self._uids.count(0)

    def _vanish_among_unknown(self, low: int, high: int) -> None:
        """Between two known neighbours all unknown messages are alike: drop as many as went."""
        before = max((i + 1 for i, uid in enumerate(self._uids) if 0 < uid < low), default=0)
        after = next(
            (i for i, uid in enumerate(self._uids) if uid > high and i >= before), len(self._uids)
        )
        span = self._uids[before:after]
        unknown = span.count(0)
        gone = high - low + 1 - (len(span) - unknown)
        self._uids[before:after] = array("I", bytes(max(0, unknown - gone) * span.itemsize))


def _runs(uids: array[int]) -> Iterator[tuple[int, int]]:
    """Consecutive UIDs as ranges: most mailboxes are a few long ones."""
    start = last = 0
    for uid in uids:
        if uid == 0:
            continue
        if uid != last + 1 or start == 0:
            if start:
                yield start, last
            start = uid
        last = uid
    if start:
        yield start, last

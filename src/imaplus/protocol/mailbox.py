"""The selected mailbox as the server describes it, and its map of sequence numbers to UIDs.

`apply()` alone changes it, one value at a time and in the order of the wire. Sequence numbers
move whenever a message goes, so they stay in here; everyone else speaks of UIDs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from itertools import chain

from imaplus.errors import UidValidityChanged
from imaplus.protocol.bulk import MessageRun
from imaplus.protocol.data import (
    Exists,
    Expunged,
    Flags,
    HighestModSeq,
    MailboxId,
    MessageData,
    PermanentFlags,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Vanished,
)
from imaplus.protocol.status import Status
from imaplus.records import replace
from imaplus.wire.frames import DEFAULT_LIMITS, Limits
from imaplus.wire.sets import EMPTY, SequenceSet

MOST_UNKNOWN = 1 << 22
"""Messages before the first whose UID is told: what one short line of a server may make us hold."""
MOST_GONE = 1024
"""Places of the map that wait to be closed, so that many messages that go share the work."""
FEW = 64
"""Messages gone at once that are taken out one by one; for more, the map is moved together."""


class Mailbox:
    """What is known of the selected mailbox. None stands for a number the server did not tell."""

    def __init__(self, name: str, *, read_only: bool, limits: Limits = DEFAULT_LIMITS) -> None:
        self.name = name
        self.read_only: bool = read_only
        self.exists: int = 0
        self.recent: int = 0
        self.uidvalidity: int | None = None
        self.uidnext: int | None = None
        self.highestmodseq: int | None = None
        self.first_unseen: int | None = None
        self.flags: frozenset[str] = frozenset()
        self.permanent_flags: frozenset[str] | None = None
        self.uids_persist: bool = True
        self.mailboxid: str | None = None
        self.made_anew: UidValidityChanged | None = None
        """Set once the server has told another UIDVALIDITY: all UIDs of before are void."""
        self.marked: SequenceSet = SequenceSet()
        """Messages to which this session has given \\Deleted."""
        self._earlier: list[SequenceSet] = []
        self._most = limits.messages
        self._uids = array("I")  # the UID of message seq at [seq - 1], 0 if unknown; may be short
        self._unknown = 0  # how many zeros it has
        self._gone: list[int] = []  # places in _uids whose messages went, ascending
        self._unknown_gone = False  # among these are some whose UID was unknown: zeros

    def apply(self, value: object) -> object:
        """Update this with a value, and return the value, with its UID added if the map has it."""
        if isinstance(value, MessageData):
            if value.uid is not None:
                self._learn(value.seq, value.uid)
            elif (known := self.uid_of(value.seq)) is not None:
                return value.with_uid(known)
            return value
        match value:
            case Expunged(seq=seq):
                return replace(value, uid=self._expunge(seq))
            case Vanished(earlier=False):
                self._vanish(value.uids)
            case Vanished():
                self._earlier.append(value.uids)
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
        if status.code is None:
            return
        match status.data:
            case UidNext(value):
                self.uidnext = value or None
            case UidValidity(value):
                if self.made_anew is None:
                    self.uidvalidity = value or None
            case HighestModSeq(value):
                self.highestmodseq = value or None
            case PermanentFlags(flags):
                self.permanent_flags = flags
            case Unseen(seq):
                self.first_unseen = seq or None
            case MailboxId(name) if status.tag is None:  # CREATE tells another mailbox's, tagged
                self.mailboxid = name
        match status.code:
            case "READ-ONLY":
                self.read_only = True
            case "READ-WRITE":
                self.read_only = False
            case "NOMODSEQ":
                self.highestmodseq = None
            case "UIDNOTSTICKY":
                self.uids_persist = False

    def check_uidvalidity(self, told: object) -> None:
        """Take note if an open mailbox is told to have another UIDVALIDITY (0 tells nothing)."""
        if not isinstance(told, UidValidity) or self.made_anew is not None:
            return
        if self.uidvalidity and told.value not in (0, self.uidvalidity):
            self.made_anew = UidValidityChanged(self.name, self.uidvalidity, told.value)

    @property
    def vanished_earlier(self) -> SequenceSet:
        """UIDs that went before the mailbox was opened: VANISHED (EARLIER)."""
        if len(self._earlier) > 1:  # merged here, once, however many responses told of them
            ranges = chain.from_iterable(uids.ranges for uids in self._earlier)
            self._earlier = [SequenceSet.from_ranges(ranges)]
        return self._earlier[0] if self._earlier else EMPTY

    # -- the map ----------------------------------------------------------------------------

    def uid_of(self, seq: int) -> int | None:
        """The UID of a message by its sequence number, if it is known."""
        return (self._uids[self._place(seq)] or None) if 0 < seq <= self._size else None

    def seq_of(self, uid: int) -> int | None:
        """The sequence number of a message by its UID, if it is known."""
        self._close_gaps()
        if self._unknown:
            return next((i + 1 for i, known in enumerate(self._uids) if known == uid), None)
        at = bisect_left(self._uids, uid)
        return at + 1 if at < len(self._uids) and self._uids[at] == uid else None

    def has_lost(self, uid: int | None) -> bool:
        """Whether it is certain that no message has this UID, or none any more."""
        return uid is not None and self.complete and self.seq_of(uid) is None

    @property
    def complete(self) -> bool:
        """Whether the UID of every message is known."""
        return self._size == self.exists and not self._unknown

    @property
    def uids(self) -> SequenceSet:
        """The UIDs that are known; all of them if `complete`."""
        self._close_gaps()
        return SequenceSet(tuple(_runs(self._uids)))

    def learn_all(self, uids: SequenceSet) -> None:
        """These are the UIDs of all messages: the answer to UID SEARCH ALL."""
        if not uids.open_ended and len(uids) == self.exists <= self._most:
            self._forget()
            self._uids.extend(uids)

    @property
    def _size(self) -> int:
        """How many messages the map reaches to."""
        return len(self._uids) - len(self._gone)

    def _place(self, seq: int) -> int:
        """Where in _uids the message stands that has this number now."""
        at = seq - 1
        if not self._gone:
            return at
        return at + bisect_right(
            range(len(self._gone)), at, key=lambda index: self._gone[index] - index
        )

    def _learn(self, seq: int, uid: int) -> None:
        if not 0 < seq <= self.exists or seq > self._most or uid > 0xFFFFFFFF:
            return  # quirk 32: Courier's message 0
        missing = seq - self._size
        if missing == 1:  # a listing, from the first message to the last
            self._uids.append(uid)
            self._unknown += uid == 0
            return
        if missing > 1:
            if missing > MOST_UNKNOWN:
                return
            self._uids.frombytes(bytes(missing * self._uids.itemsize))
            self._unknown += missing
        place = self._place(seq)
        self._unknown += (uid == 0) - (self._uids[place] == 0)
        self._uids[place] = uid

    def learn_run(self, run: MessageRun) -> None:
        """Learn the UIDs of a run, as `apply()` would one by one."""
        seqs, uids = run.seqs, run.uids
        if isinstance(seqs, range) and not self._gone:
            following = seqs.start == self._size + 1
            if following and seqs.stop - 1 <= min(self.exists, self._most):
                self._uids.extend(uids)
                return
            if self._uids[seqs.start - 1 : seqs.stop - 1] == array("I", uids):
                return  # as they were
        for seq, uid in zip(seqs, uids, strict=True):
            self._learn(seq, uid)

    def _resize(self, count: int) -> None:
        self.exists = count
        if count < self._size:  # messages went without EXPUNGE: nothing says which
            self._forget()

    def _forget(self) -> None:
        del self._uids[:]
        self._gone.clear()
        self._unknown_gone = False
        self._unknown = 0

    def _expunge(self, seq: int) -> int | None:
        if not 0 < seq <= self.exists:
            return None
        self.exists -= 1
        if seq > self._size:
            return None
        place = self._place(seq)
        uid = self._uids[place]
        if uid == 0:
            self._unknown -= 1
            self._unknown_gone = True
        insort(self._gone, place)
        if len(self._gone) >= MOST_GONE:
            self._close_gaps()
        return uid or None

    def _close_gaps(self) -> None:
        """Move the map together. It costs a pass, however many messages went."""
        if not self._gone:
            return
        kept = array("I")
        start = 0
        for place in self._gone:
            kept += self._uids[start:place]
            start = place + 1
        self._uids = kept + self._uids[start:]
        self._gone.clear()
        self._unknown_gone = False

    def _vanish(self, uids: SequenceSet) -> None:
        if not self.complete:
            # Which sequence numbers they had is not known. Nothing is lost by that: a server that
            # says VANISHED tells the UID with all it says of a message (RFC 7162, 3.2.4).
            self.exists = max(0, self.exists - len(uids))
            self._forget()
            return
        if self._unknown_gone:
            self._close_gaps()  # zeros would stand in the way of what is looked for by bisection
        for low, high in uids.ranges:
            self._vanish_range(low, high)
        self.exists = self._size

    def _vanish_range(self, low: int, high: int) -> None:
        first, end = bisect_left(self._uids, low), bisect_right(self._uids, high)
        if end - first <= FEW:
            gone = self._gone[bisect_left(self._gone, first) : bisect_left(self._gone, end)]
            for place in sorted(set(range(first, end)).difference(gone)):
                insort(self._gone, place)
        else:
            self._close_gaps()
            del self._uids[bisect_left(self._uids, low) : bisect_right(self._uids, high)]
        if len(self._gone) >= MOST_GONE:
            self._close_gaps()


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

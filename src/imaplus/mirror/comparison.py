"""Find the differences between a mailbox on the server and its mirror.

The cheapest method that the server supports is used: QRESYNC, then CONDSTORE, then all UIDs with
their flags. The result is checked against the number of messages (EXISTS); if it does not add up,
all UIDs are compared. If UIDNEXT or HIGHESTMODSEQ went back, as on a server that was restored from
a backup, size and date of every message are compared too (and headers, by `headers`). This module
reads the mirror and changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from imaplus import Resync, SequenceSet
from imaplus.errors import ProtocolError
from imaplus.mirror.enumeration import Uids, enumerate_uids
from imaplus.records import field, record

if TYPE_CHECKING:
    from datetime import datetime

    from imaplus import Fetched, Mailbox, MailboxStatus
    from imaplus.mirror.entries import Checkpoint, Entries, Entry
    from imaplus.mirror.identity import IdentityItems
    from imaplus.mirror.link import Link

RESYNC_MESSAGES = 50_000
"""QRESYNC is used for mailboxes of up to this many messages: its answer is held in memory, about a
kilobyte for each changed message. CONDSTORE returns the same changes one by one."""
_RECENT = frozenset({"\\Recent"})


@record(frozen=False)
class Changes:
    """Differences between a mailbox and its mirror.

    Attributes:
        new: UIDs that the mirror does not have.
        flags: the new flags of mirrored messages, by UID.
        labels: the new labels (X-GM-LABELS) of mirrored messages, by UID.
        vanished: UIDs that the server no longer has.
        unclear: UIDs of messages whose flags cannot be parsed.
        differing: UIDs whose size, date or identity differs from the mirror's copy.
        alike: UIDs with the same size and date that may have been reassigned to other messages:
            compare their headers.
        exists: the number of messages in the mailbox.
        shortfall: why `vanished` is incomplete; None if it is complete.
    """

    new: SequenceSet = field(default_factory=SequenceSet)
    flags: dict[int, frozenset[str]] = field(default_factory=dict)
    labels: dict[int, frozenset[str]] = field(default_factory=dict)
    vanished: list[int] = field(default_factory=list)
    unclear: list[int] = field(default_factory=list)
    differing: list[int] = field(default_factory=list)
    alike: array[int] = field(default_factory=lambda: array("I"))
    exists: int = 0
    shortfall: str | None = None


def resync_from(status: MailboxStatus | None, checkpoint: Checkpoint | None) -> Resync | None:
    """The QRESYNC parameters for opening the mailbox; None if QRESYNC is not to be used."""
    if checkpoint is None or not checkpoint.highestmodseq:
        return None
    if max(checkpoint.exists, (status and status.messages) or 0) > RESYNC_MESSAGES:
        return None
    return Resync(checkpoint.uidvalidity, checkpoint.highestmodseq)


def doubt(mailbox: Mailbox, checkpoint: Checkpoint | None, known: Entries) -> str | None:
    """Explain why every message has to be compared; None if there is no reason to."""
    if checkpoint is None:
        highest = max(known, default=0)
        if mailbox.uidnext and highest >= mailbox.uidnext:
            return (
                f"its UIDNEXT is {mailbox.uidnext}, but the backup has UID {highest}: was the "
                "server restored?"
            )
        return None
    for name, before, after in (
        ("UIDNEXT", checkpoint.uidnext, mailbox.uidnext),
        ("HIGHESTMODSEQ", checkpoint.highestmodseq, mailbox.highestmodseq),
    ):
        if before and after and after < before:
            return f"its {name} went back from {before} to {after}: was the server restored?"
    return None


class Comparison:
    """Compares an open mailbox with the entries of its journal."""

    def __init__(
        self, link: Link, mailbox: Mailbox, known: Entries, items: IdentityItems | None = None
    ) -> None:
        self._link = link
        self._mailbox = mailbox
        self._known = known
        self._items = items
        self._labels = () if items is None else items.labels

    def changes(self, since: int | None, *, resynced: bool) -> Changes:
        """Return the differences, found by the cheapest method.

        Args:
            since: the mod-sequence of the last checkpoint; None without CONDSTORE.
            resynced: the mailbox was opened with QRESYNC.
        """
        mailbox = self._mailbox
        if not self._known:
            return self._compare_uids(Changes(), enumerate_uids(self._link, mailbox))
        if not since or since > (mailbox.highestmodseq or 0):
            return self._compare_all(("FLAGS",))
        if resynced and not self._labels:
            return self._compare_reported(mailbox.changes, _common(mailbox.vanished, self._known))
        if since == mailbox.highestmodseq:
            return self._compare_reported((), [])
        changed = mailbox.fetch("1:*", "FLAGS", *self._labels, changed_since=since)
        return self._compare_reported(changed, [])

    def compare_every_message(self, *, reassigned: bool) -> Changes:
        """Return the differences, comparing size and date of every message.

        `reassigned` means that UIDs may now belong to other messages: those with the same size and
        date are then reported as `alike`.
        """
        identity = () if self._items is None else self._items.identity
        items = ("FLAGS", "INTERNALDATE", "RFC822.SIZE", *identity)
        return self._compare_all(items, reassigned=reassigned)

    def _compare_all(self, items: tuple[str, ...], *, reassigned: bool = False) -> Changes:
        changes = Changes()
        present = array("I")
        doubting = "RFC822.SIZE" in items
        for message in self._messages(items):
            present.append(message.uid)
            if message.uid in self._known:
                self._note(changes, message, message.uid)
                if doubting:
                    differs = self._differs(message, self._known[message.uid])
                    if differs:
                        changes.differing.append(message.uid)
                    elif differs is None and reassigned:
                        changes.alike.append(message.uid)
        # An unreadable response leaves its UID out; the message may still exist.
        fetched = SequenceSet.of(present)
        # An empty mailbox that had messages is confirmed by SEARCH first.
        if len(fetched) == self._mailbox.exists and (fetched or not self._known):
            return self._compare_uids(changes, Uids(fetched, len(fetched)))
        return self._compare_uids(
            changes, enumerate_uids(self._link, self._mailbox, fetched, expected=True)
        )

    def _messages(self, items: tuple[str, ...]) -> Iterable[Fetched]:
        if not self._mailbox.exists:
            return ()
        return self._mailbox.fetch("1:*", *items, *self._labels)

    def _compare_reported(self, changed: Iterable[Fetched], vanished: list[int]) -> Changes:
        changes = Changes(vanished=vanished)
        gone = frozenset(vanished)
        new = array("I")
        for message in changed:
            if message.uid in gone:
                continue
            if message.uid in self._known:
                self._note(changes, message, message.uid)
            else:
                new.append(message.uid)
        changes.new = SequenceSet.of(new)
        changes.exists = self._mailbox.exists
        if len(self._known) - len(vanished) + len(changes.new) != changes.exists:
            return self._compare_uids(
                changes, enumerate_uids(self._link, self._mailbox, expected=True)
            )
        return changes

    def _compare_uids(self, changes: Changes, uids: Uids) -> Changes:
        """Set `new` and `vanished` by comparing all UIDs."""
        mirrored = SequenceSet.of(self._known)
        changes.exists = uids.exists
        changes.new = uids.found - mirrored
        changes.vanished = []
        if uids.complete:
            changes.vanished = list(mirrored - uids.found)
        elif len(mirrored) + len(changes.new) == uids.exists:
            # The known UIDs that were not listed account for the difference: nothing is gone.
            changes.shortfall = None
        else:
            changes.shortfall = uids.shortfall
        for uid in changes.vanished:
            changes.flags.pop(uid, None)
            changes.labels.pop(uid, None)
        return changes

    def _note(self, changes: Changes, message: Fetched, uid: int) -> None:
        flags = flags_of(message)
        if flags is None:
            changes.unclear.append(uid)
        elif flags != self._known.flags(uid):
            changes.flags[uid] = flags
        if self._labels and self._items is not None:
            labels = self._items.labels_of(message)
            if labels is not None and labels != self._known.extras.labels.get(uid):
                changes.labels[uid] = labels

    def _differs(self, message: Fetched, entry: Entry) -> bool | None:
        """Whether the message differs from the mirror's copy; None if only its header can tell."""
        if differs(message, entry):
            return True
        identity = None if self._items is None else self._items.identity_of(message)
        return None if None in (identity, entry.identity) else identity != entry.identity


def differs(message: Fetched, entry: Entry) -> bool:
    """Whether the size or date of a message differs from the mirror's copy."""
    size = value_of(message, "RFC822.SIZE")
    return (size is not None and size != entry.size) or date_differs(message, entry)


def date_differs(message: Fetched, entry: Entry) -> bool:
    """Whether INTERNALDATE differs from the mirror's copy; False if either is unknown."""
    date = date_of(message)
    return None not in (date, entry.internaldate) and date != entry.internaldate


def _common(vanished: SequenceSet, known: Entries) -> list[int]:
    """The known UIDs in `vanished`, which may be one huge range."""
    if not vanished.open_ended and len(vanished) <= len(known):
        return [uid for uid in vanished if uid in known]
    return [uid for uid in known if uid in vanished]


def flags_of(message: Fetched) -> frozenset[str] | None:
    r"""The flags of the message without \Recent; None if they are missing or invalid."""
    try:
        flags = message.flags
    except (KeyError, ProtocolError):
        return None
    return flags - _RECENT if "\\Recent" in flags else flags


def value_of(message: Fetched, name: str) -> int | None:
    """The value of a numeric FETCH item; None if it is missing or invalid."""
    try:
        value: int | None = message.get(name)
    except ProtocolError:
        return None
    return value


def date_of(message: Fetched) -> datetime | None:
    """INTERNALDATE; None if it is missing or invalid."""
    try:
        date: datetime | None = message.get("INTERNALDATE")
    except ProtocolError:
        return None
    return date


def uids_of(messages: Iterable[Fetched]) -> Iterator[int]:
    """The UIDs of messages."""
    return (message.uid for message in messages)

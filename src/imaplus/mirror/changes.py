"""What is different on the server: messages that are new, changed and gone.

The cheapest way that a server offers is taken: nothing at all where it says that nothing changed,
QRESYNC, CONDSTORE, else every UID with its flags. Whatever the way, the numbers have to add up to
the number of messages there are; if they do not, all UIDs are compared. It reads the mirror and
changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING

from imaplus import Resync, SequenceSet
from imaplus.errors import ProtocolError
from imaplus.records import field, record

if TYPE_CHECKING:
    from imaplus import Client, Fetched, ListEntry, Mailbox, MailboxStatus
    from imaplus.mirror.entries import Checkpoint, Entries

STATUS_ITEMS = ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ")
RESYNC_MESSAGES = 50_000
"""Messages up to which QRESYNC is used: what it tells is held in memory, about a kilobyte for each
message that changed, and that may be all. CONDSTORE tells the same one by one."""
_RECENT = frozenset({"\\Recent"})


@record(frozen=False)
class Changes:
    """Differences between a mailbox and its mirror.

    `flags` are those of messages that the mirror has; `unclear` are messages of which the server
    tells flags that cannot be read.
    """

    new: SequenceSet = field(default_factory=SequenceSet)
    flags: dict[int, frozenset[str]] = field(default_factory=dict)
    vanished: list[int] = field(default_factory=list)
    unclear: list[int] = field(default_factory=list)


def list_mailboxes(client: Client, pattern: str = "*") -> list[ListEntry]:
    """The mailboxes that can be mirrored, each once, with what tells whether it has changed.

    A `pattern` spares the server a look at all the others.
    """
    # Without mod-sequences flags change unseen, so STATUS would save nothing.
    items = STATUS_ITEMS if client.can("CONDSTORE") else ()
    found = {
        entry.name: entry for entry in client.list("", pattern, status=items) if entry.selectable
    }
    return list(found.values())


def is_unchanged(status: MailboxStatus | None, checkpoint: Checkpoint | None) -> bool:
    """Whether the mailbox is as it was, so that it need not even be opened.

    Only with mod-sequences (RFC 7162): without them the flags may have changed.
    """
    if status is None or checkpoint is None or not checkpoint.highestmodseq:
        return False
    return (
        status.uidvalidity == checkpoint.uidvalidity
        and status.uidnext == checkpoint.uidnext
        and status.highestmodseq == checkpoint.highestmodseq
        and status.messages == checkpoint.exists
    )


def resync_from(status: MailboxStatus | None, checkpoint: Checkpoint | None) -> Resync | None:
    """What to tell the server when the mailbox is opened, if anything."""
    if checkpoint is None or not checkpoint.highestmodseq:
        return None
    if max(checkpoint.exists, (status and status.messages) or 0) > RESYNC_MESSAGES:
        return None
    return Resync(checkpoint.uidvalidity, checkpoint.highestmodseq)


def find_changes(mailbox: Mailbox, known: Entries, since: int | None, *, resynced: bool) -> Changes:
    """How the open mailbox differs from what is known of it.

    `since` is the mod-sequence up to which all is known, None where the server has none; `resynced`
    says that the server was told it when the mailbox was opened, and has QRESYNC.
    """
    if not known:
        return Changes(new=mailbox.uids())
    # A server that was restored from a backup of its own may count from an earlier number again.
    if not since or since > mailbox.highestmodseq:
        return _all(mailbox, known)
    if resynced:
        return _some(mailbox, known, mailbox.changes, _common(mailbox.vanished, known))
    if since == mailbox.highestmodseq:
        return _some(mailbox, known, (), [])
    return _some(mailbox, known, mailbox.fetch("1:*", "FLAGS", changed_since=since), [])


def _all(mailbox: Mailbox, known: Entries) -> Changes:
    changes = Changes()
    present = array("I")
    for message in mailbox.fetch("1:*", "FLAGS") if mailbox.exists else ():
        if message.uid is not None:
            present.append(message.uid)
            if message.uid in known:
                _note(changes, message, message.uid, known)
    # A response that could not be read is missing there, which does not mean that it is gone.
    told = SequenceSet.of(present)
    return _compared(changes, told if told.count == mailbox.exists else mailbox.uids(), known)


def _some(
    mailbox: Mailbox, known: Entries, changed: Iterable[Fetched], vanished: list[int]
) -> Changes:
    changes = Changes(vanished=vanished)
    gone = frozenset(vanished)
    new = array("I")
    for message in changed:
        if message.uid is None or message.uid in gone:
            continue
        if message.uid in known:
            _note(changes, message, message.uid, known)
        else:
            new.append(message.uid)
    changes.new = SequenceSet.of(new)
    if len(known) - len(vanished) + changes.new.count != mailbox.exists:
        return _compared(changes, mailbox.uids(), known)
    return changes


def _compared(changes: Changes, present: SequenceSet, known: Entries) -> Changes:
    """The changes with what comparing all UIDs says of messages that come and go."""
    mirrored = SequenceSet.of(known)
    changes.new = present - mirrored
    changes.vanished = list(mirrored - present)
    for uid in changes.vanished:
        changes.flags.pop(uid, None)
    return changes


def _note(changes: Changes, message: Fetched, uid: int, known: Entries) -> None:
    flags = flags_of(message)
    if flags is None:
        changes.unclear.append(uid)
    elif flags != known.flags(uid):
        changes.flags[uid] = flags


def _common(vanished: SequenceSet, known: Entries) -> list[int]:
    """The known messages among those that vanished, which may be told as one huge range."""
    if not vanished.open_ended and vanished.count <= len(known):
        return [uid for uid in vanished if uid in known]
    return [uid for uid in known if uid in vanished]


def flags_of(message: Fetched) -> frozenset[str] | None:
    r"""The flags that belong to the message, without \Recent; None if they cannot be read."""
    try:
        flags = message.flags
    except (KeyError, ProtocolError):
        return None
    return flags - _RECENT if "\\Recent" in flags else flags

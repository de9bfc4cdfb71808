"""What the mailboxes of a run share, and the check for unchanged mailboxes.

A mailbox whose STATUS equals its checkpoint is not opened, and only the last line of its journal is
read. This module imports little, because most mailboxes are unchanged in most runs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING

from imaplus.records import record

if TYPE_CHECKING:
    from imaplus import ListEntry, MailboxStatus
    from imaplus.mirror.commits import Commits
    from imaplus.mirror.entries import Checkpoint
    from imaplus.mirror.identity import Identities
    from imaplus.mirror.link import Link
    from imaplus.mirror.progress import Progress
    from imaplus.mirror.store import Store
    from imaplus.mirror.tally import Tally


@record(frozen=False)
class Work:
    """The objects and options that all mailboxes of a run share."""

    link: Link
    store: Store | None
    commits: Commits | None
    tally: Tally
    progress: Progress
    should_stop: Callable[[], bool]
    dry_run: bool = False
    damaged: dict[tuple[str, int], list[int]] | None = None
    """UIDs whose bodies are damaged, by mailbox and UIDVALIDITY; None if nothing was inspected."""
    differing: dict[str, list[int]] | None = None
    """UIDs whose bodies differ from the server's, by mailbox."""
    identities: Identities | None = None

    def take(self, messages: Generator[int, None, None]) -> None:
        """Count and commit fetched messages until the generator ends or the run is to stop.

        `messages` yields the size of each message in bytes; it is closed at the end.
        """
        if self.should_stop():
            return
        assert self.commits is not None
        with closing(messages) as fetched:
            for size in fetched:
                self.tally.fetched += 1
                self.tally.octets += size
                self.commits.count(size)
                if self.should_stop():
                    return


def count_unchanged(work: Work, entry: ListEntry) -> int | None:
    """Return the number of messages of an unchanged mailbox; None if it has to be opened.

    A repair opens every mailbox, and a mailbox that was gone before is always opened.
    """
    status, store = entry.status, work.store
    if store is None or status is None or not status.uidvalidity or work.damaged is not None:
        return None
    if work.differing is not None or status.uidvalidity not in store.generations(entry.name):
        return None
    journal = store.mailbox(
        entry.name, status.uidvalidity, delimiter=entry.delimiter, attributes=entry.attributes
    )
    if journal.absent_since is not None:
        return None
    checkpoint = journal.checkpoint
    if checkpoint is None or not is_unchanged(status, checkpoint):
        return None
    return checkpoint.exists


def is_unchanged(status: MailboxStatus, checkpoint: Checkpoint) -> bool:
    """Whether the mailbox is unchanged and mirrored completely.

    False without mod-sequences (RFC 7162), because flags may have changed.
    """
    return bool(checkpoint.highestmodseq) and (
        checkpoint.complete
        and status.uidvalidity == checkpoint.uidvalidity
        and status.uidnext == checkpoint.uidnext
        and status.highestmodseq == checkpoint.highestmodseq
        and status.messages == checkpoint.exists
    )

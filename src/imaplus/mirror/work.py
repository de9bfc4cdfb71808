"""What all mailboxes of a run share, and the mailboxes that need no work.

A mailbox of which STATUS says the same numbers as its checkpoint is not opened, and of its journal
only the last line is read. This module loads little: most mailboxes of most runs are unchanged.
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
    """What all mailboxes of a run share."""

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
    """UIDs whose bodies are other ones on the server, by mailbox."""
    identities: Identities | None = None

    def take(self, messages: Generator[int, None, None]) -> None:
        """Count and commit messages as they come, until all have come or the run is to stop.

        Args:
            messages: the bytes of each message; the generator is closed at the end.
        """
        if self.should_stop():
            return
        assert self.commits is not None
        with closing(messages) as fetched:
            for octets in fetched:
                self.tally.fetched += 1
                self.tally.octets += octets
                self.commits.count(octets)
                if self.should_stop():
                    return


def count_unchanged(work: Work, entry: ListEntry) -> int | None:
    """How many messages the mirror has of a mailbox that needs no work; None if it needs some.

    In a run that repairs, every mailbox does; so does one that was gone and is back.
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
    """Whether the mailbox is as it was, and the mirror has all of it.

    Only with mod-sequences (RFC 7162): without them the flags may have changed.
    """
    return bool(checkpoint.highestmodseq) and (
        checkpoint.complete
        and status.uidvalidity == checkpoint.uidvalidity
        and status.uidnext == checkpoint.uidnext
        and status.highestmodseq == checkpoint.highestmodseq
        and status.messages == checkpoint.exists
    )

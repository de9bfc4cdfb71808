"""Update the mirror of one mailbox: open it, compare, fetch, write a checkpoint.

The checkpoint has the numbers from the time when the mailbox was opened, so that the next run sees
later changes. It is written only if the mirrored messages and the reported failures add up to the
number of messages in the mailbox.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING

from imaplus import SequenceSet
from imaplus.mirror.comparison import Changes, Comparison, doubt, resync_from
from imaplus.mirror.entries import Checkpoint, Entries, FlagTable
from imaplus.mirror.identity import Identities, IdentityItems, identity_items
from imaplus.records import record

if TYPE_CHECKING:
    from imaplus import ListEntry, Mailbox
    from imaplus.mirror.fetch import Fetching
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.work import Work

MANY = 20
"""If most messages of a mailbox with more than these are gone at once, the run warns."""


@record
class Opened:
    """The numbers of a mailbox when it was opened, for the checkpoint."""

    mailbox: Mailbox
    uidvalidity: int
    uidnext: int | None
    highestmodseq: int | None

    @classmethod
    def of(cls, mailbox: Mailbox) -> Opened:
        """Take the numbers of a mailbox that has just been opened."""
        uidvalidity = (mailbox.uidvalidity or 0) if mailbox.uids_persist else 0
        return cls(mailbox, uidvalidity, mailbox.uidnext, mailbox.highestmodseq)


Recognise = Callable[["Mailbox", "ListEntry"], None]
"""Called with a mailbox that the mirror does not have under its name and UIDVALIDITY."""


class Update:
    """The update of one mailbox: `run`, and `finish` after all mailboxes if any are `deferred`."""

    def __init__(self, work: Work, entry: ListEntry, recognise: Recognise) -> None:
        self._work = work
        self._entry = entry
        self._recognise = recognise
        self._journal: Journal | None = None
        self._opened: Opened | None = None
        self._changes = Changes()
        self._fetching: Fetching | None = None
        self.deferred: SequenceSet = SequenceSet()

    @property
    def name(self) -> str:
        """The name of the mailbox."""
        return self._entry.name

    def run(self) -> None:
        """Mirror new, changed and deleted messages.

        Raises:
            CommandError, UsageError: the mailbox cannot be opened.
            ImapError: the run cannot go on.
        """
        work, status = self._work, self._entry.status
        journal = self._journal_of(status.uidvalidity if status is not None else None)
        checkpoint = self._checkpoint(journal)
        work.progress.begin(self.name)
        self._opened, self._changes = work.link.attempt(lambda _: self._look(checkpoint))
        if not self._opened.uidvalidity:
            from imaplus.mirror.unsticky import mirror_by_hash  # rarely needed

            mirror_by_hash(work, self._entry, self._opened.mailbox)
            return
        if work.dry_run or self._journal is None:
            self._count()
            return
        self._apply(self._journal)
        if not self.deferred:
            self._write_checkpoint(self._journal)

    def finish(self) -> None:
        """Fetch the messages that were set aside one by one, and write the checkpoint."""
        assert self._journal is not None
        assert self._opened is not None
        link = self._work.link
        mailbox = link.examine(self.name, uidvalidity=self._opened.uidvalidity)
        fetching = self._fetcher(mailbox, self._journal)
        before = len(self._journal.entries)
        try:
            self._take(fetching, fetching.fetch_last(fetching.spare(self.deferred)))
        finally:
            self._work.tally.spared += fetching.spared
            self._work.tally.messages += len(self._journal.entries) - before
        self._write_checkpoint(self._journal)

    # -- look ---------------------------------------------------------------------------------

    def _look(self, checkpoint: Checkpoint | None) -> tuple[Opened, Changes]:
        """Open the mailbox and compare it. Repeated if the connection is lost."""
        work = self._work
        resync = resync_from(self._entry.status, checkpoint)
        mailbox = work.link.examine(self.name, resync=resync)
        opened = Opened.of(mailbox)
        if not opened.uidvalidity:
            return opened, Changes()
        self._journal = self._generation(mailbox)
        if checkpoint is not None and checkpoint.uidvalidity != mailbox.uidvalidity:
            resync = None
        checkpoint = self._checkpoint(self._journal)
        known = Entries(FlagTable()) if self._journal is None else self._journal.entries
        comparison = Comparison(work.link, mailbox, known, self._items())
        # A repair compares everything, but the checkpoint still tells whether UIDs went back.
        last = None if self._journal is None else self._journal.checkpoint
        why = doubt(mailbox, last, known)
        if known and (why is not None or work.damaged is not None):
            if why is not None:
                self._tell_once(f"{why} Every message was compared.", warning=True)
            return opened, comparison.compare_every_message(reassigned=why is not None)
        since = None
        if checkpoint is not None and work.link.client.can("CONDSTORE"):
            since = checkpoint.highestmodseq
        resynced = resync is not None and work.link.can_resync
        return opened, comparison.changes(since, resynced=resynced)

    def _generation(self, mailbox: Mailbox) -> Journal | None:
        """Return the journal of the open mailbox; report a changed UIDVALIDITY."""
        work = self._work
        if work.store is None:
            return None
        before = work.store.generations(self.name)
        if mailbox.uidvalidity not in before:
            if not work.dry_run:
                self._recognise(mailbox, self._entry)
            if before:
                self._tell_once(
                    f"its UIDVALIDITY changed from {before[-1]} to {mailbox.uidvalidity}: the "
                    "server created it again, so it is backed up again; the old copy is kept"
                )
        journal = self._journal_of(mailbox.uidvalidity, mailbox)
        if journal is not None and journal.checkpoint is None and journal.broken_promise:
            broken = journal.broken_promise
            self._tell_once(
                f"an earlier run recorded {broken.exists:,} messages, but the backup holds "
                f"{broken.held:,}: every message was compared"
            )
        return journal

    def _journal_of(
        self, uidvalidity: int | None, mailbox: Mailbox | None = None
    ) -> Journal | None:
        store, entry = self._work.store, self._entry
        if not uidvalidity or store is None:
            return None
        if mailbox is None and uidvalidity not in store.generations(entry.name):
            return None  # created after the mailbox is opened: it may be a renamed one
        try:
            return store.mailbox(
                entry.name,
                uidvalidity,
                delimiter=entry.delimiter,
                attributes=entry.attributes,
                mailboxid=None if mailbox is None else mailbox.mailboxid,
            )
        except KeyError:  # a dry run makes no journal
            return None

    def _checkpoint(self, journal: Journal | None) -> Checkpoint | None:
        repairing = self._work.damaged is not None
        return None if journal is None or repairing else journal.checkpoint

    def _items(self) -> IdentityItems | None:
        return identity_items(self._work.link.client)

    def _tell_once(self, text: str, *, warning: bool = False) -> None:
        self._work.tally.tell_once(self.name, text, warning=warning)

    def _count(self) -> None:
        """Count the changes, for a dry run."""
        tally, changes = self._work.tally, self._changes
        known = 0 if self._journal is None else len(self._journal.entries)
        tally.flags_changed += len(changes.flags)
        tally.vanished += len(changes.vanished)
        tally.messages += known - len(changes.vanished) + len(changes.new)
        tally.fetched += len(changes.new) + len(changes.differing)
        if changes.new:
            assert self._opened is not None
            for message in self._opened.mailbox.fetch(changes.new, "RFC822.SIZE"):
                tally.octets += message.get("RFC822.SIZE", 0)

    # -- apply --------------------------------------------------------------------------------

    def _apply(self, journal: Journal) -> None:
        work, changes = self._work, self._changes
        assert self._opened is not None
        assert work.store is not None
        if journal.set_absent(False):
            work.tally.returned.append(self.name)
        for uid, flags in changes.flags.items():
            work.tally.flags_changed += journal.set_flags(uid, flags)
        for uid, labels in changes.labels.items():
            work.tally.flags_changed += journal.set_labels(uid, labels)
        for uid in changes.unclear:
            work.tally.fail(self.name, uid, "cannot parse its flags")
        self._vanish(journal, changes)
        if changes.shortfall is not None:
            work.tally.fail(self.name, None, changes.shortfall)
        if changes.new:
            fetching = self._fetcher(self._opened.mailbox, journal)
            # A repair does not rely on identities.
            new = changes.new if work.damaged is not None else fetching.spare(changes.new)
            self._take(fetching, fetching.fetch(new))
            work.tally.spared += fetching.spared
        self._fetch_again(journal, self._others(journal), replace=False)
        self._fetch_again(journal, self._damaged(journal), replace=True)
        work.tally.messages += len(journal.entries)

    def _vanish(self, journal: Journal, changes: Changes) -> None:
        before = len(journal.entries)
        went = journal.vanish(changes.vanished)
        self._work.tally.vanished += went
        if before > MANY and went > before // 2:
            self._tell_once(
                f"{went:,} of its {before:,} messages are gone from the server; they are kept here",
                warning=True,
            )

    def _others(self, journal: Journal) -> Iterable[int]:
        """Messages that seem to differ from the mirror's copies."""
        work, changes = self._work, self._changes
        given = (work.differing or {}).get(self.name, ())
        found = {*changes.differing, *(uid for uid in given if uid in journal.entries)}
        damaged = {*self._damaged(journal)}
        alike = [uid for uid in changes.alike if uid not in damaged]
        if alike and not work.should_stop():
            from imaplus.mirror.headers import find_reassigned  # seldom needed

            assert work.store is not None
            lowest = min(changes.differing, default=None)
            found.update(find_reassigned(work.link, work.store, journal, alike, lowest))
        return found

    def _damaged(self, journal: Journal) -> list[int]:
        """Messages whose copies are damaged, by the inspection."""
        damaged = (self._work.damaged or {}).get((self.name, journal.uidvalidity), ())
        return [uid for uid in damaged if uid in journal.entries]

    def _fetch_again(self, journal: Journal, uids: Iterable[int], *, replace: bool) -> None:
        """Fetch messages that the mirror has; `replace` overwrites bodies that the store has."""
        again = SequenceSet.of(uids)
        if not again:
            return
        assert self._opened is not None
        before = len(journal.replaced)
        mailbox = self._work.link.examine(self.name, uidvalidity=self._opened.uidvalidity)
        fetching = self._fetcher(mailbox, journal, replace=replace)
        self._take(fetching, fetching.fetch(again))
        self._work.tally.replaced += len(journal.replaced) - before

    def _fetcher(self, mailbox: Mailbox, journal: Journal, *, replace: bool = False) -> Fetching:
        from imaplus.mirror.fetch import Fetching  # not when there is nothing new

        work = self._work
        assert work.store is not None
        items = self._items()
        if items is not None and work.identities is None:
            work.identities = Identities(work.store)
        return Fetching(
            work.link,
            mailbox,
            work.store,
            journal,
            progress=work.progress,
            failed=lambda uid, problem: work.tally.fail(self.name, uid, problem),
            items=items,
            identities=work.identities,
            replace=replace,
        )

    def _take(self, fetching: Fetching, messages: Generator[int, None, None]) -> None:
        self._work.take(messages)
        self.deferred |= fetching.deferred

    # -- promise ------------------------------------------------------------------------------

    def _write_checkpoint(self, journal: Journal) -> None:
        """Write a checkpoint if mirrored messages and failures add up to EXISTS."""
        work, changes, opened = self._work, self._changes, self._opened
        assert opened is not None
        assert work.store is not None
        if work.should_stop() or work.tally.has_failed(self.name):
            return
        named = work.tally.failed_uids(self.name)
        if any(uid in journal.entries for uid in named):
            return  # the mirror's copies of them are wrong
        # Messages that were deleted while others were fetched are neither mirrored nor failures.
        went = {uid for uid in changes.new if uid not in journal.entries} - named
        if len(journal.entries) + len(named) + len(went) != changes.exists:
            return
        journal.mark(
            exists=changes.exists, uidnext=opened.uidnext, highestmodseq=opened.highestmodseq
        )
        if not named:
            work.store.remove_parts(journal)

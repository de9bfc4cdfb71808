"""A backup: one mailbox after the other is opened for reading only, and its mirror brought up to
date.

It knows the order of things: what changed, new messages, and last the checkpoint, of a state that
was known when the mailbox was opened, so that nothing that happens meanwhile is missed. It knows
neither how changes are found (`changes`) nor how messages come (`bodies`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from imaplus import SequenceSet
from imaplus.errors import CommandError, ImapError, Rejected, UsageError
from imaplus.mirror.changes import (
    Changes,
    find_changes,
    is_unchanged,
    list_mailboxes,
    resync_from,
)
from imaplus.mirror.commits import Commits
from imaplus.mirror.entries import Checkpoint, Entries, FlagTable
from imaplus.mirror.errors import StoreError, asks_for_patience
from imaplus.mirror.reports import BackupReport, NoProgress, Problem, Progress, ShouldStop, never

if TYPE_CHECKING:
    from imaplus import Client, ListEntry, Mailbox, Resync
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.store import Store


def backup(
    client: Client,
    store: Store | None,
    *,
    mailboxes: Sequence[ListEntry] | None = None,
    progress: Progress | None = None,
    should_stop: ShouldStop = never,
    dry_run: bool = False,
    repair: bool = False,
) -> BackupReport:
    """Mirror what is new, changed and gone in these mailboxes (None: all) into the store.

    Nothing on the server changes. A mailbox or message that cannot be had is among the report's
    `failures`; the others are not affected. `should_stop` is asked after each message; what has
    come by then is kept. `dry_run` only counts, and works with a store that is read-only, or None.
    `repair` reads the whole mirror first, fetches again what is damaged, and compares every message
    even where the server says that nothing has changed.

    Raises:
        ConnectionLost, ProtocolError, Throttled: the run cannot go on. What has come is kept.
        OSError: the disk is full, or the store may not be written. What was committed is kept.
        StoreError: the store itself is damaged, or closed.
    """
    if store is None and not dry_run:
        raise UsageError("a backup needs a store to go to")
    run = _Run(client, store, progress or NoProgress(), should_stop, dry_run)
    if repair and store is not None:
        run.look_for_damage(store)
    try:
        for entry in list_mailboxes(client) if mailboxes is None else mailboxes:
            if run.stopping():
                break
            if entry.selectable:
                run.mailbox(entry)
    except StoreError:
        raise
    except ImapError:
        run.finish()
        raise
    run.finish()
    return run.report()


class _Run:
    """One backup, and what it has come to so far."""

    def __init__(
        self,
        client: Client,
        store: Store | None,
        progress: Progress,
        should_stop: ShouldStop,
        dry_run: bool,
    ) -> None:
        self._client = client
        self._store = store
        self._progress = progress
        self._should_stop = should_stop
        self._dry_run = dry_run
        self._interrupted = False
        self._resyncs = True  # until the server shows that it does not
        self._failures: list[Problem] = []
        self._mailboxes = self._messages = self._fetched = self._octets = 0
        self._flags_changed = self._vanished = 0
        self._commits = None if dry_run or store is None else Commits(store)
        self._damaged: dict[tuple[str, int], list[int]] | None = None

    def report(self) -> BackupReport:
        return BackupReport(
            mailboxes=self._mailboxes,
            messages=self._messages,
            fetched=self._fetched,
            octets=self._octets,
            flags_changed=self._flags_changed,
            vanished=self._vanished,
            failures=tuple(self._failures),
            interrupted=self._interrupted,
        )

    def stopping(self) -> bool:
        self._interrupted = self._interrupted or bool(self._should_stop())
        return self._interrupted

    def finish(self) -> None:
        """Keep all that has come."""
        if self._commits is not None:
            self._commits.finish()

    def look_for_damage(self, store: Store) -> None:
        """Read the whole mirror, and note which messages have to be fetched again."""
        self._progress.begin("checking the mirror")
        self._damaged = {}
        for damage in store.verify().damages:
            self._damaged.setdefault((damage.mailbox, damage.uidvalidity), []).append(damage.uid)

    # -- one mailbox --------------------------------------------------------------------------

    def mailbox(self, entry: ListEntry) -> None:
        """Bring the mirror of one mailbox up to date. Its failure is not the others'."""
        self._mailboxes += 1
        failures = len(self._failures)
        try:
            self._mailbox(entry)
        except (CommandError, UsageError) as error:
            if asks_for_patience(error):
                raise
            if len(self._failures) == failures:
                self._fail(entry.name, None, str(error))

    def _mailbox(self, entry: ListEntry) -> None:
        status = entry.status
        journal = self._journal(entry, status.uidvalidity if status is not None else None)
        checkpoint = self._checkpoint(journal)
        if checkpoint is not None and is_unchanged(status, checkpoint):
            self._messages += checkpoint.exists
            return
        resync = resync_from(status, checkpoint) if self._resyncs else None
        mailbox = self._examine(entry.name, resync)
        opened = Opened(mailbox)
        if not (mailbox.uidvalidity and mailbox.uids_persist):
            self._fail(entry.name, None, "its UIDs do not last, so nothing can be kept by them")
            return
        if checkpoint is None or mailbox.uidvalidity != checkpoint.uidvalidity:
            journal = self._journal(entry, mailbox.uidvalidity)
            checkpoint, resync = self._checkpoint(journal), None
        known = journal.entries if journal is not None else Entries(FlagTable())
        changes = find_changes(
            mailbox,
            known,
            checkpoint.highestmodseq if checkpoint and self._client.can("CONDSTORE") else None,
            resynced=resync is not None and self._resyncs and self._client.can("QRESYNC"),
        )
        if self._dry_run or journal is None:
            self._count(mailbox, known, changes)
        else:
            self._apply(mailbox, journal, opened, changes)

    def _examine(self, name: str, resync: Resync | None) -> Mailbox:
        """Open for reading only: not even \\Recent changes, nor \\Seen."""
        try:
            return self._client.examine(name, resync=resync)
        except Rejected:
            if resync is None:
                raise
            self._resyncs = False  # it offers what it does not understand
            return self._client.examine(name)

    def _journal(self, entry: ListEntry, uidvalidity: int | None) -> Journal | None:
        if not uidvalidity or self._store is None:
            return None
        try:
            return self._store.mailbox(
                entry.name, uidvalidity, delimiter=entry.delimiter, attributes=entry.attributes
            )
        except KeyError:  # a dry run makes no journal
            return None

    def _checkpoint(self, journal: Journal | None) -> Checkpoint | None:
        return None if journal is None or self._damaged is not None else journal.checkpoint

    def _count(self, mailbox: Mailbox, known: Entries, changes: Changes) -> None:
        """What a dry run does."""
        self._flags_changed += len(changes.flags)
        self._vanished += len(changes.vanished)
        self._messages += len(known) - len(changes.vanished) + changes.new.count
        self._fetched += changes.new.count
        if changes.new:
            for message in mailbox.fetch(changes.new, "RFC822.SIZE"):
                self._octets += message.get("RFC822.SIZE", 0)

    def _apply(self, mailbox: Mailbox, journal: Journal, opened: Opened, changes: Changes) -> None:
        before = len(self._failures)
        name = mailbox.name
        for uid, flags in changes.flags.items():
            self._flags_changed += journal.set_flags(uid, flags)
        for uid in changes.unclear:
            self._fail(name, uid, "its flags cannot be read")
        self._vanished += journal.vanish(changes.vanished)
        self._fetch(mailbox, journal, changes.new)
        damaged = (self._damaged or {}).get((name, journal.uidvalidity), ())
        again = SequenceSet.of(uid for uid in damaged if uid in journal.entries)
        self._fetch(mailbox, journal, again, replace=True)
        self._messages += len(journal.entries)
        if not self._interrupted and len(self._failures) == before:
            journal.mark(
                exists=opened.exists, uidnext=opened.uidnext, highestmodseq=opened.highestmodseq
            )

    def _fetch(
        self, mailbox: Mailbox, journal: Journal, uids: SequenceSet, *, replace: bool = False
    ) -> None:
        if not uids or self.stopping():
            return
        from imaplus.mirror.bodies import Fetching  # not when there is nothing new

        assert self._store is not None
        assert self._commits is not None
        self._progress.begin(mailbox.name, messages=uids.count)
        fetching = Fetching(
            mailbox,
            self._store,
            journal,
            progress=self._progress,
            failed=lambda uid, problem: self._fail(mailbox.name, uid, problem),
            replace=replace,
        )
        with closing(fetching.fetch(uids)) as fetched:
            for octets in fetched:
                self._fetched += 1
                self._octets += octets
                self._commits.count(octets)
                if self.stopping():
                    return

    def _fail(self, mailbox: str, uid: int | None, problem: str) -> None:
        self._failures.append(Problem(mailbox, uid, problem))


class Opened:
    """The mailbox as it was when it was opened: what a checkpoint may promise."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.exists: int = mailbox.exists
        self.uidnext: int | None = mailbox.uidnext or None
        self.highestmodseq: int | None = mailbox.highestmodseq or None

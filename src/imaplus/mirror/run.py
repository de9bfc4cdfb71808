"""Run a backup: list the mailboxes of an account, and mirror one after the other.

`update` mirrors one mailbox. A mailbox that fails does not stop the others. Messages on which the
connection was lost are fetched at the end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from imaplus.errors import CommandError, ConnectionLost, ProtocolError, UsageError, quote
from imaplus.logs import MIRROR, logger
from imaplus.mirror.commits import Commits
from imaplus.mirror.errors import StoreError, asks_for_patience
from imaplus.mirror.link import Link
from imaplus.mirror.progress import NoProgress, Progress, ShouldStop, never
from imaplus.mirror.tally import Tally
from imaplus.mirror.work import Work, count_unchanged

if TYPE_CHECKING:
    from imaplus import Client, ListEntry, Mailbox
    from imaplus.mirror.absence import Absence
    from imaplus.mirror.description import Choice, Owner
    from imaplus.mirror.enumeration import Listing
    from imaplus.mirror.inspection import Damage
    from imaplus.mirror.link import Connect
    from imaplus.mirror.reports import BackupReport
    from imaplus.mirror.store import Store
    from imaplus.mirror.update import Update

DEAD = 3
"""The run ends after so many mailboxes in a row that failed by lost connections."""


def backup(
    where: Link | Client | Connect,
    store: Store | None,
    *,
    mailboxes: Sequence[ListEntry] | None = None,
    choice: Choice | None = None,
    owner: Owner | None = None,
    adopt: bool = False,
    progress: Progress | None = None,
    should_stop: ShouldStop = never,
    dry_run: bool = False,
    repair: bool = False,
    differing: dict[str, list[int]] | None = None,
) -> BackupReport:
    """Mirror new, changed and deleted messages of an account into a store.

    Nothing on the server changes. Mailboxes and messages that cannot be fetched are listed in the
    report's `failures`; the others are not affected.

    Args:
        where: a `Link` or a function that connects and logs in: the run then reconnects when the
            connection is lost. With a client, a lost connection ends the run.
        store: the store to write to; None for a dry run without a store.
        mailboxes: the mailboxes to mirror, from `list_mailboxes`.
        choice: which mailboxes to mirror, by patterns, if `mailboxes` is not given. It is stored
            for later runs. None: the stored choice, or else all mailboxes.
        owner: the account; it is compared with the owner recorded in the store, and recorded.
        adopt: accept `owner` even if the store records another one.
        progress: receives the progress.
        should_stop: called after each message; true ends the run, and keeps what was fetched.
        dry_run: count what would be fetched, and change nothing.
        repair: verify the whole mirror first, fetch damaged messages again, and compare size and
            date of every message.
        differing: UIDs, by mailbox, of messages whose body `verify` found to differ.

    Returns:
        What the run did: counts, failures, notices.

    Raises:
        ConnectionLost, ProtocolError, Throttled: the run cannot go on; fetched messages are kept.
        OSError: a file cannot be written, for example because the disk is full.
        WrongAccount: the store holds the mail of another account.
        StoreError: the store is damaged or closed.
        NothingMatches: a pattern of `choice.only` matches no mailbox.
    """
    if store is None and not dry_run:
        raise UsageError("a backup needs a store; only a dry run works without one")
    link = Link.of(where)
    run = _Run(link, store, progress or NoProgress(), should_stop, dry_run)
    _log("backup begun")
    link.should_stop, link.on_wait = run.should_stop, run.show_waiting
    try:
        run.prepare(owner, adopt=adopt, repair=repair, differing=differing)
        run.all(run.listing(mailboxes, choice))
    except StoreError:
        raise
    except BaseException as error:  # KeyboardInterrupt too: complete messages are kept
        _log("backup ended by %s", type(error).__name__)
        with contextlib.suppress(OSError, StoreError):
            run.finish()
        if not (isinstance(error, ConnectionLost) and run.tally.interrupted):
            raise
    finally:
        if link is not where and callable(where):
            link.log_out()
    run.finish()
    report = run.tally.report(link.reconnects)
    _log(
        "backup over: %d mailboxes, %d of %d messages fetched, %d failures, %d reconnects",
        *(report.mailboxes, report.fetched, report.messages),
        *(len(report.failures), report.reconnects),
    )
    return report


def _log(text: str, *values: object) -> None:
    """Log to `imaplus.mirror` at level DEBUG: names of mailboxes and counts, no content."""
    if (log := logger(MIRROR)) is not None:
        log.debug(text, *values)


class _Run:
    """The state of one backup."""

    def __init__(
        self,
        link: Link,
        store: Store | None,
        progress: Progress,
        should_stop: ShouldStop,
        dry_run: bool,
    ) -> None:
        self.tally = Tally()
        self._should_stop = should_stop
        self._absence: Absence | None = None
        self._damages: tuple[Damage, ...] = ()
        self._last: list[Update] = []
        self._lost = 0
        self._work = Work(
            link=link,
            store=store,
            commits=None if dry_run or store is None else Commits(store),
            tally=self.tally,
            progress=progress,
            should_stop=self.should_stop,
            dry_run=dry_run,
        )

    def should_stop(self) -> bool:
        """Whether the run is to end; stays true once it is true."""
        self.tally.interrupted = self.tally.interrupted or bool(self._should_stop())
        return self.tally.interrupted

    def show_waiting(self) -> None:
        """Redraw the progress while the link waits."""
        self._work.progress.advance()

    def finish(self) -> None:
        """Commit everything that was fetched."""
        if self._work.commits is not None:
            self._work.commits.finish()

    def prepare(
        self,
        owner: Owner | None,
        *,
        adopt: bool,
        repair: bool,
        differing: dict[str, list[int]] | None,
    ) -> None:
        """Check the owner of the store; with `repair`, look for damage."""
        work = self._work
        if work.store is None:
            return
        before = work.store.owner
        is_known = owner is None or (before is not None and before.is_recorded_as(owner))
        if owner is not None and not is_known and not work.dry_run:
            from imaplus.mirror.ownership import claim  # not where nothing is new

            told = claim(work.link, work.store, owner, adopt=adopt)
            if told is not None:
                self.tally.tell(None, f"this backup {told}", warning=True)
        work.differing = differing
        if repair:
            from imaplus.mirror.repair import mend

            work.progress.begin("checking the backup")
            self._damages = () if work.dry_run else mend(work.store, self.tally)
            work.damaged = {}
            for damage in self._damages:
                place = damage.mailbox, damage.uidvalidity
                work.damaged.setdefault(place, []).append(damage.uid)

    # -- which mailboxes ----------------------------------------------------------------------

    def listing(
        self, mailboxes: Sequence[ListEntry] | None, choice: Choice | None
    ) -> list[ListEntry]:
        """Return the mailboxes to mirror; `all` handles those that are absent."""
        work = self._work
        if mailboxes is not None:
            return [entry for entry in mailboxes if entry.selectable]
        from imaplus.mirror.choosing import choose_mailboxes

        chosen = choose_mailboxes(
            work.link, work.store, choice, counted=not isinstance(work.progress, NoProgress)
        )
        for text in chosen.remarks:
            self.tally.tell(None, text, warning=True)
        for text in chosen.notes:
            self.tally.tell(None, text)
        self.tally.failures += chosen.listing.problems
        if work.store is not None and not work.dry_run:
            work.store.describe(choice=chosen.remembered)
            self._watch(chosen.listing)
        return list(chosen.listing.entries)

    def _watch(self, listing: Listing) -> None:
        assert self._work.store is not None
        if listing.absent:
            from imaplus.mirror.absence import Absence

            self._absence = Absence(self._work.store, listing, self.tally)

    # -- all of them --------------------------------------------------------------------------

    def all(self, entries: Sequence[ListEntry]) -> None:
        """Mirror these mailboxes in order, then fetch the messages that were set aside."""
        self._plan(entries)
        for entry in entries:
            if self.should_stop():
                break
            self.tally.mailboxes += 1
            if (held := count_unchanged(self._work, entry)) is not None:
                self.tally.messages += held
                self._work.progress.skip()
                continue
            from imaplus.mirror.update import Update  # not where nothing is new

            update = Update(self._work, entry, self._recognise)
            self._guard(entry.name, update.run)
            if update.deferred:
                self._last.append(update)
        for update in self._last:
            if not self.should_stop():
                self._guard(update.name, update.finish)
        if self._absence is not None and not self.tally.interrupted:
            self._absence.mark()
        if self._damages and not self.tally.interrupted:
            from imaplus.mirror.repair import give_up

            assert self._work.store is not None
            self._work.store.commit()
            give_up(self._work.store, self._damages, self.tally)

    def _guard(self, name: str, step: Callable[[], None]) -> None:
        """Run a step for one mailbox; record an error that does not concern the others."""
        tally, link = self.tally, self._work.link
        before, fetched, reconnects = len(tally.failures), tally.fetched, link.reconnects
        try:
            step()
        except (CommandError, UsageError) as error:
            # Without a connection the server refused the login, which concerns all mailboxes.
            if asks_for_patience(error) or not self._work.link.is_connected:
                raise
            if len(tally.failures) == before:
                tally.fail(name, None, str(error))
        except (ConnectionLost, ProtocolError) as error:
            self._lost += 1
            if not link.is_recoverable(error) or self._lost >= DEAD:
                raise
            tally.fail(name, None, f"the connection is lost each time it is read: {error}")
        else:
            self._lost = 0
        _log(
            "%s: %d messages fetched, %d failures, %d reconnects",
            *(quote(name), tally.fetched - fetched),
            *(len(tally.failures) - before, link.reconnects - reconnects),
        )

    def _recognise(self, mailbox: Mailbox, entry: ListEntry) -> None:
        old = None if self._absence is None else self._absence.recognise(mailbox, entry)
        if old is None:
            return
        work, uidvalidity = self._work, mailbox.uidvalidity or 0
        if work.damaged is not None and (old, uidvalidity) in work.damaged:
            work.damaged[entry.name, uidvalidity] = work.damaged.pop((old, uidvalidity))
        if work.differing is not None and old in work.differing:
            work.differing[entry.name] = work.differing.pop(old)

    def _plan(self, entries: Sequence[ListEntry]) -> None:
        """Report the estimated amount of work, from LIST-STATUS, to the progress."""
        work = self._work
        if isinstance(work.progress, NoProgress):
            return
        from imaplus.mirror.choosing import amount

        messages, octets = amount(work.store, entries)
        work.progress.plan(mailboxes=len(entries), messages=messages, octets=octets)

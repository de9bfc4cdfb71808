"""A backup: the mailboxes of an account are enumerated, compared, fetched, committed, and promised.

`backup` knows the order. Each mailbox is the work of `update`; one that fails does not keep the
others from their turn, and messages on which the connection was lost come last of all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from imaplus.errors import CommandError, ConnectionLost, ProtocolError, UsageError, quoted
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
"""Mailboxes in a row at which every connection was lost, after which the run ends."""


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
    """Mirror what is new, changed and gone on the server into the store.

    Nothing on the server changes. A mailbox or message that cannot be had is among the report's
    `failures`; the others are not affected.

    Args:
        where: a `Link`, or a function that gives a client that is logged in: then the run connects
            again when the connection is lost. With a client alone it ends there.
        store: where the mail goes; None for a dry run where there is no store yet.
        mailboxes: the mailboxes to mirror, as `list_mailboxes` gives them.
        choice: which mailboxes to mirror, by patterns, if `mailboxes` is not given. It is
            remembered for the next run; None takes what was remembered, else all.
        owner: whose mail it is: checked against what the store records, and recorded.
        adopt: the caller says that the store is this owner's, whatever it records.
        progress: is told how the work comes along.
        should_stop: is asked after each message; what has come by then is kept.
        dry_run: count what would be fetched, and change nothing.
        repair: read the whole mirror first, fetch again what is damaged, mend what can be mended,
            and compare size and date of every message, whatever the server says of changes.
        differing: UIDs, by mailbox, of messages that `verify` found to be other ones on the server.

    Raises:
        ConnectionLost, ProtocolError, Throttled: the run cannot go on. What has come is kept.
        OSError: the disk is full, or the store may not be written. What has come is kept, if there
            is room to say so.
        WrongAccount: the store holds other mail than the owner's.
        StoreError: the store itself is damaged, or closed.
    """
    if store is None and not dry_run:
        raise UsageError("a backup needs a store to go to")
    link = Link.of(where)
    run = _Run(link, store, progress or NoProgress(), should_stop, dry_run)
    _log("backup begun")
    link.should_stop, link.on_wait = run.should_stop, run.show_waiting
    try:
        run.prepare(owner, adopt=adopt, repair=repair, differing=differing)
        run.all(run.listing(mailboxes, choice))
    except StoreError:
        raise
    except BaseException as error:  # Ctrl-C too: what has come whole is kept
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
    """Tell whoever listens to `imaplus.mirror`: names of mailboxes and counts, no content."""
    if (log := logger(MIRROR)) is not None:
        log.debug(text, *values)


class _Run:
    """One backup, and what it has come to so far."""

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
        """Whether the run is to end; asked again and again, and once is enough."""
        self.tally.interrupted = self.tally.interrupted or bool(self._should_stop())
        return self.tally.interrupted

    def show_waiting(self) -> None:
        """Show that time passes while nothing comes."""
        self._work.progress.advance()

    def finish(self) -> None:
        """Keep all that has come."""
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
        """Check whose mirror it is; look for damage, if it is to be repaired."""
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
        """The mailboxes that are mirrored in this run; what is absent is dealt with by `all`."""
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
        """Mirror these mailboxes, one after the other, then what was set aside in any of them."""
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
        """Do something for one mailbox; its failure is not the others'."""
        tally, link = self.tally, self._work.link
        before, fetched, reconnects = len(tally.failures), tally.fetched, link.reconnects
        try:
            step()
        except (CommandError, UsageError) as error:
            # Without a connection it is the login that was refused, which concerns all of them.
            if asks_for_patience(error) or not self._work.link.is_connected:
                raise
            if len(tally.failures) == before:
                tally.fail(name, None, str(error))
        except (ConnectionLost, ProtocolError) as error:
            self._lost += 1
            if not link.is_recoverable(error) or self._lost >= DEAD:
                raise
            tally.fail(name, None, f"the connection is lost whenever it is read: {error}")
        else:
            self._lost = 0
        _log(
            "%s: %d messages fetched, %d failures, %d reconnects",
            *(quoted(name), tally.fetched - fetched),
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
        """Tell how much there seems to be to do, from what STATUS told with the list."""
        work = self._work
        if isinstance(work.progress, NoProgress):
            return
        from imaplus.mirror.choosing import amount

        messages, octets = amount(work.store, entries)
        work.progress.plan(mailboxes=len(entries), messages=messages, octets=octets)

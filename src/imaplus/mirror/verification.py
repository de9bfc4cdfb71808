"""Verify a mirror: check the store on disk, and compare it with the server.

`verify` inspects the disk (`inspection`), then compares UIDs, sizes, dates, flags and labels with
the server. It compares bodies if the sizes differ, or for a sample, or for all messages. It changes
nothing; `verify_and_repair` runs a backup that repairs what was found.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from imaplus import (
    Client,
    CommandError,
    ConnectionLost,
    ListEntry,
    Mailbox,
    SequenceSet,
    UsageError,
)
from imaplus.mirror.choosing import choose_mailboxes
from imaplus.mirror.differences import MISSING, Differences
from imaplus.mirror.digests import digests
from imaplus.mirror.errors import StoreCorrupt, asks_for_patience
from imaplus.mirror.identity import identity_items
from imaplus.mirror.link import Connect, Link
from imaplus.mirror.ownership import claim, is_anothers
from imaplus.mirror.progress import NoProgress, Progress, ShouldStop, never
from imaplus.mirror.reports import BackupReport, Notice, Problem, VerifyReport
from imaplus.mirror.run import backup
from imaplus.mirror.shelf import MailboxInfo
from imaplus.mirror.store import Store
from imaplus.mirror.unsticky import recognise

if TYPE_CHECKING:
    from imaplus.mirror.description import Choice, Owner
    from imaplus.mirror.entries import Entries
    from imaplus.mirror.inspection import Inspection

ROUNDS = 2
"""Repair runs at most: files that were unreadable are compared after the first repair."""
_DAMAGE = {
    "missing": "is missing",
    "size": "has the wrong size",
    "corrupt": "is damaged",
}


class _Stopped(Exception):
    """`should_stop` returned true."""


def verify(
    store: Store,
    where: Link | Client | Connect | None = None,
    *,
    mailboxes: Sequence[ListEntry] | None = None,
    choice: Choice | None = None,
    owner: Owner | None = None,
    sample: int = 0,
    deep: bool = False,
    progress: Progress | None = None,
    should_stop: ShouldStop = never,
) -> VerifyReport:
    """Check a mirror for damage, and compare it with the server if `where` is given.

    A mailbox that is recorded as gone is not a difference; it is reported as a notice.

    Args:
        store: the store; it may be opened read-only.
        where: as for `backup`; None checks the disk only.
        mailboxes: the mailboxes to compare, from `list_mailboxes`.
        choice: which mailboxes to compare, if `mailboxes` is not given; None: the stored choice.
        owner: the account of `where`; a notice is added if the store records another one.
        sample: how many bodies to fetch and compare, chosen at random from the whole mirror.
        deep: fetch and compare all bodies.
        progress: receives the progress.
        should_stop: called after each message; true ends the verification.

    Returns:
        The problems found, and the number of messages and bytes that were checked.

    Raises:
        ImapError: the server cannot be reached, or refuses the login.
    """
    verification = _Verification(store, progress or NoProgress(), should_stop)
    link = None if where is None else Link.of(where)
    if link is not None:
        link.should_stop, link.on_wait = should_stop, verification.show_waiting
    try:
        verification.inspect()
        if link is not None:
            if owner is not None:
                verification.owner(owner)
            verification.account(link, mailboxes, choice, sample, deep)
    except _Stopped:
        return verification.report(interrupted=True)
    except ConnectionLost:
        if not should_stop():
            raise
        return verification.report(interrupted=True)
    finally:
        if link is not None and callable(where):
            link.log_out()
    return verification.report(interrupted=False)


def verify_and_repair(
    store: Store,
    where: Link | Client | Connect,
    *,
    choice: Choice | None = None,
    owner: Owner | None = None,
    sample: int = 0,
    deep: bool = False,
    progress: Progress | None = None,
    should_stop: ShouldStop = never,
) -> tuple[VerifyReport, tuple[BackupReport, ...], VerifyReport]:
    """Verify, repair what was found by a backup, and verify again. Arguments as for `verify`.

    Returns:
        The first report, the reports of the backups (none if there was nothing to repair, at most
        two), and the last report.

    Raises: as `verify` and `backup`; WrongAccount before anything is changed.
    """
    link = Link.of(where)
    if owner is not None and store.owner != owner:
        claim(link, store, owner)

    def look() -> VerifyReport:
        return verify(
            store,
            link,
            choice=choice,
            sample=sample,
            deep=deep,
            progress=progress,
            should_stop=should_stop,
        )

    before = after = look()
    done: list[BackupReport] = []
    while not (after.clean or after.interrupted) and len(done) < ROUNDS:
        if done and not after.differing:
            break  # another repair would change nothing
        differing: dict[str, list[int]] = {}
        for mailbox, uid in after.differing:
            differing.setdefault(mailbox, []).append(uid)
        done.append(
            backup(
                link,
                store,
                choice=choice,
                progress=progress,
                should_stop=should_stop,
                repair=True,
                differing=differing,
            )
        )
        if done[-1].interrupted:
            break
        after = look()
    return before, tuple(done), after


class _Verification:
    def __init__(self, store: Store, progress: Progress, should_stop: ShouldStop) -> None:
        self._store = store
        self._progress = progress
        self._should_stop = should_stop
        self._problems: list[Problem] = []
        self._notices: list[Notice] = []
        self._differing: list[tuple[str, int]] = []
        self._found: Inspection | None = None
        self._known: dict[str, MailboxInfo] = {}
        self._bodies: dict[str, list[int]] = {}  # to be compared, by mailbox
        self._deep = False

    def report(self, *, interrupted: bool) -> VerifyReport:
        found = self._found
        return VerifyReport(
            mailboxes=found.mailboxes if found is not None else 0,
            messages=found.messages if found is not None else 0,
            octets=found.octets if found is not None else 0,
            problems=tuple(self._problems),
            interrupted=interrupted,
            notices=tuple(self._notices),
            differing=tuple(self._differing),
            unfinished=() if found is None else found.unfinished,
        )

    def show_waiting(self) -> None:
        """Redraw the progress while the link waits."""
        self._progress.advance()

    def _problem(self, mailbox: str | None, uid: int | None, problem: str) -> None:
        self._problems.append(Problem(mailbox, uid, problem))

    def _poll(self) -> None:
        if self._should_stop():
            raise _Stopped

    # -- the disk -----------------------------------------------------------------------------

    def inspect(self) -> None:
        """Hash every body, and compare the results with the journals."""
        begun = False
        done = 0

        def advance(read: int, total: int) -> None:
            nonlocal begun, done
            if not begun:
                self._progress.plan(mailboxes=1, octets=total)
                self._progress.begin("reading every message")
                begun = True
            self._progress.advance(1, read - done)
            done = read
            self._poll()

        self._found = found = self._store.inspect(advance)
        for damage in found.damages:
            what = f"the stored message {_DAMAGE[damage.problem]} (SHA-256 {damage.sha256})"
            self._problem(damage.mailbox, damage.uid, what)
        named = {damage.sha256 for damage in found.damages}
        for sha256 in found.corrupt:
            if sha256 not in named:
                self._problem(
                    None, None, f"a stored message of no mailbox is damaged (SHA-256 {sha256})"
                )
        for path in found.strangers:
            self._problem(None, None, f"{path}: not part of the backup")
        for what in found.unreadable:
            self._problem(None, None, what)
        for mailbox, what in found.promises:
            self._problem(mailbox, None, what)
        if found.lost:
            lost = f"{found.lost:,} damaged messages are lost: no server has them any more"
            self._notices.append(Notice(None, lost))

    # -- against the server -------------------------------------------------------------------

    def owner(self, owner: Owner) -> None:
        """Add a notice if the mirror is compared with another account than its own."""
        mine = self._store.owner
        if mine is not None and is_anothers(self._store, owner):
            text = f"this is the mirror of {mine.place}; it is compared with {owner.place}"
            self._notices.append(Notice(None, text, warning=True))

    def account(
        self,
        link: Link,
        mailboxes: Sequence[ListEntry] | None,
        choice: Choice | None,
        sample: int,
        deep: bool,
    ) -> None:
        """Compare the chosen mailboxes with the server."""
        self._known = {info.name: info for info in self._store.others()}
        entries = mailboxes
        if entries is None:
            chosen = choose_mailboxes(link, self._store, choice)
            listing = chosen.listing
            entries = listing.entries
            if choice is not None:
                self._notices += (Notice(None, text, warning=True) for text in chosen.remarks)
            self._notices += (Notice(None, text) for text in chosen.notes)
            self._problems += listing.problems
            for info in listing.absent:
                self._problem(info.name, None, "the server no longer has this mailbox")
        for info in self._known.values():
            if info.gone is not None:
                when = f"{info.gone:%Y-%m-%d}"
                text = f"gone from the server since {when}; its messages are kept in the backup"
                self._notices.append(Notice(info.name, text))
        self._deep = deep
        if sample and not deep:
            self._draw(sample, [entry.name for entry in entries])
        self._progress.plan(mailboxes=len(entries))
        for entry in entries:
            if entry.selectable:
                self._poll()
                self._mailbox(link, entry)

    def _draw(self, sample: int, names: Sequence[str]) -> None:
        """Choose, at random, the messages whose bodies are compared."""
        sizes: dict[str, int] = {}
        for name in names:
            with suppress(StoreCorrupt):
                if name in self._known:
                    sizes[name] = len(self._entries(name))
        total = sum(sizes.values())
        places = sorted(random.sample(range(total), min(sample, total)))
        start = 0
        for name, size in sizes.items():
            here = [place - start for place in places if start <= place < start + size]
            if here:
                uids = sorted(self._entries(name))
                self._bodies[name] = [uids[place] for place in here]
            start += size

    def _entries(self, name: str) -> Entries:
        return self._store.mailbox(name, self._known[name].generations[-1]).entries

    def _mailbox(self, link: Link, entry: ListEntry) -> None:
        self._progress.begin(entry.name)
        info = self._known.get(entry.name)
        if info is None or not info.generations:
            self._problem(entry.name, None, f"the mailbox is {MISSING}")
            return
        try:
            self._problems += link.attempt(lambda _: self._differences(link, info))
        except StoreCorrupt:
            pass  # `inspect` has reported it
        except (CommandError, UsageError) as error:
            if asks_for_patience(error):
                raise
            self._problem(entry.name, None, str(error))

    def _differences(self, link: Link, info: MailboxInfo) -> list[Problem]:
        """Return all differences of one mailbox. Repeated if the connection is lost."""
        mailbox = link.examine(info.name)
        if not (mailbox.uidvalidity and mailbox.uids_persist):
            journal = self._store.mailbox(info.name, 0) if 0 in info.generations else None
            missing = mailbox.exists
            if journal is not None:
                missing -= len(recognise(self._store, mailbox, journal))
            text = f"{missing:,} messages are {MISSING}"
            return [Problem(info.name, None, text)] if missing else []
        if mailbox.uidvalidity not in info.generations:
            text = f"its UIDVALIDITY is {mailbox.uidvalidity}, which is {MISSING}"
            return [Problem(info.name, None, text)] if mailbox.exists else []
        entries = self._store.mailbox(info.name, mailbox.uidvalidity).entries
        differences = Differences(mailbox, entries, identity_items(link.client), self._tick)
        problems = [Problem(info.name, uid, text) for uid, text in differences.all(link)]
        wanted = {*differences.doubtful, *self._bodies.get(info.name, ())}
        uids = SequenceSet.of(entries if self._deep else (uid for uid in wanted if uid in entries))
        for uid in self._other_bodies(mailbox, entries, uids):
            problems.append(Problem(info.name, uid, "the message has other bytes on the server"))
            self._differing.append((info.name, uid))
        return problems

    def _other_bodies(self, mailbox: Mailbox, entries: Entries, uids: SequenceSet) -> Iterator[int]:
        if not uids or not mailbox.exists:
            return
        for uid, sha256 in digests(mailbox, uids):
            self._tick()
            if uid in entries and sha256 != entries[uid].sha256:
                yield uid

    def _tick(self) -> None:
        self._poll()
        self._progress.advance(1)

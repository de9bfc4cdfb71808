"""Is the mirror whole, and is it what the server has?

The store checks itself (`check`); here UIDs, flags and sizes are compared with the server's. Where
sizes differ, the message itself decides: some servers count octets wrongly. Nothing is changed on
either side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from imaplus import Client, CommandError, ListEntry, Mailbox, SequenceSet, UsageError
from imaplus.mirror.bodies import BODY, value_of
from imaplus.mirror.changes import flags_of, list_mailboxes
from imaplus.mirror.check import Report
from imaplus.mirror.entries import Entries
from imaplus.mirror.errors import asks_for_patience
from imaplus.mirror.progress import NoProgress, Progress, ShouldStop, never
from imaplus.mirror.reports import Problem, VerifyReport
from imaplus.mirror.store import MailboxInfo, Store

MISSING = "not in the mirror"


class _Stopped(Exception):
    """The user wants no more."""


def verify(
    store: Store,
    client: Client | None = None,
    *,
    mailboxes: Sequence[ListEntry] | None = None,
    progress: Progress | None = None,
    should_stop: ShouldStop = never,
) -> VerifyReport:
    """What is wrong with the mirror; with a client, also where it differs from the server.

    Compared are the `mailboxes` (None: all that the server has). A mailbox that the server no
    longer has is kept, and no difference. Messages and octets are the mirror's.

    Raises:
        ImapError: the server cannot be asked.
    """
    check = _Verification(store, progress or NoProgress(), should_stop)
    try:
        check.store_itself()
        if client is not None:
            entries = list_mailboxes(client) if mailboxes is None else mailboxes
            entries = [entry for entry in entries if entry.selectable]
            check.plan(len(entries))
            for entry in entries:
                check.mailbox(client, entry)
    except _Stopped:
        return check.report(interrupted=True)
    return check.report(interrupted=False)


class _Verification:
    def __init__(self, store: Store, progress: Progress, should_stop: ShouldStop) -> None:
        self._store = store
        self._progress = progress
        self._should_stop = should_stop
        self._problems: list[Problem] = []
        self._found: Report | None = None
        self._known: dict[str, MailboxInfo] = {}

    def report(self, *, interrupted: bool) -> VerifyReport:
        found = self._found
        return VerifyReport(
            mailboxes=found.mailboxes if found is not None else 0,
            messages=found.messages if found is not None else 0,
            octets=found.octets if found is not None else 0,
            problems=tuple(self._problems),
            interrupted=interrupted,
        )

    def _problem(self, mailbox: str | None, uid: int | None, problem: str) -> None:
        self._problems.append(Problem(mailbox, uid, problem))

    def _poll(self) -> None:
        if self._should_stop():
            raise _Stopped

    # -- the store by itself ------------------------------------------------------------------

    def store_itself(self) -> None:
        """Read every body again, and compare the journals with them."""
        begun = done = 0

        def told(octets: int, total: int) -> None:
            nonlocal begun, done
            if not begun:
                self._progress.plan(mailboxes=0, octets=total)
                self._progress.begin("reading every message")
                begun = 1
            self._progress.advance(1, octets - done)
            done = octets
            self._poll()

        self._found = self._store.verify(told)
        for damage in self._found.damages:
            what = {"missing": "is missing", "size": "has another size"}.get(
                damage.problem, "has other octets than when it was fetched"
            )
            self._problem(damage.mailbox, damage.uid, f"its body {what} ({damage.sha256})")
        named = {damage.sha256 for damage in self._found.damages}
        for sha256 in self._found.corrupt:
            if sha256 not in named:
                self._problem(None, None, f"a body that is in no mailbox is damaged ({sha256})")
        for what in self._found.unreadable:
            self._problem(None, None, what)

    # -- against the server -------------------------------------------------------------------

    def plan(self, mailboxes: int) -> None:
        """Tell how much there is to compare beside what has been read already."""
        found = self._found
        if found is not None:
            messages = found.messages + found.objects
            self._progress.plan(mailboxes=mailboxes, messages=messages, octets=found.octets)

    def mailbox(self, client: Client, entry: ListEntry) -> None:
        """Compare one mailbox."""
        self._poll()
        self._progress.begin(entry.name)
        if not self._known:
            self._known = {info.name: info for info in self._store.mailboxes()}
        info = self._known.get(entry.name)
        if info is None:
            self._problem(entry.name, None, f"the mailbox is {MISSING}")
            return
        try:
            mailbox = client.examine(entry.name)
            if mailbox.uidvalidity not in info.generations:
                if mailbox.exists:
                    what = f"its UIDVALIDITY is {mailbox.uidvalidity}, which is {MISSING}"
                    self._problem(entry.name, None, what)
                return
            entries = self._store.mailbox(entry.name, mailbox.uidvalidity).entries
            self._compare(mailbox, entries)
        except (CommandError, UsageError) as error:
            if asks_for_patience(error):
                raise
            self._problem(entry.name, None, str(error))

    def _compare(self, mailbox: Mailbox, entries: Entries) -> None:
        left = set(entries)
        doubtful: list[int] = []
        for uid, problem in self._differences(mailbox, entries, left, doubtful):
            self._problem(mailbox.name, uid, problem)
        self._sizes(mailbox, entries, doubtful)
        if left:
            present = mailbox.uids()
            for uid in sorted(left):
                gone = "cannot be read there" if uid in present else "is gone from the server"
                self._problem(mailbox.name, uid, f"the message {gone}")

    def _differences(
        self, mailbox: Mailbox, entries: Entries, left: set[int], doubtful: list[int]
    ) -> Iterator[tuple[int, str]]:
        if not mailbox.exists:
            return
        for message in mailbox.fetch("1:*", "FLAGS", "RFC822.SIZE"):
            self._poll()
            self._progress.advance(1)
            uid = message.uid
            if uid is None:
                continue
            if uid not in entries:
                yield uid, f"the message is {MISSING}"
                continue
            left.discard(uid)
            flags = flags_of(message)
            mirrored = entries.flags(uid)
            if flags is not None and flags != mirrored:
                yield uid, f"flags are {_words(flags)} on the server, {_words(mirrored)} here"
            size = value_of(message, "RFC822.SIZE")
            if size is not None and size != entries[uid].size:
                doubtful.append(uid)

    def _sizes(self, mailbox: Mailbox, entries: Entries, uids: list[int]) -> None:
        """Read messages whose size is not as the server says: the server's count may be wrong."""
        if not uids:
            return
        for message in mailbox.fetch(SequenceSet.of(uids), BODY, into=lambda uid, size: Digest()):
            self._poll()
            if message.uid is None or message.uid not in entries:
                continue
            body = message.get(BODY.key)
            found = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else body
            if found is not None and found != entries[message.uid].sha256:
                self._problem(mailbox.name, message.uid, "the message is another on the server")


class Digest:
    """A sink that keeps nothing of a body but its SHA-256."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def write(self, data: Any, /) -> None:
        """Take the next octets."""
        self._digest.update(data)

    def close(self) -> str:
        """The digest in hexadecimal."""
        return self._digest.hexdigest()

    def abort(self) -> None:
        """Nothing is left of it anyway."""


def _words(flags: frozenset[str]) -> str:
    return f"({' '.join(sorted(flags))})"

"""Mirror mailboxes whose UIDs do not persist: no UIDVALIDITY, or UIDNOTSTICKY (RFC 4315, 4).

Their messages are numbered by the mirror, in a journal with UIDVALIDITY 0, and matched by size,
INTERNALDATE and header.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from typing import TYPE_CHECKING

from imaplus import SequenceSet
from imaplus.mirror.comparison import date_of, flags_of, value_of
from imaplus.mirror.fetch import Fetching
from imaplus.mirror.headers import headers, stored_header

if TYPE_CHECKING:
    from datetime import datetime

    from imaplus import Fetched, ListEntry, Mailbox
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.store import Store
    from imaplus.mirror.work import Work

Key = tuple[int | None, "datetime | None"]


def mirror_by_hash(work: Work, entry: ListEntry, mailbox: Mailbox) -> None:
    """Mirror new, changed and deleted messages of such a mailbox."""
    work.tally.tell_once(
        None,
        "the server's UIDs do not persist: messages are stored by hash, and matched by size, date "
        "and header",
    )
    if work.store is None or work.dry_run:
        work.tally.messages += mailbox.exists
        return
    journal = work.store.mailbox(
        entry.name, 0, delimiter=entry.delimiter, attributes=entry.attributes
    )
    seen: dict[int, Key] = {}
    flags: dict[int, frozenset[str]] = {}

    def look(client: object) -> None:
        nonlocal mailbox
        if not mailbox.is_open:
            mailbox = work.link.examine(entry.name)
        seen.clear()
        for message in _messages(mailbox):
            seen[message.uid] = value_of(message, "RFC822.SIZE"), date_of(message)
            flags[message.uid] = flags_of(message) or frozenset()

    work.link.attempt(look)
    found = _match_headers(work.store, mailbox, journal, seen)
    for uid, number in found.items():
        work.tally.flags_changed += journal.set_flags(number, flags[uid])
    complete = len(seen) == mailbox.exists
    if complete:
        claimed = set(found.values())
        gone = [number for number in journal.entries if number not in claimed]
        work.tally.vanished += journal.vanish(gone)
    else:
        shortfall = f"the server returned only {len(seen):,} of {mailbox.exists:,} messages"
        work.tally.fail(entry.name, None, shortfall)
    _fetch(work, mailbox, journal, SequenceSet.of(uid for uid in seen if uid not in found))
    work.tally.messages += len(journal.entries)
    failed = work.tally.failed_uids(entry.name)
    if complete and not work.should_stop() and len(journal.entries) + len(failed) == len(seen):
        journal.mark(exists=len(seen))


def _messages(mailbox: Mailbox) -> list[Fetched]:
    if not mailbox.exists:
        return []
    return list(mailbox.fetch("1:*", "FLAGS", "INTERNALDATE", "RFC822.SIZE"))


def recognise(store: Store, mailbox: Mailbox, journal: Journal) -> dict[int, int]:
    """Return the numbers of the messages that the mirror has, by their current UIDs."""
    seen: dict[int, Key] = {
        message.uid: (value_of(message, "RFC822.SIZE"), date_of(message))
        for message in _messages(mailbox)
    }
    return _match_headers(store, mailbox, journal, seen)


def _match_headers(
    store: Store, mailbox: Mailbox, journal: Journal, seen: dict[int, Key]
) -> dict[int, int]:
    """Match messages of the mailbox with entries of the journal: numbers by current UID."""
    known: defaultdict[Key, list[int]] = defaultdict(list)
    for number, entry in journal.entries.items():
        known[entry.size, entry.internaldate].append(number)
    alike = SequenceSet.of(uid for uid, key in seen.items() if key in known)
    found: dict[int, int] = {}
    if not alike:
        return found
    for uid, header in headers(mailbox, alike):
        candidates = known[seen[uid]]
        for number in candidates:
            if stored_header(store, journal.entries[number].sha256) == header:
                found[uid] = number
                candidates.remove(number)
                break
    return found


def _fetch(work: Work, mailbox: Mailbox, journal: Journal, uids: SequenceSet) -> None:
    if not uids or work.should_stop():
        return
    assert work.store is not None
    last = max((*journal.entries, *journal.gone), default=0)

    def number(uid: int) -> int:
        nonlocal last
        last += 1
        return last

    fetching = Fetching(
        work.link,
        mailbox,
        work.store,
        journal,
        progress=work.progress,
        failed=lambda uid, problem: work.tally.fail(mailbox.name, uid, problem),
        number=number,
    )
    work.take(_both(fetching, uids))


def _both(fetching: Fetching, uids: SequenceSet) -> Generator[int, None, None]:
    yield from fetching.fetch(uids)
    yield from fetching.fetch_last(fetching.deferred)

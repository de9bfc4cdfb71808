"""Detect mailboxes that were deleted or renamed on the server.

A mailbox of the mirror that the server no longer lists is either gone or renamed. It is renamed if
a new mailbox has the same MAILBOXID (RFC 8474), or the same UIDVALIDITY and the same messages:
all UIDs, sizes and dates agree. A renamed mailbox keeps its journal, and no body is fetched again.
A mailbox that is gone stays in the store, marked as gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaplus.errors import CommandError
from imaplus.mirror.comparison import differs

if TYPE_CHECKING:
    from imaplus import ListEntry, Mailbox
    from imaplus.mirror.enumeration import Listing
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.shelf import MailboxInfo
    from imaplus.mirror.store import Store
    from imaplus.mirror.tally import Tally

SEVERAL = 2
"""If more mailboxes than this are gone in one run, the run warns."""


class Absence:
    """The mailboxes of a store that the server did not list in this run."""

    def __init__(self, store: Store, listing: Listing, tally: Tally) -> None:
        self._store = store
        self._tally = tally
        self._absent = {info.name: info for info in listing.absent}

    def recognise(self, mailbox: Mailbox, entry: ListEntry) -> str | None:
        """Move the journal if `mailbox` is a renamed one.

        Returns the old name, or None if no absent mailbox has the same messages.
        """
        uidvalidity = mailbox.uidvalidity or 0
        for name, info in self._absent.items():
            if uidvalidity == info.generations[-1] and self._is_same(mailbox, info):
                self._store.mailbox(
                    entry.name,
                    uidvalidity,
                    delimiter=entry.delimiter,
                    attributes=entry.attributes,
                    mailboxid=mailbox.mailboxid,
                )
                self._store.move_journal(name, entry.name, uidvalidity)
                del self._absent[name]
                self._tally.renamed.append((name, entry.name))
                self._tally.tell(entry.name, f"was called {name}: its messages are here already")
                return name
        return None

    def _is_same(self, mailbox: Mailbox, info: MailboxInfo) -> bool:
        if None not in (mailbox.mailboxid, info.mailboxid):
            return mailbox.mailboxid == info.mailboxid
        journal = self._store.mailbox(info.name, mailbox.uidvalidity or 0)
        if not journal.entries:
            return False
        try:
            return _has_same_messages(mailbox, journal)
        except CommandError:
            return False

    def mark(self) -> None:
        """Mark the remaining absent mailboxes as gone, and report them."""
        for name, info in self._absent.items():
            journal = self._store.mailbox(name, info.generations[-1])
            held = len(journal.entries)
            if journal.set_absent(True):
                self._tally.gone.append(name)
                kept = f"what the mirror has of it is kept ({held:,})"
                self._tally.tell(name, f"gone from the server; {kept}")
        if len(self._tally.gone) > SEVERAL:
            names = ", ".join(self._tally.gone)
            several = f"{len(self._tally.gone)} mailboxes are gone from the server at once: {names}"
            self._tally.tell(None, several, warning=True)


def _has_same_messages(mailbox: Mailbox, journal: Journal) -> bool:
    """Whether the mailbox has every message of the journal, and no other below its UIDNEXT."""
    entries, checkpoint = journal.entries, journal.checkpoint
    uidnext = max(entries, default=0) + 1
    if checkpoint is not None and checkpoint.uidnext is not None:
        uidnext = max(uidnext, checkpoint.uidnext)
    agreeing = 0
    for message in mailbox.fetch("1:*", "INTERNALDATE", "RFC822.SIZE") if mailbox.exists else ():
        uid = message.uid
        if uid >= uidnext:
            continue
        if uid not in entries or differs(message, entries[uid]):
            return False
        agreeing += 1
    return agreeing == len(entries)

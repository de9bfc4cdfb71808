"""Snapshots: what the accounts hold at one moment, to which they can be put back.

Putting back is what happens to a server that is restored from its own backup: UIDNEXT and
HIGHESTMODSEQ go back, and UIDs may come again under the same UIDVALIDITY with other messages. It
knows the store, and nothing of sessions but that they are told.
"""

from __future__ import annotations

from collections.abc import Iterable

from imaplus.records import record, replace
from imaplus.testing.store import Account, Mailbox, Message


@record
class MailboxState:
    """One mailbox at one moment."""

    mailbox: Mailbox
    name: str
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    recent_from: int
    messages: tuple[Message, ...]
    expunged: tuple[tuple[int, int], ...]
    selectable: bool
    attributes: frozenset[str]

    @classmethod
    def of(cls, box: Mailbox) -> MailboxState:
        """The mailbox as it is now."""
        return cls(
            box,
            box.name,
            box.uidvalidity,
            box.uidnext,
            box.highestmodseq,
            box.recent_from,
            tuple(replace(message) for message in box.messages.values()),
            tuple(box.expunged),
            box.selectable,
            box.attributes,
        )

    def put_back(self) -> Mailbox:
        """Make the mailbox what it was. Sessions that have it selected lose it."""
        box = self.mailbox
        for watcher in list(box.watchers):
            watcher.deleted()
        box.name = self.name
        box.uidvalidity = self.uidvalidity
        box.uidnext = self.uidnext
        box.highestmodseq = self.highestmodseq
        box.recent_from = self.recent_from
        box._put(replace(message) for message in self.messages)
        box.expunged = list(self.expunged)
        box.selectable = self.selectable
        box.attributes = self.attributes
        return box


@record
class Snapshot:
    """What accounts held. It may be restored more than once."""

    accounts: tuple[tuple[Account, tuple[MailboxState, ...], frozenset[str]], ...]

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> Snapshot:
        """The accounts as they are now; to be called in the server's thread."""
        return cls(
            tuple(
                (
                    account,
                    tuple(map(MailboxState.of, account.mailboxes.values())),
                    frozenset(account.subscriptions),
                )
                for account in accounts
            )
        )

    def restore(self) -> None:
        """Make the accounts what they were; to be called in the server's thread."""
        for account, states, subscriptions in self.accounts:
            kept = {state.mailbox for state in states}
            for box in account.mailboxes.values():
                if box not in kept:
                    for watcher in list(box.watchers):
                        watcher.deleted()
            account.mailboxes = {state.name: state.put_back() for state in states}
            account.subscriptions = set(subscriptions)

"""Snapshots: the state of the accounts at one moment, which can be restored.

Restoring simulates a server that is restored from its backup: UIDNEXT and HIGHESTMODSEQ are reset,
and UIDs may be assigned again to other messages under the same UIDVALIDITY.
"""

from __future__ import annotations

from collections.abc import Iterable

from imaplus.records import record, replace
from imaplus.testing.store import Account, Mailbox, Message


@record
class MailboxState:
    """The state of one mailbox."""

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
        """Save the current state of a mailbox."""
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
        """Restore the mailbox. Sessions that have it selected are disconnected."""
        box = self.mailbox
        for watcher in list(box.watchers):
            watcher.on_deleted()
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
    """The state of accounts. It may be restored more than once."""

    accounts: tuple[tuple[Account, tuple[MailboxState, ...], frozenset[str]], ...]

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> Snapshot:
        """Save the current state of accounts; call it in the server's thread."""
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
        """Restore the accounts; call it in the server's thread."""
        for account, states, subscriptions in self.accounts:
            kept = {state.mailbox for state in states}
            for box in account.mailboxes.values():
                if box not in kept:
                    for watcher in list(box.watchers):
                        watcher.on_deleted()
            account.mailboxes = {state.name: state.put_back() for state in states}
            account.subscriptions = set(subscriptions)

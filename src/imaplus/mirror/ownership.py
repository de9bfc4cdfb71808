"""Whose mirror a store is: checked before anything is mixed into it.

A store records user, host, port and how the server introduced itself. Under another host or port
the mail itself decides: UIDVALIDITYs and a sample of hashes have to agree. If they do not, or the
user is another one, only a person can say that it is the same account (`adopt`).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from imaplus import SequenceSet
from imaplus.errors import CommandError
from imaplus.mirror.description import Owner
from imaplus.mirror.digests import digests
from imaplus.mirror.errors import WrongAccount
from imaplus.records import replace

if TYPE_CHECKING:
    from imaplus.mirror.link import Link
    from imaplus.mirror.store import MailboxInfo, Store

MAILBOXES = 10
"""Mailboxes of which messages are compared."""
MESSAGES = 5
"""Messages of each: the oldest and the newest that the mirror has."""


def claim(link: Link, store: Store, owner: Owner, *, adopt: bool = False) -> str | None:
    """Make sure that the store is the mirror of `owner`, and record that; what to tell the user.

    Raises:
        WrongAccount: it holds other mail, or that cannot be told.
    """
    before = store.owner
    if before is None or adopt or _is_known(before, owner):
        _record(store, owner)
        adopted = adopt and before is not None and not _is_known(before, owner)
        return (
            f"was of {before.place}; it is now of {owner.place} (--adopt)"
            if adopted and before
            else None
        )
    if not before.is_same_user(owner):
        raise WrongAccount(
            str(store.path), f"this is a backup of {before.account}, not of {owner.account}"
        )
    agreeing, differing, held = _sample(link, store)
    if differing or (held and not agreeing):
        what = "has other mail" if differing else "has no message to compare with it"
        raise WrongAccount(
            str(store.path), f"this is a backup of {before.place}; {owner.place} {what}"
        )
    _record(store, owner)
    if not held:
        return f"was of {before.place} and holds no message yet; it is now of {owner.place}"
    s = "" if agreeing == 1 else "s"
    return (
        f"was of {before.place}; {owner.place} has the same mail "
        f"({agreeing} message{s} compared), so the backup is now of that"
    )


def _is_known(before: Owner, owner: Owner) -> bool:
    if before.port is None and before.account.lower() == owner.account.lower():
        return True  # of format 1, which recorded no more than that
    return before.is_same_user(owner) and before.is_same_place(owner)


def _record(store: Store, owner: Owner) -> None:
    before = store.owner
    if owner.server is None and before is not None:
        owner = replace(owner, server=before.server)
    store.describe(owner=owner)


def _sample(link: Link, store: Store) -> tuple[int, int, int]:
    """How many messages agree, and how many differ, of so many that the mirror has."""
    agreeing = differing = held = 0
    known = [info for info in store.others() if info.generations and info.generations[-1]]
    for info in islice(known, MAILBOXES):
        right, wrong = _compare(link, store, info)
        held += len(store.mailbox(info.name, info.generations[-1]).entries)
        agreeing += right
        differing += wrong
        if differing:
            break
    return agreeing, differing, held


def _compare(link: Link, store: Store, info: MailboxInfo) -> tuple[int, int]:
    try:
        mailbox = link.examine(info.name)
    except CommandError:
        return 0, 0
    if mailbox.uidvalidity != info.generations[-1]:
        return 0, int(bool(mailbox.exists))
    entries = store.mailbox(info.name, mailbox.uidvalidity).entries
    uids = sorted(entries)
    some = SequenceSet.of({*uids[:MESSAGES], *uids[-MESSAGES:]})
    if not some or not mailbox.exists:
        return 0, 0
    found = link.attempt(lambda client: list(digests(link.examine(info.name), some)))
    right = sum(sha256 == entries[uid].sha256 for uid, sha256 in found if uid in entries)
    return right, len(found) - right

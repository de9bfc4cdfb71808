"""Check that a store belongs to the account before mail is added to it.

A store records user, host, port and greeting of the server. If host or port differ, UIDVALIDITYs
and a sample of hashes are compared. If these differ too, or the user does, the user has to confirm
that it is the same account (`adopt`).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from imaplus import SequenceSet
from imaplus.errors import CommandError
from imaplus.mirror.comparison import differs
from imaplus.mirror.description import Owner
from imaplus.mirror.digests import digests
from imaplus.mirror.errors import WrongAccount
from imaplus.records import replace

if TYPE_CHECKING:
    from imaplus import Mailbox
    from imaplus.mirror.entries import Entries
    from imaplus.mirror.link import Link
    from imaplus.mirror.shelf import MailboxInfo
    from imaplus.mirror.store import Store

MAILBOXES = 10
"""The number of mailboxes in the sample."""
MESSAGES = 5
"""So many of the oldest and of the newest messages of each mailbox are compared."""


def claim(link: Link, store: Store, owner: Owner, *, adopt: bool = False) -> str | None:
    """Check that the store is the mirror of `owner`, and record the owner.

    Returns a message for the user; None if there is nothing to report.

    Raises:
        WrongAccount: the store holds other mail, or has no message to compare.
    """
    before = store.owner
    owner = replace(owner, server=link.introduction)
    if before is not None and not adopt and _is_of_format_1(before, owner):
        _doubt(link, store, owner)
        store.describe(owner=owner)
        return None
    if before is None or adopt or _is_known(before, owner):
        store.describe(owner=owner)
        if before is None or _is_known(before, owner):
            return None
        return f"was of {before.place}; it is now of {owner.place} (--adopt)"
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
    store.describe(owner=owner)
    if not held:
        return f"was of {before.place} and holds no message yet; it is now of {owner.place}"
    s = "" if agreeing == 1 else "s"
    return (
        f"was of {before.place}; {owner.place} has the same mail "
        f"({agreeing} message{s} compared), so the backup is now of that"
    )


def _is_of_format_1(before: Owner, owner: Owner) -> bool:
    """Whether the store records only the account, and it is the owner's."""
    return before.port is None and before.account.lower() == owner.account.lower()


def is_anothers(store: Store, owner: Owner) -> bool:
    """Whether the store records another owner; `claim` then compares the mail."""
    return store.owner is not None and not _is_known(store.owner, owner)


def _is_known(before: Owner, owner: Owner) -> bool:
    return before.is_same_user(owner) and before.is_same_place(owner)


def _doubt(link: Link, store: Store, owner: Owner) -> None:
    """Refuse a server with other mail, for a store without a recorded port; fetches no bodies."""
    agreeing, differing, _ = _sample(link, store, bodies=False)
    if differing and not agreeing:
        raise WrongAccount(
            str(store.path), f"holds other mail of {owner.account} than {owner.place} has"
        )


def _sample(link: Link, store: Store, *, bodies: bool = True) -> tuple[int, int, int]:
    """Compare a sample: the number of equal and of different messages, and of all in the mirror."""
    agreeing = differing = held = 0
    known = [info for info in store.others() if info.generations and info.generations[-1]]
    for info in islice(known, MAILBOXES):
        right, wrong = _compare(link, store, info, bodies=bodies)
        held += len(store.mailbox(info.name, info.generations[-1]).entries)
        agreeing += right
        differing += wrong
        if differing and bodies:
            break
    return agreeing, differing, held


def _compare(link: Link, store: Store, info: MailboxInfo, *, bodies: bool) -> tuple[int, int]:
    try:
        mailbox = link.examine(info.name)
    except CommandError:
        return 0, 0
    uidvalidity = mailbox.uidvalidity or 0
    if uidvalidity != info.generations[-1]:
        return 0, int(bool(mailbox.exists))
    entries = store.mailbox(info.name, uidvalidity).entries
    uids = sorted(entries)
    some = SequenceSet.of({*uids[:MESSAGES], *uids[-MESSAGES:]})
    if not some or not mailbox.exists:
        return 0, 0
    if not bodies:
        wrong = link.attempt(lambda _: _unlike(link.examine(info.name), some, entries))
        return wrong.count(False), wrong.count(True)
    found = link.attempt(lambda client: list(digests(link.examine(info.name), some)))
    right = sum(sha256 == entries[uid].sha256 for uid, sha256 in found if uid in entries)
    return right, len(found) - right


def _unlike(mailbox: Mailbox, uids: SequenceSet, entries: Entries) -> list[bool]:
    """Whether size or date differs from the mirror's copy, for each of these messages."""
    return [
        differs(message, entries[message.uid])
        for message in mailbox.fetch(uids, "INTERNALDATE", "RFC822.SIZE")
        if message.uid in entries
    ]

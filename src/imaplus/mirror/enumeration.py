"""What is there: the mailboxes of an account, the UIDs of a mailbox; and how sure that is.

Each count that a server tells is held against another one: LIST against INBOX and the mailboxes of
the last run, the UIDs of SEARCH against EXISTS. What differs is asked again in another way; what
stays short is reported, and nothing is taken for gone on the word of a short answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from imaplus import ListEntry, SequenceSet
from imaplus.errors import CommandError, NoSuchMailbox
from imaplus.mirror.errors import asks_for_patience
from imaplus.mirror.reports import Problem
from imaplus.records import record, replace

if TYPE_CHECKING:
    from imaplus import Client, Mailbox
    from imaplus.mirror.link import Link
    from imaplus.mirror.shelf import MailboxInfo
    from imaplus.mirror.store import Store

STATUS_ITEMS = ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ")
NOTHING = SequenceSet()
VIRTUAL = frozenset({"\\All", "\\Flagged"})
"""Special uses (RFC 6154) of mailboxes that only show mail of other mailboxes."""


@record
class Listing:
    """The mailboxes of an account that can be opened, and those that went since the last run.

    `problems` are mailboxes that LIST left out though they can be opened; these are among the
    `entries`.
    """

    entries: tuple[ListEntry, ...]
    absent: tuple[MailboxInfo, ...] = ()
    problems: tuple[Problem, ...] = ()


def list_mailboxes(client: Client, pattern: str = "*", *, sizes: bool = False) -> list[ListEntry]:
    """The mailboxes that can be opened, each once, with what tells whether it has changed.

    A `pattern` spares the server a look at all the others. `sizes` asks for numbers of every
    mailbox, and for its bytes where the server knows them (STATUS=SIZE).
    """
    # Without mod-sequences flags change unseen, so STATUS would save nothing.
    items = STATUS_ITEMS if client.can("CONDSTORE") else ("MESSAGES", "UIDNEXT", "UIDVALIDITY")
    if sizes and client.can("STATUS=SIZE"):
        items = (*items, "SIZE")
    wanted = items if sizes or client.can("CONDSTORE") else ()
    found = client.list("", pattern, status=wanted)
    return list({entry.name: entry for entry in found if entry.selectable}.values())


def enumerate_mailboxes(
    link: Link, store: Store | None, *, pattern: str = "*", sizes: bool = False
) -> Listing:
    """The mailboxes of the account, held against INBOX and against those of the last run."""
    entries = link.attempt(lambda client: list_mailboxes(client, pattern, sizes=sizes))
    missing = _missing(entries, store, pattern)
    if missing and pattern == "*":
        # Asked again without extensions: some servers answer those with nothing.
        names = {entry.name for entry in entries}
        plain = link.attempt(lambda client: client.list("", "*"))
        entries += [entry for entry in plain if entry.selectable and entry.name not in names]
        missing = _missing(entries, store, pattern)
    absent: list[MailboxInfo] = []
    problems: list[Problem] = []
    for name, info in missing.items():
        if _is_there(link, name):
            problems.append(Problem(name, None, "LIST does not show it, though it can be opened"))
            entries.append(_entry_of(name, info))
        elif info is not None:
            absent.append(info)
    return Listing(tuple(entries), tuple(absent), tuple(problems))


def _missing(
    entries: Iterable[ListEntry], store: Store | None, pattern: str
) -> dict[str, MailboxInfo | None]:
    """What LIST should have shown: INBOX (RFC 9051, 5.1), and what the last run saw."""
    names = {entry.name for entry in entries}
    missing: dict[str, MailboxInfo | None] = {}
    if pattern != "*":
        if not names and store is not None and store.generations(pattern):
            info = next((each for each in store.others() if each.name == pattern), None)
            if info is None or info.gone is None:
                missing[pattern] = info
        return missing
    if not any(name.upper() == "INBOX" for name in names):
        missing["INBOX"] = None
    if store is not None:
        others = store.others(names)
        missing |= {info.name: info for info in others if info.generations and info.gone is None}
    return missing


def _is_there(link: Link, name: str) -> bool:
    """Whether the mailbox can be opened, whatever LIST says of it."""
    try:
        link.examine(name)
    except NoSuchMailbox:
        return False
    except CommandError as error:
        return error.status == "NO" and error.code in ("INUSE", "UNAVAILABLE")
    return True


def _entry_of(name: str, info: MailboxInfo | None) -> ListEntry:
    if info is None:
        return ListEntry(name, None, frozenset())
    return ListEntry(name, info.delimiter, info.attributes)


@record
class Uids:
    """The UIDs that a mailbox was seen to have, of `exists` messages."""

    found: SequenceSet
    exists: int

    @property
    def complete(self) -> bool:
        """Whether they add up: then what is not among them is not there."""
        return len(self.found) == self.exists

    @property
    def shortfall(self) -> str:
        """What to say if they do not."""
        return (
            f"the server says that there are {self.exists:,} messages, and tells the UIDs of "
            f"{len(self.found):,}"
        )


def enumerate_uids(
    link: Link, mailbox: Mailbox, told: SequenceSet = NOTHING, *, expected: bool = False
) -> Uids:
    """The UIDs of all messages, by SEARCH, and in other ways if that does not add up.

    `told` are UIDs that are known to be there already. `expected` says that there were some the
    last time: that there are none now is asked twice.
    """
    found = by_search(mailbox, expected=expected) | told
    if len(found) == mailbox.exists:
        return Uids(found, mailbox.exists)
    link.client.noop()  # it may have changed since it was opened
    again = by_search(mailbox, expected=expected)
    for ask in (by_fetch, by_sequence):
        if len(again) == mailbox.exists:
            break
        found |= again
        again = ask(mailbox)
    if len(again) == mailbox.exists and (again or not found):
        return Uids(again, mailbox.exists)
    found |= again
    return Uids(found, mailbox.exists)


def by_search(mailbox: Mailbox, *, expected: bool = False) -> SequenceSet:
    """The UIDs of all messages, as SEARCH tells them; none if it is refused.

    Where EXISTS says that there are none, SEARCH is only sent if some are `expected`.
    """
    try:
        if expected and not mailbox.exists:
            from imaplus.search import Uid  # seldom needed, and the keys take their time to load

            return mailbox.search(Uid("1:4294967295"))
        return mailbox.uids()
    except CommandError as error:
        if asks_for_patience(error):
            raise
        return NOTHING


def by_fetch(mailbox: Mailbox) -> SequenceSet:
    """The UIDs of all messages, as FETCH tells them."""
    if not mailbox.exists:
        return NOTHING
    return SequenceSet.of(message.uid for message in mailbox.fetch("1:*", "UID"))


def by_sequence(mailbox: Mailbox) -> SequenceSet:
    """The UIDs of all messages, as FETCH of sequence numbers tells them; none if it is refused."""
    try:
        return mailbox.uids(by_sequence=True) if mailbox.exists else NOTHING
    except CommandError as error:
        if asks_for_patience(error):
            raise
        return NOTHING


def without_virtual(
    link: Link, entries: Sequence[ListEntry]
) -> tuple[list[ListEntry], list[ListEntry]]:
    """The mailboxes, and apart from them those that only show the mail of others.

    These are \\All and \\Flagged (RFC 6154), as far as the others have room for their mail: where
    \\All has more messages than all others together, it is the only place of some.
    """
    virtual = [entry for entry in entries if entry.attributes & VIRTUAL]
    others = [entry for entry in entries if entry not in virtual]
    if not virtual or not others:
        return list(entries), []
    counted = [_with_status(link, entry) for entry in entries]
    known = {entry.name: entry.status.messages for entry in counted if entry.status is not None}
    elsewhere = [known.get(entry.name) for entry in others]
    if None in elsewhere:
        return list(entries), []
    held = sum(filter(None, elsewhere))
    left_out = [
        entry
        for entry in virtual
        if "\\Flagged" in entry.attributes
        or ((number := known.get(entry.name)) is not None and number <= held)
    ]
    return [entry for entry in entries if entry not in left_out], left_out


def _with_status(link: Link, entry: ListEntry) -> ListEntry:
    if entry.status is not None and entry.status.messages is not None:
        return entry
    try:
        status = link.attempt(lambda client: client.status(entry.name, ("MESSAGES",)))
    except CommandError:
        return entry
    return replace(entry, status=status)

"""List the mailboxes of an account and the UIDs of a mailbox, and check the results.

Each result is checked against another one: LIST against INBOX and the mailboxes of the last run,
the UIDs of SEARCH against EXISTS. If they differ, another command is tried. An answer that stays
incomplete is reported, and no message or mailbox is marked as gone because of it.
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
    """The mailboxes of an account that can be opened, and those missing since the last run.

    `problems` reports mailboxes that can be opened although LIST leaves them out; they are included
    in `entries`.
    """

    entries: tuple[ListEntry, ...]
    absent: tuple[MailboxInfo, ...] = ()
    problems: tuple[Problem, ...] = ()


def list_mailboxes(client: Client, pattern: str = "*", *, sizes: bool = False) -> list[ListEntry]:
    """List the mailboxes that can be opened, each once, with the STATUS that a backup compares.

    Args:
        client: a client that is logged in.
        pattern: a pattern of LIST (RFC 9051, 6.3.9).
        sizes: request message counts, and sizes in bytes if the server supports STATUS=SIZE
            (RFC 8438).

    Raises:
        CommandError: the server refuses the command.
    """
    # Without mod-sequences STATUS does not show changed flags, so it would save nothing.
    items = STATUS_ITEMS if client.can("CONDSTORE") else ("MESSAGES", "UIDNEXT", "UIDVALIDITY")
    if sizes and client.can("STATUS=SIZE"):
        items = (*items, "SIZE")
    wanted = items if sizes or client.can("CONDSTORE") else ()
    found = client.list("", pattern, status=wanted)
    return list({entry.name: entry for entry in found if entry.selectable}.values())


def enumerate_mailboxes(
    link: Link, store: Store | None, *, pattern: str = "*", sizes: bool = False
) -> Listing:
    """List the mailboxes of the account, and check for INBOX and those of the last run."""
    entries = link.attempt(lambda client: list_mailboxes(client, pattern, sizes=sizes))
    missing = _missing(entries, store, pattern)
    if missing and pattern == "*":
        # Repeat without extensions: some servers return nothing for extended LIST.
        names = {entry.name for entry in entries}
        plain = link.attempt(lambda client: client.list("", "*"))
        entries += [entry for entry in plain if entry.selectable and entry.name not in names]
        missing = _missing(entries, store, pattern)
    absent: list[MailboxInfo] = []
    problems: list[Problem] = []
    for name, info in missing.items():
        if _is_there(link, name):
            problems.append(Problem(name, None, "LIST leaves it out, although it can be opened"))
            entries.append(_entry_of(name, info))
        elif info is not None:
            absent.append(info)
    return Listing(tuple(entries), tuple(absent), tuple(problems))


def _missing(
    entries: Iterable[ListEntry], store: Store | None, pattern: str
) -> dict[str, MailboxInfo | None]:
    """Mailboxes that LIST should have returned: INBOX (RFC 9051, 5.1), those of the last run."""
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
    """Whether the mailbox exists: EXAMINE succeeds, or says that it is in use."""
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
    """The UIDs found in a mailbox of `exists` messages."""

    found: SequenceSet
    exists: int

    @property
    def complete(self) -> bool:
        """Whether all UIDs were found: other UIDs do not exist."""
        return len(self.found) == self.exists

    @property
    def shortfall(self) -> str:
        """The error message if UIDs are missing."""
        return (
            f"the mailbox has {self.exists:,} messages (EXISTS), but the server returned the UIDs "
            f"of {len(self.found):,}"
        )


def enumerate_uids(
    link: Link, mailbox: Mailbox, known: SequenceSet = NOTHING, *, expected: bool = False
) -> Uids:
    """Find the UIDs of all messages by SEARCH, and by FETCH if the number differs from EXISTS.

    `known` are UIDs that were returned already. `expected` means that the mailbox had messages
    before: an empty result is confirmed by a second command.
    """
    found = by_search(mailbox, expected=expected) | known
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
    """Return the UIDs of all messages by SEARCH; none if the server refuses it.

    If EXISTS is 0, SEARCH is sent only if messages are `expected`.
    """
    try:
        if expected and not mailbox.exists:
            from imaplus.search import Uid  # slow to import, rarely needed

            return mailbox.search(Uid("1:4294967295"))
        return mailbox.uids()
    except CommandError as error:
        if asks_for_patience(error):
            raise
        return NOTHING


def by_fetch(mailbox: Mailbox) -> SequenceSet:
    """Return the UIDs of all messages by FETCH."""
    if not mailbox.exists:
        return NOTHING
    return SequenceSet.of(message.uid for message in mailbox.fetch("1:*", "UID"))


def by_sequence(mailbox: Mailbox) -> SequenceSet:
    """Return the UIDs of all messages by FETCH of sequence numbers; none if it is refused."""
    try:
        return mailbox.uids(by_sequence=True) if mailbox.exists else NOTHING
    except CommandError as error:
        if asks_for_patience(error):
            raise
        return NOTHING


def without_virtual(
    link: Link, entries: Sequence[ListEntry]
) -> tuple[list[ListEntry], list[ListEntry]]:
    """Separate the mailboxes that only show mail of others.

    These are \\All and \\Flagged (RFC 6154). \\All is kept if it has more messages than all other
    mailboxes together: some of its messages are then in no other mailbox.

    Returns: the mailboxes to mirror, and those left out.
    """
    if not any(entry.attributes & VIRTUAL for entry in entries):
        return list(entries), []
    names = names_of_views([_with_status(link, entry) for entry in entries])
    left_out = [entry for entry in entries if entry.name in names]
    return [entry for entry in entries if entry not in left_out], left_out


def names_of_views(entries: Sequence[ListEntry]) -> frozenset[str]:
    """The names of the mailboxes that only show mail of others, by the counts in their STATUS.

    No mailbox is among them if a count is missing.
    """
    views = [entry for entry in entries if entry.attributes & VIRTUAL]
    others = [entry for entry in entries if entry not in views]
    known = {entry.name: entry.status.messages for entry in entries if entry.status is not None}
    elsewhere = [known.get(entry.name) for entry in others]
    if not others or None in elsewhere:
        return frozenset()
    held = sum(filter(None, elsewhere))
    return frozenset(
        entry.name
        for entry in views
        if "\\Flagged" in entry.attributes
        or ((number := known.get(entry.name)) is not None and number <= held)
    )


def _with_status(link: Link, entry: ListEntry) -> ListEntry:
    if entry.status is not None and entry.status.messages is not None:
        return entry
    try:
        status = link.attempt(lambda client: client.status(entry.name, ("MESSAGES",)))
    except CommandError:
        return entry
    return replace(entry, status=status)

"""Finding mailboxes, with all that the server can tell in one command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imaplus.core.listing import (
    CHILDREN,
    SPECIAL_USE,
    SUBSCRIBED,
    GetNamespaces,
    List,
    ListEntry,
    Lsub,
    Namespace,
    Namespaces,
    WithStatus,
)
from imaplus.core.mailboxes import GetStatus, MailboxStatus
from imaplus.core.parameters import ListReturn, ListSelection
from imaplus.core.session import Noop
from imaplus.errors import CommandError, Refused, Rejected
from imaplus.flows.mailboxes import status_items
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow, Together


def list_mailboxes(
    connection: Connection,
    reference: str = "",
    pattern: str = "*",
    *,
    subscribed: bool = False,
    status: str | Iterable[str] = (),
) -> Flow[list[ListEntry]]:
    """LIST with everything that the server can add to it: special use, children, subscription,
    STATUS. What it cannot add is asked for separately, or left out."""
    items = status_items(connection, status)
    if items and connection.mailbox is not None:
        yield from Noop()  # quirk 101: the selected mailbox's STATUS may be an old one
    refused = False
    if connection.can("LIST-EXTENDED"):
        has_no_lsub = subscribed and "IMAP4REV2" in connection.enabled  # quirk 45
        try:
            entries = yield from _list_extended(connection, reference, pattern, subscribed, items)
        except (Refused, Rejected):  # quirk 43: ProtonMail's bridge
            if has_no_lsub:
                raise
            entries, refused = [], True
        if entries or has_no_lsub:
            return (yield from _with_status(entries, items))
        # quirk 42: strato.de says OK, and nothing else
    if subscribed:
        found: Sequence[ListEntry] = yield from Lsub(reference, pattern)
    else:
        found = yield from List(reference, (pattern,))
    if refused:
        connection.refuse("LIST-EXTENDED")
    return (yield from _with_status(found, items))


def _list_extended(
    connection: Connection, reference: str, pattern: str, subscribed: bool, items: tuple[str, ...]
) -> Flow[list[ListEntry]]:
    # quirk 44: with RETURN, Dovecot 2.4 tells nothing that was not asked for
    returns: list[ListReturn] = [CHILDREN, SUBSCRIBED]
    select: tuple[ListSelection, ...] = (SUBSCRIBED,) if subscribed else ()
    if connection.can("SPECIAL-USE"):
        returns.append(SPECIAL_USE)
    if items and connection.can("LIST-STATUS"):
        returns.append(WithStatus(items))
    found = yield from List(reference, (pattern,), select, tuple(returns))
    if subscribed:  # what came unasked, of a mailbox that was so until now, does not count
        found = [entry for entry in found if entry.subscribed or entry.children_subscribed]
    return found


def _with_status(entries: Sequence[ListEntry], items: tuple[str, ...]) -> Flow[list[ListEntry]]:
    """Ask for the STATUS that did not come with LIST, all at once."""
    missing = [entry for entry in entries if items and entry.selectable and entry.status is None]
    if not missing:
        return list(entries)
    told: dict[str, MailboxStatus] = {}
    for result in (yield from Together(*(GetStatus(each.name, items) for each in missing))):
        if isinstance(result, MailboxStatus):  # a mailbox that cannot be asked goes without
            told[result.mailbox] = result
    return [
        each if each.status is not None else each.with_status(told.get(each.name))
        for each in entries
    ]


def namespaces(connection: Connection) -> Flow[Namespaces]:
    """NAMESPACE, or what LIST "" "" tells of the one there is (RFC 9051, 6.3.9)."""
    drops = connection.greets_as("Exchange Server 2003")  # quirk 47: it closes the connection
    if connection.can("NAMESPACE") and not drops:
        try:
            told = yield from GetNamespaces()
        except CommandError:  # quirk 84
            connection.refuse("NAMESPACE")
            told = Namespaces()
        if told.personal:
            return told
    root = yield from List("", ("",))  # quirk 48
    delimiter = root[0].delimiter if root else None
    return Namespaces(personal=(Namespace("", delimiter),))

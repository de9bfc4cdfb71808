"""Finding and opening mailboxes, with all that the server can tell in one command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
from imaplus.core.mailboxes import (
    STATUS_ITEMS,
    Close,
    Create,
    Examine,
    GetStatus,
    MailboxStatus,
    Opened,
    Select,
    Unselect,
)
from imaplus.core.parameters import ListReturn, ListSelection, SelectParameter
from imaplus.core.session import Enable
from imaplus.errors import CommandError, Rejected
from imaplus.protocol.command import Flow, State, Together
from imaplus.protocol.connection import Connection

if TYPE_CHECKING:
    from imaplus.extensions.qresync import Resync


def list_mailboxes(
    connection: Connection,
    reference: str = "",
    pattern: str = "*",
    *,
    subscribed: bool = False,
    status: Sequence[str] = (),
) -> Flow[list[ListEntry]]:
    """LIST with everything that the server can add to it: special use, children, subscription,
    STATUS. What it cannot add is asked for separately, or left out."""
    items = status_items(connection, status)
    if connection.can("LIST-EXTENDED"):
        try:
            entries = yield from _extended(connection, reference, pattern, subscribed, items)
        except Rejected:
            entries = []  # quirk 43: ProtonMail's bridge
        has_no_lsub = "IMAP4REV2" in connection.enabled  # quirk 45
        if entries or (subscribed and has_no_lsub):
            return (yield from _with_status(entries, items))
        # quirk 42: strato.de says OK, and nothing else
    if subscribed:
        found: Sequence[ListEntry] = yield from Lsub(reference, pattern)
    else:
        found = yield from List(reference, (pattern,))
    return (yield from _with_status(found, items))


def _extended(
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
    if (
        subscribed
    ):  # what came unasked, about a mailbox that was subscribed until now, does not count
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


def status_items(connection: Connection, wanted: Sequence[str]) -> tuple[str, ...]:
    """Those of the wanted STATUS items that the server knows."""
    needs = {"HIGHESTMODSEQ": "CONDSTORE", "SIZE": "STATUS=SIZE", "DELETED": "IMAP4REV2"}
    names = (name.upper() for name in wanted)
    known = (name for name in names if name not in needs or connection.can(needs[name]))
    if connection.utf8 and "IMAP4REV2" in connection.enabled:
        return tuple(name for name in known if name != "RECENT")  # RFC 9051, appendix E
    return tuple(known)


def status(
    connection: Connection, mailbox: str, items: Sequence[str] = STATUS_ITEMS
) -> Flow[MailboxStatus]:
    """STATUS of one mailbox, as far as the server knows the items."""
    return (yield from GetStatus(mailbox, status_items(connection, items)))


def create(connection: Connection, mailbox: str) -> Flow[None]:
    """CREATE, as the server wants the name."""
    if connection.can("X-GM-EXT-1"):
        mailbox = mailbox.rstrip("/")  # quirk 53: Gmail refuses a delimiter at the end
    yield from Create(mailbox)


def open_mailbox(
    connection: Connection, name: str, *, read_only: bool, resync: Resync | None = None
) -> Flow[Opened]:
    """SELECT or EXAMINE, with QRESYNC or CONDSTORE as far as the server has them."""
    parameters: tuple[SelectParameter, ...] = ()
    if resync is not None and connection.can("QRESYNC"):
        if "QRESYNC" not in connection.enabled:
            yield from leave_mailbox(connection)  # ENABLE is for before (RFC 5161, 3.1)
            yield from Enable(("QRESYNC",))
        parameters = (resync,)
    elif resync is not None and connection.can("CONDSTORE"):
        from imaplus.extensions.condstore import Condstore

        parameters = (Condstore(),)
    command = Examine(name, parameters) if read_only else Select(name, parameters)
    return (yield from command)


def leave_mailbox(connection: Connection) -> Flow[None]:
    """Leave the selected mailbox, if there is one, without expunging anything (RFC 3691)."""
    if connection.state is not State.SELECTED:
        return
    if connection.can("UNSELECT"):
        yield from Unselect()
    elif connection.mailbox is not None and connection.mailbox.read_only:
        yield from Close()  # nothing is expunged from a mailbox that was examined
    else:
        name = connection.mailbox.name if connection.mailbox else "INBOX"
        yield from Examine(name)
        yield from Close()


def namespaces(connection: Connection) -> Flow[Namespaces]:
    """NAMESPACE, or what LIST "" "" tells of the one there is (RFC 9051, 6.3.9)."""
    drops = connection.greets_as("Exchange Server 2003")  # quirk 47: it closes the connection
    if connection.can("NAMESPACE") and not drops:
        try:
            told = yield from GetNamespaces()
        except CommandError:
            told = Namespaces()
        if told.personal:
            return told
    root = yield from List("", ("",))  # quirk 48
    delimiter = root[0].delimiter if root else None
    return Namespaces(personal=(Namespace("", delimiter),))

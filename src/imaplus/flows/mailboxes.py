"""Opening, making and leaving mailboxes, and asking for their STATUS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

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
from imaplus.core.parameters import SelectParameter
from imaplus.core.session import Enable
from imaplus.errors import NoSuchMailbox
from imaplus.protocol.command import Command, Flow, State
from imaplus.protocol.connection import Connection

if TYPE_CHECKING:
    from imaplus.extensions.qresync import Resync

T = TypeVar("T")


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
    command = GetStatus(mailbox, status_items(connection, items))
    return (yield from _in_either_form(connection, mailbox, command))


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
    return (yield from _in_either_form(connection, name, command))


def _in_either_form(connection: Connection, name: str, command: Command[T]) -> Flow[T]:
    """A command on a mailbox whose name goes in form C, and if there is none, as it is: Cyrus 3.10
    keeps what was made under IMAP4rev1 as it was made, and finds it by no other octets."""
    try:
        return (yield from command)
    except NoSuchMailbox:
        if name in connection.listed or not connection.learn_name(name):
            raise
        try:
            return (yield from command)
        except NoSuchMailbox:
            connection.listed.discard(name)
        raise


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

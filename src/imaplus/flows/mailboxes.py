"""Opening, making and leaving mailboxes, and asking for their STATUS."""

from __future__ import annotations

from collections.abc import Iterable
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
from imaplus.core.parameters import SelectParameter, needs_of
from imaplus.core.session import Enable, Noop
from imaplus.errors import CommandError, NoSuchMailbox, Refused, Rejected
from imaplus.flows.extras import ask_for
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.protocol.state import State
from imaplus.wire.mailbox_names import same
from imaplus.wire.names import names_of

if TYPE_CHECKING:
    from imaplus.extensions.qresync import Resync

T = TypeVar("T")


def status_items(connection: Connection, wanted: str | Iterable[str]) -> tuple[str, ...]:
    """Those of the wanted STATUS items that the server knows."""
    needs = {
        "HIGHESTMODSEQ": "CONDSTORE",
        "SIZE": "STATUS=SIZE",
        "DELETED": "IMAP4REV2",
        "MAILBOXID": "OBJECTID",
    }
    names = (name.upper() for name in names_of("a STATUS item", wanted))
    known = (name for name in names if name not in needs or connection.can(needs[name]))
    if connection.utf8 and "IMAP4REV2" in connection.enabled:
        return tuple(name for name in known if name != "RECENT")  # RFC 9051, appendix E
    return tuple(known)


def status(
    connection: Connection, mailbox: str, items: str | Iterable[str] = STATUS_ITEMS
) -> Flow[MailboxStatus]:
    """STATUS of one mailbox, as far as the server knows the items.

    If it is the one that is selected, NOOP comes first (quirk 101): Dovecot and Courier tell what
    this session knew before. Dovecot does so too if the two are sent at once.
    """
    command = GetStatus(mailbox, status_items(connection, items))
    if connection.mailbox is not None and same(connection.mailbox.name, mailbox):
        yield from Noop()
    return (yield from _in_either_form(connection, mailbox, command))


def create(
    connection: Connection, mailbox: str, special_uses: tuple[str, ...] = ()
) -> Flow[str | None]:
    """CREATE, as the server wants the name; its MAILBOXID, if the server tells it."""
    if connection.can("X-GM-EXT-1"):
        mailbox = mailbox.rstrip("/")  # quirk 53: Gmail refuses a delimiter at the end
    return (yield from Create(mailbox, special_uses))


def open_mailbox(
    connection: Connection, name: str, *, read_only: bool, resync: Resync | None = None
) -> Flow[Opened]:
    """SELECT or EXAMINE, with QRESYNC or CONDSTORE as far as the server has them."""
    kind = Examine if read_only else Select
    parameters = () if resync is None else (yield from _to_resync(connection, resync))
    if not parameters:
        return (yield from _in_either_form(connection, name, kind(name)))
    try:
        return (yield from _in_either_form(connection, name, kind(name, parameters)))
    except Rejected:  # quirk 84, if it is not the name
        opened = yield from _in_either_form(connection, name, kind(name))
        connection.refuse(*needs_of(parameters))
        return opened


def _to_resync(connection: Connection, resync: Resync) -> Flow[tuple[SelectParameter, ...]]:
    """The parameter of SELECT that tells most of what the server can tell."""
    if connection.can("QRESYNC"):
        if "QRESYNC" not in connection.enabled:
            yield from leave_mailbox(connection)  # ENABLE is for before (RFC 5161, 3.1)
            yield from ask_for(Enable(("QRESYNC",)))
        if connection.can("QRESYNC"):
            return (resync,)
    if connection.can("CONDSTORE"):
        from imaplus.extensions.condstore import Condstore

        return (Condstore(),)
    return ()


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
        try:
            yield from Unselect()
        except CommandError:  # quirk 84
            connection.refuse("UNSELECT")
        else:
            return
    mailbox = connection.mailbox
    if mailbox is None or not mailbox.read_only:
        try:
            yield from Examine("INBOX" if mailbox is None else mailbox.name)
        except CommandError:
            return  # no mailbox is selected after that (RFC 9051, 6.3.3)
    try:
        yield from Close()  # nothing is expunged from a mailbox that was examined
    except Refused:  # quirk 102: pymap closes only what it could expunge from
        connection.close_mailbox()

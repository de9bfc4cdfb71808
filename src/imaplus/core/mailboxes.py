"""Commands on mailboxes (RFC 9051, 6.3.2 to 6.3.8, 6.3.11, 6.4.1, 6.4.2; RFC 3501, 6.4.1).

SELECT changes which mailbox the connection describes; nothing else here changes state. LIST and
its relatives stand in `listing`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from imaplus.core.parameters import SelectParameter, needs_of, write_list
from imaplus.core.session import follows_login
from imaplus.errors import ProtocolError
from imaplus.protocol.command import Command, Done, Reply
from imaplus.protocol.data import MailboxId, MessageData, object_id
from imaplus.protocol.mailbox import Mailbox
from imaplus.protocol.response import response
from imaplus.protocol.state import LOGGED_IN, SELECTED, ConnectionState
from imaplus.protocol.status import Status
from imaplus.records import names_of, record
from imaplus.wire.cursor import Cursor
from imaplus.wire.mailbox_names import comparable, encode, encode_utf8, normalise, same
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.writer import Writer


@record
class Opened:
    """The result of SELECT."""

    mailbox: Mailbox
    """The state of the mailbox, updated by later responses."""
    changes: tuple[MessageData, ...] = ()
    """With QRESYNC: the messages that have changed (RFC 7162, 3.2.5.1)."""


@record
class Select(Command[Opened]):
    """Open a mailbox (RFC 9051, 6.3.2)."""

    name = b"SELECT"
    states = LOGGED_IN
    collects: ClassVar[tuple[type, ...]] = (MessageData, Status)
    exclusive = True
    mailbox: str
    parameters: tuple[SelectParameter, ...] = ()

    def needs(self) -> Iterable[str]:
        return needs_of(self.parameters)

    def encode(self, out: Writer) -> None:
        out.sp()
        out.mailbox(self.mailbox)
        if self.parameters:
            out.sp()
            write_list(out, self.parameters)

    def follows(self, other: Command[Any]) -> bool:
        """Follow ENABLE if the name is written the same way before and after it."""
        name = normalise(self.mailbox)
        return follows_login(other) and not self.parameters and encode(name) == encode_utf8(name)

    def start(self, state: ConnectionState) -> None:
        # From here on FETCH responses may come, asked for or not; this loads what reads them.
        import imaplus.core.fetched  # noqa: F401

        state.start_opening(self.mailbox, read_only=isinstance(self, Examine))

    def finish(self, state: ConnectionState, reply: Reply) -> None:
        if reply.status.ok:
            reply.data.append(state.finish_opening())
        else:
            state.close_mailbox()

    def wants(self, data: object) -> bool:
        return isinstance(data, MessageData) or _is_closed(data)

    def result(self, reply: Reply) -> Opened:
        changes: list[MessageData] = []
        for value in reply.data:
            if _is_closed(value):
                changes.clear()  # they were of the mailbox before (RFC 9051, 7.1, CLOSED)
            elif isinstance(value, MessageData):
                changes.append(value)
        return Opened(reply.one(Mailbox), tuple(changes))


def _is_closed(value: object) -> bool:
    return isinstance(value, Status) and value.code == "CLOSED"


@record
class Examine(Select):
    """Open a mailbox for reading only (RFC 9051, 6.3.3)."""

    name = b"EXAMINE"


@record
class Create(Command[str | None]):
    """Create a mailbox (RFC 9051, 6.3.4), with special uses if any are given (RFC 6154, 3).

    The result is its MAILBOXID, if the server tells it.
    """

    name = b"CREATE"
    mailbox: str
    special_uses: tuple[str, ...] = ()

    def needs(self) -> Iterable[str]:
        return ("CREATE-SPECIAL-USE",) if self.special_uses else ()

    def encode(self, out: Writer) -> None:
        out.sp()
        out.mailbox(self.mailbox)
        if self.special_uses:
            out.raw(b" (USE ")
            out.flag_list(self.special_uses)
            out.raw(b")")

    def result(self, reply: Reply) -> str | None:
        told = reply.status.data
        return told.value if isinstance(told, MailboxId) else None


@record
class _OnMailbox(Done):
    """A command whose only argument is the name of a mailbox."""

    mailbox: str

    def encode(self, out: Writer) -> None:
        out.sp()
        out.mailbox(self.mailbox)


@record
class Delete(_OnMailbox):
    """Delete a mailbox and all messages in it (RFC 9051, 6.3.5)."""

    name = b"DELETE"


@record
class Subscribe(_OnMailbox):
    """Subscribe to a mailbox (RFC 9051, 6.3.7)."""

    name = b"SUBSCRIBE"


@record
class Unsubscribe(_OnMailbox):
    """Unsubscribe from a mailbox (RFC 9051, 6.3.8)."""

    name = b"UNSUBSCRIBE"


@record
class Rename(Done):
    """Rename a mailbox; renaming INBOX moves its messages and keeps it (RFC 9051, 6.3.6)."""

    name = b"RENAME"
    mailbox: str
    new_name: str

    def encode(self, out: Writer) -> None:
        out.sp()
        out.mailbox(self.mailbox)
        out.sp()
        out.mailbox(self.new_name)


# -- STATUS (RFC 9051, 6.3.11 and 7.3.4) -----------------------------------------------------------

STATUS_ITEMS = ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN")
"""The items of STATUS that every server supports (RFC 3501, 6.3.10)."""


@record
class MailboxStatus:
    """The STATUS of a mailbox. An item is None if it was not requested or not sent."""

    mailbox: str
    messages: int | None = None
    uidnext: int | None = None
    uidvalidity: int | None = None
    unseen: int | None = None
    recent: int | None = None
    deleted: int | None = None
    size: int | None = None
    """The total size of all messages, in bytes (RFC 8438)."""
    highestmodseq: int | None = None
    mailboxid: str | None = None
    """MAILBOXID, an identifier that survives a rename (RFC 8474)."""

    @property
    def subject(self) -> str:
        """The name of the mailbox: see `Command.subject`."""
        return comparable(self.mailbox)


_STATUS_FIELDS = frozenset(names_of(MailboxStatus)) - {"mailbox"}
_STATUS_NUMBERS = _STATUS_FIELDS - {"mailboxid"}
_WORD = lazy_pattern(rb"[A-Za-z][A-Za-z0-9-]*+(?=[ )])")
# Fast path: a name without spaces, and numbers of at most 64 bits.
_PLAIN_STATUS = lazy_pattern(
    rb' (?![Nn][Ii][Ll] )([^\x00-\x20(){%*"\\\x7f-\xff]++)'
    rb" \(([A-Za-z-]++ [0-9]{1,19}+(?: [A-Za-z-]++ [0-9]{1,19}+)*)\)\Z"
)


@response("STATUS")
def status(c: Cursor) -> MailboxStatus:
    if (plain := c.accept_match(_PLAIN_STATUS)) is not None:
        mailbox = c.decode_mailbox(plain[1])
        words = plain[2].decode().lower().split(" ")
        found = zip(words[::2], map(int, words[1::2]), strict=True)
        numbers: dict[str, Any] = {name: n for name, n in found if name in _STATUS_NUMBERS}
        return MailboxStatus(mailbox, **numbers)
    return status_by_rule(c)


def status_by_rule(c: Cursor) -> MailboxStatus:
    """Parse as `status()` does, without its fast path. The value is the same."""
    # mailbox-data =/ "STATUS" SP mailbox SP "(" [status-att-list] ")"
    c.sp()
    mailbox = c.mailbox()
    if not c.accept_sp() or c.peek() != b"(":  # quirk 54: Exchange does not quote names with spaces
        start = c.text.rfind(b"(")
        mailbox = c.decode_mailbox(c.text[len("* STATUS ") : start].strip())
        c.pos = max(c.pos, start)
    values: dict[str, Any] = {}
    for _ in c.items():
        name = c.keyword().lower()
        if name == "mailboxid":
            c.sp()
            values[name] = object_id(c)
            continue
        value = _status_value(c)
        if name in _STATUS_NUMBERS:
            values[name] = value
    return MailboxStatus(mailbox, **values)


def _status_value(c: Cursor) -> int | None:
    """The number of an item; None if it has none, or one that cannot be read: that costs no other.

    An item without a value may have the name of the next one behind it.
    """
    if not c.accept_sp() or c.peek() == b")":
        return None
    start = c.mark()
    try:
        return c.number()
    except ProtocolError:
        c.reset(start)
    word = c.accept_match(_WORD)
    if word is not None and word[0].decode().lower() in _STATUS_FIELDS:
        c.reset(start)
    elif word is None:
        c.skip()
    return None


@record
class GetStatus(Command[MailboxStatus]):
    """Ask for the STATUS of a mailbox without opening it (RFC 9051, 6.3.11)."""

    name = b"STATUS"
    collects: ClassVar[tuple[type, ...]] = (MailboxStatus,)
    mailbox: str
    items: tuple[str, ...] = STATUS_ITEMS

    def encode(self, out: Writer) -> None:
        out.sp()
        out.mailbox(self.mailbox)
        out.sp()
        out.atom_list(self.items)

    @property
    def subject(self) -> str:
        return comparable(self.mailbox)

    def may_join(self, others: Iterable[Command[Any]]) -> bool:
        """True beside commands about other mailboxes: answers contain the mailbox's name."""
        return not any(
            MailboxStatus in other.collects
            and not (isinstance(other, GetStatus) and not same(other.mailbox, self.mailbox))
            for other in others
        )

    def wants(self, data: object) -> bool:
        return isinstance(data, MailboxStatus) and same(data.mailbox, self.mailbox)

    def result(self, reply: Reply) -> MailboxStatus:
        return reply.one(MailboxStatus)


# -- leaving a mailbox -----------------------------------------------------------------------------


@record
class Unselect(Done):
    """Close the mailbox without expunging messages (RFC 9051, 6.4.2; RFC 3691)."""

    name = b"UNSELECT"
    states = SELECTED
    requires: ClassVar[str | None] = "UNSELECT"
    exclusive = True

    def finish(self, state: ConnectionState, reply: Reply) -> None:
        if reply.status.ok:
            state.close_mailbox()


@record
class Close(Done):
    """Close the mailbox and expunge **every** message with \\Deleted (RFC 9051, 6.4.1).

    Other people's too: `Unselect` is what leaves without a trace.
    """

    name = b"CLOSE"
    states = SELECTED
    exclusive = True

    def finish(self, state: ConnectionState, reply: Reply) -> None:
        if reply.status.ok:
            state.close_mailbox()


@record
class Check(Done):
    """Request a checkpoint of the mailbox (RFC 3501, 6.4.1). IMAP4rev2 has no CHECK."""

    name = b"CHECK"
    states = SELECTED

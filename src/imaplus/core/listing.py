"""Finding mailboxes: LIST with its extensions, LSUB, NAMESPACE (RFC 9051, 6.3.9, 6.3.10, 7.3).

LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), SPECIAL-USE (RFC 6154) and CHILDREN (RFC 3348)
are part of IMAP4rev2's LIST, and stand here. Which options to ask for is a flow's decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Final

from imaplus.core.mailboxes import STATUS_ITEMS, MailboxStatus
from imaplus.core.parameters import ListReturn, ListSelection, needs_of, write_list
from imaplus.protocol.command import Command, Reply
from imaplus.protocol.response import response
from imaplus.protocol.state import ConnectionState
from imaplus.records import field, record, replace
from imaplus.wire.cursor import Cursor
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.writer import Writer

if TYPE_CHECKING:
    from imaplus.wire.registered import SpecialUse

SPECIAL_USES: Final = frozenset(
    (
        r"\All \Archive \Drafts \Flagged \Important \Junk \Memos \Scheduled \Sent \Snoozed \Trash"
    ).split()
)
"""Special uses of mailboxes, the values of `SpecialUse` (RFC 6154, 2; RFC 8457; RFC 9979)."""

# Attributes have no case (quirk 16); these are how the RFCs write them.
_ATTRIBUTES: Final = {
    name.lower(): name
    for name in (
        *SPECIAL_USES,
        "\\Noinferiors",
        "\\Noselect",
        "\\Marked",
        "\\Unmarked",
        "\\NonExistent",
        "\\HasChildren",
        "\\HasNoChildren",
        "\\Subscribed",
        "\\Remote",
    )
}


@record
class ListEntry:
    """One mailbox that LIST or LSUB found (RFC 9051, 7.3.1)."""

    name: str
    """Printable, and all that it takes to open the mailbox: the server gets the octets back that it
    sent. One that cannot be read is shown as U+FFFD and two hexadecimal digits, such as
    "Entw\N{REPLACEMENT CHARACTER}FCrfe" for a name in Latin-1; `raw_name` has the octets."""
    delimiter: str | None
    """The character that separates levels of the hierarchy; None if there are no levels."""
    attributes: frozenset[str]
    """Attributes such as "\\\\Noselect", in the spelling of the RFCs."""
    status: MailboxStatus | None = None
    """Its STATUS, if that was requested; None otherwise."""
    children_subscribed: bool = False
    """CHILDINFO: it was listed because of its children (RFC 9051, 6.3.9.6)."""
    old_name: str | None = None
    """Its previous name, OLDNAME, if the server sent it (RFC 9051, 6.3.9.7)."""
    raw_name: bytes = field(default=b"", repr=False, compare=False)
    """The name in bytes, as the server sent it; b"" in an entry made by a program."""

    def with_status(self, status: MailboxStatus | None) -> ListEntry:
        """Return the same entry with a STATUS."""
        return replace(self, status=status)

    @property
    def selectable(self) -> bool:
        """Whether it can be opened: some names exist only as parents of mailboxes."""
        return self.attributes.isdisjoint(("\\Noselect", "\\NonExistent"))

    @property
    def special_use(self) -> SpecialUse | None:
        """Its special use, such as `SpecialUse.SENT`; None if it has none or none was sent."""
        from imaplus.wire.registered import SpecialUse

        found = min(self.attributes & SPECIAL_USES, default=None)
        return None if found is None else SpecialUse(found)

    @property
    def subscribed(self) -> bool:
        """Whether the server reported it as subscribed."""
        return "\\Subscribed" in self.attributes


@record
class Subscribed(ListEntry):
    """One mailbox that LSUB found (RFC 3501, 7.2.3)."""


@response("LIST")
def list_entry(c: Cursor) -> ListEntry:
    # mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox ...
    c.sp()
    attributes = frozenset(_ATTRIBUTES.get(flag.lower(), flag) for flag in c.flag_list())
    if "\\NonExistent" in attributes:
        attributes |= {"\\Noselect"}  # quirk 46; RFC 9051, 7.3.1 says that it is implied
    c.sp()
    delimiter = c.nstring_text() or None  # quirk 48: "" for no delimiter
    c.sp()
    raw = _raw_name(c)
    name = _without_delimiter(c.decode_mailbox(raw), delimiter)
    entry = ListEntry(name, delimiter, attributes, raw_name=raw)
    return _read_extended(c, entry) if c.accept_sp() and c.peek() == b"(" else entry


# Where mbox-list-extended begins: `("CHILDINFO" (` or `(CHILDINFO (`. Names may have ` (` in them.
_EXTENDED: Final = lazy_pattern(rb' \((?="|[A-Za-z-]+ \()')


def _raw_name(c: Cursor) -> bytes:
    """mailbox; quirk 40: Exchange sends tabs and spaces without quotes, to the line's end."""
    if c.peek() in (b'"', b"{"):
        return c.string()
    end = _EXTENDED.search(c.text, c.pos)
    raw = c.text[c.pos : end.start() if end else None]
    if not raw.strip():
        c.fail("a mailbox name")
    c.pos += len(raw)
    inbox = raw.rstrip(b" ")
    return inbox if inbox.upper() == b"INBOX" else raw  # quirk 1: spaces that are no part of it


def _without_delimiter(name: str, delimiter: str | None) -> str:
    if delimiter and name.startswith(delimiter) and name.count(delimiter) == 1:
        return name[len(delimiter) :] or name  # quirk 46: "/INBOX" for INBOX
    return name


def _read_extended(c: Cursor, entry: ListEntry) -> ListEntry:
    """mbox-list-extended = "(" [mbox-list-extended-item ...] ")"; unknown items are passed over."""
    for _ in c.items():
        match c.astring_text().upper():
            case "CHILDINFO":
                c.sp()
                kinds = {kind.upper() for kind in c.strings()}
                entry = replace(entry, children_subscribed=b"SUBSCRIBED" in kinds)
            case "OLDNAME":
                c.sp()
                for _ in c.items():
                    entry = replace(entry, old_name=c.mailbox())
            case _:
                c.sp()
                c.skip()
    return entry


@response("LSUB")
def lsub_entry(c: Cursor) -> Subscribed:
    found = list_entry(c)
    attributes = found.attributes | {"\\Subscribed"}
    return Subscribed(found.name, found.delimiter, attributes, raw_name=found.raw_name)


class Option(ListSelection, ListReturn):
    """A LIST option that is one word, on either side (RFC 9051, 6.3.9)."""

    def __init__(self, word: str, requires: str | None = None) -> None:
        self.word = word
        self.requires = requires  # type: ignore[misc]

    def encode(self, out: Writer) -> None:
        out.atom(self.word)


SUBSCRIBED: Final = Option("SUBSCRIBED", "LIST-EXTENDED")
CHILDREN: Final = Option("CHILDREN", "LIST-EXTENDED")
SPECIAL_USE: Final = Option("SPECIAL-USE", "SPECIAL-USE")
REMOTE: Final = Option("REMOTE", "LIST-EXTENDED")
RECURSIVEMATCH: Final = Option("RECURSIVEMATCH", "LIST-EXTENDED")


@record
class WithStatus(ListReturn):
    """Return the STATUS of each mailbox in the same command (RFC 5819)."""

    requires: ClassVar[str | None] = "LIST-STATUS"
    items: tuple[str, ...] = STATUS_ITEMS

    def encode(self, out: Writer) -> None:
        out.raw(b"STATUS ")
        with out.parens():
            for _, item in out.separate(self.items):
                out.atom(item)


@record
class List(Command[list[ListEntry]]):
    """Find mailboxes (RFC 9051, 6.3.9). `%` and `*` in patterns are wildcards."""

    name = b"LIST"
    collects: ClassVar[tuple[type, ...]] = (ListEntry, MailboxStatus)
    reference: str = ""
    patterns: tuple[str, ...] = ("*",)
    select: tuple[ListSelection, ...] = ()
    returns: tuple[ListReturn, ...] = ()

    def needs(self) -> Iterable[str]:
        return needs_of((*self.select, *self.returns))

    def encode(self, out: Writer) -> None:
        if self.select:
            out.sp()
            write_list(out, self.select)
        out.sp()
        out.mailbox(self.reference)
        out.sp()
        if len(self.patterns) == 1:
            out.list_mailbox(self.patterns[0])
        else:
            with out.parens():
                for _, pattern in out.separate(self.patterns):
                    out.list_mailbox(pattern)
        if self.returns:
            out.raw(b" RETURN ")
            write_list(out, self.returns)

    def wants(self, data: object) -> bool:
        if isinstance(data, MailboxStatus):
            return any(isinstance(option, WithStatus) for option in self.returns)
        return isinstance(data, ListEntry) and not isinstance(data, Subscribed)

    def finish(self, state: ConnectionState, reply: Reply) -> None:
        _learn_names(state, reply)

    def result(self, reply: Reply) -> list[ListEntry]:
        counts = {told.mailbox: told for told in reply.all(MailboxStatus)}
        # A mailbox that has just changed may be told of in between (RFC 9051, 7.3.1): Cyrus 3.10.
        entries = {entry.name: entry for entry in reply.all(ListEntry)}
        return [entry.with_status(counts.get(entry.name)) for entry in entries.values()]


def _learn_names(state: ConnectionState, reply: Reply) -> None:
    for entry in reply.all(ListEntry):
        state.learn_name(entry.name)


@record
class Lsub(Command[list[Subscribed]]):
    """Find subscribed mailboxes (RFC 3501, 6.3.9); IMAP4rev2 has LIST (SUBSCRIBED) instead."""

    name = b"LSUB"
    collects: ClassVar[tuple[type, ...]] = (Subscribed,)
    reference: str = ""
    pattern: str = "*"

    def encode(self, out: Writer) -> None:
        out.sp()
        out.mailbox(self.reference)
        out.sp()
        out.list_mailbox(self.pattern)

    def finish(self, state: ConnectionState, reply: Reply) -> None:
        _learn_names(state, reply)

    def result(self, reply: Reply) -> list[Subscribed]:
        return reply.all(Subscribed)


# -- NAMESPACE (RFC 9051, 6.3.10 and 7.3.5; RFC 2342) ----------------------------------------------


@record
class Namespace:
    """The prefix of mailboxes of one kind, and their separator."""

    prefix: str
    delimiter: str | None


@record
class Namespaces:
    """The user's own namespaces, those of other users, and shared ones."""

    personal: tuple[Namespace, ...] = ()
    other_users: tuple[Namespace, ...] = ()
    shared: tuple[Namespace, ...] = ()


@response("NAMESPACE")
def namespaces(c: Cursor) -> Namespaces:
    # namespace-response = "NAMESPACE" SP namespace SP namespace SP namespace
    kinds = []
    for _ in range(3):
        c.sp()
        kinds.append(() if c.accept_nil() else tuple(_namespace(c) for _ in c.items()))
    return Namespaces(*kinds)


def _namespace(c: Cursor) -> Namespace:
    c.expect(b"(")
    prefix = c.decode_mailbox(c.string())
    c.sp()
    delimiter = c.nstring_text()
    while c.accept_sp():  # namespace-response-extensions
        c.skip()
    c.expect(b")")
    return Namespace(prefix, delimiter)


@record
class GetNamespaces(Command[Namespaces]):
    """Ask for the namespaces (RFC 9051, 6.3.10)."""

    name = b"NAMESPACE"
    requires: ClassVar[str | None] = "NAMESPACE"
    collects: ClassVar[tuple[type, ...]] = (Namespaces,)

    def result(self, reply: Reply) -> Namespaces:
        return reply.one(Namespaces)

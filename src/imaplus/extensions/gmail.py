"""X-GM-EXT-1, Gmail's own extension: one message has labels, and an identity across mailboxes.

`fetch(uids, "X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS")` gives two numbers of 64 bits, and the
labels as a frozenset of str: those of the system begin with a backslash (`\\Inbox`, `\\Sent`,
`\\Starred`, ...), others are names of mailboxes. Gmail leaves out the label of the mailbox that is
selected: all of them are told in the one with `\\All`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, Final

from imaplus.core.bulk.shapes import Value, add_plain
from imaplus.core.items import fetch_item
from imaplus.core.messages import Change, MessageCommand, Stored
from imaplus.core.search_query import Query, check_text, write_text
from imaplus.errors import InvalidArgument
from imaplus.protocol.command import Reply
from imaplus.protocol.data import MessageData
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.mailbox_names import decode_utf8
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import ESCAPED, decode_text
from imaplus.wire.writer import Writer

CAPABILITY: Final = "X-GM-EXT-1"
LARGEST: Final = (1 << 64) - 1
"""X-GM-MSGID and X-GM-THRID are unsigned numbers of 64 bits."""
_SYSTEM: Final = lazy_pattern(r"\\[A-Za-z]+")
_LABEL: Final = lazy_pattern(rb'[^\x00-\x20(){"\x7f]+')
_LISTED: Final = lazy_pattern(rb'"((?:[^"\\]|\\.)*+)"|([^ ]++)')


# -- FETCH -----------------------------------------------------------------------------------------


@fetch_item("X-GM-MSGID", requires=CAPABILITY)
@fetch_item("X-GM-THRID", requires=CAPABILITY)
def identity(c: Cursor) -> int:
    return c.number()


@fetch_item("X-GM-LABELS", requires=CAPABILITY)
def labels(c: Cursor) -> frozenset[str]:
    # "(" [label *(SP label)] ")"; label = "\" atom / astring, encoded as a mailbox name
    if c.accept_nil():
        return frozenset()
    return frozenset(_label(c) for _ in c.items())


def _label(c: Cursor) -> str:
    # quirk 53: unquoted labels such as `+x`, and one whose name is NIL
    match = c.accept_match(_LABEL)
    raw = c.string() if match is None else match[0]
    if raw.startswith(b"\\"):
        return decode_text(raw)
    return c.decode_mailbox(raw) if raw.isascii() else decode_utf8(raw)


def _numbers(texts: Sequence[bytes]) -> list[object]:
    return list(map(int, texts))


def _label_sets(texts: Sequence[bytes]) -> list[object]:
    """One set for all texts that are the same: messages have few different ones."""
    return list(map(_label_set, texts))


@lru_cache(maxsize=1024)
def _label_set(text: bytes) -> frozenset[str]:
    found = (
        ESCAPED.sub(rb"\1", label[1]) if label[2] is None else label[2]
        for label in _LISTED.finditer(text)
    )
    names = (name.decode() for name in found)
    return frozenset("INBOX" if name.upper() == "INBOX" else name for name in names)


_NUMBER: Final = Value(rb"([0-9]{1,19})", _numbers)
add_plain("X-GM-MSGID", _NUMBER)
add_plain("X-GM-THRID", _NUMBER)
# Labels in plain ASCII. What has `&` is left to a cursor: it knows whether that is modified UTF-7.
_ONE_LABEL: Final = rb'(?:"(?:[^"\\&\x00-\x1f\x7f-\xff]|\\["\\])*+"|[^"&(){\x00-\x20\x7f-\xff]++)'
add_plain("X-GM-LABELS", Value(rb"\(((?:%b(?: %b)*+)?+)\)" % (_ONE_LABEL, _ONE_LABEL), _label_sets))


# -- STORE -----------------------------------------------------------------------------------------


_CHANGES: Final = {
    Change.ADD: "+X-GM-LABELS",
    Change.REMOVE: "-X-GM-LABELS",
    Change.REPLACE: "X-GM-LABELS",
}


@record
class StoreLabels(MessageCommand[Stored]):
    """Add labels to messages, take them away, or have exactly these.

    Raises:
        InvalidArgument: a label begins with a backslash and is none of the system's.
    """

    name = b"UID STORE"
    requires: ClassVar[str | None] = CAPABILITY
    collects: ClassVar[tuple[type, ...]] = (MessageData,)
    changes = True
    change: Change
    labels: frozenset[str]

    def __post_init__(self) -> None:
        for label in self.labels:
            check_label(label)

    def encode(self, out: Writer) -> None:
        super().encode(out)
        out.sp()
        out.atom(_CHANGES[self.change])
        out.sp()
        with out.parens():
            for _, label in out.separate(sorted(self.labels)):
                _write_label(out, label)

    def wants(self, data: object) -> bool:
        return isinstance(data, MessageData) and data.uid is not None and self.covers(data.uid)

    def result(self, reply: Reply) -> Stored:
        return Stored(tuple(value for value in reply.data if isinstance(value, MessageData)))


def check_label(label: str) -> None:
    """Insist on a label. Raises: InvalidArgument for a backslash before what is no word."""
    check_text(label)
    if label.startswith("\\") and not _SYSTEM.fullmatch(label):
        raise InvalidArgument(f"expected a label, found {label!r:.60}")


def _write_label(out: Writer, label: str) -> None:
    if label.startswith("\\"):
        out.flag(label)
    else:
        out.mailbox(label)


# -- SEARCH ----------------------------------------------------------------------------------------


@record(repr=False)
class GmailSearch(Query):
    """What Gmail's own search finds: `GmailSearch("has:attachment in:unread")` (X-GM-RAW).

    Raises: InvalidArgument for a text with a NUL.
    """

    requires: ClassVar[str | None] = CAPABILITY
    text: str

    def __post_init__(self) -> None:
        check_text(self.text)

    def texts(self) -> tuple[str, ...]:
        return (self.text,)

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.raw(b"X-GM-RAW ")
        write_text(out, self.text, charset)


@record(repr=False)
class _NumberKey(Query):
    """A key with a number of 64 bits. Raises: InvalidArgument for what is none."""

    requires: ClassVar[str | None] = CAPABILITY
    number: int

    def __post_init__(self) -> None:
        number: object = self.number
        if not isinstance(number, int) or not 0 <= number <= LARGEST:
            raise InvalidArgument(f"expected a number below 2**64, found {number!r:.60}")


class GmailMessage(_NumberKey):
    """The message with this X-GM-MSGID."""

    __slots__ = ()

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.raw(b"X-GM-MSGID ")
        out.number(self.number)


class GmailThread(_NumberKey):
    """The messages of the thread with this X-GM-THRID."""

    __slots__ = ()

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.raw(b"X-GM-THRID ")
        out.number(self.number)


@record(repr=False)
class GmailLabel(Query):
    """Messages that have a label. Raises: InvalidArgument for what cannot be one."""

    requires: ClassVar[str | None] = CAPABILITY
    label: str

    def __post_init__(self) -> None:
        check_label(self.label)

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.raw(b"X-GM-LABELS ")
        _write_label(out, self.label)

"""What a query consists of, as immutable values.

Each module that compiles queries knows all of these: `imap` makes them into keys of SEARCH, the
index of a mirror makes them into SQL. How they are written is for `parser` to know.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from imaplus import SequenceSet
from imaplus.errors import InvalidArgument
from imaplus.records import field, record

TextField = Literal["text", "subject", "from", "to", "cc", "bcc", "body"]
When = Literal["since", "before", "on"]


class QueryError(InvalidArgument):
    """The query cannot be read; `column` counts its characters from 1.

    `reason` is what is wrong, without the place.
    """

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(f"column {column}: {reason}")
        self.reason = reason
        self.column = column


class Node:
    """A query, or a part of one."""

    __slots__ = ()


@record
class All(Node):
    """Messages that every one of the terms finds; all messages, if there is no term."""

    terms: tuple[Node, ...] = ()


@record
class AnyOf(Node):
    """Messages that at least one of the terms finds."""

    terms: tuple[Node, ...]


@record
class Not(Node):
    """Messages that the term does not find."""

    term: Node


@record
class Words(Node):
    """A text in the subject, the body, an address field or anywhere (`text`)."""

    where: TextField
    text: str
    column: int = field(default=0, compare=False)


@record
class HasFlag(Node):
    """Messages with a system flag (`\\Seen`) or a keyword (`$Junk`); case does not matter."""

    flag: str


@record
class Arrived(Node):
    """Messages that came to the mailbox (INTERNALDATE) since, before or on a day."""

    when: When
    day: date


@record
class Sent(Node):
    """Messages whose Date field is since, before or on a day."""

    when: When
    day: date


@record
class Aged(Node):
    """Messages that came in the last `seconds` before `now` (`younger`), or before that."""

    younger: bool
    seconds: int
    now: datetime


@record
class Larger(Node):
    """Messages of more bytes."""

    size: int


@record
class Smaller(Node):
    """Messages of fewer bytes."""

    size: int


@record
class WithUid(Node):
    """Messages with these UIDs."""

    uids: SequenceSet


@record
class InHeader(Node):
    """Messages with a header field of this name, and the text in it; any text, if it is empty."""

    name: str
    text: str


@record
class WithId(Node):
    """The message with this Message-ID, angle brackets included."""

    message_id: str


@record
class FileNamed(Node):
    """Messages with a part whose file name matches; `*` and `?` stand for other characters.

    Without one of these the pattern may stand anywhere in the name.
    """

    pattern: str


@record
class HasAttachment(Node):
    """Messages with a part that is to be saved rather than shown."""


@record
class Gone(Node):
    """Messages that only the mirror has."""

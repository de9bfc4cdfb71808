"""The parts of a query, as immutable values.

`parser` creates them. `imap` translates all of them to search keys, the index of a mirror to SQL.
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
    """The query is invalid: `reason` says why, `column` where, in characters from 1."""

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(f"column {column}: {reason}")
        self.reason = reason
        self.column = column


class Node:
    """A query, or a part of one."""

    __slots__ = ()


@record
class All(Node):
    """Messages that match all terms; all messages if there is no term."""

    terms: tuple[Node, ...] = ()


@record
class AnyOf(Node):
    """Messages that match at least one term."""

    terms: tuple[Node, ...]


@record
class Not(Node):
    """Messages that do not match the term."""

    term: Node


@record
class Words(Node):
    """Messages with a text in the subject, the body, an address field or anywhere (`text`)."""

    where: TextField
    text: str
    column: int = field(default=0, compare=False)


@record
class HasFlag(Node):
    """Messages with a system flag (`\\Seen`) or a keyword (`$Junk`); case does not matter."""

    flag: str


@record
class Arrived(Node):
    """Messages that arrived (INTERNALDATE) since, before or on a day."""

    when: When
    day: date


@record
class Sent(Node):
    """Messages whose Date field is since, before or on a day."""

    when: When
    day: date


@record
class Aged(Node):
    """Messages that arrived in the last `seconds` before `now` (`younger`), or earlier."""

    younger: bool
    seconds: int
    now: datetime


@record
class Larger(Node):
    """Messages of more than `size` bytes."""

    size: int


@record
class Smaller(Node):
    """Messages of fewer than `size` bytes."""

    size: int


@record
class WithUid(Node):
    """Messages with these UIDs."""

    uids: SequenceSet


@record
class InHeader(Node):
    """Messages with a header field that contains a text; any field of this name if it is empty."""

    name: str
    text: str


@record
class WithId(Node):
    """The message with this Message-ID, angle brackets included."""

    message_id: str


@record
class FileNamed(Node):
    """Messages with a part whose file name matches; `*` and `?` are wildcards.

    A pattern without wildcards matches anywhere in the name.
    """

    pattern: str


@record
class HasAttachment(Node):
    """Messages with an attachment: a part whose disposition is not `inline`, or with a name."""


@record
class Gone(Node):
    """Messages that the mirror has and the server no longer has."""

"""The keys of SEARCH (RFC 9051, 6.4.4; RFC 3501, 6.4.4), one class or constant each.

The IMAP name of a key is the name of its class in capitals, except for KEYWORD and UNKEYWORD. Keys
check their arguments when they are created. `search_query` combines keys.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Final

from imaplus.core.search_query import Key, Query, check_text, write_text
from imaplus.errors import InvalidArgument
from imaplus.records import record
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.sets import SequenceSet, SequenceSetLike
from imaplus.wire.writer import Writer

_KEYWORD: Final = lazy_pattern(r"[!#$&'+-Z\[^-z|}~]+")  # flag-keyword = atom
_FIELD_NAME: Final = lazy_pattern(r"[!-9;-~]+")  # field-name = 1*ftext (RFC 5322, 3.6.8)

Answered: Final = Key("Answered")
"""Messages with \\Answered."""
Deleted: Final = Key("Deleted")
"""Messages with \\Deleted."""
Draft: Final = Key("Draft")
"""Messages with \\Draft."""
Flagged: Final = Key("Flagged")
"""Messages with \\Flagged."""
Seen: Final = Key("Seen")
"""Messages with \\Seen."""
Unanswered: Final = Key("Unanswered")
"""Messages without \\Answered."""
Undeleted: Final = Key("Undeleted")
"""Messages without \\Deleted."""
Undraft: Final = Key("Undraft")
"""Messages without \\Draft."""
Unflagged: Final = Key("Unflagged")
"""Messages without \\Flagged."""
Unseen: Final = Key("Unseen")
"""Messages without \\Seen."""
# IMAP4rev1 only: IMAP4rev2 has no \Recent.
New: Final = Key("New")
"""Messages with \\Recent and without \\Seen."""
Old: Final = Key("Old")
"""Messages without \\Recent."""
Recent: Final = Key("Recent")
"""Messages with \\Recent."""


# -- keys with a text ------------------------------------------------------------------------------


@record(repr=False)
class _TextKey(Query):
    """A key that matches a substring, ignoring case.

    Raises: InvalidArgument if the text contains NUL.
    """

    text: str

    def __post_init__(self) -> None:
        check_text(self.text)

    def texts(self) -> tuple[str, ...]:
        return (self.text,)

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.atom(type(self).__name__.upper())
        out.sp()
        write_text(out, self.text, charset)


class Bcc(_TextKey):
    """The text is in the Bcc field."""

    __slots__ = ()


class Body(_TextKey):
    """The text is in the body."""

    __slots__ = ()


class Cc(_TextKey):
    """The text is in the Cc field."""

    __slots__ = ()


class From(_TextKey):
    """The text is in the From field."""

    __slots__ = ()


class Subject(_TextKey):
    """The text is in the Subject field."""

    __slots__ = ()


class Text(_TextKey):
    """The text is in the header or the body."""

    __slots__ = ()


class To(_TextKey):
    """The text is in the To field."""

    __slots__ = ()


@record(repr=False)
class Header(Query):
    """The header has this field, and the field contains the text; "" matches any text.

    Raises: InvalidArgument if the name is not a valid field name, or the text contains NUL.
    """

    name: str
    text: str = ""

    def __post_init__(self) -> None:
        check_text(self.name)
        if not _FIELD_NAME.fullmatch(self.name):
            raise InvalidArgument(f"expected the name of a header field, found {self.name!r:.60}")
        check_text(self.text)

    def texts(self) -> tuple[str, ...]:
        return (self.text,)

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.raw(b"HEADER ")
        out.astring(self.name)
        out.sp()
        write_text(out, self.text, charset)


# -- keys with a date ------------------------------------------------------------------------------


@record(repr=False)
class _DateKey(Query):
    """A key whose name is its class's. Of a datetime it takes the date that it shows.

    Servers know neither time of day nor time zone here (RFC 9051, 6.4.4).
    """

    day: date

    def __post_init__(self) -> None:
        if isinstance(self.day, datetime):
            object.__setattr__(self, "day", self.day.date())
        elif not isinstance(self.day, date):
            raise InvalidArgument(f"expected a date, found {self.day!r:.60}")

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.atom(type(self).__name__.upper())
        out.sp()
        out.date(self.day)


class Before(_DateKey):
    """The message came to the mailbox (INTERNALDATE) before this day."""

    __slots__ = ()


class On(_DateKey):
    """The message came to the mailbox on this day."""

    __slots__ = ()


class Since(_DateKey):
    """The message came to the mailbox on this day or later."""

    __slots__ = ()


class SentBefore(_DateKey):
    """The message's Date field is before this day."""

    __slots__ = ()


class SentOn(_DateKey):
    """The message's Date field is on this day."""

    __slots__ = ()


class SentSince(_DateKey):
    """The message's Date field is on this day or later."""

    __slots__ = ()


# -- keys with a number, a keyword, a set ----------------------------------------------------------


@record(repr=False)
class _NumberKey(Query):
    """A key whose name is its class's. Raises: InvalidArgument for what is no number."""

    number: int

    def __post_init__(self) -> None:
        number: object = self.number
        if not isinstance(number, int) or not 0 <= number < 1 << 63:
            raise InvalidArgument(f"expected a number below 2**63, found {number!r:.60}")

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.atom(type(self).__name__.upper())
        out.sp()
        out.number(self.number)


class Larger(_NumberKey):
    """The message has more octets (RFC822.SIZE)."""

    __slots__ = ()


class Smaller(_NumberKey):
    """The message has fewer octets."""

    __slots__ = ()


class ModSeq(_NumberKey):
    """The message has this mod-sequence or a higher one (RFC 7162, 3.1.5)."""

    __slots__ = ()
    requires: ClassVar[str | None] = "CONDSTORE"


@record(repr=False)
class HasKeyword(Query):
    """The message has this keyword: `HasKeyword("$Junk")`, KEYWORD in SEARCH.

    System flags have keys of their own: `Seen`, `Flagged` and the like.

    Raises: InvalidArgument for what is no keyword.
    """

    keyword: str

    def __post_init__(self) -> None:
        check_text(self.keyword)
        if not _KEYWORD.fullmatch(self.keyword):
            raise InvalidArgument(f"expected a keyword (RFC 9051, 9), found {self.keyword!r:.60}")

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.raw(b"KEYWORD ")
        out.atom(self.keyword)


class LacksKeyword(HasKeyword):
    """The message does not have this keyword: UNKEYWORD."""

    __slots__ = ()

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.raw(b"UNKEYWORD ")
        out.atom(self.keyword)


@record(init=False, repr=False)
class Uid(Query):
    """Messages with these UIDs; none of them, if the set is empty.

    Raises: InvalidArgument for what is no set of UIDs.
    """

    uids: SequenceSet

    def __init__(self, uids: SequenceSetLike) -> None:
        object.__setattr__(self, "uids", SequenceSet.of(uids))

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        if self.uids:
            out.raw(b"UID ")
            out.sequence_set(self.uids)
        else:
            out.raw(b"NOT ALL")


@record(init=False, repr=False)
class SequenceNumbers(Query):
    """Messages by their place in the mailbox; for imaplus itself, since places move."""

    seqs: SequenceSet

    def __init__(self, seqs: SequenceSetLike) -> None:
        object.__setattr__(self, "seqs", SequenceSet.of(seqs))

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        if self.seqs:
            out.sequence_set(self.seqs)
        else:
            out.raw(b"NOT ALL")

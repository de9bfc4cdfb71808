"""APPEND (RFC 9051, 6.3.12), of one message or of many (MULTIAPPEND, RFC 3502).

A message is a source of octets, which travel unchanged. Turning other things into octets, and
what to do without MULTIAPPEND, is a flow's concern.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import chain

from imaplus.core.message_source import MessageLike, source_of
from imaplus.errors import InvalidArgument
from imaplus.protocol.command import Command, Reply
from imaplus.protocol.status import code
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.flags import FlagsLike, flags_of
from imaplus.wire.set_reading import read_uid_ranges
from imaplus.wire.sources import Source
from imaplus.wire.writer import Writer


@record(init=False)
class Outgoing:
    """A message to append, with its flags and its INTERNALDATE (None: the server's now).

    `source` is octets, a seekable binary file from its position on, an `email` message, or any
    `Source`, and is kept as one; `flags` is one flag or several, and is kept as a frozenset.

    Raises:
        InvalidArgument: the message is none of these, or an `email` message that cannot be written
            down without changing its meaning; a flag is none, or the date.
    """

    source: Source
    flags: frozenset[str]
    date: datetime | None
    binary: bool
    """It has NUL bytes: it is sent as literal8, which requires BINARY (RFC 3516, 4.4)."""
    utf8: bool
    """Its header is UTF-8, and it is sent as `UTF8 (...)` (RFC 6855, 4)."""

    def __init__(
        self,
        source: MessageLike,
        flags: FlagsLike = (),
        date: datetime | None = None,
        binary: bool = False,
        utf8: bool = False,
    ) -> None:
        if date is not None and not isinstance(date, datetime):
            raise InvalidArgument(f"expected a datetime for INTERNALDATE, found {date!r:.60}")
        given = {
            "source": source_of(source),
            "flags": flags_of(flags),
            "date": date,
            "binary": binary,
            "utf8": utf8,
        }
        for name, value in given.items():
            object.__setattr__(self, name, value)

    def encode(self, out: Writer) -> None:
        """append-message."""
        if self.flags:
            out.flag_list(self.flags)
            out.sp()
        if self.date is not None:
            out.date_time(self.date)
            out.sp()
        if self.utf8:
            out.raw(b"UTF8 (")
            out.literal(self.source, binary=True)
            out.raw(b")")
        else:
            out.literal(self.source, binary=self.binary)


@record
class Appended:
    """Where a message was added: [APPENDUID] (RFC 9051, 7.1)."""

    uidvalidity: int | None = None
    """The UIDVALIDITY of the mailbox; None if the server does not report it."""
    uid: int | None = None
    """The UID of the message; None if the server does not report it."""


@record
class AppendUid:
    """[APPENDUID uidvalidity uids]: the UIDs in the order in which the messages were sent."""

    uidvalidity: int
    uids: tuple[tuple[int, int], ...]

    def each(self, count: int) -> tuple[Appended, ...]:
        """Return one `Appended` for each of `count` messages; empty ones if the numbers differ."""
        if sum(abs(last - first) + 1 for first, last in self.uids) != count:
            return (Appended(),) * count
        numbers = chain.from_iterable(range(min(pair), max(pair) + 1) for pair in self.uids)
        return tuple([Appended(self.uidvalidity, uid) for uid in numbers])


@code("APPENDUID")
def appenduid(c: Cursor) -> AppendUid:
    # resp-code-apnd = "APPENDUID" SP nz-number SP append-uid
    uidvalidity = c.number()
    c.sp()
    return AppendUid(uidvalidity, read_uid_ranges(c))


@record
class Append(Command[tuple[Appended, ...]]):
    """Add messages to a mailbox: all of them or none. The result has an `Appended` for each."""

    name = b"APPEND"
    mailbox: str
    messages: tuple[Outgoing, ...]

    def needs(self) -> Iterable[str]:
        if len(self.messages) > 1:
            yield "MULTIAPPEND"
        if any(message.binary for message in self.messages):
            yield "BINARY"

    def encode(self, out: Writer) -> None:
        out.sp()
        out.mailbox(self.mailbox)
        for message in self.messages:
            out.sp()
            message.encode(out)

    def result(self, reply: Reply) -> tuple[Appended, ...]:
        told = reply.status.data
        count = len(self.messages)
        return told.each(count) if isinstance(told, AppendUid) else (Appended(),) * count

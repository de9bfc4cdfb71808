"""APPEND (RFC 9051, 6.3.12), of one message or of many (MULTIAPPEND, RFC 3502).

A message is a source of octets, which travel unchanged. Turning other things into octets, and
what to do without MULTIAPPEND, is a flow's concern.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from imaplus.errors import Refused
from imaplus.protocol.command import Command, Reply
from imaplus.protocol.response import code
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.sets import EMPTY, SequenceSet
from imaplus.wire.sources import Source
from imaplus.wire.writer import Writer


@record
class Outgoing:
    """A message to append, with its flags and its INTERNALDATE (None: the server's now)."""

    source: Source
    flags: frozenset[str] = frozenset()
    date: datetime | None = None
    binary: bool = False
    """It has NUL octets: it travels as literal8, which needs BINARY (RFC 3516, 4.4)."""
    utf8: bool = False
    """Its headers are UTF-8, and the server wants that said, as RFC 6855 (4) had it."""

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
    """What the messages are called where they went: [APPENDUID]. Empty if the server is silent."""

    uidvalidity: int = 0
    uids: SequenceSet = EMPTY


@code("APPENDUID")
def appenduid(c: Cursor) -> Appended:
    # resp-code-apnd = "APPENDUID" SP nz-number SP append-uid
    uidvalidity = c.number()
    c.sp()
    return Appended(uidvalidity, c.uid_set())


@record
class Append(Command[Appended]):
    """Add messages to the end of a mailbox: all of them, or none."""

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

    def result(self, reply: Reply) -> Appended:
        return reply.status.data if isinstance(reply.status.data, Appended) else Appended()


class MessageRefused(Refused):
    """The server does not take this message: NUL octets, an invalid header, too long lines.

    Quirk 81: servers say so in words only, which are in `text`.
    """

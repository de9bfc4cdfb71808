"""XLIST: what Gmail had, and Yandex and NetEase still have, before SPECIAL-USE (RFC 6154)."""

from __future__ import annotations

from typing import ClassVar, Final

from imaplus.core.listing import ListEntry, list_entry
from imaplus.protocol.command import Command, Reply
from imaplus.protocol.response import response
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.writer import Writer

_USES: Final = {"\\allmail": "\\All", "\\spam": "\\Junk", "\\starred": "\\Flagged"}
"""What XLIST calls otherwise than RFC 6154, in lower case."""


@record
class Special(ListEntry):
    """One mailbox that XLIST found, its attributes as RFC 6154 calls them."""


@response("XLIST")
def special(c: Cursor) -> Special:
    found = list_entry(c)
    attributes = frozenset(_USES.get(each.lower(), each) for each in found.attributes)
    return Special(found.name, found.delimiter, attributes, raw_name=found.raw_name)


@record
class XList(Command[list[Special]]):
    """Find mailboxes, with what they are for."""

    name = b"XLIST"
    requires: ClassVar[str | None] = "XLIST"
    collects: ClassVar[tuple[type, ...]] = (Special,)
    reference: str = ""
    pattern: str = "*"

    def encode(self, out: Writer) -> None:
        out.sp()
        out.mailbox(self.reference)
        out.sp()
        out.list_mailbox(self.pattern)

    def result(self, reply: Reply) -> list[Special]:
        return reply.all(Special)

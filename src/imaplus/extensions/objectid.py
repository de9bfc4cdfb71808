"""OBJECTID (RFC 8474): names that the server gives to mailboxes, messages and threads for good.

EMAILID is the same for a message wherever it is copied or moved to, and THREADID for all messages
of a thread: `fetch(uids, "EMAILID", "THREADID")`. MAILBOXID, which survives a rename, is told by
SELECT, STATUS and CREATE, and stands with those commands. IMAP4rev2 does not include this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from imaplus.core.bulk.shapes import Value, add_plain
from imaplus.core.items import fetch_item
from imaplus.core.search_query import Query
from imaplus.errors import InvalidArgument
from imaplus.protocol.data import object_id
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.writer import Writer

_OBJECT_ID = lazy_pattern(r"[A-Za-z0-9_-]{1,255}")


@fetch_item("EMAILID", requires="OBJECTID")
@fetch_item("THREADID", requires="OBJECTID")
def message_or_thread(c: Cursor) -> str | None:
    """The identifier; None where the server has none to give (RFC 8474, 5.2)."""
    # fetch-threadid-resp = "THREADID" SP ( "(" objectid ")" / nil )
    return object_id(c)


def _texts(texts: Sequence[bytes]) -> list[object]:
    return [None if text.upper() in (b"NIL", b"(NIL)") else text[1:-1].decode() for text in texts]


_ONE = Value(rb"(\([A-Za-z0-9_-]{1,255}\)|NIL)", _texts)
add_plain("EMAILID", _ONE)
add_plain("THREADID", _ONE)


@record(repr=False)
class _IdKey(Query):
    """A search key for exactly one identifier. Raises: InvalidArgument for what is none."""

    requires: ClassVar[str | None] = "OBJECTID"
    id: str

    def __post_init__(self) -> None:
        found: object = self.id
        if not isinstance(found, str) or not _OBJECT_ID.fullmatch(found):
            raise InvalidArgument(f"expected an object identifier, found {found!r:.60}")

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.atom(type(self).__name__.upper())
        out.sp()
        out.atom(self.id)


class EmailId(_IdKey):
    """The message with this EMAILID (RFC 8474, 6)."""

    __slots__ = ()


class ThreadId(_IdKey):
    """The messages of the thread with this THREADID."""

    __slots__ = ()

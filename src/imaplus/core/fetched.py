"""FETCH data (RFC 9051, 7.5.2): the items that a server sends about one message, by name.

The parsers of items are in `items.py`.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from imaplus.core.envelope import Envelope
from imaplus.core.items import Later, read_items
from imaplus.core.parts import Part
from imaplus.errors import InvalidArgument, ProtocolError
from imaplus.protocol.data import MessageData
from imaplus.protocol.response import Malformed, numbered_response
from imaplus.wire.cursor import Cursor

if TYPE_CHECKING:
    from email.message import EmailMessage


class FetchData(MessageData):
    """The items of one FETCH response, by name as RFC 9051 writes it: `data["RFC822.SIZE"]`.

    Values are typed; an item without a parser is a raw `Frame`. Partial sections are named by
    their first byte: `BODY[]<0>`. Data of a message whose UID is unknown is a FetchData, all other
    data is `Fetched`.
    """

    __slots__ = ("_items",)

    def __init__(self, seq: int, items: dict[str, object]) -> None:
        self.seq = seq
        self._items = items

    @property
    def items(self) -> dict[str, object]:
        """All items by name; lazy ones may not be parsed yet: use `data[name]` for values."""
        return self._items

    @property
    def names(self) -> Set[str]:
        """The names of the items that the server sent."""
        return self.items.keys()

    @property
    def claims(self) -> Set[str]:
        """As `names`, without parsing; a malformed response may have others."""
        return self._items.keys()

    def __getitem__(self, name: str) -> Any:
        """Return an item's value.

        Raises:
            KeyError: the server did not send the item.
            ProtocolError: the item cannot be parsed; other items are not affected.
        """
        value = self._items[name]
        if isinstance(value, Later):
            value = self._items[name] = value.parse(name)
        if isinstance(value, Malformed):
            raise value.error.with_traceback(None)  # it would grow each time
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def get(self, name: str, default: Any = None) -> Any:
        """Return an item's value, or `default` if the server did not send it."""
        try:
            return self[name]
        except KeyError:
            return default

    def with_uid(self, uid: int) -> Fetched:
        """Return the same items with this UID."""
        return Fetched(self.seq, uid, self.items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FetchData):
            return NotImplemented
        same = (self.seq, self.uid, self.names) == (other.seq, other.uid, other.names)
        return same and all(self._plain(name) == other._plain(name) for name in self.names)

    __hash__: ClassVar[None]  # type: ignore[assignment]

    def _plain(self, name: str) -> object:
        try:
            return self[name]
        except ProtocolError as error:
            return str(error)

    def __repr__(self) -> str:
        uid = "" if self.uid is None else f", uid={self.uid}"
        kind = "FetchData" if self.uid is None else "Fetched"
        return f"{kind}(seq={self.seq}{uid}, items={{{', '.join(self.names)}}})"

    # -- the usual items, by name -----------------------------------------------------------

    @property
    def flags(self) -> frozenset[str]:
        """Its flags and keywords.

        This and the following properties raise KeyError if the item was not fetched.
        """
        value: frozenset[str] = self["FLAGS"]
        return value

    @property
    def size(self) -> int:
        """Its size in bytes, as reported by the server: RFC822.SIZE."""
        value: int = self["RFC822.SIZE"]
        return value

    @property
    def internaldate(self) -> datetime | None:
        """When the server received it: INTERNALDATE; None if that is not a valid date."""
        value: datetime | None = self["INTERNALDATE"]
        return value

    @property
    def modseq(self) -> int:
        """Its modification sequence, MODSEQ (RFC 7162)."""
        value: int = self["MODSEQ"]
        return value

    @property
    def envelope(self) -> Envelope:
        """Its date, subject, sender and recipients: ENVELOPE."""
        value: Envelope = self["ENVELOPE"]
        return value

    @property
    def bodystructure(self) -> Part:
        """Its MIME structure: BODYSTRUCTURE, or BODY if that was fetched instead."""
        value: Part = self["BODYSTRUCTURE" if "BODYSTRUCTURE" in self.claims else "BODY"]
        return value

    def body(self, section: str = "") -> bytes:
        """Return the content of a section that was fetched completely; b"" if it is empty.

        Raises:
            KeyError: the section was not fetched.
            InvalidArgument: the content was written to a sink.
        """
        value = self[f"BODY[{section.upper()}]"]
        if value is not None and not isinstance(value, bytes):
            raise InvalidArgument("this body was written to a sink: it is not in memory")
        return value or b""

    def email(self) -> EmailMessage:
        """Parse the whole message with Python's `email` package.

        Raises:
            KeyError: `BodySection()`, which is BODY[], was not fetched.
        """
        from email import message_from_bytes, policy  # slow to import, and seldom needed

        return message_from_bytes(self.body(), policy=policy.default)


class Fetched(FetchData):
    """The data of a FETCH response about a message whose UID is known."""

    __slots__ = ("uid",)
    uid: int  # a slot, not a property: it is read faster

    def __init__(self, seq: int, uid: int, items: dict[str, object]) -> None:
        self.seq = seq
        self.uid = uid  # pyright: ignore[reportIncompatibleMethodOverride]
        self._items = items

    def merge(self, later: Fetched) -> Fetched:
        """Return a copy with the items of a later response about the same message."""
        return Fetched(later.seq, later.uid, {**self.items, **later.items})


@numbered_response("FETCH")
def parse_fetch(c: Cursor, seq: int) -> FetchData:
    # message-data = nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att))
    items = read_items(c)
    uid = items.get("UID")
    return Fetched(seq, uid, items) if isinstance(uid, int) and uid else FetchData(seq, items)

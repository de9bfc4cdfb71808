"""FETCH data (RFC 9051, 7.5.2): the items that a server sends of one message, by name.

How each item is written is known in `items.py`.
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
    their first byte: `BODY[]<0>`. A response that names no UID, about a message whose UID the
    connection has not been told either, stays a FetchData; all others are `Fetched`.
    """

    __slots__ = ("_items",)

    def __init__(self, seq: int, items: dict[str, object]) -> None:
        self.seq = seq
        self._items = items

    @property
    def items(self) -> dict[str, object]:
        """All items as they are kept: values, or where to parse them from."""
        return self._items

    @property
    def names(self) -> Set[str]:
        """The names of the items that the server sent."""
        return self.items.keys()

    @property
    def claims(self) -> Set[str]:
        """As `names`, without parsing: a malformed response may turn out to have others."""
        return self._items.keys()

    def __getitem__(self, name: str) -> Any:
        """An item's value.

        Raises:
            KeyError: the server did not send the item.
            ProtocolError: it sent what does not parse; other items are not affected.
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
        """An item's value, or the default if the server did not send it."""
        try:
            return self[name]
        except KeyError:
            return default

    def with_uid(self, uid: int) -> Fetched:
        """The same items, of the message with this UID."""
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
        """Its flags and keywords. Raises KeyError, like all of these, if FLAGS was not fetched."""
        value: frozenset[str] = self["FLAGS"]
        return value

    @property
    def size(self) -> int:
        """Its size in bytes, as the server counts them: RFC822.SIZE."""
        value: int = self["RFC822.SIZE"]
        return value

    @property
    def internaldate(self) -> datetime | None:
        """When the server received it; None if the server sent what is no date."""
        value: datetime | None = self["INTERNALDATE"]
        return value

    @property
    def modseq(self) -> int:
        """The number of its latest change (RFC 7162)."""
        value: int = self["MODSEQ"]
        return value

    @property
    def envelope(self) -> Envelope:
        """Subject, date, and who wrote to whom."""
        value: Envelope = self["ENVELOPE"]
        return value

    @property
    def bodystructure(self) -> Part:
        """Its MIME structure: BODYSTRUCTURE, or BODY where that was fetched instead."""
        value: Part = self["BODYSTRUCTURE" if "BODYSTRUCTURE" in self.claims else "BODY"]
        return value

    def body(self, section: str = "") -> bytes:
        """The content of a section that was fetched whole; b"" if the server has none."""
        value = self[f"BODY[{section.upper()}]"]
        if value is not None and not isinstance(value, bytes):
            raise InvalidArgument("this body went to a sink: it is not in memory")
        return value or b""

    def email(self) -> EmailMessage:
        """The whole message, parsed by Python's `email` package. Needs BODY[]: `BodySection()`."""
        from email import message_from_bytes, policy  # slow to import, and seldom needed

        return message_from_bytes(self.body(), policy=policy.default)


class Fetched(FetchData):
    """What a FETCH response says of one message, whose UID is known."""

    __slots__ = ("uid",)
    uid: int  # a slot, not a property: it is read faster

    def __init__(self, seq: int, uid: int, items: dict[str, object]) -> None:
        self.seq = seq
        self.uid = uid  # pyright: ignore[reportIncompatibleMethodOverride]
        self._items = items

    def merge(self, later: Fetched) -> Fetched:
        """A copy with the items that came later for the same message."""
        return Fetched(later.seq, later.uid, {**self.items, **later.items})


@numbered_response("FETCH")
def parse_fetch(c: Cursor, seq: int) -> FetchData:
    # message-data = nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att))
    items = read_items(c)
    uid = items.get("UID")
    return Fetched(seq, uid, items) if isinstance(uid, int) and uid else FetchData(seq, items)

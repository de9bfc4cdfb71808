"""Messages as callers give them to `append()`, with or without flags and a date of their own."""

from __future__ import annotations

from datetime import datetime
from typing import IO, TYPE_CHECKING, TypeAlias

from imaplus.core.append import Outgoing
from imaplus.errors import InvalidArgument
from imaplus.protocol.connection import Connection
from imaplus.records import replace
from imaplus.wire.flags import FlagsLike, flags_of

if TYPE_CHECKING:
    from email.message import Message

OutgoingMessage: TypeAlias = "bytes | IO[bytes] | Message | Outgoing"
"""What `Outgoing` takes, or one that is made already."""


def outgoing(
    message: OutgoingMessage,
    flags: FlagsLike = (),
    date: datetime | None = None,
    *,
    binary: bool = False,
) -> Outgoing:
    """A message to append. To the flags of an `Outgoing` those are added that are given here.

    Raises:
        InvalidArgument: it is none of the kinds, or an `email` message that cannot be written
            down without changing its meaning: a line break in a header, say; one of the flags is
            none; or there are two dates.
    """
    if isinstance(message, Outgoing):
        found = _with(message, flags, date)
    else:
        found = Outgoing(message, flags, date)
    if binary and not found.binary and any(b"\0" in chunk for chunk in found.source.chunks()):
        return replace(found, binary=True)
    return found


def takes_nul(connection: Connection) -> bool:
    """Whether messages may have NUL bytes: BINARY on its own, not as a part of IMAP4rev2."""
    return "BINARY" in connection.capabilities


def _with(message: Outgoing, flags: FlagsLike, date: datetime | None) -> Outgoing:
    flags = message.flags | flags_of(flags)
    if date is None or date == message.date:
        date = message.date
    elif message.date is not None:
        raise InvalidArgument(f"the message has a date already: {message.date}")
    unchanged = flags == message.flags and date == message.date
    return message if unchanged else replace(message, flags=flags, date=date)

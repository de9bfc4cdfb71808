"""From what callers have (octets, files, `email` messages) to the octets that APPEND sends."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias

from imaplus.errors import InvalidArgument
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.sources import FileSource, Octets, Source

if TYPE_CHECKING:
    from email.message import Message

MessageLike: TypeAlias = "bytes | IO[bytes] | Message | Source"
"""Octets, which travel unchanged; a seekable binary file, read as it is sent; an email message."""

_ENDS_HEADER: Final = lazy_pattern(r"\r?\n(?![ \t])|\r(?!\n)")  # others fold it (RFC 5322, 2.2.3)


def source_of(message: Any) -> Source:
    """The octets of a message, to be sent.

    Raises:
        InvalidArgument: it is nothing that octets can be had of, or an `email` message that cannot
            be written down without changing its meaning: a line break in a header, say.
    """
    if isinstance(message, bytes | bytearray | memoryview):
        return Octets(bytes(message))
    if hasattr(message, "walk"):
        return Octets(_flatten(message))
    if hasattr(message, "chunks") and hasattr(message, "size"):
        source: Source = message
        return source
    if not hasattr(message, "read"):
        raise InvalidArgument(
            f"expected bytes, a binary file or an email message, found {type(message).__name__}"
        )
    return FileSource.of(message)


def _flatten(message: Any) -> bytes:
    """Octets by the SMTP policy, read back to see that no header became two (CVE-2024-6923)."""
    from email import message_from_bytes, policy
    from email.generator import BytesGenerator

    for part in message.walk():
        for name, value in part.raw_items():
            if _ENDS_HEADER.search(str(value)):
                raise InvalidArgument(f"the header {name!r:.60} has a line break that ends it")
    out = io.BytesIO()
    try:
        BytesGenerator(out, policy=policy.SMTP).flatten(message)
    except Exception as error:  # the package raises what its helpers happen to raise
        raise InvalidArgument(f"this message cannot be written down: {error}") from error
    data = out.getvalue()
    written = message_from_bytes(data).keys()
    if [name.lower() for name in written] != [name.lower() for name in message]:
        raise InvalidArgument("a header of this message has a line break that makes it two")
    return data

"""WITHIN (RFC 5032): search keys for messages by their age in seconds, at the server's clock."""

from __future__ import annotations

from typing import ClassVar

from imaplus.core.search_query import Query
from imaplus.errors import InvalidArgument
from imaplus.records import record
from imaplus.wire.writer import Writer

_LARGEST = (1 << 32) - 1


@record(repr=False)
class _AgeKey(Query):
    """A key with an interval. Raises: InvalidArgument for what is no number of seconds."""

    requires: ClassVar[str | None] = "WITHIN"
    seconds: int

    def __post_init__(self) -> None:
        found: object = self.seconds
        if not isinstance(found, int) or not 1 <= found <= _LARGEST:  # nz-number (RFC 5032, 3)
            raise InvalidArgument(f"expected 1 to {_LARGEST} seconds, found {found!r:.60}")

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.atom(type(self).__name__.upper())
        out.sp()
        out.number(self.seconds)


class Younger(_AgeKey):
    """Messages whose INTERNALDATE is at most so many seconds ago."""

    __slots__ = ()


class Older(_AgeKey):
    """Messages whose INTERNALDATE is at least so many seconds ago."""

    __slots__ = ()

"""PARTIAL (RFC 9394): the first or the last of the messages that a search finds."""

from __future__ import annotations

from typing import ClassVar

from imaplus.core.parameters import SearchReturn
from imaplus.errors import InvalidArgument
from imaplus.records import record
from imaplus.wire.writer import Writer


@record
class Partial(SearchReturn):
    """Ask for so many results: from the beginning, or from the end with a negative number.

    Raises:
        InvalidArgument: `count` is 0.
    """

    requires: ClassVar[str | None] = "PARTIAL"
    count: int

    def __post_init__(self) -> None:
        if not self.count:
            raise InvalidArgument("expected how many results to return, found 0")

    def encode(self, out: Writer) -> None:
        # "PARTIAL" SP partial-range; partial-range-last = MINUS nz-number ":" MINUS nz-number
        out.raw(b"PARTIAL ")
        if self.count < 0:
            out.raw(b"-1:-")
        else:
            out.raw(b"1:")
        out.number(abs(self.count))

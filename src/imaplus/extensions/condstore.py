"""CONDSTORE (RFC 7162, 3.1): every change has a number, so that one can ask what is new.

SELECT's HIGHESTMODSEQ, STORE's MODIFIED and FETCH's MODSEQ are read in any case, and stand with
those commands.
"""

from __future__ import annotations

from typing import ClassVar

from imaplus.core.parameters import FetchModifier, SelectParameter, StoreModifier
from imaplus.errors import InvalidArgument
from imaplus.records import record
from imaplus.wire.writer import Writer

LARGEST = (1 << 63) - 1
"""mod-sequence-value is a positive 63-bit number (RFC 7162, 7)."""


def _check_modseq(modseq: int, least: int) -> int:
    if not least <= modseq <= LARGEST:
        raise InvalidArgument(f"expected a mod-sequence from {least} to 2^63 - 1, found {modseq!r}")
    return modseq


@record
class Condstore(SelectParameter):
    """SELECT ... (CONDSTORE): report MODSEQ from here on (RFC 7162, 3.1.8)."""

    requires: ClassVar[str | None] = "CONDSTORE"

    def encode(self, out: Writer) -> None:
        out.raw(b"CONDSTORE")


@record
class ChangedSince(FetchModifier):
    """Only messages that changed after this (RFC 7162, 3.1.4.1).

    `vanished` asks for the UIDs that are gone since, too; that needs QRESYNC (3.2.6).
    """

    requires: ClassVar[str | None] = "CONDSTORE"
    modseq: int
    vanished: bool = False

    def __post_init__(self) -> None:
        _check_modseq(self.modseq, 0)

    def encode(self, out: Writer) -> None:
        out.raw(b"CHANGEDSINCE ")
        out.number(self.modseq)
        if self.vanished:
            out.raw(b" VANISHED")


@record
class UnchangedSince(StoreModifier):
    """Only messages that have not changed after this (RFC 7162, 3.1.3)."""

    requires: ClassVar[str | None] = "CONDSTORE"
    modseq: int

    def __post_init__(self) -> None:
        _check_modseq(self.modseq, 0)

    def encode(self, out: Writer) -> None:
        out.raw(b"UNCHANGEDSINCE ")
        out.number(self.modseq)

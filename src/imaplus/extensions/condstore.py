"""CONDSTORE (RFC 7162, 3.1): every change has a number, so that one can ask what is new.

SELECT's HIGHESTMODSEQ and STORE's MODIFIED are read in any case, and stand with those commands.
"""

from __future__ import annotations

from collections.abc import Iterator

from imaplus.core.fetched import Fetched, fetch_item
from imaplus.core.parameters import FetchModifier, SelectParameter, StoreModifier
from imaplus.core.runs import FlagsRun, flags_line, flags_run
from imaplus.errors import InvalidArgument
from imaplus.protocol.response import run_of_responses
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.writer import Writer

LARGEST = (1 << 63) - 1
"""mod-sequence-value is a positive 63-bit number (RFC 7162, 7)."""


def _checked(modseq: int, least: int) -> int:
    if not least <= modseq <= LARGEST:
        raise InvalidArgument(f"expected a mod-sequence from {least} to 2^63 - 1, found {modseq!r}")
    return modseq


@fetch_item("MODSEQ")
def modseq(c: Cursor) -> int:
    # fetch-mod-resp = "MODSEQ" SP "(" permsg-modsequence ")"; quirk 28: Zoho sends (-1), which is 0
    value = 0
    for _ in c.items():
        value = c.number()
    return value


class ModSeqRun(FlagsRun):
    """The flags and mod-sequences of messages that follow one another."""

    __slots__ = ("modseqs",)
    names = FlagsRun.names | {"MODSEQ"}

    def __init__(self, run: FlagsRun, modseqs: list[int]) -> None:
        super().__init__(run.first, run.uids, run.flags)
        self.modseqs = modseqs

    def __iter__(self) -> Iterator[Fetched]:
        for found, modseq in zip(super().__iter__(), self.modseqs, strict=True):
            found.items["MODSEQ"] = modseq
            yield found


@run_of_responses(flags_line(rb"UID <uid> FLAGS <flags> MODSEQ \(([0-9]{1,19})\)"))
def modseqs_after_uid(lines: bytes, rows: list[tuple[bytes, ...]]) -> ModSeqRun | None:
    run = flags_run(lines, [int(row[0]) for row in rows], [row[1] for row in rows])
    return None if run is None else ModSeqRun(run, [int(row[2]) for row in rows])


@run_of_responses(flags_line(rb"FLAGS <flags> UID <uid> MODSEQ \(([0-9]{1,19})\)"))
def modseqs_before_uid(lines: bytes, rows: list[tuple[bytes, ...]]) -> ModSeqRun | None:
    run = flags_run(lines, [int(row[1]) for row in rows], [row[0] for row in rows])
    return None if run is None else ModSeqRun(run, [int(row[2]) for row in rows])


@record
class Condstore(SelectParameter):
    """SELECT ... (CONDSTORE): report MODSEQ from here on (RFC 7162, 3.1.8)."""

    requires = "CONDSTORE"

    def encode(self, out: Writer) -> None:
        out.raw(b"CONDSTORE")


@record
class ChangedSince(FetchModifier):
    """Only messages that changed after this (RFC 7162, 3.1.4.1).

    `vanished` asks for the UIDs that are gone since, too; that needs QRESYNC (3.2.6).
    """

    requires = "CONDSTORE"
    modseq: int
    vanished: bool = False

    def __post_init__(self) -> None:
        _checked(self.modseq, 0)

    def encode(self, out: Writer) -> None:
        out.raw(b"CHANGEDSINCE ")
        out.number(self.modseq)
        if self.vanished:
            out.raw(b" VANISHED")


@record
class UnchangedSince(StoreModifier):
    """Only messages that have not changed after this (RFC 7162, 3.1.3)."""

    requires = "CONDSTORE"
    modseq: int

    def __post_init__(self) -> None:
        _checked(self.modseq, 0)

    def encode(self, out: Writer) -> None:
        out.raw(b"UNCHANGEDSINCE ")
        out.number(self.modseq)

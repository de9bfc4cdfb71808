"""QRESYNC (RFC 7162, 3.2): what changed and what went while we were away, in one round trip."""

from __future__ import annotations

from typing import ClassVar

from imaplus.core.parameters import SelectParameter
from imaplus.errors import InvalidArgument
from imaplus.records import record
from imaplus.wire.sets import EMPTY, SequenceSet
from imaplus.wire.writer import Writer


@record
class Resync(SelectParameter):
    """SELECT ... (QRESYNC (...)): what we knew, so that the server tells the difference.

    QRESYNC must have been enabled. `known_uids` narrows what we are told of; all, if it is empty.
    If `uidvalidity` is not the mailbox's any more, the server tells nothing.
    """

    requires: ClassVar[str | None] = "QRESYNC"
    uidvalidity: int
    modseq: int
    known_uids: SequenceSet = EMPTY

    def __post_init__(self) -> None:
        if self.uidvalidity < 1 or self.modseq < 1:
            raise InvalidArgument(
                "QRESYNC needs a UIDVALIDITY and a mod-sequence (RFC 7162, 3.2.5)"
            )

    def encode(self, out: Writer) -> None:
        out.raw(b"QRESYNC (")
        out.number(self.uidvalidity)
        out.sp()
        out.number(self.modseq)
        if self.known_uids:
            out.sp()
            out.sequence_set(self.known_uids)
        out.raw(b")")

"""FETCH by sequence numbers (RFC 9051, 6.4.5), for one purpose: to learn UIDs without SEARCH.

Everything else names messages by UID, for sequence numbers move.
"""

from __future__ import annotations

from typing import ClassVar

from imaplus.core.fetched import Fetched
from imaplus.protocol.command import Command, Reply
from imaplus.protocol.state import SELECTED
from imaplus.records import record
from imaplus.wire.sets import SequenceSet
from imaplus.wire.writer import Writer


@record
class FetchUids(Command[SequenceSet]):
    """Ask for the UIDs of messages by their sequence numbers.

    It never shares the wire: no number moves while it is answered (RFC 9051, 7.5.1).
    """

    name = b"FETCH"
    states = SELECTED
    collects: ClassVar[tuple[type, ...]] = (Fetched,)
    exclusive = True
    seqs: SequenceSet

    def encode(self, out: Writer) -> None:
        out.sp()
        out.sequence_set(self.seqs)
        out.sp()
        out.atom_list(("UID",))

    def wants(self, data: object) -> bool:
        return isinstance(data, Fetched) and data.seq in self.seqs

    def result(self, reply: Reply) -> SequenceSet:
        return SequenceSet.of(value.uid for value in reply.all(Fetched))

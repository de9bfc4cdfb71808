"""The selected mailbox, kept for the typed client.

A program may request the typed client in the middle of a session, after it has consumed the
responses to SELECT. So these are kept here, and the number of messages is updated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from imaplus.errors import InvalidArgument
from imaplus.records import field, record
from imaplus.wire.sets import SequenceSet


@record(frozen=False, eq=False)
class Selected:
    """The selected mailbox."""

    KINDS: ClassVar = frozenset(("EXISTS", "EXPUNGE", "VANISHED"))

    name: bytes
    """Its name as sent, including quotes."""
    read_only: bool = False
    exists: int = 0
    responses: Mapping[str, Sequence[object]] = field(default_factory=dict)
    """The responses to SELECT, by type."""

    def apply(self, typ: str, data: bytes) -> None:
        """Update the number of messages from a response."""
        if typ == "EXPUNGE":
            self.exists = max(0, self.exists - 1)
        elif typ == "VANISHED":
            self.exists = max(0, self.exists - _count_vanished(data))
        elif data.isdigit():
            self.exists = int(data[:10])


def _count_vanished(data: bytes) -> int:
    if data.startswith(b"("):  # VANISHED (EARLIER): removed before SELECT, so not counted
        return 0
    try:
        return len(SequenceSet.parse(data))
    except InvalidArgument:
        return 0

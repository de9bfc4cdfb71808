"""The selected mailbox, as far as an `IMAP4` has to remember it for its typed client.

The typed client can be had in the middle of a session, when the responses to SELECT have long been
taken: so they are kept, and the number of messages is counted on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from imaplus.errors import InvalidArgument
from imaplus.records import field, record
from imaplus.wire.sets import SequenceSet


@record(frozen=False, eq=False)
class Selected:
    """A mailbox that is open."""

    KINDS: ClassVar = frozenset(("EXISTS", "EXPUNGE", "VANISHED"))

    name: bytes
    """As it was sent, quotes included."""
    read_only: bool = False
    exists: int = 0
    responses: Mapping[str, Sequence[object]] = field(default_factory=dict)
    """What SELECT was answered, by its kind."""

    def apply(self, typ: str, data: bytes) -> None:
        """Messages came, or went."""
        if typ == "EXPUNGE":
            self.exists = max(0, self.exists - 1)
        elif typ == "VANISHED":
            self.exists = max(0, self.exists - _gone(data))
        elif data.isdigit():
            self.exists = int(data[:10])


def _gone(data: bytes) -> int:
    if data.startswith(b"("):  # VANISHED (EARLIER): they were not counted
        return 0
    try:
        return len(SequenceSet.parse(data))
    except InvalidArgument:
        return 0

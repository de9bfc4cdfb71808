"""IDLE (RFC 9051, 6.3.13; RFC 2177): receive changes as they happen.

All responses to it are events. It ends when it is interrupted; sending another command interrupts
it, too.
"""

from __future__ import annotations

from typing import ClassVar

from imaplus.protocol.command import Done
from imaplus.records import record


@record
class Idle(Done):
    """Wait for events until interrupted."""

    name = b"IDLE"
    requires: ClassVar[str | None] = "IDLE"
    exclusive = True

    def interruption(self) -> bytes | None:
        return b"DONE"

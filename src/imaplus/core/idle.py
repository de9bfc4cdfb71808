"""IDLE (RFC 9051, 6.3.13; RFC 2177): hear of changes as they happen.

While it runs, what comes is nobody's answer, and reaches the caller as events. It ends when it is
interrupted; a command that is sent meanwhile interrupts it too.
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

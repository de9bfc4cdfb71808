"""Counters of the server's progress with the commands in flight; they only grow.

The connection counts, and has no clock. The client compares the counters with their last values to
decide how long to wait (`client/patience.py`).
"""

from __future__ import annotations

from typing import Final

LEAST: Final = 64
"""Minimum size that a response counts as, in bytes: short ones take as much time."""


class Progress:
    """Bytes received and sent, and how many of them answer commands that are waited for."""

    __slots__ = ("in_progress", "octets", "received", "steps", "unfinished", "written")

    def __init__(self) -> None:
        self.received: int = 0
        """Bytes received, after decompression."""
        self.octets: int = 0
        """Bytes of responses that answer commands; a shorter one counts as `LEAST`."""
        self.written: int = 0
        """Bytes sent; counted by the code that writes them."""
        self.steps: int = 0
        """Completed commands, and continuation requests (`+`) that were waited for."""
        self.in_progress: int = 0
        """[INPROGRESS] responses (RFC 9585)."""
        self.unfinished: int = 0
        """Bytes of text of the incomplete response. Only this number can shrink."""

    def count_answer(self, size: int, responses: int = 1) -> None:
        """Count responses of `size` bytes together that answer a command."""
        self.octets += max(size, LEAST * responses)

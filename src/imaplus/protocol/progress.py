"""How far the server has come with the commands on the wire, in numbers that only grow.

A connection counts; it has no clock. Whoever waits compares what it finds with what it found
before, and decides how much time that is worth (`client/patience.py`).
"""

from __future__ import annotations

from typing import Final

LEAST: Final = 64
"""Minimum size that a response counts as, in bytes: short ones take as much time."""


class Progress:
    """What has come, and how much of it was an answer to a command that somebody waits for."""

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

"""How far the server has come with the commands on the wire, in numbers that only grow.

A connection counts; it has no clock. Whoever waits compares what it finds with what it found
before, and decides how much time that is worth (`client/patience.py`).
"""

from __future__ import annotations

from typing import Final

LEAST: Final = 64
"""Octets that one response counts for at least: flags of one message take fewer, and as long."""


class Progress:
    """What has come, and how much of it was an answer to a command that somebody waits for."""

    __slots__ = ("in_progress", "octets", "received", "steps", "unfinished", "written")

    def __init__(self) -> None:
        self.received: int = 0
        """Octets that came, inflated where compression is on."""
        self.octets: int = 0
        """Octets of responses that answer commands; `LEAST` for a shorter one."""
        self.written: int = 0
        """Octets that the server has taken from us; whoever writes them counts them."""
        self.steps: int = 0
        """Commands that ended, and continuation requests (`+`) that were waited for."""
        self.in_progress: int = 0
        """[INPROGRESS] responses (RFC 9585)."""
        self.unfinished: int = 0
        """Octets of text of a response whose end has not come. It is the only one that shrinks."""

    def count_answer(self, size: int, responses: int = 1) -> None:
        """Count responses of `size` bytes together that answer a command."""
        self.octets += max(size, LEAST * responses)

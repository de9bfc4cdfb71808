"""What could not be read as it was meant, and what was made of it instead."""

from __future__ import annotations

from imaplus.records import record


@record
class Problem:
    """Something in a message that is not as the standards have it."""

    section: str
    """The part, as FETCH calls it ("1.2"); "" for the message as a whole."""
    text: str
    """What is wrong, and what was done about it, in English."""

    def __str__(self) -> str:
        return f"part {self.section}: {self.text}" if self.section else self.text

"""What was malformed in a message, and how it was handled."""

from __future__ import annotations

from imaplus.records import record


@record
class Problem:
    """A malformed item of a message."""

    section: str
    """The section of the part, such as "1.2"; "" for the message as a whole."""
    text: str
    """What is malformed, and how it was handled, in English."""

    def __str__(self) -> str:
        return f"part {self.section}: {self.text}" if self.section else self.text

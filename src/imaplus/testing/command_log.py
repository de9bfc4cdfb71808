"""The commands of one connection, for tests: lines, including short literals."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from imaplus.wire.frames import Frame

KEPT_COMMANDS: Final = 100_000
"""Maximum number of commands kept for one connection; older ones are dropped."""
SHOWN_LITERAL: Final = 4096
"""Literals longer than this, in bytes, are omitted."""
_LITERAL: Final = re.compile(rb"\{[0-9]+\}\r\n")


class CommandLog:
    """The commands that a client has sent: the latest `lines`, and the total `count`."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=KEPT_COMMANDS)
        self.count: int = 0

    def add(self, frame: Frame) -> None:
        """Record one command."""
        self.count += 1
        literals = iter(frame.literals)

        def insert_literal(marker: re.Match[bytes]) -> bytes:
            value = next(literals)
            short = isinstance(value, bytes) and len(value) <= SHOWN_LITERAL
            return marker[0] + value if short and isinstance(value, bytes) else marker[0]

        text = _LITERAL.sub(insert_literal, frame.text)
        self.lines.append(text.decode("utf-8", "backslashreplace"))

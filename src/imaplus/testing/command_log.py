"""The commands of one connection as tests look at them: lines, with literals that are not large."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from imaplus.wire.frames import Frame

KEPT_COMMANDS: Final = 100_000
"""Commands of one connection that are kept."""
SHOWN_LITERAL: Final = 4096
"""Octets: larger literals are left out."""
_LITERAL: Final = re.compile(rb"\{[0-9]+\}\r\n")


class CommandLog:
    """What a client has said. `count` goes on where `lines` are full."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=KEPT_COMMANDS)
        self.count: int = 0

    def add(self, frame: Frame) -> None:
        """One command has come."""
        self.count += 1
        literals = iter(frame.literals)

        def shown(marker: re.Match[bytes]) -> bytes:
            value = next(literals)
            short = isinstance(value, bytes) and len(value) <= SHOWN_LITERAL
            return marker[0] + value if short and isinstance(value, bytes) else marker[0]

        text = _LITERAL.sub(shown, frame.text)
        self.lines.append(text.decode("utf-8", "backslashreplace"))

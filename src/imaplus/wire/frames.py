"""Frame, one complete response, and the limits on what a server may send."""

from __future__ import annotations

from typing import Final, NamedTuple

from imaplus.records import record
from imaplus.wire.patterns import lazy_pattern


@record(kw_only=True)
class Limits:
    """What a server may make us hold. Each is far above honest use and far below harm."""

    text: int = 16 << 20
    """Bytes of one response, literals apart: a plain SEARCH of two million UIDs."""
    literal: int = 256 << 20
    """Bytes of one literal in memory: the largest mail that providers accept, with room."""
    small_literal: int = 1 << 20
    """The same where nobody asked for a body: names, subjects, annotations."""
    literals: int = 50_000
    """Literals in one response: an ENVELOPE of ten thousand recipients in four fields."""
    depth: int = 128
    """Open parentheses: servers stop nesting MIME parts at a hundred."""
    held: int = 1 << 30
    """Bytes kept for one command until its caller takes them: a page of large messages."""
    unasked: int = 64 << 20
    """The same of what no command asked for: the news of the largest mailboxes we know."""
    responses: int = 5_000_000
    """Responses kept for one command: the flags of the largest mailboxes we know."""
    messages: int = 20_000_000
    """Messages of one mailbox whose UIDs are remembered, at four bytes each."""


DEFAULT_LIMITS: Final = Limits()


_MARK: Final = lazy_pattern(rb"(?<=\r\n)")  # behind it, a literal stood
ANNOUNCED: Final = lazy_pattern(rb"\{(0|[1-9][0-9]{0,19})\}\r\n")
"""What comes before a literal, as it should be written."""


class Frame(NamedTuple):
    """One complete response: its text without the final line break, its literals apart.

    Where a literal stood, the text has `{n}` and CRLF; no line break occurs elsewhere in it. A
    quoted string that had one, which is not allowed, is a literal here.
    """

    text: bytes
    literals: tuple[object, ...] = ()

    @property
    def whole(self) -> bytes:
        """The response as it came, without its line break; literals that went elsewhere are left
        out."""
        parts = _MARK.split(self.text)
        values = (value if isinstance(value, bytes) else b"" for value in self.literals)
        return b"".join(part for pair in zip(parts, (*values, b""), strict=True) for part in pair)

    @property
    def size(self) -> int:
        """Bytes that the frame holds in memory."""
        if not self.literals:
            return len(self.text)
        return len(self.text) + sum([len(x) for x in self.literals if isinstance(x, bytes)])


def frame_of(data: bytes) -> Frame:
    """The frame of one complete value or response, without its final line break."""
    text: list[bytes] = []
    literals: list[bytes] = []
    end = 0
    for match in ANNOUNCED.finditer(data) if b"{" in data else ():
        begin = match.end()
        text.append(data[end:begin])
        end = begin + int(match[1])
        literals.append(data[begin:end])
    return Frame(b"".join([*text, data[end:]]), tuple(literals)) if literals else Frame(data)

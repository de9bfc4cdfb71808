"""Frame, one complete response, and the limits on what a server may send."""

from __future__ import annotations

from typing import Final, NamedTuple

from imaplus.records import record
from imaplus.wire.patterns import lazy_pattern


@record(kw_only=True)
class Limits:
    """Limits on the memory that a server can make this end use.

    Each is far above what real servers send. Exceeding one raises ProtocolError.
    """

    text: int = 16 << 20
    """Bytes of one response without its literals: enough for SEARCH with two million UIDs."""
    literal: int = 256 << 20
    """Bytes of one literal in memory: more than the largest message that providers accept."""
    small_literal: int = 1 << 20
    """The same for literals that are not message bodies: names, subjects, annotations."""
    literals: int = 50_000
    """Literals in one response: enough for an ENVELOPE with ten thousand recipients."""
    depth: int = 128
    """Levels of parentheses: servers nest at most a hundred MIME parts."""
    held: int = 1 << 30
    """Bytes kept for one command until the caller takes them."""
    unasked: int = 64 << 20
    """Bytes in a row that no command asked for."""
    responses: int = 5_000_000
    """Responses kept for one command: enough for the flags of very large mailboxes."""
    messages: int = 20_000_000
    """Messages of one mailbox whose UIDs are kept, at four bytes each."""


DEFAULT_LIMITS: Final = Limits()


_MARK: Final = lazy_pattern(rb"(?<=\r\n)")  # after it, there was a literal
ANNOUNCED: Final = lazy_pattern(rb"\{(0|[1-9][0-9]{0,19})\}\r\n")
"""A well-formed announcement of a literal."""


class Frame(NamedTuple):
    """One complete response: its text without the final line break, its literals apart.

    In place of a literal, the text has `{n}` and CRLF; it has no other line breaks. A quoted string
    with a line break, which the grammar forbids, is a literal here.
    """

    text: bytes
    literals: tuple[object, ...] = ()

    @property
    def whole(self) -> bytes:
        """The response as received, without the final line break and without literals that were
        written to sinks."""
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

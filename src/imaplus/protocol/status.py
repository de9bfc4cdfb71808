"""Status responses: OK, NO, BAD, BYE and PREAUTH, and their response codes (RFC 9051, 7.1).

The parser of a response code is registered where its value is defined.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final, TypeVar

from imaplus.errors import ProtocolError
from imaplus.protocol.registry import Parser, register
from imaplus.records import field, record
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import decode_text

P = TypeVar("P", bound=Parser)

_codes: Final[dict[str, Parser]] = {}
# A code ends at its own "]"; flags inside may have brackets too (quirk 15).
_CODE: Final = lazy_pattern(
    rb"\[([A-Za-z0-9][A-Za-z0-9_.+/-]*+)(?=[ \]])"
    rb'((?:\([^()"]*+\)|\(|[^(\[\]"]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"|\[[^\[\]]*+\])*+)\]'
)
_CODE_TO_FIRST_BRACKET: Final = lazy_pattern(
    rb"\[([A-Za-z0-9][A-Za-z0-9_.+/-]*)(?=[ \]])([^\]]*)\]"
)


def code(name: str) -> Callable[[P], P]:
    """Register the parser of `[NAME ...]`. It gets a cursor that stands after the name."""

    def decorate(parser: P) -> P:
        register(_codes, name, parser)
        return parser

    return decorate


@record
class Status:
    """OK, NO, BAD, BYE or PREAUTH, tagged or untagged (RFC 9051, 7.1).

    `text` is for people. `code` is the name of the response code in capitals, or None. `argument`
    is the text that follows it, and `data` its parsed value; both are None if there is none.
    """

    kind: str
    text: str
    code: str | None = None
    tag: str | None = None
    _argument: Cursor | None = field(default=None, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.kind == "OK"

    @property
    def argument(self) -> str | None:
        """The argument of the code as the server wrote it; None if it has none."""
        if self._argument is None:
            return None
        return decode_text(self._argument.text.partition(b" ")[2].strip()) or None

    def rewrite(self, text: Callable[[str], str], argument: Callable[[bytes], bytes]) -> Status:
        """A copy in which functions have replaced the text and the argument of the code."""
        cursor = None
        if self._argument is not None:
            name, space, rest = self._argument.text.partition(b" ")
            cursor = Cursor(Frame(name + space + argument(rest)), utf8=self._argument.utf8)
            cursor.pos = len(name + space)
        return Status(self.kind, text(self.text), self.code, self.tag, cursor)

    @cached_property
    def data(self) -> object:
        """The typed argument of the code; None if it has none, or one that does not parse."""
        parser = _codes.get(self.code or "")
        if parser is None or self._argument is None:
            return None
        try:
            return parser(self._argument)
        except ProtocolError:
            return None


@code("WEBALERT")
def webalert(c: Cursor) -> str:
    """The address of a page where the user must log in with a browser (quirk 36: Gmail)."""
    return decode_text(c.rest())


def read_status(c: Cursor, kind: str, tag: str | None) -> Status:
    """Read `resp-text = ["[" resp-text-code "]" SP] [text]`.

    A code that does not follow the grammar is part of the text (quirk 25).
    """
    c.accept_sp()
    start, match = c.pos, None
    if c.peek() == b"[":
        match = c.accept_match(_CODE) or c.accept_match(_CODE_TO_FIRST_BRACKET)
    if match is None:
        return Status(kind, decode_text(c.rest()), None, tag)
    argument = Cursor(Frame(c.text[start + 1 : match.end() - 1]), utf8=c.utf8)
    argument.pos = match.end(1) - start - 1
    argument.accept_sp()
    c.accept_sp()
    return Status(kind, decode_text(c.rest()), decode_text(match[1]).upper(), tag, argument)

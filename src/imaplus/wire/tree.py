"""One value of any shape as nested lists: for what is easier to judge whole than to read in order.

ENVELOPE and BODYSTRUCTURE come in shapes that no grammar foresaw, so their parsers look at lists.
Tokens and literals are known here, and nothing of what they mean; numbers stay texts. Nothing
recurses: the cursor bounds the depth, and the time is linear.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from imaplus.errors import ProtocolError, quote
from imaplus.wire.cursor import Cursor
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import decode_text

MAX_OCTETS: Final = 4 << 20
"""Octets of one value, literals apart: an ENVELOPE of forty thousand recipients."""

MOST_SHOWN: Final = 40
"""Characters of a value that an error shows."""

Tree: TypeAlias = "str | list[Tree] | None"
"""A string or atom, a list, or NIL."""

# The same tokens as the cursor's. Everything is possessive: no octet is looked at twice, and no
# state is kept for going back.
_TOKEN: Final = lazy_pattern(
    r"[()]"
    r'|"[^"\\]*+(?:\\.[^"\\]*+)*+"(?=[ \t()\]>]|\Z)'
    # quirk 10: a quote inside that nobody escaped closes only where a token may end.
    r'|"[^"\\]*+(?:(?:\\.|"++(?:[^ \t)\]"\\]|\\.))[^"\\]*+)*+"*"(?=[ \t)\]]|\Z)'
    r"|~?\{[0-9]+\}\r\n"
    r'|[^ \t()"{]+'
    r'|["{]'
)
_ESCAPED: Final = lazy_pattern(r"\\(.)", re.DOTALL)
_NIL: Final = frozenset({"NIL", "nil", "Nil"})


def tree(c: Cursor) -> Tree:
    """The next value. Strings are decoded one by one: UTF-8, else Latin-1 (quirk 74).

    Raises: ProtocolError if it is no value, too deep or too large.
    """
    frame = c.raw()
    if len(frame.text) > MAX_OCTETS:
        raise ProtocolError(f"a value of {len(frame.text)} octets exceeds {MAX_OCTETS}")
    if not frame.literals and frame.text[:1] not in (b"(", b'"'):
        # An atom, which may have quotes inside: only in a list has `raw()` seen that each closes,
        # and one that does not would be looked for to the end of the text, time and again.
        return None if frame.text.upper() == b"NIL" else decode_text(frame.text)
    literals = iter(frame.literals)
    plain = frame.text.isascii()
    top: list[Tree] = []
    above: list[list[Tree]] = []
    for token in _TOKEN.findall(frame.text.decode("latin-1")):
        first = token[0]
        if first == '"' and len(token) > 1:
            value = token[1:-1]
            if "\\" in value:
                value = _ESCAPED.sub(r"\1", value)
            top.append(value if plain else decode_text(value.encode("latin-1")))
        elif first == "(":
            above.append(top)
            inner: list[Tree] = []
            top.append(inner)
            top = inner
        elif first == ")" and above:
            top = above.pop()
        elif token in _NIL:
            top.append(None)
        elif token[-1] == "\n" and "{" in token:
            top.append(literal_text(next(literals, None)))
        elif token in ('"', ")"):
            raise ProtocolError(f"expected a value, found {quote(frame.text, MOST_SHOWN)}")
        else:
            top.append(token if plain else decode_text(token.encode("latin-1")))
    if above or len(top) != 1:
        raise ProtocolError(f"expected one value, found {quote(frame.text, MOST_SHOWN)}")
    return top[0]


def show(value: Tree) -> str:
    """A value as an error shows it: what the server wrote, not what was made of it."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "NIL" if value is None else quote(value, MOST_SHOWN)


def literal_text(value: object) -> str:
    """A literal as text. Raises: ProtocolError if it went elsewhere."""
    if not isinstance(value, bytes):
        raise ProtocolError("expected text, found a literal that was written to a sink")
    return decode_text(value)

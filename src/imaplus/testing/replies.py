"""How the test server writes strings, names, sets and dates: the mirror image of wire's writer.

A server may send a literal whenever it likes, so there is one decision only: quoted or literal
(RFC 9051, 4.3). It knows tokens, not responses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from imaplus.wire import mailbox_names

_QUOTABLE: Final = re.compile(rb"[^\x00\r\n\x80-\xff]*")
_QUOTABLE_UTF8: Final = re.compile(rb"[^\x00\r\n]*")
_SPECIALS: Final = re.compile(rb'(["\\])')
_ATOM: Final = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
LONGEST_QUOTED: Final = 4096
"""Octets: longer strings travel in a literal, as with most servers."""


def string(data: bytes, *, utf8: bool = False) -> bytes:
    """string = quoted / literal."""
    pattern = _QUOTABLE_UTF8 if utf8 and _is_utf8(data) else _QUOTABLE
    if len(data) <= LONGEST_QUOTED and pattern.fullmatch(data):
        return b'"%b"' % _SPECIALS.sub(rb"\\\1", data)
    return literal(data)


def nstring(data: bytes | None, *, utf8: bool = False) -> bytes:
    """nstring = string / nil."""
    return b"NIL" if data is None else string(data, utf8=utf8)


def astring(data: bytes, *, utf8: bool = False) -> bytes:
    """astring: an atom where that is enough."""
    if _ATOM.fullmatch(data) and data.upper() != b"NIL":
        return data
    return string(data, utf8=utf8)


def literal(data: bytes) -> bytes:
    """literal, its octets with it."""
    return b"{%d}\r\n%b" % (len(data), data)


def mailbox(name: str, *, utf8: bool = False) -> bytes:
    """mailbox: modified UTF-7, or UTF-8 where that is enabled."""
    encode = mailbox_names.encode_utf8 if utf8 else mailbox_names.encode
    return astring(encode(name), utf8=utf8)


def parens(items: Iterable[bytes]) -> bytes:
    """Items in parentheses, a space between each two."""
    return b"(%b)" % b" ".join(items)


def flag_list(flags: Iterable[str]) -> bytes:
    """flag-list, in alphabetical order."""
    return parens(flag.encode() for flag in sorted(flags))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True

"""Formatting of strings, names, lists and flags in responses.

A server may send any string as a literal (RFC 9051, 4.3): strings that cannot be quoted are sent
so.
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
"""Longer strings, in bytes, are sent as literals, as most servers do."""


def string(data: bytes, *, utf8: bool = False) -> bytes:
    """Format a string: quoted if possible, else a literal."""
    pattern = _QUOTABLE_UTF8 if utf8 and _is_utf8(data) else _QUOTABLE
    if len(data) <= LONGEST_QUOTED and pattern.fullmatch(data):
        return b'"%b"' % _SPECIALS.sub(rb"\\\1", data)
    return literal(data)


def nstring(data: bytes | None, *, utf8: bool = False) -> bytes:
    """Format a string, or NIL for None."""
    return b"NIL" if data is None else string(data, utf8=utf8)


def astring(data: bytes, *, utf8: bool = False) -> bytes:
    """Format an astring: an atom if possible, else a string."""
    if _ATOM.fullmatch(data) and data.upper() != b"NIL":
        return data
    return string(data, utf8=utf8)


def literal(data: bytes) -> bytes:
    """Format a literal with its bytes."""
    return b"{%d}\r\n%b" % (len(data), data)


def mailbox(name: str, *, utf8: bool = False) -> bytes:
    """Format a mailbox name: in modified UTF-7, or in UTF-8 if `utf8` is true."""
    encode = mailbox_names.encode_utf8 if utf8 else mailbox_names.encode
    return astring(encode(name), utf8=utf8)


def parens(items: Iterable[bytes]) -> bytes:
    """Format items in parentheses, separated by spaces."""
    return b"(%b)" % b" ".join(items)


def flag_list(flags: Iterable[str]) -> bytes:
    """Format flags in parentheses, in alphabetical order."""
    return parens(flag.encode() for flag in sorted(flags))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True

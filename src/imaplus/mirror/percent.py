"""Percent-escaping of text that must survive as one plain ASCII word, or as part of a file name.

It knows `%XX` over UTF-8 and nothing of what is being escaped; the caller says what may stay as it
is. Lone surrogates, which are how octets that are not UTF-8 reach us, pass through both ways.
"""

from __future__ import annotations

import re
from re import Match, Pattern


def escape(text: str, unsafe: Pattern[str]) -> str:
    """`text` with every match of `unsafe` as `%XX`; `unsafe` must match `%` itself."""
    return unsafe.sub(_octets, text)


def unescape(escaped: bytes) -> str:
    """What `escape` was given.

    Raises:
        ValueError: the octets are not UTF-8.
    """
    if b"%" in escaped:
        escaped = re.sub(
            rb"%([0-9A-F]{2})", lambda match: bytes.fromhex(match[1].decode()), escaped
        )
    return escaped.decode("utf-8", "surrogatepass")


def _octets(match: Match[str]) -> str:
    return "".join(f"%{octet:02X}" for octet in match[0].encode("utf-8", "surrogatepass"))

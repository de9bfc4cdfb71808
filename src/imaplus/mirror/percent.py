"""Percent-escaping (`%XX` over UTF-8) of text for ASCII words and file names.

The caller says which characters are escaped. Lone surrogates, which represent bytes that are not
UTF-8, are preserved.
"""

from __future__ import annotations

import re
from re import Match, Pattern


def escape(text: str, unsafe: Pattern[str]) -> str:
    """Replace every match of `unsafe` by `%XX`; `unsafe` must match `%` itself."""
    return unsafe.sub(_escape, text)


def unescape(escaped: bytes) -> str:
    """Reverse `escape`.

    Raises:
        ValueError: the bytes are not UTF-8.
    """
    if b"%" in escaped:
        escaped = re.sub(
            rb"%([0-9A-F]{2})", lambda match: bytes.fromhex(match[1].decode()), escaped
        )
    return escaped.decode("utf-8", "surrogatepass")


def _escape(match: Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))

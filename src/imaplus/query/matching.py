"""Patterns of file names: the same for a server's answer and for the index of a mirror."""

from __future__ import annotations

import re
from functools import lru_cache


def matches_name(pattern: str, name: str) -> bool:
    """Whether a file name matches: `*` and `?` as in a shell, else the pattern is a part of it."""
    return _compile(pattern).search(name.casefold()) is not None


@lru_cache(maxsize=64)
def _compile(pattern: str) -> re.Pattern[str]:
    pattern = pattern.casefold()
    if not re.search(r"[*?]", pattern):
        return re.compile(re.escape(pattern))
    pieces = [{"*": ".*", "?": "."}.get(c) or re.escape(c) for c in pattern]
    return re.compile(rf"\A{''.join(pieces)}\Z", re.DOTALL)


def glob(pattern: str) -> str:
    """The pattern for SQLite's GLOB, in lower case; nothing in it but `*` and `?` is special."""
    pattern = pattern.casefold()
    if not re.search(r"[*?]", pattern):
        pattern = f"*{pattern}*"
    return pattern.replace("[", "[[]")

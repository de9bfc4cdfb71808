"""Match patterns of file names, for a server's answer and for the index of a mirror."""

from __future__ import annotations

import re
from functools import lru_cache


def matches_name(pattern: str, name: str) -> bool:
    """Whether a file name matches: by `*` and `?`, or without these if it contains the pattern."""
    return _compile(pattern).search(name.casefold()) is not None


@lru_cache(maxsize=64)
def _compile(pattern: str) -> re.Pattern[str]:
    pattern = pattern.casefold()
    if not re.search(r"[*?]", pattern):
        return re.compile(re.escape(pattern))
    pieces = [{"*": ".*", "?": "."}.get(c) or re.escape(c) for c in pattern]
    return re.compile(rf"\A{''.join(pieces)}\Z", re.DOTALL)


def glob(pattern: str) -> str:
    """Translate a pattern for SQLite's GLOB, in lower case; only `*` and `?` are special."""
    pattern = pattern.casefold()
    if not re.search(r"[*?]", pattern):
        pattern = f"*{pattern}*"
    return pattern.replace("[", "[[]")

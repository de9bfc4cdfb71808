"""Search without FTS5: texts in a form in which SQLite's `instr` finds what FTS5 would find."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")


def space_words(text: str) -> str:
    """Return the words of a folded text in lower case, without accents, separated by spaces."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return f" {' '.join(_WORD.findall(bare.lower()))} "

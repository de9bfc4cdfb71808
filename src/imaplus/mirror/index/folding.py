"""Normalise text for the index and for queries with `fold`.

SQLite's tokenizer (unicode61) lowers case and removes accents. It does not map ß, ø or ł to base
letters, and treats a run of Han, Kana or Hangul characters as one word. So these letters are
replaced here, and each such character becomes a word.
"""

from __future__ import annotations

import re
from unicodedata import normalize

_LETTERS = {
    **{"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"},
    **{"ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ð": "d", "Ð": "d"},
    **{"ı": "i", "İ": "i", "ħ": "h", "Ħ": "h", "ŧ": "t", "Ŧ": "t", "ŋ": "n", "Ŋ": "n"},
    "ς": "σ",
}
_LETTER = re.compile(f"[{''.join(_LETTERS)}]")
_EAST = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_EAST}]+")
# Characters of other widths, letters in two or three pieces, ligatures, letters of formulas.
_WIDE = "\u1100-\u11ff\u3099\u309a\ufb00-\ufb06\uff00-\uffef\U0001d400-\U0001d7ff"
_WIDE_RUN = re.compile(f"[\u3040-\u30ff]?[{_WIDE}]+")
_UNUSUAL = re.compile(f"[{''.join(_LETTERS)}{_EAST}{_WIDE}]")


def fold(text: str) -> str:
    """Return the text for the tokenizer of the index."""
    if text.isascii() or not _UNUSUAL.search(text):
        return text
    for letter in set(_LETTER.findall(text)):
        text = text.replace(letter, _LETTERS[letter])
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        pass
    else:
        return text  # the other replacements are outside Latin-1
    text = _WIDE_RUN.sub(lambda match: normalize("NFKC", match[0]), text)
    return _RUN.sub(lambda match: f" {' '.join(match[0])} ", text)

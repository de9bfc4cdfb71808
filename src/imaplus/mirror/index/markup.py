"""Remove HTML tags, keeping words with tags inside together. Linear in time for any input."""

from __future__ import annotations

import re
from html import unescape

_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.I | re.S)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|o:p|q|s|samp|small|span"
    r"|strike|strong|sub|sup|tt|u|var|wbr)(?:\s[^<>]*)?>",
    re.I,
)
_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>?")


def strip_tags(html: str) -> str:
    """Return the visible text, with entities decoded."""
    text = _TAG.sub(" ", _INLINE.sub("", _HIDDEN.sub(" ", html)))
    return unescape(text.replace("&nbsp;", " ")) if "&" in text else text

"""Realistic mail, the same for the same seed: message(seed, i) is a pure function.

Text of 2 to 8 KB in several languages and charsets, a third with an HTML alternative, some with
attachments of 50 KB to 2 MB, RFC 2047 and RFC 2231 headers, threads with References of up to
dozens of entries, nested multiparts and forwarded message/rfc822, and one message in a hundred
weird.  All lines end in CRLF; there is no NUL, so that any server takes it by APPEND.
"""

from __future__ import annotations

import random

from .bodies import attachment, body_text, html, multipart, text_part
from .headers import EPOCH, SPACING, ancestors, headers
from .material import CHARSETS, LANGUAGES, noise, paragraphs
from .weird import weird

__all__ = ["ATTACHMENTS", "EPOCH", "LIMIT", "SPACING", "ancestors", "flags", "message"]

ATTACHMENTS = 7.0  # percent of the messages
LIMIT = 2_000_000  # bytes of one attachment
_IMAGE = (
    b"Content-Type: image/png\r\nContent-ID: <logo@mailgen>\r\n"
    b"Content-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\n"
)
_FLAGS = (("S", 0.85), ("R", 0.2), ("F", 0.04), ("T", 0.01))


def message(seed: str, i: int, *, attachments: float = ATTACHMENTS, limit: int = LIMIT) -> bytes:
    """Message number i of that seed, with CRLF."""
    rng = random.Random(f"{seed}/{i}")
    language = rng.choice(LANGUAGES)
    if _is_weird(i):
        return weird(rng, headers(rng, seed, i), i // 100)
    text = body_text(rng, seed, language)
    if ancestors(seed, i) and rng.random() < 0.6:  # quote the parent's words
        quoted = rng.choice(paragraphs(seed)[language]).replace("\r\n", "\r\n> ")
        text = f"On some day, someone wrote:\r\n> {quoted}\r\n\r\n{text}"
    entity = text_part(rng, text, charset=_charset(rng, text, language))
    kind = rng.random()
    if kind < 0.33:
        rich = text_part(rng, html(text), subtype="html")
        if kind < 0.04:  # pictures inside the HTML
            image = _IMAGE + noise(seed)[: 78 * rng.randrange(20, 200)]
            rich = multipart(rng, "related", [rich, image], '; type="text/html"')
        entity = multipart(rng, "alternative", [entity, rich])
    extra = []
    if rng.random() * 100 < attachments:
        extra = [attachment(rng, seed, limit) for _ in range(rng.choice((1, 1, 1, 2)))]
    if rng.random() < 0.03 and i:
        extra.append(_forwarded(seed, i, limit))
    if extra:
        entity = multipart(rng, "mixed", [entity, *extra])
    return headers(rng, seed, i) + entity


def flags(seed: str, i: int) -> str:
    """The letters of its Maildir flags: most mail is read."""
    rng = random.Random(f"{seed}/flags/{i}")
    return "".join(sorted(flag for flag, chance in _FLAGS if rng.random() < chance))


def _is_weird(i: int) -> bool:
    return i % 100 == 99


def _charset(rng: random.Random, text: str, language: str) -> str:
    if rng.random() < 0.3:
        return CHARSETS[language]
    return "us-ascii" if text.isascii() and rng.random() < 0.7 else "utf-8"


def _forwarded(seed: str, i: int, limit: int) -> bytes:
    """An earlier message as a part."""
    earlier = random.Random(f"{seed}/forward/{i}").randrange(i)
    inner = b"Subject: gone\r\n\r\nx\r\n"
    if not _is_weird(earlier):
        inner = message(seed, earlier, attachments=0, limit=limit)
    return b"Content-Type: message/rfc822\r\n\r\n" + inner

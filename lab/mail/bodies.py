"""Bodies of the mail: each function returns the bytes of an entity with its Content- fields."""

from __future__ import annotations

import base64
import quopri
import random

from .headers import parameter
from .material import FILES, noise, paragraphs

_LINE = 78  # bytes of a line of base64 with its CRLF, which hold 57


def text_part(
    rng: random.Random, text: str, *, subtype: str = "plain", charset: str = "utf-8"
) -> bytes:
    """A text part, in a transfer encoding that suits it."""
    raw = text.encode(charset, "replace")
    if charset == "iso-2022-jp" or (charset == "us-ascii" and text.isascii()):
        encoding = "7bit"
    else:
        choice = rng.random()
        encoding = "8bit" if choice < 0.2 else "quoted-printable" if choice < 0.6 else "base64"
    if encoding == "quoted-printable":
        raw = quopri.encodestring(raw.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    elif encoding == "base64":
        raw = base64.encodebytes(raw).replace(b"\n", b"\r\n")
    head = f"Content-Type: text/{subtype}; charset={charset}\r\n"
    return f"{head}Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + raw


def multipart(rng: random.Random, subtype: str, parts: list[bytes], extra: str = "") -> bytes:
    """Parts between boundaries; `extra` goes on the Content-Type."""
    boundary = f"=_{rng.getrandbits(96):024x}"
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"{extra}\r\n\r\n'
    out = [head.encode(), b"This is a multi-part message in MIME format.\r\n"]
    for part in parts:
        end = b"" if part.endswith(b"\r\n") else b"\r\n"
        out += [f"--{boundary}\r\n".encode(), part, end]
    out.append(f"--{boundary}--\r\n".encode())
    return b"".join(out)


def attachment(rng: random.Random, seed: str, limit: int) -> bytes:
    """A file of 50,000 bytes to `limit`, small ones oftener."""
    kind, name = rng.choice(FILES)
    lines = int(50_000 * (max(limit, 50_000) / 50_000) ** rng.random()) // 57
    pool = noise(seed)
    start = rng.randrange(len(pool) // _LINE - lines) if lines < 39_000 else 0
    head = (
        f"Content-Type: {kind}{parameter('name', name)}\r\n"
        f"Content-Disposition: attachment{parameter('filename', name)}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + pool[start * _LINE : (start + lines) * _LINE]


def body_text(rng: random.Random, seed: str, language: str) -> str:
    """Paragraphs of one language, 1 to 5 KB in UTF-8."""
    pool = paragraphs(seed)[language]
    want, out, size = rng.randrange(900, 4800), [], 0
    while size < want:
        out.append(rng.choice(pool))
        size += len(out[-1].encode())
    return "\r\n".join(out)


def html(text: str) -> str:
    """The same text as HTML."""
    paragraphs = "".join(f'<p style="margin:0">{p}</p>\r\n' for p in text.split("\r\n\r\n"))
    return f"<!DOCTYPE html>\r\n<html><body>\r\n{paragraphs}</body></html>\r\n"

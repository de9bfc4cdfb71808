"""Headers of the mail: names by RFC 2047, parameters by RFC 2231, threads by References."""

from __future__ import annotations

import base64
import functools
import random
import re
from email.utils import formatdate

from .material import LANGUAGES, PEOPLE, WORDS

EPOCH = 1_420_070_400  # 2015-01-01, the date of message 0
SPACING = 1_700  # seconds between messages: 100,000 are five years
_WINDOW = 250  # threads live inside windows of so many messages


def encoded_words(text: str, scheme: str = "B") -> str:
    """RFC 2047, cut at character boundaries, folded."""
    if text.isascii():
        return text
    out, chunk = [], ""
    for char in text + "\0":
        if char == "\0" or len((chunk + char).encode()) > 36:
            out.append(f"=?utf-8?{scheme}?{_encoded(chunk.encode(), scheme)}?=")
            chunk = ""
        chunk += char
    return "\r\n ".join(out)


def _encoded(raw: bytes, scheme: str) -> str:
    if scheme == "B":
        return base64.b64encode(raw).decode()
    return "".join("_" if byte == 32 else _escape(byte, "=") for byte in raw)


def _escape(byte: int, sign: str, safe: bytes = b"") -> str:
    plain = byte in safe or (byte < 128 and chr(byte).isalnum())
    return chr(byte) if plain else f"{sign}{byte:02X}"


def address(person: tuple[str, str], scheme: str = "B") -> str:
    """Format an address with its display name, quoted or encoded if necessary."""
    name, mailbox = person
    if not name:
        return mailbox
    if not name.isascii():
        return f"{encoded_words(name, scheme)} <{mailbox}>"
    if re.search(r'[",.()]', name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{mailbox}>"


def parameter(name: str, value: str) -> str:
    """Format a MIME parameter, as RFC 2231 says if necessary."""
    if value.isascii() and len(value) < 60:
        return f';\r\n {name}="{value}"'
    quoted = "utf-8''" + "".join(_escape(byte, "%", b".-_") for byte in value.encode())
    parts = []
    while quoted:
        cut = min(60, len(quoted))
        while cut < len(quoted) and "%" in quoted[cut - 2 : cut]:
            cut -= 1  # not inside %XX
        parts.append(quoted[:cut])
        quoted = quoted[cut:]
    if len(parts) == 1:
        return f";\r\n {name}*={parts[0]}"
    return "".join(f";\r\n {name}*{n}*={part}" for n, part in enumerate(parts))


def message_id(seed: str, i: int) -> str:
    """Return the Message-ID of a message."""
    return f"<{i}.{seed}.{(i * 2654435761) & 0xFFFFFFFF:08x}@mailgen.example>"


@functools.lru_cache(8)
def _parents(seed: str, window: int) -> dict[int, int | None]:
    """Return the threads of one window: the parent of each message, or None."""
    rng = random.Random(f"{seed}/threads/{window}")
    first = window * _WINDOW
    threads: list[list[int]] = []
    result: dict[int, int | None] = {}
    for i in range(first, first + _WINDOW):
        if not threads or rng.random() < 0.35:
            threads.append([i])
            result[i] = None
        else:
            # A few threads get most of the answers.
            thread = threads[min(int(rng.paretovariate(0.8)) - 1, len(threads) - 1)]
            result[i] = thread[-1] if rng.random() < 0.8 else rng.choice(thread)
            thread.append(i)
    return result


def ancestors(seed: str, i: int) -> list[int]:
    """Return the ancestors of a message, the root of its thread first."""
    chain: list[int] = []
    links = _parents(seed, i // _WINDOW)
    parent = links[i]
    while parent is not None:
        chain.append(parent)
        parent = links[parent]
    return chain[::-1]


def headers(rng: random.Random, seed: str, i: int) -> bytes:
    """Return the header without the Content- fields, which belong to the body."""
    chain = ancestors(seed, i)
    subject = _subject(seed, chain[0] if chain else i, answer=bool(chain))
    scheme = rng.choice("BBQ")
    when = EPOCH + i * SPACING + rng.randrange(SPACING)
    lines = [f"Return-Path: <bounce-{i}@example.com>"]
    lines += [_received(rng, hop, when) for hop in range(rng.randrange(1, 4))]
    lines.append(f"From: {address(rng.choice(PEOPLE), scheme)}")
    lines.append("To: " + _addresses(rng, rng.randrange(1, 4), scheme))
    if rng.random() < 0.3:
        lines.append("Cc: " + _addresses(rng, rng.randrange(1, 8), scheme))
    zone = rng.choice(["+0000", "+0100", "-0800", "+0530"])
    lines += [
        f"Subject: {encoded_words(subject, scheme)}",
        f"Date: {formatdate(when)[:-5]}{zone}",
        f"Message-ID: {message_id(seed, i)}",
    ]
    if chain:
        lines.append(f"In-Reply-To: {message_id(seed, chain[-1])}")
        lines.append("References: " + "\r\n ".join(message_id(seed, a) for a in chain))
    if rng.random() < 0.15:
        lines.append("List-Id: Discussion <discuss.lists.example.org>")
        lines.append("Precedence: list")
        lines.append("List-Unsubscribe: <https://lists.example.org/unsubscribe>,")
        lines.append(" <mailto:leave@lists.example.org>")
    if rng.random() < 0.5:
        signature = base64.b64encode(rng.randbytes(96)).decode()
        lines.append(f"DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=s1;\r\n\tb={signature}")
    lines.append("MIME-Version: 1.0\r\n")
    return "\r\n".join(lines).encode()


def _subject(seed: str, root: int, *, answer: bool) -> str:
    """Return the subject of a thread's root, with "Re:" for answers."""
    topic = random.Random(f"{seed}/subject/{root}")
    words = WORDS[topic.choice(LANGUAGES)]
    subject = " ".join(topic.choice(words) for _ in range(topic.randrange(2, 9)))
    return ("Re: " if answer else "") + subject


def _received(rng: random.Random, hop: int, when: int) -> str:
    host = f"mx{hop}.example.net"
    return (
        f"Received: from {host} ({host} [192.0.2.{rng.randrange(1, 255)}])\r\n"
        f"\tby mail.example.org with ESMTPS id {rng.getrandbits(48):012X}\r\n"
        f"\tfor <alice@example.org>; {formatdate(when)}"
    )


def _addresses(rng: random.Random, count: int, scheme: str) -> str:
    return ",\r\n ".join(address(person, scheme) for person in rng.sample(PEOPLE, count))

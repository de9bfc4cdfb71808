"""The way back: nested lists as a server would write them, in one of the many ways."""

from __future__ import annotations

from random import Random
from typing import Any


def spell(value: object, random: Any = None) -> bytes:
    """Write a list, a text, a number or None (NIL). `random` chooses quotes, literals, capitals."""
    random = random or Random(0)
    if value is None:
        return bytes(random.choice([b"NIL", b"NIL", b"nil"]))
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, list):
        return b"(" + b" ".join(spell(each, random) for each in value) + b")"
    assert isinstance(value, str)
    data = value.encode()
    if random.random() < 0.3 or set(data) & set(b"\r\n\0"):
        return b"{%d}\r\n%b" % (len(data), data)
    return b'"%b"' % data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')

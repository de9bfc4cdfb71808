"""From seeds to inputs: octets are changed at random, the same way for the same random numbers.

It knows which octets matter to IMAP, and nothing of what they are fed to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

LONGEST: Final = 1 << 16
"""Octets of an input: the shapes that need more to be slow stand in bench/hostile.py."""

TOKENS: Final = (
    *(bytes([octet]) for octet in b'()[]{}<>"\\*+~%&-,:;=@./ \t\r\n\0\x7f\x80\xff'),
    *b"NIL|\r\n|{0}\r\n|{1}\r\n|{3+}\r\n|{4294967295}\r\n|~{2}\r\n|* |+ |* OK |$1 OK |$1 NO "
    b'|$2 BAD |""|"\\""|()|((|))|\\Seen|\\*|&-|&AOQ-|=?utf-8?q?a?=|BODY[]|BODY[1.2.MIME]<0>'
    b"|* 1 EXPUNGE\r\n|* VANISHED 1:9\r\n|* 3 EXISTS\r\n|* 1 FETCH (|[CLOSED]|[CAPABILITY "
    b"|FLAGS ()|UID |* BYE x\r\n"
    b"|1:4294967295|*:1|$|\xc3\xa4|\xf0\x9f\x98\x80|-1|9.3736e+06".split(b"|"),
)
NUMBERS: Final = (
    b"0 1 2 9 127 128 255 65536 2147483647 2147483648 4294967295 4294967296 9223372036854775807 "
    b"18446744073709551615 18446744073709551616 99999999999999999999 -1 1e99 00001"
).split()
DIGITS: Final = frozenset(b"0123456789")

Change = Callable[[Random, bytearray, Sequence[bytes]], None]


def _span(random: Random, data: bytearray) -> slice:
    start = random.randrange(len(data) + 1)
    return slice(start, min(len(data), start + int(random.expovariate(0.1)) + 1))


def replace_octet(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.randrange(256)


def insert_token(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    at = random.randrange(len(data) + 1)
    data[at:at] = random.choice(TOKENS)


def replace_by_token(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    data[_span(random, data)] = random.choice(TOKENS)


def delete(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    del data[_span(random, data)]


def repeat(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    span = _span(random, data)
    data[span] = data[span] * random.choice((2, 3, 10, 200))


def splice(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = bytearray(random.choice(seeds))
    data[_span(random, data)] = other[_span(random, other)]


def join(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    data += random.choice(seeds)


def change_number(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    places = [at for at, octet in enumerate(data[:2000]) if octet in DIGITS]
    if places:
        start = end = random.choice(places)
        while end < len(data) and data[end] in DIGITS:
            end += 1
        data[start:end] = random.choice(NUMBERS)


def cut(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    del data[random.randrange(len(data) + 1) :]


CHANGES: Final[tuple[Change, ...]] = (
    replace_octet,
    insert_token,
    insert_token,
    replace_by_token,
    delete,
    repeat,
    splice,
    join,
    change_number,
    cut,
)


def mutated(random: Random, seeds: Sequence[bytes]) -> bytes:
    """A seed with a few changes."""
    data = bytearray(random.choice(seeds))
    for _ in range(min(12, int(random.expovariate(0.4)) + 1)):
        random.choice(CHANGES)(random, data, seeds)
        del data[LONGEST:]
    return bytes(data)

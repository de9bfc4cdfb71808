"""Search criteria: `?` and what takes its place, and the charset that texts are encoded in.

`?` stands for a string, which is quoted, or travels as a literal where it cannot be; `?f` for a
flag, `?s` for a set of messages, `??` for a question mark. Of the connection it is told the codec
and whether UTF-8 may stand in quotes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

from imaplus.errors import InvalidArgument
from imaplus.imaplib._arguments import (
    Argument,
    Literal,
    Pieces,
    Text,
    flag,
    message_set,
    octets,
    quote,
)
from imaplus.wire.dates import format_search_date
from imaplus.wire.patterns import lazy_pattern

Parameter: TypeAlias = Any
"""A str, bytes, int or date, or several of those; for `?f` flags, for `?s` a set of messages."""
Parameters: TypeAlias = Sequence[Parameter]

LONGEST_QUOTED: Final = 1000
"""Octets of a parameter that still goes in quotes: servers limit the length of a line."""

_PLACEHOLDER: Final = lazy_pattern(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|(?P<escaped>\?\?)|\?(?P<kind>[fs](?![A-Za-z0-9]))?', re.S
)


def encoder(charset: Text | None, encoding: str) -> str:
    """The codec for texts under a charset that SEARCH names; `encoding` where it names none.

    Raises:
        LookupError: Python has no codec for it. Then criteria must be octets.
    """
    told = b"" if charset is None else octets(charset, "utf-8")
    name = told.decode("ascii", "replace").strip('"')
    if not name.isascii():  # Python 3.15 warns of such a name
        raise LookupError(f"unknown encoding: {name}")
    return codecs.lookup(name).name if name else encoding


def encoded(charset: Text | None, criteria: Iterable[Text | None], encoding: str) -> list[bytes]:
    """Criteria in a charset; octets as they are. Raises LookupError as `encoder` does."""
    return [
        octets(each, encoder(charset, encoding) if isinstance(each, str) else encoding)
        for each in criteria
        if each is not None
    ]


def substitute(
    texts: Iterable[Text], params: Parameters, codec: str, *, utf8: bool
) -> Iterator[Argument]:
    """Texts in which each placeholder outside quotes has become the next of the parameters.

    Raises:
        TypeError: there are more, or fewer, parameters than placeholders, or one is of no type
            that can take its place.
        InvalidArgument: one has a NUL, or is no flag or no set.
    """
    waiting = iter(params)
    for text in texts:
        if isinstance(text, str):
            pieces = _filled(text, waiting, codec, utf8)
            yield Pieces(
                piece.encode(codec) if isinstance(piece, str) else piece for piece in pieces
            )
        else:
            yield octets(text, codec)
    _insist_on_none(waiting)


def _substitute(text: str, params: Parameters) -> str:
    """A text with its placeholders replaced; ValueError where that would take a literal."""
    waiting = iter(params)
    pieces = list(_filled(text, waiting, "utf-8", True))
    _insist_on_none(waiting)
    if not all(isinstance(piece, str) for piece in pieces):
        raise ValueError("a parameter cannot be quoted: it has line breaks, or is too long")
    return "".join(pieces)  # type: ignore[arg-type]


def _insist_on_none(waiting: Iterator[Parameter]) -> None:
    if any(True for _ in waiting):
        raise TypeError("there are more parameters than placeholders")


def _filled(
    text: str, waiting: Iterator[Parameter], codec: str, utf8: bool
) -> Iterator[str | Literal]:
    at = 0
    for found in _PLACEHOLDER.finditer(text):
        if found[0][0] == '"':
            continue
        yield text[at : found.start()]
        at = found.end()
        if found["escaped"]:
            yield "?"
            continue
        try:
            value = next(waiting)
        except StopIteration:
            raise TypeError("there are more placeholders than parameters") from None
        parenthesised = text[: found.start()][-1:] == "(" and text[at : at + 1] == ")"
        yield from _value(value, found["kind"], codec, utf8, parenthesised)
    yield text[at:]


def _value(
    value: Parameter, kind: str | None, codec: str, utf8: bool, parenthesised: bool
) -> Iterator[str | Literal]:
    if kind == "s":
        yield message_set(value)
    elif isinstance(value, list | tuple):
        yield "" if parenthesised else "("
        for number, each in enumerate(value):
            yield " " * bool(number)
            yield _one(each, kind, codec, utf8)
        yield "" if parenthesised else ")"
    else:
        yield _one(value, kind, codec, utf8)


def _one(value: Parameter, kind: str | None, codec: str, utf8: bool) -> str | Literal:
    if kind == "f":
        found = flag(value, "ascii")
        return found if isinstance(found, str) else found.decode("ascii")
    if isinstance(value, date):
        return format_search_date(value).decode("ascii")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str | bytes | bytearray):
        raise TypeError(f"a parameter must be a str, not {value!r:.100}")
    data = value.encode(codec) if isinstance(value, str) else bytes(value)
    if b"\0" in data:
        raise InvalidArgument("a NUL cannot travel in a string (RFC 3501, 4.3)")
    text = value if isinstance(value, str) else data.decode("latin-1")
    fits = text.isascii() or (utf8 and isinstance(value, str))
    if fits and len(data) <= LONGEST_QUOTED and b"\r" not in data and b"\n" not in data:
        return quote(text.encode()).decode()
    return Literal(data)

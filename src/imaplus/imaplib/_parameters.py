"""Placeholders in search criteria, and the charset of criteria.

`?` stands for a string, which is quoted, or sent as a literal if it cannot be quoted; `?f` for a
flag, `?s` for a set of messages, `??` for a question mark.
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
    quote,
    to_bytes,
)
from imaplus.wire.dates import format_search_date
from imaplus.wire.patterns import lazy_pattern

Parameter: TypeAlias = Any
"""A str, bytes, int or date, or a list of those; for `?f` flags, for `?s` a set of messages."""
Parameters: TypeAlias = Sequence[Parameter]

LONGEST_QUOTED: Final = 1000
"""Longer parameters, in bytes, are sent as literals: servers limit the length of a line."""

_PLACEHOLDER: Final = lazy_pattern(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|(?P<escaped>\?\?)|\?(?P<kind>[fs](?![A-Za-z0-9]))?', re.S
)


def find_codec(charset: Text | None, encoding: str) -> str:
    """Return Python's codec for a charset of SEARCH; `encoding` if `charset` is None or empty.

    Raises:
        LookupError: Python has no codec for it; criteria must then be bytes.
    """
    raw = b"" if charset is None else to_bytes(charset, "utf-8")
    name = raw.decode("ascii", "replace").strip('"')
    if not name.isascii():  # codecs.lookup warns about such a name in Python 3.15
        raise LookupError(f"unknown encoding: {name}")
    return codecs.lookup(name).name if name else encoding


def encode_criteria(
    charset: Text | None, criteria: Iterable[Text | None], encoding: str
) -> list[bytes]:
    """Encode criteria in a charset; bytes stay unchanged. Raises as `find_codec` does."""
    return [
        to_bytes(each, find_codec(charset, encoding) if isinstance(each, str) else encoding)
        for each in criteria
        if each is not None
    ]


def substitute(
    texts: Iterable[Text], params: Parameters, codec: str, *, utf8: bool
) -> Iterator[Argument]:
    """Replace each placeholder outside quotes by the next parameter.

    Raises:
        TypeError: the numbers of parameters and placeholders differ, or a parameter has a type
            that its placeholder does not accept.
        InvalidArgument: a parameter contains NUL, or is not a valid flag or message set.
    """
    waiting = iter(params)
    for text in texts:
        if isinstance(text, str):
            pieces = _fill(text, waiting, codec, utf8)
            yield Pieces(
                piece.encode(codec) if isinstance(piece, str) else piece for piece in pieces
            )
        else:
            yield to_bytes(text, codec)
    _require_exhausted(waiting)


def _substitute(text: str, params: Parameters) -> str:
    """Replace the placeholders in a text. Raises ValueError if a parameter needs a literal."""
    waiting = iter(params)
    pieces = list(_fill(text, waiting, "utf-8", True))
    _require_exhausted(waiting)
    if not all(isinstance(piece, str) for piece in pieces):
        raise ValueError(
            f"a parameter cannot be quoted: it has line breaks, or more than {LONGEST_QUOTED} bytes"
        )
    return "".join(pieces)  # type: ignore[arg-type]


def _require_exhausted(waiting: Iterator[Parameter]) -> None:
    if any(True for _ in waiting):
        raise TypeError("more parameters than placeholders")


def _fill(
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
            raise TypeError("fewer parameters than placeholders") from None
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
        raise TypeError(f"a parameter must be a str, bytes, int or date, not {value!r:.100}")
    data = value.encode(codec) if isinstance(value, str) else bytes(value)
    if b"\0" in data:
        raise InvalidArgument("a parameter contains NUL, which no IMAP string can (RFC 3501, 4.3)")
    text = value if isinstance(value, str) else data.decode("latin-1")
    fits = text.isascii() or (utf8 and isinstance(value, str))
    if fits and len(data) <= LONGEST_QUOTED and b"\r" not in data and b"\n" not in data:
        return quote(text.encode()).decode()
    return Literal(data)

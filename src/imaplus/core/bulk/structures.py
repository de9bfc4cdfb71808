"""Body structures as nearly all servers write them: read by a match or two for each part.

Only what the grammar of RFC 9051 (9) allows is recognised, and no strings with escapes. The rest is
left to `core/bodystructure.py`, which gives the same values.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from imaplus.core.bodystructure import bodystructure
from imaplus.core.bulk.envelopes import usual_envelope
from imaplus.core.parts import Disposition, MessagePart, Multipart, Part, TextPart
from imaplus.wire.cursor import Cursor
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tree import literal_text

MOST_PARTS: Final = 1000
"""Limit on the parts of a message that is read here."""
DEEPEST: Final = 20
"""Limit on bodies within bodies that are read here."""
LONGEST_SHARED: Final = 256
"""Fields up to this length, in characters, are cached: most parts begin as others do."""

_STRING: Final = r'"[^"\\\r\n]*+"'
_SOME: Final = r'"[^"\\\r\n]++"'
_NSTRING: Final = rf"(?:{_STRING}|NIL)"
_PARAMS: Final = rf"(?:\({_STRING} {_STRING}(?: {_STRING} {_STRING})*+\)|NIL)"
# media-basic / media-text, SP body-fields up to the size: the same for many parts
_HEAD: Final = (_SOME, _SOME, _PARAMS, _NSTRING, _NSTRING, _SOME)
_FIELDS: Final = lazy_pattern(" ".join(f"({each})" for each in _HEAD))
# SP body-fld-octets [SP body-fld-lines]
_SINGLE: Final = lazy_pattern(rf"\(({' '.join(_HEAD)}) ([0-9]{{1,19}})(?: ([0-9]{{1,19}}))?")
_LINES: Final = lazy_pattern(r" ([0-9]{1,19})")
# SP body-fld-dsp SP body-fld-lang SP body-fld-loc; of languages, one.
_EXTENSION: Final = rf" (?:NIL|\(({_SOME}) ({_PARAMS})\)) ({_NSTRING}) ({_NSTRING})"
# [SP body-fld-md5 ...] of one part, in its commonest form and in others
_NOTHING: Final = " NIL NIL NIL NIL)"
_TAIL: Final = lazy_pattern(rf"(?: ({_NSTRING}){_EXTENSION})?\)")
# SP media-subtype [SP body-fld-param ...] of a multipart
_MULTIPART_END: Final = lazy_pattern(rf" ({_SOME})(?: ({_PARAMS}){_EXTENSION})?\)")

Fields = tuple[str, str, str, dict[str, str], str | None, str | None, str, int]
"""Section, type, subtype, parameters, id, description, encoding, size."""
Tail = tuple[str | None, Disposition | None, tuple[str, ...], str | None]
"""MD5, disposition, languages, location."""
NO_TAIL: Final[Tail] = None, None, (), None


class _Unusual(Exception):
    """It must be read in the general way."""


def read_structure(c: Cursor) -> Part:
    """As `core.bodystructure.bodystructure()`, and faster for most structures."""
    found = usual_body(c)
    return bodystructure(c) if found is None else found


def usual_body(c: Cursor) -> Part | None:
    """Read the body structure that comes next, if all of it is as usual; else None."""
    if c.depth < DEEPEST:
        return None
    text = c.coming_text()
    if text is None:
        return None
    try:
        reader = _Reader(text, map(literal_text, c.coming_literals()))
        part, end = reader.body(0, "", DEEPEST)
    except _Unusual:
        return None
    c.take_text(text[:end])
    return part


class _Reader:
    """Reads part after part, each from where it begins to where it ends.

    It recurses as deep as DEEPEST.
    """

    __slots__ = ("_left", "_literals", "_text")

    def __init__(self, text: str, literals: Iterator[str]) -> None:
        self._text = text
        self._literals = literals
        self._left = MOST_PARTS

    def body(self, at: int, prefix: str, depth: int) -> tuple[Part, int]:
        """The body of a message: `prefix` is "" or, in a message that is part 3, "3."."""
        if self._text.startswith("((", at):
            return self._multipart(at, f"{prefix}TEXT", prefix, depth)
        return self._single(at, f"{prefix}1", depth)

    def _multipart(self, at: int, section: str, prefix: str, depth: int) -> tuple[Part, int]:
        if depth == 0:
            raise _Unusual
        text = self._text
        parts: list[Part] = []
        at += 1
        while text.startswith("(", at):
            number = f"{prefix}{len(parts) + 1}"
            if text.startswith("((", at):
                part, at = self._multipart(at, number, f"{number}.", depth - 1)
            else:
                part, at = self._single(at, number, depth)
            parts.append(part)
        if (end := _MULTIPART_END.match(text, at)) is None:
            raise _Unusual
        subtype, params, *extension = end.groups()
        return Multipart(
            section,
            "multipart",
            subtype[1:-1].lower(),
            _params(params),
            None,
            None,
            "7bit",
            None,
            *_tail(None, *extension),
            tuple(parts),
        ), end.end()

    def _single(self, at: int, section: str, depth: int) -> tuple[Part, int]:
        found = _SINGLE.match(self._text, at)
        self._left -= 1
        if found is None or self._left < 0:
            raise _Unusual
        head, size, lines = found.groups()
        read = _shared_head if len(head) <= LONGEST_SHARED else _read_head
        kind, subtype, params, content_id, description, encoding = read(head)
        fields = (
            *(section, kind, subtype, params.copy()),  # nobody else's
            *(content_id, description, encoding, int(size)),
        )
        if kind == "message" and subtype in ("rfc822", "global"):
            if lines is not None or depth == 0:
                raise _Unusual
            return self._message(found.end(), section, depth - 1, fields)
        if kind == "multipart" or (kind == "text") != (lines is not None):
            raise _Unusual
        tail, end = self._tail(found.end())
        if lines is None:
            return Part(*fields, *tail), end
        return TextPart(*fields, *tail, int(lines)), end

    def _message(self, at: int, section: str, depth: int, fields: Fields) -> tuple[Part, int]:
        # body-type-msg = media-message SP body-fields SP envelope SP body SP body-fld-lines
        found = usual_envelope(self._text, at + 1, self._literals)
        if found is None or self._text[at] != " " or not self._text.startswith(" (", found[1]):
            raise _Unusual
        envelope, at = found
        body, at = self.body(at + 1, f"{section}.", depth)
        lines = _LINES.match(self._text, at)
        if lines is None:
            raise _Unusual
        tail, end = self._tail(lines.end())
        return MessagePart(*fields, *tail, envelope, body, int(lines[1])), end

    def _tail(self, at: int) -> tuple[Tail, int]:
        """What follows the fields of one part, and where the part ends."""
        if self._text.startswith(_NOTHING, at):
            return NO_TAIL, at + len(_NOTHING)
        found = _TAIL.match(self._text, at)
        if found is None:
            raise _Unusual
        return _tail(*found.groups()), found.end()


def _read_head(text: str) -> tuple[str, str, dict[str, str], str | None, str | None, str]:
    found = _FIELDS.match(text)
    assert found is not None
    kind, subtype, params, content_id, description, encoding = found.groups()
    return (
        kind[1:-1].lower(),
        subtype[1:-1].lower(),
        _params(params),
        _nstring(content_id),
        _nstring(description),
        encoding[1:-1].lower(),
    )


_shared_head: Final = lru_cache(maxsize=1024)(_read_head)


def _tail(
    md5: str | None,
    kind: str | None,
    params: str | None,
    language: str | None,
    location: str | None,
) -> Tail:
    disposition = None if kind is None else Disposition(kind[1:-1].lower(), _params(params))
    languages = _nstring(language)
    return (
        _nstring(md5),
        disposition,
        () if languages is None else (languages,),
        _nstring(location),
    )


def _nstring(text: str | None) -> str | None:
    return None if text is None or text == "NIL" else text[1:-1]


def _params(text: str | None) -> dict[str, str]:
    if text is None or text == "NIL":
        return {}
    strings = text[2:-2].split('" "')  # none of them has a quote inside
    return dict(zip(map(str.lower, strings[::2]), strings[1::2], strict=True))

"""Body structures as nearly all servers write them: one match a part, instead of a tree of tokens.

Only what the grammar of RFC 9051 (9) allows is known here, and of that not messages within messages
nor strings with escapes: what is not recognised is left to `bodystructure`, which gives the same.
"""

from __future__ import annotations

from typing import Final

from imaplus.core.parts import Disposition, Multipart, Part, TextPart
from imaplus.wire.cursor import Cursor
from imaplus.wire.patterns import lazy_pattern

MOST_PARTS: Final = 1000
"""Parts of a message that is read here; of one that has more, someone else must judge."""
DEEPEST: Final = 20
"""Multiparts within multiparts."""

_STRING: Final = r'"[^"\\\r\n]*+"'
_NSTRING: Final = rf"({_STRING}|NIL)"
_PARAMS: Final = rf"(?:\((?:{_STRING} {_STRING} ?+)++\)|NIL)"
# [SP body-fld-md5] SP body-fld-dsp SP body-fld-lang SP body-fld-loc; of languages, one.
_EXTENSION: Final = rf'(?:NIL|\("([^"\\\r\n]++)" ({_PARAMS})\)) {_NSTRING} {_NSTRING}'
# media-basic / media-text, SP body-fields, [SP body-fld-lines] and body-ext-1part
_SINGLE: Final = lazy_pattern(
    rf'\("([^"\\\r\n]++)" "([^"\\\r\n]++)" ({_PARAMS}) {_NSTRING} {_NSTRING} '
    rf'"([^"\\\r\n]++)" ([0-9]{{1,19}})(?: ([0-9]{{1,19}}))?(?: {_NSTRING} {_EXTENSION})?\)'
)
# SP media-subtype [SP body-fld-param SP ...]
_MULTIPART_END: Final = lazy_pattern(rf' "([^"\\\r\n]++)"(?: ({_PARAMS}) {_EXTENSION})?\)')
_STRINGS: Final = lazy_pattern(r'"([^"]*+)"')


class _Unusual(Exception):
    """It is to be read by someone else."""


def usual_body(c: Cursor) -> Part | None:
    """The body structure that comes next, if all of it is as usual: the cursor has passed it."""
    if c.depth < DEEPEST:
        return None
    text = c.coming_text()
    if text is None:
        return None
    try:
        part, end = _Reader(text).body(0)
    except _Unusual:
        return None
    c.take_text(text[:end])
    return part


class _Reader:
    """Reads part after part; it recurses as deep as DEEPEST."""

    __slots__ = ("_left", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._left = MOST_PARTS

    def body(self, at: int) -> tuple[Part, int]:
        """The body of a message that begins here, and where it ends."""
        if self._text.startswith("((", at):
            return self._multipart(at, "TEXT", "", DEEPEST)
        return self._single(at, "1")

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
                part, at = self._single(at, number)
            parts.append(part)
        if (end := _MULTIPART_END.match(text, at)) is None:
            raise _Unusual
        subtype, params, disposition, its_params, language, location = end.groups()
        return Multipart(
            section,
            "multipart",
            subtype.lower(),
            _params(params),
            disposition=_disposition(disposition, its_params),
            language=_languages(language),
            location=_nstring(location),
            parts=tuple(parts),
        ), end.end()

    def _single(self, at: int, section: str) -> tuple[Part, int]:
        found = _SINGLE.match(self._text, at)
        self._left -= 1
        if found is None or self._left < 0:
            raise _Unusual
        media, subtype, params, content_id, description, encoding, size, *rest = found.groups()
        lines, md5, disposition, its_params, language, location = rest
        kind = media.lower()
        if kind in ("message", "multipart") or (kind == "text") != (lines is not None):
            raise _Unusual
        fields = (
            section,
            kind,
            subtype.lower(),
            _params(params),
            _nstring(content_id),
            _nstring(description),
            encoding.lower(),
            int(size),
            _nstring(md5),
            _disposition(disposition, its_params),
            _languages(language),
            _nstring(location),
        )
        return Part(*fields) if lines is None else TextPart(*fields, int(lines)), found.end()


def _nstring(text: str | None) -> str | None:
    return None if text is None or text == "NIL" else text[1:-1]


def _params(text: str | None) -> dict[str, str]:
    if text is None or text == "NIL":
        return {}
    strings = _STRINGS.findall(text)
    return dict(zip(map(str.lower, strings[::2]), strings[1::2], strict=True))


def _disposition(kind: str | None, params: str | None) -> Disposition | None:
    return None if kind is None else Disposition(kind.lower(), _params(params))


def _languages(text: str | None) -> tuple[str, ...]:
    return () if text is None or text == "NIL" else (text[1:-1],)

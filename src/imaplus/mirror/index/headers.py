"""Decode header fields: fast, and without an error for any input.

Unfolding, encoded words (RFC 2047), parameters with continuations (RFC 2231), dates (RFC 5322,
3.3). `words` chooses the fields.
"""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

Fields = dict[bytes, list[bytes]]
"""Values of header fields, unfolded, by name in lower case."""
MAX_FIELD = 16 * 1024
"""The longest field in bytes, with all its lines; the rest is cut off."""
_MAX_FIELDS = 100  # of the same name
_MAX_HEADER = 256 * 1024  # bytes of a header that are read

_WORD = re.compile(rb"=\?([!-)+->@-~]{1,60})\?([bBqQ])\?([^?\r\n]*)\?=")
_GAP = re.compile(rb"(\?=)[ \t\r\n]+(?==\?)")
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_PARAMETER = re.compile(
    rb';\s*([!#-&*+.0-9A-Z^-~-]{1,60})\s*=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s;"]*))',
    re.DOTALL | re.I,
)
_SECTION = re.compile(r"([^*]+)(?:\*([0-9]{1,3}))?(\*)?")
_PERCENT = re.compile(rb"%([0-9a-fA-F]{2})")
_DATE = re.compile(
    r"(?<![0-9])([0-9]{1,2})[ -](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ -]"
    r"([0-9]{4}|[0-9]{2})\s+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\s*"
    r"([+-][0-9]{4}|[a-z]{1,4}\b)?",
    re.I,
)
_MONTHS = {
    name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}
_ZONES = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
_LATIN = {"iso-8859-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252", "unknown-8bit": "utf-8"}


def fields(wanted: frozenset[bytes], data: bytes, start: int, stop: int) -> Fields:
    """Return the unfolded values of the wanted fields in a header, by name in lower case."""
    block = data[start : min(stop, start + _MAX_HEADER)].replace(b"\r\n", b"\n")
    block = block.replace(b"\n ", b" ").replace(b"\n\t", b" ")
    values: Fields = {}
    first = _first(wanted)
    for line in block.split(b"\n"):
        if not line or line[0] not in first:
            continue
        name, _, value = line.partition(b":")
        name = name.lower().rstrip()
        if name in wanted:
            known = values.setdefault(name, [])
            if len(known) < _MAX_FIELDS:
                known.append(value[:MAX_FIELD].strip())
    return values


def body_start(data: bytes, start: int, stop: int) -> int:
    """Return the offset of the body: after the first empty line."""
    if data.startswith((b"\r\n", b"\n"), start, stop):
        return data.index(b"\n", start) + 1
    found = _EMPTY_LINE.search(data, start, stop)
    return found.end() if found else stop


def decode_fields(header: bytes, names: Iterable[str]) -> dict[str, list[str]]:
    """Return the decoded values of some fields, by name in lower case."""
    wanted = {name.lower().encode("ascii", "replace"): name.lower() for name in names}
    found = fields(frozenset(wanted), header, 0, body_start(header, 0, len(header)))
    return {
        text: [to_plain(decode(value)) for value in found.get(name, ())]
        for name, text in wanted.items()
    }


def last(values: Sequence[str]) -> str:
    """Return the last value of a repeated field; empty if there is none."""
    return values[-1] if values else ""


@lru_cache(maxsize=64)
def _first(names: frozenset[bytes]) -> frozenset[int]:
    """The first bytes of lines of fields with these names."""
    return frozenset(b"".join(name[:1].lower() + name[:1].upper() for name in names))


def decode(value: bytes) -> str:
    """Decode an unfolded field with its encoded words (RFC 2047)."""
    if b"=?" not in value:
        return as_text(value)
    return _decode_words(value) if len(value) < 300 else _decode_words.__wrapped__(value)


@lru_cache(maxsize=4096)  # senders repeat
def _decode_words(value: bytes) -> str:
    pieces: list[str] = []
    at = 0
    pending: tuple[bytes, bytes] | None = None  # charset and bytes: a character may be cut in two
    value = _GAP.sub(rb"\1", value)
    for match in _WORD.finditer(value):
        charset = match[1].partition(b"*")[0].lower()  # RFC 2231, 5: a language
        data = _decode_word(match)
        if (
            match.start() == at
            and pending is not None
            and pending[0] == charset
            and data is not None
        ):
            pending = (charset, pending[1] + data)
        else:
            if pending is not None:
                pieces.append(in_charset(pending[1], pending[0]))
            pieces.append(as_text(value[at : match.start()]))
            pending = (charset, data) if data is not None else None
            if data is None:
                pieces.append(as_text(match[0]))
        at = match.end()
    if pending is not None:
        pieces.append(in_charset(pending[1], pending[0]))
    pieces.append(as_text(value[at:]))
    return "".join(pieces)


def _decode_word(match: re.Match[bytes]) -> bytes | None:
    if match[2] in b"bB":
        try:
            return a2b_base64(match[3] + b"==")
        except NotBase64:
            return None
    return a2b_qp(match[3], header=True)


def as_text(data: bytes) -> str:
    """Decode bytes without a charset: as UTF-8, or else as Windows-1252."""
    if data.isascii():
        return data.decode("ascii")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def to_plain(text: str) -> str:
    """Replace NUL and lone surrogates, which databases reject."""
    text = text.replace("\0", " ")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-8", "replace").decode()
    return text


def in_charset(data: bytes, charset: bytes) -> str:
    """Decode bytes in a given charset; an unknown charset is guessed."""
    if charset in (b"", b"utf-8", b"us-ascii"):
        return as_text(data)
    codec = codec_of(charset)
    if codec is None:
        return as_text(data)
    try:
        return data.decode(codec, "replace")
    except Exception:
        return as_text(data)


@lru_cache(maxsize=128)
def codec_of(charset: bytes) -> str | None:
    """Return Python's codec for a charset; None if there is no text codec."""
    name = charset.decode("ascii", "replace").strip().lower()
    name = _LATIN.get(name, name)
    if name in ("unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined"):
        return None
    try:
        return name if isinstance(b"".decode(name), str) else None
    except Exception:
        return None


def parameters(value: bytes) -> Iterator[tuple[str, str]]:
    """Yield the parameters of a MIME field (RFC 2231), with names in lower case."""
    cut: dict[str, dict[int, tuple[bool, bytes]]] = {}
    for match in _PARAMETER.finditer(value):
        name = match[1].decode("ascii").lower()
        plain = match[3] if match[2] is None else re.sub(rb"\\(.)", rb"\1", match[2])
        if "*" not in name:
            yield name, decode(plain)
        elif section := _SECTION.fullmatch(name):
            cut.setdefault(section[1], {})[int(section[2] or 0)] = (bool(section[3]), plain)
    for name, sections in cut.items():
        charset, data = b"", b""
        for number, (is_encoded, piece) in sorted(sections.items()):
            if is_encoded:
                if number == 0 and piece.count(b"'") >= 2:
                    charset, _, piece = piece.split(b"'", 2)
                piece = _PERCENT.sub(lambda m: bytes([int(m[1], 16)]), piece)
            data += piece
        yield name, in_charset(data, charset.lower())


def date(value: bytes) -> datetime | None:
    """Parse a Date field, with its offset; None if it is invalid."""
    match = _DATE.search(as_text(value[:200]))
    if match is None:
        return None
    day, month, year, hour, minute, second, zone = match.groups()
    number = int(year)
    if len(year) == 2:
        number += 2000 if number < 50 else 1900
    try:
        offset = _offset(zone)
        at = datetime(
            number,
            _MONTHS[month.lower()],
            int(day),
            int(hour),
            int(minute),
            min(int(second or 0), 59),
            tzinfo=offset,
        )
        at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at


@lru_cache(maxsize=256)
def _offset(zone: str | None) -> timezone:
    if zone is None or zone[0] not in "+-":
        return timezone(timedelta(hours=_ZONES.get((zone or "").lower(), 0)))
    minutes = int(zone[1:3]) * 60 + int(zone[3:])
    return timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))

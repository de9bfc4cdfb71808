"""Decoding of parts: transfer encodings and charsets, valid or not.

Nothing here raises for malformed data: undecodable bytes become U+FFFD, and faults are returned as
problems.
"""

from __future__ import annotations

import binascii
import re
from typing import Final, NamedTuple

from imaplus.core.encoded_words import SUPERSETS, charset_codec
from imaplus.core.parts import Part
from imaplus.core.transfer_encodings import decoder_for
from imaplus.reading.problems import Problem
from imaplus.wire.patterns import lazy_pattern

_SPACE: Final = lazy_pattern(rb"[\s]+")
_BASE64: Final = lazy_pattern(rb"[A-Za-z0-9+/=\s]*")
_WORDS: Final = lazy_pattern(rb"[^\s=] [^\s=]")
_WRONG_QP: Final = lazy_pattern(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")
_META: Final = lazy_pattern(rb"(?i)<meta[^>]{1,300}charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})")
_CHARSET: Final = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9_.:+-]*")
_CODE_PAGE: Final = lazy_pattern(r"(?:x-)?(?:cp|win|windows|ibm|dos)[-_ ]?([0-9]{3,5})")
_LONE: Final = lazy_pattern("[\ud800-\udfff]")
_UTF8: Final = lazy_pattern(rb"[\xc2-\xf4][\x80-\xbf]")
_IDENTITY: Final = frozenset({"7bit", "8bit", "binary"})
_NO_CHARSETS: Final = frozenset({"", "unknown", "unknown-8bit", "x-unknown", "default", "8bit"})
_OTHER_NAMES: Final = {
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "iso-8859-6-e": "iso-8859-6",
    "unicode-1-1-utf-8": "utf-8",
    "iso-10646-ucs-2": "utf-16-be",
}
"""Charset names in mail, and Python's names for them."""


class Text(NamedTuple):
    """A decoded text, and its faults."""

    text: str
    problems: tuple[Problem, ...] = ()


class Content(NamedTuple):
    """The decoded bytes of a part, and their faults."""

    data: bytes
    problems: tuple[Problem, ...] = ()


def text_of(data: bytes, part: Part) -> Text:
    """Decode the text of a part from its encoded content. Lines end in "\\n"."""
    content = content_of(data, part)
    charset = part.params.get("charset")
    is_html = part.subtype == "html"
    text, wrong = decode_charset(content.data, charset, is_html=is_html)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = content.problems
    if wrong:
        found = (*found, Problem(part.section, wrong))
    return Text(text, found)


def content_of(data: bytes, part: Part) -> Content:
    """Decode the transfer encoding of a part, as far as possible."""
    encoding = usual_encoding(part.encoding)
    if encoding in _IDENTITY:
        return Content(data)
    decoder = decoder_for(encoding.encode("ascii", "replace"))
    if decoder is None:
        return _wrong(data, part, f"unknown transfer encoding {encoding!r:.60}: not decoded")
    if encoding == "base64":
        if not _BASE64.fullmatch(data) and _WORDS.search(data):
            return _wrong(data, part, "labelled base64, but plain text: not decoded")
        wrong = None if _is_base64(data) else "the base64 is damaged: decoded as far as possible"
    elif encoding == "quoted-printable":
        wrong = "the quoted-printable is damaged" if _WRONG_QP.search(data) else None
    else:
        wrong = None
    decoded = decoder.feed(data) + decoder.end()
    return _wrong(decoded, part, wrong) if wrong else Content(decoded)


def usual_encoding(encoding: str) -> str:
    """Normalize the name of a transfer encoding to that of RFC 2045."""
    name = encoding.partition(";")[0].strip(" \t\"'").lower()
    return {
        "": "7bit",
        "7-bit": "7bit",
        "8-bit": "8bit",
        "quoted_printable": "quoted-printable",
    }.get(name, name)


def _wrong(data: bytes, part: Part, text: str) -> Content:
    return Content(data, (Problem(part.section, text),))


def _is_base64(data: bytes) -> bool:
    try:
        binascii.a2b_base64(_SPACE.sub(b"", data), strict_mode=True)
    except ValueError:
        return not data.strip()
    return True


def decode_charset(data: bytes, charset: str | None, *, is_html: bool = False) -> tuple[str, str]:
    """Decode text in a charset that may be missing, unknown or wrong.

    ISO 8859-1 is decoded as windows-1252, as in browsers, and GB 2312 and the like as their
    supersets. Without a known charset, text is decoded as UTF-8 if valid, else as windows-1252.

    Returns:
        The text, and its fault; "" if there is none.
    """
    named = _usual_charset(charset or "")
    codec = _codec(named)
    unsure = codec is None or (codec == "ascii" and not data.isascii())  # Cyrus sends US-ASCII
    if unsure and is_html and (meta := _META.search(data, 0, 4096)):
        declared = _usual_charset(meta[1].decode("ascii"))
        if _codec(declared) is not None:
            named, codec = declared, _codec(declared)
    if codec is None or codec == "ascii":
        if data.isascii() and b"\x1b" not in data:
            return data.decode("ascii"), ""
        if data.isascii():  # ISO-2022-JP (RFC 1468), not labelled
            return _guess_escapes(data), "" if codec is None else f"it says {named} and is not"
        what = "no charset is named" if not charset else f"the charset {charset!r:.60} is unknown"
        if codec == "ascii" and charset:
            what = "it says us-ascii and is not"
        text, guess = _guess(data)
        return text, f"{what}: read as {guess}"
    codec = SUPERSETS.get(codec, codec)
    if codec in ("latin_1", "iso8859_1"):
        return _windows_1252(data), ""
    try:
        text, wrong = data.decode(codec), ""
    except ValueError:  # some codecs raise more general ones than UnicodeDecodeError
        text, wrong = _as_far_as_possible(data, codec, named)
    text = text.removeprefix("\ufeff")
    if _LONE.search(text):
        text, wrong = _LONE.sub("\ufffd", text), f"not all of it is {named}"
    return text, wrong


def _as_far_as_possible(data: bytes, codec: str, named: str) -> tuple[str, str]:
    if codec != "utf_8" and _UTF8.search(data):
        try:
            return data.decode(), f"it says {named} and is UTF-8"
        except UnicodeDecodeError:
            pass
    return data.decode(codec, "replace"), f"not all of it is {named}"


def _usual_charset(charset: str) -> str:
    found = _CHARSET.search(charset)
    name = found[0].lower() if found else ""
    return _OTHER_NAMES.get(name, name)


def _codec(name: str) -> str | None:
    if name in _NO_CHARSETS:
        return None
    if (codec := charset_codec(name)) is not None:
        return codec
    if page := _CODE_PAGE.fullmatch(name):
        return charset_codec(f"cp{page[1]}")
    return charset_codec(name[2:]) if name.startswith("x-") else None


def _guess(data: bytes) -> tuple[str, str]:
    try:
        return data.decode().removeprefix("\ufeff"), "UTF-8"
    except UnicodeDecodeError:
        return _windows_1252(data), "windows-1252"


def _guess_escapes(data: bytes) -> str:
    if re.search(rb"\x1b\$[@B]|\x1b\([BJ]", data):
        return data.decode("iso2022_jp", "replace")
    return data.decode("ascii")


def _windows_1252(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")

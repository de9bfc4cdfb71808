"""Decoding of header text: encoded words (RFC 2047) and parameter values (RFC 2231).

Also the charsets that are safe to decode untrusted data with. Nothing raises: text that cannot be
decoded is returned as it was sent.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Mapping
from encodings.aliases import aliases
from functools import lru_cache
from typing import Final

from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import decode_text

# encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?=" (RFC 2047, 2; RFC
# 2231, 5). Senders leave spaces and single question marks in the text. No "=?" may stand in it,
# which keeps the search linear: no octet belongs to more than one candidate.
# It is an atomic group, not a possessive one: those are wrong before Python 3.11.5, where there is
# an assertion in them. The bound is on the memory that a group takes until it is complete.
_WORD: Final = lazy_pattern(
    r"=\?([^?=\s]{1,60})\?([BbQq])\?"
    r"((?>[^?=]*(?:(?:=(?!\?(?!=))|\?(?!=))[^?=]*){0,20000}))\?=",
)
_FOLD: Final = lazy_pattern(r"\r?\n(?=[ \t])")
_NOT_BASE64: Final = lazy_pattern(rb"[^A-Za-z0-9+/]+")
_LONE: Final = lazy_pattern("[\ud800-\udfff]")
_PERCENT: Final = lazy_pattern(rb"%([0-9A-Fa-f]{2})")
_EXTENDED: Final = lazy_pattern(
    r"(?i)(?:utf-8|iso-8859-\d+|windows-\d+)'[a-z-]{0,10}'[^%]*%[0-9a-f]{2}"
)

# Codecs of Python's that are no charsets; others (idna, punycode) have no alias and are no danger.
_NO_CHARSETS: Final = frozenset(
    {"base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13", "uu_codec"}
    | {"zlib_codec"}
)
_WITHOUT_ALIAS: Final = ("cp720", "cp737", "cp856", "cp874", "cp1006", "koi8_t", "koi8_u")
_CHARSETS: Final = (
    {name: codec for name, codec in aliases.items() if codec not in _NO_CHARSETS}
    | {codec: codec for codec in aliases.values() if codec not in _NO_CHARSETS}
    | {codec: codec for codec in _WITHOUT_ALIAS}
    | {"windows_874": "cp874", "x_sjis": "cp932", "utf8mb4": "utf_8"}
)
SUPERSETS: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
"""Supersets of charsets: mail programs name the subset and use the superset."""


LONGEST_SHARED: Final = 256
"""Characters of a text that is remembered decoded: names and subjects come again and again."""


def charset_codec(charset: str) -> str | None:
    """Return Python's name for a charset; None if it is unknown or not a charset.

    Never imports a module by a name from a message.
    """
    return _CHARSETS.get(charset.lower().replace("-", "_"))


def decode_words(text: str) -> str:
    """Decode the encoded words of a header's text, and unfold it (RFC 2047, 6).

    White space between two encoded words is dropped. Adjacent words of one charset are joined
    before they are decoded, because senders split characters.
    """
    if "\n" in text:
        text = _FOLD.sub("", text)
    if "=?" not in text:
        return text
    return _shared_words(text) if len(text) <= LONGEST_SHARED else _decode_words(text)


def _decode_words(text: str) -> str:
    found: list[str] = []
    octets: list[bytes] = []  # of adjacent words in one charset
    charset = ""
    end = 0
    for word in _WORD.finditer(text):
        between = text[end : word.start()]
        adjacent = bool(octets) and (not between or between.isspace())
        name = word[1].partition("*")[0].lower()
        if not adjacent or name != charset:
            found.append(decode_charset(b"".join(octets), charset))
            octets.clear()
            charset = name
        if not adjacent:
            found.append(between)
        octets.append(_decode_word(word[2], word[3]))
        end = word.end()
    found.append(decode_charset(b"".join(octets), charset))
    found.append(text[end:])
    return "".join(found)


_shared_words: Final = lru_cache(maxsize=1024)(_decode_words)


def _decode_word(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    if encoding in "Qq":
        return a2b_qp(data, header=True)
    data = _NOT_BASE64.sub(b"", data.partition(b"=")[0])
    if len(data) % 4 == 1:
        data = data[:-1]  # six bits are no octet
    return a2b_base64(data + b"==")  # the padding may have been missing


def decode_charset(data: bytes, charset: str) -> str:
    """Decode bytes in a charset named by a message. Never raises.

    An unknown charset is replaced by UTF-8, or else Latin-1. Bytes that are wrong in the charset
    become U+FFFD, and so do lone surrogates, which UTF-7 can express and which cannot be printed.
    """
    codec = charset_codec(charset)
    if codec is None or codec == "ascii":
        return decode_text(data)
    return _LONE.sub("\ufffd", data.decode(SUPERSETS.get(codec, codec), "replace"))


def decode_parameter(params: Mapping[str, str], name: str) -> str | None:
    """Return a parameter's decoded value; None if it is missing.

    The names in `params` are in lower case and otherwise as sent: `name`, `name*`, or the pieces
    `name*0`, `name*1*`, ... (RFC 2231, 3 and 4). Encoded words, which RFC 2047 (5) forbids here,
    are the most common of all, and also come within the others.
    """
    first = params.get(f"{name}*")
    if first is not None:
        return decode_words(_decode_pieces([(first, True)]))
    pieces: list[tuple[str, bool]] = []
    while True:
        number = f"{name}*{len(pieces)}"
        if (value := params.get(f"{number}*")) is not None:
            pieces.append((value, True))
        elif (value := params.get(number)) is not None:
            pieces.append((value, False))
        else:
            break
    if pieces:
        return decode_words(_decode_pieces(pieces))
    plain = params.get(name)
    if plain is not None and _EXTENDED.match(plain):  # without the asterisk
        return _decode_pieces([(plain, True)])
    return None if plain is None else decode_words(plain)


def _decode_pieces(pieces: list[tuple[str, bool]]) -> str:
    """Join the pieces (text, whether its octets are written as %XX) of one value."""
    first, extended = pieces[0]
    charset = ""
    if extended and first.count("'") >= 2:  # charset "'" [language] "'" value
        charset, _, first = first.split("'", 2)
    octets: list[bytes] = []
    for text, percent in [(first, extended), *pieces[1:]]:
        data = text.encode("utf-8", "surrogatepass")
        octets.append(_PERCENT.sub(_octet, data) if percent else data)
    return decode_charset(b"".join(octets), charset)


def _octet(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode())

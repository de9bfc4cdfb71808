"""The codec `utf-7-imap`, which Python 3.16 has: modified UTF-7 of mailbox names (RFC 3501, 5.1.3).

It encodes and decodes whole names, with the error handler "strict" only.
"""

from __future__ import annotations

import codecs
import re
from binascii import a2b_base64
from typing import TYPE_CHECKING, Final

from imaplus.wire import mailbox_names
from imaplus.wire.patterns import lazy_pattern

if TYPE_CHECKING:
    from typing_extensions import Buffer

NAME: Final = "utf-7-imap"
_SURROGATE: Final = lazy_pattern("[\ud800-\udfff]")
_TOKEN: Final = lazy_pattern(rb"[\x20-\x25\x27-\x7e]++|&([A-Za-z0-9+,]*+)-")


def _require_strict(errors: str) -> None:
    if errors != "strict":
        raise UnicodeError(f"{NAME} supports the error handler 'strict' only, not {errors!r}")


def encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    """Encode a name. Raises UnicodeEncodeError for a lone surrogate."""
    _require_strict(errors)
    if found := _SURROGATE.search(text):
        raise UnicodeEncodeError(NAME, text, found.start(), found.end(), "a lone surrogate")
    return mailbox_names.encode_strictly(text), len(text)


def decode(data: Buffer, errors: str = "strict") -> tuple[str, int]:
    """Decode a name. Raises UnicodeDecodeError if it is not modified UTF-7.

    Non-canonical encodings are accepted too, so encoding the result again may give other bytes.
    `imaplus.wire.mailbox_names` decodes every name so that it encodes to the same bytes.
    """
    _require_strict(errors)
    raw = bytes(data)
    text = []
    end = 0
    for found in _TOKEN.finditer(raw):
        if found.start() != end:
            break
        end = found.end()
        text.append(found[0].decode("ascii") if found[1] is None else _unshift(raw, found))
    if end != len(raw):
        raise UnicodeDecodeError(NAME, raw, end, len(raw), "not modified UTF-7")
    return "".join(text), len(raw)


def _unshift(raw: bytes, found: re.Match[bytes]) -> str:
    """Decode the base64 between `&` and `-`."""
    base64 = found[1].replace(b",", b"/")
    if not base64:
        return "&"
    try:
        utf16 = a2b_base64(base64 + b"=" * (-len(base64) % 4), strict_mode=True)
        if not utf16:
            raise ValueError("no UTF-16 in it")
        return utf16.decode("utf-16-be")
    except ValueError as error:
        raise UnicodeDecodeError(NAME, raw, *found.span(), str(error)) from error


def _find(name: str) -> codecs.CodecInfo | None:
    if name.replace("-", "_").lower() in ("utf_7_imap", "mutf_7", "csutf7imap"):
        return codecs.CodecInfo(encode, decode, name=NAME)
    return None


codecs.register(_find)  # called only for names that Python has no codec for

"""The codec `utf-7-imap`, which Python 3.16 has: modified UTF-7 of mailbox names (RFC 3501, 5.1.3).

Only whole names, and only strictly: what is not modified UTF-7 is an error.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from imaplus.wire import mailbox_names
from imaplus.wire.patterns import lazy_pattern

if TYPE_CHECKING:
    from typing_extensions import Buffer

NAME: Final = "utf-7-imap"
_SURROGATE: Final = lazy_pattern("[\ud800-\udfff]")


def _strict(errors: str) -> None:
    if errors != "strict":
        raise UnicodeError(f"{NAME} knows no error handler but 'strict', not {errors!r}")


def encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    """The octets of a name. Raises UnicodeEncodeError for a lone surrogate."""
    _strict(errors)
    if found := _SURROGATE.search(text):
        raise UnicodeEncodeError(NAME, text, found.start(), found.end(), "a lone surrogate")
    return mailbox_names.encode_strictly(text), len(text)


def decode(data: Buffer, errors: str = "strict") -> tuple[str, int]:
    """The name that octets stand for. Raises UnicodeDecodeError if it is not modified UTF-7."""
    _strict(errors)
    raw = bytes(data)
    text = mailbox_names.decode_strictly(raw)
    if _SURROGATE.search(text):
        raise UnicodeDecodeError(NAME, raw, 0, len(raw), "not modified UTF-7")
    return text, len(raw)


def _find(name: str) -> codecs.CodecInfo | None:
    if name.replace("-", "_").lower() in ("utf_7_imap", "mutf_7"):
        return codecs.CodecInfo(encode, decode, name=NAME)
    return None


codecs.register(_find)  # asked only for what Python itself does not know

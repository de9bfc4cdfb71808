"""Mailbox names: `str` above, octets on the wire, and nothing lost between them.

Modified UTF-7 (RFC 3501, 5.1.3) for IMAP4rev1, UTF-8 for IMAP4rev2 and UTF8=ACCEPT (RFC 9051, 5.1;
RFC 6855, 3). Servers hold names that are neither. An octet that cannot be read is shown as U+FFFD
and two hexadecimal digits, as in "Entw\N{REPLACEMENT CHARACTER}FCrfe", and `encode` gives it back:
each name that a server lists can be printed, kept in any file, and selected, whatever it is made
of. Hierarchy is not known here.

A plain `str` does that, and no subclass: joined, cut and read back from JSON, it is the same name
still. A lone surrogate U+DC00 + octet means the same (PEP 383, and what earlier versions gave).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from imaplus.errors import InvalidArgument
from imaplus.wire.patterns import lazy_pattern

_KEPT: Final = 0xDC00
_KEPT_RUNS: Final = lazy_pattern("([\udc00-\udcff]+)")
# Only octets that are not printable ASCII, and "&", are ever shown like this.
_SHOWN: Final = lazy_pattern("\ufffd(26|[01][0-9A-F]|7F|[89A-F][0-9A-F])")

# Printable ASCII stands for itself, "&" is written "&-", and the rest is base64 of UTF-16 between
# "&" and "-". Possessive, so that a shift without its "-" is not scanned over and over.
_TOKENS: Final = lazy_pattern(
    rb"(?P<plain>[\x20-\x25\x27-\x7e]++)|(?P<amp>&-)|(?P<shift>&[A-Za-z0-9+,]++-)"
    rb"|(?P<bad>&+(?=&)|[^\x20-\x7e]+|&)"
)
_SHIFTED: Final = lazy_pattern(r"(?P<amp>&)|[^\x20-\x7e]+")
_PRINTABLE: Final = lazy_pattern(r"[\x20-\x7e]")


def decode(raw: bytes) -> str:
    """The name that modified UTF-7 stands for; `encode` gives the same octets again.

    Only the one form that `encode` writes is read as a shift. What another encoder made of the same
    name (`&AGE-` for `a`, `&AOQ-&AOQ-` for `&AOQA5A-`) is another name to the server, so it must
    be another name here: its `&` is shown as U+FFFD and "26", and the rest of it stays as it is.
    """
    if raw.isascii() and _is_plain(plain := raw.decode("ascii")):
        return plain
    text = decode_strictly(raw)
    if "\ufffd" in text and _SHOWN.search(text):  # it would be taken for an octet
        text = _decode(raw, without_fffd=True)
    return printable(text)


def decode_strictly(raw: bytes) -> str:
    """The same, with a lone surrogate U+DC00 + octet for each octet that cannot be read."""
    return _decode(raw, without_fffd=False)


def _decode(raw: bytes, *, without_fffd: bool) -> str:
    out: list[str] = []
    after_shift = False
    for token in _TOKENS.finditer(raw):
        kind, found = token.lastgroup, token.group()
        text = None
        if kind == "plain":
            text = found.decode("ascii")
        elif kind == "amp":
            text = "&"
        elif kind == "bad":
            text = _keep(found)
        elif not after_shift:
            text = _unshift(found)
            if without_fffd and text is not None and "\ufffd" in text:
                text = None
        after_shift = kind == "shift" and text is not None
        out.append(_keep(b"&") + found[1:].decode("ascii") if text is None else text)
    return "".join(out)


def encode(name: str) -> bytes:
    """The name in modified UTF-7; `decode` gives the same name again if it is well-formed.

    Raises: InvalidArgument for a lone surrogate that stands for no octet.
    """
    return encode_strictly(with_surrogates(name))


def encode_strictly(name: str) -> bytes:
    """The same of a name in which lone surrogates stand for octets, and nothing else does."""
    if _is_plain(name):
        return name.encode("ascii")
    return _encode(name, lambda text: _SHIFTED.sub(_shift, text).encode("ascii"))


def decode_utf8(raw: bytes) -> str:
    """The name that UTF-8 stands for; `encode_utf8` gives the same octets again."""
    text = raw.decode("utf-8", "surrogateescape")
    if "\ufffd" in text and _SHOWN.search(text):
        text = _SHOWN.sub(lambda shown: _keep(b"\xef\xbf\xbd") + shown[1], text)
    return printable(text)


def encode_utf8(name: str) -> bytes:
    """The name in UTF-8; `decode_utf8` gives the same name again if it is well-formed.

    Raises: InvalidArgument for a lone surrogate that stands for no octet.
    """
    return _encode(with_surrogates(name), str.encode)


def printable(name: str) -> str:
    """The name with what can be printed in place of lone surrogates."""
    if name.isascii():
        return name
    return _KEPT_RUNS.sub(
        lambda run: "".join(f"\ufffd{ord(char) - _KEPT:02X}" for char in run[0]), name
    )


def with_surrogates(name: str) -> str:
    """The name with a lone surrogate for each octet that it shows: `printable()` undone."""
    if name.isascii() or "\ufffd" not in name:
        return name
    return _SHOWN.sub(lambda shown: chr(_KEPT + int(shown[1], 16)), name)


def normalise(name: str) -> str:
    """The name as it is compared: INBOX in any case is INBOX, others are as they are.

    RFC 9051, 5.1. Only ASCII counts: to Python, a dotless i in capitals is an I as well.
    """
    return "INBOX" if name.isascii() and name.upper() == "INBOX" else name


def compose(name: str) -> str:
    """The name in Unicode's form C: what RFC 9051 (5.1) wants names to be sent in as UTF-8."""
    if name.isascii():
        return name
    from unicodedata import normalize  # most names do without

    return printable(normalize("NFC", with_surrogates(name)))  # no digit of an octet composes


def comparable(name: str) -> str:
    """One spelling of all that a server with UTF-8 names may take for the same name."""
    name = normalise(name)
    return name if name.isascii() else compose(name)


def same(one: str, other: str) -> bool:
    """Whether two names are of the same mailbox."""
    return comparable(one) == comparable(other)


def _is_plain(name: str) -> bool:
    """Whether the name stands for itself, as most do."""
    return name.isascii() and name.isprintable() and "&" not in name


def _encode(name: str, encode_text: Callable[[str], bytes]) -> bytes:
    """Encode the text between the octets that were kept, and give those back."""
    parts = _KEPT_RUNS.split(name)  # every other one is a run of kept octets
    try:
        return b"".join(
            bytes(ord(char) - _KEPT for char in part) if i % 2 else encode_text(part)
            for i, part in enumerate(parts)
        )
    except UnicodeEncodeError as error:
        raise InvalidArgument(
            f"not a mailbox name, it has a lone surrogate that stands for no octet: {name!r}"
        ) from error


def _keep(octets: bytes) -> str:
    return "".join(chr(_KEPT + octet) for octet in octets)


def _shift(run: re.Match[str]) -> str:
    if run["amp"]:
        return "&-"
    from binascii import b2a_base64  # most names stand for themselves

    base64 = b2a_base64(run.group().encode("utf-16-be"), newline=False)
    return f"&{base64.decode('ascii').rstrip('=').replace('/', ',')}-"


def _unshift(shift: bytes) -> str | None:
    """The text of a shift, or None if `encode` would not write it like this."""
    from binascii import a2b_base64

    base64 = shift[1:-1].replace(b",", b"/")
    try:
        text = a2b_base64(base64 + b"=" * (-len(base64) % 4), strict_mode=True).decode("utf-16-be")
    except ValueError:  # it is no base64, or no UTF-16
        return None
    canonical = not _PRINTABLE.search(text) and encode_strictly(text) == shift
    return text if canonical else None

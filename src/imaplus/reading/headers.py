"""Header fields: parsed from bytes, unfolded and decoded (RFC 5322, 2.2; RFC 2047)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from imaplus.core.encoded_words import decode_words
from imaplus.core.envelope import Address, Addresses, Envelope
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import decode_text

Fields = tuple[tuple[str, str], ...]
"""Header fields, in order: name and value. Values are unfolded, encoded words not decoded."""

_LINE: Final = lazy_pattern(rb"\r\n|\n|\r")
_FIELD: Final = lazy_pattern(rb"([!-9;-~]+)[ \t]*:[ \t]*(.*)", 16)  # re.DOTALL
_ID: Final = lazy_pattern(r"<[^<>\s]{1,990}>")


def fields_of(data: bytes) -> Fields:
    """Parse the fields of a header, up to its empty line. Lines that are not fields are skipped."""
    lines: list[bytes] = []
    for line in _LINE.split(data):
        if not line:
            break
        if line[:1] in b" \t" and lines:
            lines[-1] += line
        else:
            lines.append(line)
    found = (_FIELD.fullmatch(line) for line in lines)
    return tuple((each[1].decode(), decode_text(each[2]).strip()) for each in found if each)


def values(fields: Fields, name: str) -> list[str]:
    """Return the values of all fields of a name, not decoded."""
    wanted = name.lower()
    return [value for each, value in fields if each.lower() == wanted]


def first(fields: Fields, name: str) -> str | None:
    """Return the value of the first field of a name, not decoded; None if there is none."""
    return next(iter(values(fields, name)), None)


def message_ids(text: str | None) -> tuple[str, ...]:
    """Return the message ids in In-Reply-To or References, with angle brackets, each once."""
    return tuple(dict.fromkeys(_ID.findall(text or "")))


def addresses(texts: Iterable[str]) -> Addresses:
    """Parse the addresses in values of fields such as To."""
    from email.utils import getaddresses  # imports half of the email package

    found: list[Address] = []
    for name, email in getaddresses(list(texts)):
        mailbox, at, host = email.rpartition("@")
        if email:
            found.append(Address(name or None, mailbox if at else email, host if at else None))
    return tuple(found)


def envelope_of(fields: Fields) -> Envelope:
    """Make the envelope from header fields, where the server sends no valid ENVELOPE."""

    def of(*names: str) -> Addresses:
        return next((found for name in names if (found := addresses(values(fields, name)))), ())

    return Envelope(
        first(fields, "Date"),
        first(fields, "Subject"),
        of("From"),
        of("Sender", "From"),
        of("Reply-To", "From"),
        of("To"),
        of("Cc"),
        of("Bcc"),
        first(fields, "In-Reply-To"),
        first(fields, "Message-ID"),
    )


def decode_fields(fields: Sequence[tuple[str, str]]) -> Fields:
    """Decode the encoded words in fields (RFC 2047)."""
    return tuple((name, decode_words(value)) for name, value in fields)

"""Header fields as bytes: cut apart, unfolded and decoded (RFC 5322, 2.2; RFC 2047)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from imaplus.core.encoded_words import decode_words
from imaplus.core.envelope import Address, Addresses, Envelope
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import decode_text

Fields = tuple[tuple[str, str], ...]
"""Header fields, in order: name and value, the value as it was sent but unfolded."""

_LINE: Final = lazy_pattern(rb"\r\n|\n|\r")
_FIELD: Final = lazy_pattern(rb"([!-9;-~]+)[ \t]*:[ \t]*(.*)", 16)  # re.DOTALL
_ID: Final = lazy_pattern(r"<[^<>\s]{1,990}>")


def fields_of(data: bytes) -> Fields:
    """The fields of a header, up to its empty line. What is no field is passed over."""
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
    """The values of all fields of a name, as they were sent."""
    wanted = name.lower()
    return [value for each, value in fields if each.lower() == wanted]


def first(fields: Fields, name: str) -> str | None:
    """The value of the first field of a name, as it was sent."""
    return next(iter(values(fields, name)), None)


def message_ids(text: str | None) -> tuple[str, ...]:
    """The message ids of In-Reply-To or References, each with its angle brackets, none twice."""
    return tuple(dict.fromkeys(_ID.findall(text or "")))


def addresses(texts: Iterable[str]) -> Addresses:
    """The addresses of fields such as To."""
    from email.utils import getaddresses  # it brings half the email package along

    found: list[Address] = []
    for name, email in getaddresses(list(texts)):
        mailbox, at, host = email.rpartition("@")
        if email:
            found.append(Address(name or None, mailbox if at else email, host if at else None))
    return tuple(found)


def envelope_of(fields: Fields) -> Envelope:
    """What ENVELOPE would say, where the server does not."""

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


def decoded(fields: Sequence[tuple[str, str]]) -> Fields:
    """The fields with their encoded words decoded."""
    return tuple((name, decode_words(value)) for name, value in fields)

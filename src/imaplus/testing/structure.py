"""Formatting of ENVELOPE and BODYSTRUCTURE (RFC 9051, 7.5.2).

Encoded words stay encoded, and 8-bit bytes are sent unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from imaplus.testing import mime
from imaplus.testing.mime import Parameters, Part
from imaplus.testing.replies import nstring, parens, string

# Tokens of an address list (RFC 5322, 3.4): a quoted string, a comment, a special, a word, spaces.
_TOKEN: Final = re.compile(
    rb'(?P<quoted>"(?:[^"\\]|\\.)*"?)|(?P<comment>\((?:[^()\\]|\\.|\([^()]*\))*\)?)'
    rb'|(?P<special>[<>@,;:])|(?P<space>[ \t\r\n]+)|(?P<word>[^"()<>@,;:\s]+|.)',
    re.DOTALL,
)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
Address = tuple[bytes | None, bytes | None, bytes | None, bytes | None]
"""addr-name, addr-adl, addr-mailbox, addr-host."""


def envelope(header: bytes, *, utf8: bool = False) -> bytes:
    """Format the ENVELOPE of a header. From is used for a missing Sender or Reply-To."""
    found: dict[bytes, bytes] = {}
    for name, value, _ in mime.fields(header):
        found.setdefault(name.lower(), value)
    sender = found.get(b"from")
    lists = (
        sender,
        found.get(b"sender") or sender,
        found.get(b"reply-to") or sender,
        found.get(b"to"),
        found.get(b"cc"),
        found.get(b"bcc"),
    )
    return parens(
        [
            nstring(found.get(b"date"), utf8=utf8),
            nstring(found.get(b"subject"), utf8=utf8),
            *(_address_list(value, utf8=utf8) for value in lists),
            nstring(found.get(b"in-reply-to"), utf8=utf8),
            nstring(found.get(b"message-id"), utf8=utf8),
        ]
    )


def _address_list(value: bytes | None, *, utf8: bool) -> bytes:
    addresses = list(parse_addresses(value)) if value else []
    if not addresses:
        return b"NIL"
    formatted = (parens(nstring(each, utf8=utf8) for each in address) for address in addresses)
    return b"(%b)" % b"".join(formatted)


def parse_addresses(value: bytes) -> Iterator[Address]:
    """Yield the addresses of a field; a group begins and ends with an address without a host."""
    words: list[bytes] = []  # since the last address
    inside: list[bytes] | None = None  # tokens after "<"
    closed = in_group = False
    comment = b""
    for token in [*_TOKEN.finditer(value), None]:  # treat the end as a comma
        text = token[0] if token else b","
        special = text if token is None or token.lastgroup == "special" else b""
        if token and inside is not None and not closed and special != b">":
            if token.lastgroup not in ("comment", "space"):
                inside.append(text)
        elif special == b"<":
            inside, closed = [], False
        elif special == b">":
            closed = True
        elif special in (b",", b";"):
            if inside is not None or b"".join(words).strip():
                yield _address(words, inside, comment)
            words, inside, closed, comment = [], None, False, b""
            if special == b";" and in_group:
                in_group = False
                yield None, None, None, None
        elif special == b":" and not in_group:
            in_group = True
            yield None, None, _plain(b"".join(words)), None
            words = []
        elif token and token.lastgroup == "comment":
            comment = _ESCAPED.sub(rb"\1", text[1:-1])
        else:
            words.append(text)
    if in_group:
        yield None, None, None, None


def _address(words: list[bytes], inside: list[bytes] | None, comment: bytes) -> Address:
    if inside is None:
        mailbox, _, host = b"".join(words).strip().rpartition(b"@")
        if not mailbox:
            mailbox, host = host, b""
        return comment or None, None, _plain(mailbox), _plain(host) or b"MISSING_DOMAIN"
    route, _, address = b"".join(inside).strip().rpartition(b":")
    mailbox, _, host = address.rpartition(b"@")
    if not mailbox:
        mailbox, host = host, b"MISSING_DOMAIN"
    name = b"".join(_unquote(word) for word in words).strip()
    return name or comment or None, route or None, _plain(mailbox), _plain(host)


def _plain(text: bytes) -> bytes:
    return b"".join(_unquote(part) for part in re.split(rb'("(?:[^"\\]|\\.)*")', text)).strip()


def _unquote(word: bytes) -> bytes:
    if not word.startswith(b'"'):
        return word if word.strip() else b" "
    return _ESCAPED.sub(rb"\1", word[1:-1] if len(word) > 1 and word.endswith(b'"') else word[1:])


def body(part: Part, *, extended: bool, utf8: bool = False) -> bytes:
    """Format BODYSTRUCTURE, or BODY if `extended` is false."""
    if part.is_multipart:
        children = b"".join(body(each, extended=extended, utf8=utf8) for each in part.children)
        items = [children + b" " + string(part.subtype)]
        if extended:
            items += [_parameters(part.parameters), *_extension(part)]
        return parens(items)
    items = [
        string(part.type),
        string(part.subtype),
        _parameters(part.parameters),
        nstring(mime.field(part.header, b"content-id")),
        nstring(mime.field(part.header, b"content-description"), utf8=utf8),
        string(part.encoding),
        b"%d" % (part.stop - part.body),
    ]
    if part.message is not None:
        items += [
            envelope(part.message.header, utf8=utf8),
            body(part.message, extended=extended, utf8=utf8),
        ]
    if part.message is not None or part.type == b"text":
        items.append(b"%d" % part.lines)
    if extended:
        items += [nstring(mime.field(part.header, b"content-md5")), *_extension(part)]
    return parens(items)


def _extension(part: Part) -> Iterator[bytes]:
    """Yield disposition, languages and location, the last fields of both kinds of body."""
    found = mime.disposition(part.header)
    yield b"NIL" if found is None else parens([string(found[0]), _parameters(found[1])])
    languages = mime.field(part.header, b"content-language")
    if languages is None:
        yield b"NIL"
    else:
        yield parens(string(each.strip()) for each in languages.split(b","))
    yield nstring(mime.field(part.header, b"content-location"))


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return b"NIL"
    return parens(string(name) + b" " + string(value) for name, value in parameters)

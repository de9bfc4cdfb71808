"""The MIME structure of a message: the offsets of its parts.

It parses multipart (RFC 2046, 5.1), message/rfc822 and the header fields that FETCH needs
(RFC 9051, 6.4.5.1). Sections are always the bytes that were stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from imaplus.records import record
from imaplus.testing.content import Content, Generated, read

DEEPEST: Final = 100
"""Maximum nesting of parts, as in Dovecot; a part below is not parsed."""

_HEADER_END: Final = re.compile(rb"(?:\A|\n)\r?\n")
_FIELD: Final = re.compile(rb"^([!-9;-~]+)[ \t]*:(.*(?:\n[ \t].*)*)\n?", re.MULTILINE)
_FOLD: Final = re.compile(rb"\r?\n(?=[ \t])")
_PARAMETER: Final = re.compile(
    rb';\s*([^\s=;"()]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"()]*))', re.DOTALL
)
_TYPE: Final = re.compile(rb"\s*([^\s/;()\"]+)\s*/\s*([^\s/;()\"]+)")
_TOKEN: Final = re.compile(rb"\s*([^\s;()\"]+)")

Parameters = tuple[tuple[bytes, bytes], ...]


@record
class Part:
    """A part or a whole message: the header begins at `start`, the body at `body`, up to `stop`."""

    start: int
    body: int
    stop: int
    header: bytes
    type: bytes
    subtype: bytes
    parameters: Parameters
    encoding: bytes
    lines: int
    children: tuple[Part, ...] = ()
    message: Part | None = None
    """The message in a message/rfc822 part."""

    @property
    def is_multipart(self) -> bool:
        return self.type == b"multipart"

    def child(self, number: int, *, of_message: bool) -> Part | None:
        """Return the child part of this number; `of_message` if this is a message, not a part."""
        holder = self
        if not of_message and not self.is_multipart:
            if self.message is None:
                return None
            holder = self.message
        if holder.is_multipart:
            return holder.children[number - 1] if number <= len(holder.children) else None
        return holder if number == 1 else None


@lru_cache(maxsize=64)
def parse(content: Content) -> Part:
    """Parse the structure of a message, in linear time for each level of nesting."""
    if isinstance(content, Generated):
        header = content.header
        return Part(
            start=0,
            body=len(header),
            stop=content.size,
            header=header,
            type=b"text",
            subtype=b"plain",
            parameters=((b"charset", b"us-ascii"),),
            encoding=b"7bit",
            lines=content.lines,
        )
    data = read(content)
    return _parse(data, 0, len(data), depth=0, digest=False)


def _parse(data: bytes, start: int, stop: int, *, depth: int, digest: bool) -> Part:
    body = _body_start(data, start, stop)
    header = data[start:body]
    media, subtype, parameters = _content_type(header, digest=digest)
    encoding = (_token(field(header, b"content-transfer-encoding")) or b"7bit").lower()
    children: tuple[Part, ...] = ()
    message = None
    boundary = dict(parameters).get(b"boundary")
    if media == b"multipart" and (boundary is None or depth >= DEEPEST):
        media, subtype, parameters = b"application", b"octet-stream", ()
    elif media == b"multipart" and boundary is not None:
        inside = subtype == b"digest"
        children = tuple(
            _parse(data, first, last, depth=depth + 1, digest=inside)
            for first, last in _between(data, body, stop, boundary)
        ) or (_parse(data, stop, stop, depth=depth + 1, digest=False),)
    elif (media, subtype) in ((b"message", b"rfc822"), (b"message", b"global")):
        if depth < DEEPEST and encoding in (b"7bit", b"8bit", b"binary"):
            message = _parse(data, body, stop, depth=depth + 1, digest=False)
        else:
            media, subtype = b"application", b"octet-stream"
    return Part(
        start=start,
        body=body,
        stop=stop,
        header=header,
        type=media,
        subtype=subtype,
        parameters=parameters,
        encoding=encoding,
        lines=data.count(b"\n", body, stop),
        children=children,
        message=message,
    )


def _body_start(data: bytes, start: int, stop: int) -> int:
    """Return where the body begins: after the first empty line, which belongs to the header."""
    if data.startswith((b"\r\n", b"\n"), start, stop):
        return min(data.index(b"\n", start) + 1, stop)
    found = _HEADER_END.search(data, start, stop)
    return found.end() if found else stop


def _between(data: bytes, start: int, stop: int, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Yield the ranges between delimiter lines; the line end before a delimiter belongs to it."""
    delimiter = re.compile(rb"^--%b(--)?[ \t]*\r?(?:\n|\Z)" % re.escape(boundary), re.MULTILINE)
    first = None
    for found in delimiter.finditer(data, start, stop):
        if first is not None:
            last = found.start()
            if data[last - 1 : last] == b"\n" and last > first:
                last -= 2 if data[last - 2 : last] == b"\r\n" else 1
            yield first, max(first, last)
        if found[1]:
            return
        first = found.end()
    if first is not None:
        yield first, stop


def _content_type(header: bytes, *, digest: bool) -> tuple[bytes, bytes, Parameters]:
    value = field(header, b"content-type")
    found = _TYPE.match(value) if value is not None else None
    if value is None or found is None:
        if digest:
            return b"message", b"rfc822", ()
        return b"text", b"plain", ((b"charset", b"us-ascii"),)
    return found[1].lower(), found[2].lower(), parameters_of(value)


def parameters_of(value: bytes) -> Parameters:
    """Parse the `; name=value` parameters of a field; names are in lower case."""
    return tuple(
        (name.lower(), re.sub(rb"\\(.)", rb"\1", quoted) if quoted else plain)
        for name, quoted, plain in _PARAMETER.findall(value)
    )


def _token(value: bytes | None) -> bytes | None:
    found = _TOKEN.match(value) if value is not None else None
    return found[1] if found else None


def disposition(header: bytes) -> tuple[bytes, Parameters] | None:
    """Return the Content-Disposition and its parameters, or None (RFC 2183)."""
    value = field(header, b"content-disposition")
    token = _token(value)
    return None if value is None or token is None else (token, parameters_of(value))


def fields(header: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield the name, unfolded value and raw bytes of each header field."""
    for found in _FIELD.finditer(header):
        yield found[1], _FOLD.sub(b"", found[2]).strip(), found[0]


def field(header: bytes, name: bytes) -> bytes | None:
    """Return the unfolded value of the first field of a name (in lower case), or None."""
    for each, value, _ in fields(header):
        if each.lower() == name:
            return value
    return None


def select_fields(header: bytes, names: Iterable[bytes], *, without: bool) -> bytes:
    """Return the fields for HEADER.FIELDS or HEADER.FIELDS.NOT, and an empty line."""
    wanted = {name.lower() for name in names}
    chosen = b"".join(raw for name, _, raw in fields(header) if (name.lower() in wanted) != without)
    return chosen + b"\r\n"

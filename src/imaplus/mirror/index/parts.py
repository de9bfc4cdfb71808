"""Find the MIME parts of a message, and decode them.

Works on bytes and offsets, in linear time and without recursion.
"""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator

from imaplus.mirror.index.headers import Fields, body_start, fields, in_charset, parameters
from imaplus.records import record

MAX_PARTS = 200
"""The largest number of parts; attacks and digests have more."""
_MAX_DEPTH = 50
MIME = frozenset((b"content-type", b"content-transfer-encoding", b"content-disposition"))
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


@record
class Part:
    """A part without other parts in it: `data[start:stop]`, in a transfer encoding."""

    data: bytes
    start: int
    stop: int
    media: bytes
    encoding: bytes
    charset: bytes
    disposition: bytes
    name: str
    header: int
    """Offset of its header; of the message's header for an attached message."""

    def decode(self, limit: int) -> bytes:
        """Decode the transfer encoding; return at most `limit` bytes."""
        if self.encoding == b"base64":
            raw = self.data[self.start : min(self.stop, self.start + limit * 4 // 3 + limit // 30)]
            return _from_base64(raw)[:limit]
        if self.encoding == b"quoted-printable":
            return a2b_qp(self.data[self.start : min(self.stop, self.start + 3 * limit)])[:limit]
        return self.data[self.start : min(self.stop, self.start + limit)]

    def text(self, limit: int) -> str:
        """Return the text of a text part."""
        return in_charset(self.decode(limit), self.charset)


def parts(data: bytes, head: Fields, limit: int) -> Iterator[Part]:
    """The parts of a message in order; attached messages first themselves, then their parts.

    `head` are the fields of its header, of which those in `MIME` count.
    """
    waiting = [(data, 0, len(data), b"text/plain", 0)]
    for _ in range(MAX_PARTS):
        if not waiting:
            return
        data, start, stop, default, depth = waiting.pop()
        body = body_start(data, start, stop)
        found = fields(MIME, data, start, body) if depth else head
        media, charset, boundary, name = default, b"", b"", ""
        if values := found.get(b"content-type"):
            kind, _, rest = values[0].partition(b";")
            kind = kind.strip().lower()
            media = kind if b"/" in kind else media
            if rest:
                for key, value in parameters(b";" + rest):
                    if key == "charset":
                        charset = value.encode("ascii", "replace").strip().lower()
                    elif key == "boundary":
                        boundary = value.encode("utf-8", "surrogateescape")
                    elif key == "name":
                        name = value
        if depth < _MAX_DEPTH and boundary and media.startswith(b"multipart/"):
            inner = b"message/rfc822" if media == b"multipart/digest" else b"text/plain"
            pieces = list(_between(data, body, stop, boundary))
            waiting += [(data, first, last, inner, depth + 1) for first, last in reversed(pieces)]
            continue
        disposition = b""
        if values := found.get(b"content-disposition"):
            kind, _, rest = values[0].partition(b";")
            disposition = kind.strip().lower()
            if rest:
                name = next((v for k, v in parameters(b";" + rest) if k == "filename"), name)
        encoding = b""
        if values := found.get(b"content-transfer-encoding"):
            encoding = values[0].partition(b";")[0].strip().lower()
        part = Part(data, body, stop, media, encoding, charset, disposition, name, start)
        if media in (b"message/rfc822", b"message/global") and depth < _MAX_DEPTH:
            if encoding in (b"base64", b"quoted-printable"):
                inside = part.decode(limit)
                part = Part(inside, 0, len(inside), media, b"", charset, disposition, name, start)
            waiting.append((part.data, part.start, part.stop, b"text/plain", depth + 1))
        yield part


def _between(data: bytes, start: int, stop: int, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Yield the ranges between delimiter lines; the line end before one belongs to it."""
    delimiter = b"--" + boundary
    first = -1
    at = data.find(delimiter, start, stop)
    number = 0
    while at >= 0:
        end = at + len(delimiter)
        last = data[end : end + 2] == b"--"
        if (at == start or data[at - 1 : at] == b"\n") and (
            last or data[end : end + 1] in b"\r\n \t"
        ):
            if first >= 0:
                before = at - 2 if data[at - 2 : at] == b"\r\n" else at - 1
                yield first, max(first, before)
                number += 1
            if last or number > MAX_PARTS:
                return
            line = data.find(b"\n", end, stop)
            first = stop if line < 0 else line + 1
            end = first
        at = data.find(delimiter, end, stop)
    if first >= 0:
        yield first, stop


def _from_base64(raw: bytes) -> bytes:
    raw = raw.partition(b"=")[0] if b"=" in raw[:-4] else raw
    try:
        return a2b_base64(raw)
    except NotBase64:
        raw = _NOT_BASE64.sub(b"", raw)
        return a2b_base64(raw[: len(raw) // 4 * 4])

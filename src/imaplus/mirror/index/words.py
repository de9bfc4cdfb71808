"""Extract the searchable words of a message. Never raises; bounded in time and memory.

It does not use the parser of the standard library, which takes ten times as long.
"""

from __future__ import annotations

from datetime import datetime

from imaplus.mirror.index.headers import as_text, body_start, date, decode, fields, to_plain
from imaplus.mirror.index.markup import strip_tags
from imaplus.mirror.index.parts import MIME, parts
from imaplus.records import record

MAX_BYTES = 2 * 1024 * 1024
"""Bytes of a message that are read: the text comes before attachments."""
_MAX_TEXT = 512 * 1024  # characters of all text
_MAX_NAMES = 4096  # characters of file names
_FIELDS = MIME | {b"subject", b"from", b"to", b"cc", b"bcc", b"date", b"message-id"}
_INSIDE = frozenset((b"subject", b"from", b"to"))


@record
class Words:
    """The searchable content of a message, as plain text.

    `files` are the names of its parts, one a line. `attachment` is True if a part has a disposition
    other than `inline`, or a name and no disposition.
    """

    subject: str = ""
    sender: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    body: str = ""
    files: str = ""
    attachment: bool = False
    message_id: str = ""
    sent: datetime | None = None


def words(raw: bytes) -> Words:
    """Extract the words of a message; `raw` may be its first `MAX_BYTES` only."""
    raw = raw[:MAX_BYTES]
    try:
        return _words(raw)
    except (ValueError, LookupError, OverflowError):
        # A last resort: the functions above accept any input.
        return Words(body=to_plain(as_text(raw[:_MAX_TEXT])))


def _words(raw: bytes) -> Words:
    if b":" not in raw[: raw.find(b"\n") + 1 or len(raw)] and not raw.startswith((b"\r", b"\n")):
        raw = b"\n" + raw  # it has no header
    found = fields(_FIELDS, raw, 0, body_start(raw, 0, len(raw)))
    texts: list[str] = []
    files: list[str] = []
    attachment = False
    left = _MAX_TEXT
    for part in parts(raw, found, MAX_BYTES):
        if part.name:
            files.append(part.name)
        if part.disposition != b"inline" and (part.disposition or part.name):
            attachment = True
        if left <= 0:
            continue
        if part.media.startswith(b"text/"):
            text = part.text(left)
            if part.media == b"text/html":
                text = strip_tags(text)
        elif part.media in (b"message/rfc822", b"message/global"):
            stop = body_start(part.data, part.start, part.stop)
            inside = fields(_INSIDE, part.data, part.start, stop)
            text = "\n".join(decode(value) for values in inside.values() for value in values)
        else:
            continue
        texts.append(text)
        left -= len(text)

    def of(name: bytes) -> str:
        values = found.get(name)
        if values is None:
            return ""
        return to_plain(decode(values[0]) if len(values) == 1 else "\n".join(map(decode, values)))

    dates = found.get(b"date")
    ids = found.get(b"message-id")
    return Words(
        of(b"subject"),
        of(b"from"),
        of(b"to"),
        of(b"cc"),
        of(b"bcc"),
        to_plain("\n".join(texts)[:_MAX_TEXT]),
        to_plain("\n".join(files)[:_MAX_NAMES]),
        attachment,
        to_plain(decode(ids[-1])[:1000]) if ids else "",
        date(dates[-1]) if dates else None,
    )

"""From the octets of a message to the words that one searches it by; whatever the octets are.

It knows headers, RFC 2047, MIME parts and their charsets through the standard library's parser, and
a little HTML. It promises to return, in bounded time and memory: words are for finding a message,
so what does not parse gives fewer of them, never an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from html import unescape

from imaplus.records import record

MAX_OCTETS = 2 * 1024 * 1024
"""Of a message that are looked at: its text comes first, what follows are attachments."""

_MAX_TEXT = 512 * 1024  # characters of text kept; the longest novels mailed are about that
_MAX_HEADER = 16 * 1024  # characters of one header field, all its lines together
_MAX_PARTS = 200  # parts looked at; more come from attackers and from digests
_MAX_FIELDS = 100  # fields of one name


@record
class Words:
    """What a message can be found by, as plain text; `files` are the names of attachments."""

    subject: str = ""
    sender: str = ""
    recipients: str = ""
    body: str = ""
    files: str = ""


class _ShortHeaders(Compat32):
    """Cuts a field before it is looked into: the library's time grows with the square of it."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_MAX_HEADER]


_POLICY = _ShortHeaders()


def words(raw: bytes) -> Words:
    """The words of a message, of which `raw` may be the first `MAX_OCTETS` only. Never raises."""
    raw = raw[:MAX_OCTETS]
    try:
        return _words(BytesParser(policy=_POLICY).parsebytes(raw))
    except Exception:
        # The parser has many ways to fail on what strangers send (ValueError, LookupError,
        # AttributeError, RecursionError, ...), and none of them is worth losing the message for.
        return Words(body=_plain(raw[:_MAX_TEXT].decode("utf-8", "replace")))


def _words(message: Message) -> Words:
    texts: list[str] = []
    files: list[str] = []
    for part in _parts(message):
        if name := _attempt(part.get_filename):
            files.append(_decoded(name))
        elif part.get_content_maintype() == "text":
            texts.append(_text(part))
    return Words(
        subject=_fields(message, "Subject"),
        sender=_fields(message, "From", "Sender"),
        recipients=_fields(message, "To", "Cc", "Bcc"),
        body=_plain("\n".join(texts)[:_MAX_TEXT]),
        files=_plain("\n".join(files)),
    )


def _parts(message: Message) -> Iterator[Message]:
    """The parts that are no containers, in order; without recursion, however deep they lie."""
    waiting = [message]
    for _ in range(_MAX_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        inner = part.get_payload()
        if isinstance(inner, list):
            waiting += [each for each in reversed(inner) if isinstance(each, Message)]
        else:
            yield part


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    payload = payload[: 4 * _MAX_TEXT]
    try:
        text = payload.decode(part.get_content_charset("utf-8"), "replace")
    except Exception:  # no such charset, or a codec that is none for text
        text = payload.decode("utf-8", "replace")
    return _without_tags(text) if part.get_content_subtype() == "html" else text


def _without_tags(html: str) -> str:
    """The text between the tags, scripts and styles left out; in one pass."""
    kept: list[str] = []
    until = ""  # the closing tag that ends what is left out
    first, *rest = html[: 2 * _MAX_TEXT].split("<")
    kept.append(first)
    for piece in rest:
        tag, _, text = piece.partition(">")
        name = tag[:8].lower()
        if until:
            if not name.startswith(until):
                continue
            until = ""
        elif name.startswith(("script", "style")):
            until = "/script" if name.startswith("script") else "/style"
            continue
        kept.append(text)
    return unescape(" ".join(kept))


def _fields(message: Message, *names: str) -> str:
    found = [str(value) for name in names for value in message.get_all(name, [])[:_MAX_FIELDS]]
    return _plain("\n".join(_decoded(value) for value in found))


def _decoded(value: str) -> str:
    """A header's text with its encoded words decoded (RFC 2047), or as it stands."""
    try:
        return str(make_header(decode_header(value)))
    except Exception:  # an unknown charset, a broken encoded word
        return value


def _attempt(get_filename: object) -> str | None:
    try:
        found = get_filename() if callable(get_filename) else None
    except Exception:  # RFC 2231 continuations that make no sense
        return None
    return found if isinstance(found, str) else None


def _plain(text: str) -> str:
    """Text that every database takes: no NUL, no lone surrogate."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")

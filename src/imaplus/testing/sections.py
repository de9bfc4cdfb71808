"""Sections: `BODY[...]` and `BINARY[...]` as ranges of a message (RFC 9051, 6.4.5.1)."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from typing import Final

from imaplus.records import record
from imaplus.testing import mime
from imaplus.testing.content import Content, read
from imaplus.testing.mime import Part
from imaplus.testing.registry import Bad, No
from imaplus.testing.replies import astring, parens
from imaplus.wire.cursor import Cursor

_PATH: Final = re.compile(rb"[1-9][0-9]{0,8}(?:\.[1-9][0-9]{0,8})*")
_WORD: Final = re.compile(rb"[A-Za-z.]+")
_PARTIAL: Final = re.compile(rb"<([0-9]{1,19})\.([1-9][0-9]{0,18})>")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")
LONGEST_PATH: Final = 200
"""Maximum number of part numbers in a section: twice the depth that `mime` parses."""

Stretch = tuple[int, int] | bytes | None
"""A range of the message, or bytes; None if there is no such part."""


@record
class Section:
    """The content of the brackets, and the partial after them."""

    path: tuple[int, ...] = ()
    text: str = ""
    names: tuple[bytes, ...] = ()
    partial: tuple[int, int] | None = None
    """Offset and number of bytes."""

    def label(self, *, full_partial: bool = False) -> bytes:
        """Format the section as the response names it."""
        words = [".".join(map(str, self.path)), self.text]
        label = ".".join(word for word in words if word).encode()
        if self.names:
            label += b" " + parens(astring(name) for name in self.names)
        label = b"[%b]" % label
        if self.partial is not None:
            end = b".%d" % self.partial[1] if full_partial else b""
            label += b"<%d%b>" % (self.partial[0], end)
        return label

    def find(self, content: Content, *, shift: int = 0) -> Stretch:
        """Find the section's bytes, limited to the partial."""
        return self.cut(self._whole(mime.parse(content)), shift=shift)

    def cut(self, stretch: Stretch, *, shift: int = 0) -> Stretch:
        """Limit a stretch to the partial; a fault may shift it by `shift` bytes."""
        if stretch is None or self.partial is None:
            return stretch
        first, number = self.partial
        if first:
            first = max(0, first + shift)
        if isinstance(stretch, bytes):
            return stretch[first : first + number]
        start, stop = stretch
        start = min(start + first, stop)
        return start, min(start + number, stop)

    def _whole(self, root: Part) -> Stretch:
        part = find_part(root, self.path)
        if part is None:
            return None
        if not self.path:
            holder: Part | None = part
        elif self.text == "":
            return part.body, part.stop
        elif self.text == "MIME":
            return part.start, part.body
        else:
            holder = part.message  # HEADER and TEXT of a part are those of the message in it
        if holder is None:
            return None
        match self.text:
            case "":
                return holder.start, holder.stop
            case "HEADER":
                return holder.start, holder.body
            case "TEXT":
                return holder.body, holder.stop
        without = self.text == "HEADER.FIELDS.NOT"
        return mime.select_fields(holder.header, self.names, without=without)


def find_part(root: Part, path: tuple[int, ...]) -> Part | None:
    """Return the part with this path of numbers, or None."""
    part: Part | None = root
    of_message = True
    for number in path:
        part = part.child(number, of_message=of_message) if part else None
        of_message = False
    return part


def parse_section(c: Cursor, *, binary: bool = False) -> Section:
    """Read a section and the partial after it."""
    c.expect(b"[")
    path: tuple[int, ...] = ()
    text = ""
    names: tuple[bytes, ...] = ()
    if match := c.accept_match(_PATH):
        path = tuple(map(int, match[0].split(b".")))
        if len(path) > LONGEST_PATH:
            raise Bad("Section is too deep")
        dotted = not binary and c.accept(b".")
    else:
        dotted = not binary and c.peek() != b"]"
    if dotted:
        word = c.accept_match(_WORD)
        text = word[0].decode().upper() if word else ""
        if text not in ("HEADER", "TEXT", "MIME", "HEADER.FIELDS", "HEADER.FIELDS.NOT"):
            raise Bad("Unknown section")
        if text == "MIME" and not path:
            raise Bad("MIME requires a part number")
        if text.startswith("HEADER.FIELDS"):
            c.expect(b" ")
            names = tuple(c.astring() for _ in c.items())
            if not names:
                raise Bad("HEADER.FIELDS takes at least one name")
    c.expect(b"]")
    partial = c.accept_match(_PARTIAL)
    return Section(path, text, names, (int(partial[1]), int(partial[2])) if partial else None)


def decode_part(content: Content, path: tuple[int, ...]) -> Stretch:
    """Decode the transfer encoding of a part (RFC 3516); return a range if it has none."""
    part = find_part(mime.parse(content), path)
    if part is None:
        return None
    if not path:
        return part.start, part.stop
    if part.is_multipart or part.encoding in (b"7bit", b"8bit", b"binary"):
        return part.body, part.stop
    return decode(read(content, part.body, part.stop), part.encoding)


def decode(data: bytes, encoding: bytes) -> bytes:
    """Decode a transfer encoding. Raises No if it is unknown or the data is malformed."""
    if encoding == b"quoted-printable":
        return quopri.decodestring(data)
    if encoding == b"base64":
        clean = _NOT_BASE64.sub(b"", data)
        try:
            return base64.b64decode(clean + b"=" * (-len(clean) % 4))
        except binascii.Error:
            raise No("Malformed base64", "PARSE") from None
    raise No("Unknown transfer encoding", "UNKNOWN-CTE")

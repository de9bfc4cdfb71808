"""Content-Transfer-Encoding (RFC 2045, 6), decoded piece by piece, in constant memory.

Damaged data is skipped, as mail programs do.
"""

from __future__ import annotations

from binascii import a2b_base64, a2b_qp, a2b_uu
from collections.abc import Callable
from typing import IO, Final, Protocol

from imaplus.wire.patterns import lazy_pattern

_NOT_BASE64: Final = lazy_pattern(rb"[^A-Za-z0-9+/=]+")
_FIELD: Final = lazy_pattern(rb"(?im)^content-transfer-encoding[ \t]*:\s*\"?([^\s;\"]+)")
LONGEST_LINE: Final = 1 << 16
"""Bytes of a line that are kept until its end arrives; lines have 76 (RFC 2045, 6.7)."""


class Decoder(Protocol):
    """An incremental decoder."""

    def feed(self, data: bytes) -> bytes:
        """Decode these bytes. Some may be kept until the next ones arrive."""
        ...

    def end(self) -> bytes:
        """Return the bytes that were kept: there is no more input."""
        ...


class Identity:
    """7bit, 8bit and binary."""

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> bytes:
        return b""


class Base64:
    """base64. Other bytes are skipped; padding may be missing, or in the middle."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> bytes:
        *ended, left = (self._left + _NOT_BASE64.sub(b"", data)).split(b"=")
        whole = len(left) & ~3
        self._left = left[whole:]
        return b"".join([*map(_decode_base64, ended), a2b_base64(left[:whole])])

    def end(self) -> bytes:
        left, self._left = self._left, b""
        return _decode_base64(left)


def _decode_base64(data: bytes) -> bytes:
    if len(data) % 4 == 1:
        data = data[:-1]  # six bits are less than a byte
    return a2b_base64(data + b"==") if data else b""


class QuotedPrintable:
    """quoted-printable, line by line."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> bytes:
        data = self._left + data
        cut = data.rfind(b"\n") + 1
        if len(data) - cut > LONGEST_LINE:  # not in the middle of "=XX"
            escape = data.rfind(b"=", len(data) - 2)
            cut = len(data) if escape < 0 else escape
        self._left = data[cut:]
        return a2b_qp(data[:cut])

    def end(self) -> bytes:
        left, self._left = self._left, b""
        return a2b_qp(left)


class Uuencode:
    """uuencode, used before MIME: the content between its first and last line."""

    def __init__(self) -> None:
        self._left = b""
        self._inside = False

    def feed(self, data: bytes) -> bytes:
        *lines, self._left = (self._left + data).split(b"\n")
        if len(self._left) > LONGEST_LINE:
            self._left = b""
        return b"".join(map(self._line, lines))

    def end(self) -> bytes:
        left, self._left = self._left, b""
        return self._line(left)

    def _line(self, line: bytes) -> bytes:
        line = line.rstrip(b"\r")
        if not self._inside:
            self._inside = line.startswith(b"begin ")
            return b""
        if line == b"end" or not line:
            self._inside = line != b"end"
            return b""
        size = ((line[0] - 32) & 63) if line[0] >= 32 else 0
        needed = 1 + (size + 2) // 3 * 4
        try:
            return a2b_uu(line[:needed])  # some encoders add characters
        except ValueError:
            return b""


_DECODERS: Final[dict[bytes, Callable[[], Decoder]]] = {
    b"7bit": Identity,
    b"8bit": Identity,
    b"binary": Identity,
    b"base64": Base64,
    b"quoted-printable": QuotedPrintable,
    b"x-uuencode": Uuencode,
    b"uuencode": Uuencode,
    b"x-uue": Uuencode,
    b"uue": Uuencode,
}


def encoding_of(header: bytes) -> bytes | None:
    """Return the encoding named by the header of a part, in lower case; None if there is none."""
    field = _FIELD.search(header)
    return field[1].lower() if field else None


def decoder_for(encoding: bytes) -> Decoder | None:
    """Return a decoder; None for an unknown encoding."""
    decoder = _DECODERS.get(encoding)
    return None if decoder is None else decoder()


class Decoded:
    """A binary file that decodes what is written to it, and writes that to another file."""

    def __init__(self, file: IO[bytes], decoder: Decoder) -> None:
        self._file = file
        self._decoder = decoder
        self.written: int = 0
        """Bytes written to the other file."""

    def write(self, data: bytes | memoryview, /) -> int:
        """Decode and write the next bytes; returns their number."""
        self._put(self._decoder.feed(bytes(data)))
        return len(data)

    def finish(self) -> None:
        """Write the bytes that were kept: there is no more input."""
        self._put(self._decoder.end())

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        self.written += len(view)
        while view:  # an unbuffered file may take less than it is given
            view = view[self._file.write(view) :]

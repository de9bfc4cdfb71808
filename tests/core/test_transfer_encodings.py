"""Transfer encodings are undone the same at any cutting, and what is broken is passed over."""

from __future__ import annotations

import base64
import io
import quopri
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.core.transfer_encodings import LONGEST_LINE, Decoded, decoder_for, encoding_of


def decoded(encoding: bytes, pieces: Iterable[bytes]) -> bytes:
    decoder = decoder_for(encoding)
    assert decoder is not None
    file = io.BytesIO()
    into = Decoded(file, decoder)
    for piece in pieces:
        assert into.write(memoryview(piece)) == len(piece)
    into.finish()
    assert into.written == len(file.getvalue())
    return file.getvalue()


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(st.binary(), st.lists(st.integers(0, 300)))
def test_what_was_encoded_comes_back(data: bytes, places: list[int]) -> None:
    for encoding, encoded in (
        (b"base64", base64.encodebytes(data)),
        (b"quoted-printable", quopri.encodestring(data)),
        (b"8bit", data),
    ):
        assert decoded(encoding, cut(encoded, places)) == data


@given(st.binary() | st.text("=\nA f3").map(str.encode), st.lists(st.integers(0, 300)))
def test_anything_is_the_same_at_any_cutting(data: bytes, places: list[int]) -> None:
    for encoding in (b"base64", b"quoted-printable", b"binary"):
        assert decoded(encoding, cut(data, places)) == decoded(encoding, [data])


@pytest.mark.parametrize(
    ("encoded", "meant"),
    [
        (b"aGVsbG8=", b"hello"),
        (b"aGVsbG8", b"hello"),
        (b"aGV!\r\nsb-G8", b"hello"),
        (b"aGVsbG8=aGVsbG8=", b"hellohello"),
        (b"aGVsbG8hx", b"hello!"),
        (b"====", b""),
        (b"", b""),
    ],
)
def test_base64_that_is_broken(encoded: bytes, meant: bytes) -> None:
    assert decoded(b"base64", [encoded]) == meant


def test_a_line_without_end_is_not_kept() -> None:
    line = b"=41" * LONGEST_LINE
    assert decoded(b"quoted-printable", cut(line, range(0, len(line), 1000))) == b"A" * LONGEST_LINE


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        (b"Content-Transfer-Encoding: base64\r\n\r\n", b"base64"),
        (b"X: y\r\ncontent-transfer-encoding :\r\n\tQuoted-Printable ; x\r\n", b"quoted-printable"),
        (b'Content-Transfer-Encoding: "7bit"\r\n', b"7bit"),
        (b"X-Content-Transfer-Encoding: base64\r\n", None),
        (b"", None),
    ],
)
def test_the_encoding_that_a_header_names(header: bytes, encoding: bytes | None) -> None:
    assert encoding_of(header) == encoding


def test_an_encoding_that_nobody_knows() -> None:
    assert decoder_for(b"x-odd") is None

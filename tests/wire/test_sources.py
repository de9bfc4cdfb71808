"""Where outgoing literals come from: octets and files of a size that is known beforehand."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, Any, cast

import pytest

from imaplus.errors import InvalidArgument
from imaplus.wire.sources import CHUNK, FileSource, Octets


def test_octets() -> None:
    source = Octets(b"abc")
    assert (source.size, list(source.chunks())) == (3, [b"abc"])
    assert list(source.chunks()) == [b"abc"]


def test_a_file_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        file.seek(4)
        source = FileSource.of(file)
        assert file.tell() == 4
        assert source.size == 6
        assert b"".join(source.chunks()) == b"456789"
        assert b"".join(source.chunks()) == b"456789"  # as often as it is asked for


def test_a_large_file_comes_in_pieces() -> None:
    data = os.urandom(CHUNK + 10)
    chunks = list(FileSource.of(io.BytesIO(data)).chunks())
    assert list(map(len, chunks)) == [CHUNK, 10]
    assert b"".join(chunks) == data


def test_an_empty_file() -> None:
    source = FileSource.of(io.BytesIO())
    assert (source.size, list(source.chunks())) == (0, [])


def test_a_file_that_grows_gives_what_was_announced() -> None:
    file = io.BytesIO(b"abc")
    source = FileSource.of(file)
    file.seek(0, os.SEEK_END)
    file.write(b"def")
    assert b"".join(source.chunks()) == b"abc"


def test_a_file_that_shrinks_raises() -> None:
    file = io.BytesIO(b"abc")
    source = FileSource.of(file)
    file.truncate(1)
    chunks = source.chunks()
    assert next(chunks) == b"a"
    with pytest.raises(InvalidArgument, match="2 octets too early"):
        next(chunks)


def test_what_is_no_seekable_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("abc")
    reading, writing = os.pipe()
    with path.open() as text, os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb"):
        for file in (text, io.StringIO("x"), pipe, object()):
            with pytest.raises(InvalidArgument, match="binary"):
                FileSource.of(cast("IO[bytes]", cast(Any, file)))

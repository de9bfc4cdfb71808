"""Where literals go: each sink, piece by piece."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import IO, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.wire.sinks import Digest, Discard, File, Lost, Memory, Spool

pieces = st.lists(st.binary(max_size=20), max_size=10)


@given(pieces)
def test_memory_and_digest_and_file_take_the_same(data: list[bytes]) -> None:
    whole = b"".join(data)
    memory, digest, output = Memory(), Digest(), io.BytesIO()
    file = File(output, len(whole))
    for piece in data:
        for sink in (memory, digest, file):
            sink.write(memoryview(piece))
    assert memory.close() == whole
    assert digest.close() == hashlib.sha256(whole).hexdigest()
    assert (file.close(), output.getvalue()) == (len(whole), whole)


def test_another_digest() -> None:
    digest = Digest("sha1")
    digest.write(b"abc")
    assert digest.close() == hashlib.sha1(b"abc").hexdigest()


def test_memory_keeps_nothing_of_what_was_aborted() -> None:
    memory = Memory()
    memory.write(b"abc")
    memory.abort()
    assert memory.close() == b""


def test_discard_says_why() -> None:
    error = OSError("full")
    for sink, expected in ((Discard(), None), (Discard(error), Lost(error))):
        sink.write(b"abc")
        assert sink.close() == expected
        sink.abort()


class Reluctant(io.BytesIO):
    """A file that takes three octets at a time, as an unbuffered one may."""

    def write(self, data: Any, /) -> int:
        return super().write(bytes(data)[:3])


def test_a_file_that_takes_less_than_it_is_given() -> None:
    output = Reluctant()
    sink = File(output, 10)
    sink.write(b"0123456789")
    assert (sink.close(), output.getvalue()) == (10, b"0123456789")


def test_progress_and_neither_flush_nor_close() -> None:
    told: list[tuple[int, int]] = []
    output = io.BytesIO()
    sink = File(output, 6, lambda written, total: told.append((written, total)))
    for piece in (b"ab", b"", b"cdef"):
        sink.write(piece)
    sink.abort()
    assert told == [(2, 6), (2, 6), (6, 6)]
    assert not output.closed


def test_an_error_of_the_file_is_its_own(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as output, (tmp_path / "x").open("rb") as input:
        File(output, 1).write(b"x")
        with pytest.raises(io.UnsupportedOperation):
            File(cast("IO[bytes]", input), 1).write(b"x")


@pytest.mark.parametrize("size", [3, 30])
def test_a_spool_moves_to_the_disk(size: int) -> None:
    spool = Spool(10)
    spool.write(b"x" * size)
    with spool.close() as file:
        assert file.read() == b"x" * size


def test_a_spool_that_is_aborted_is_closed() -> None:
    spool = Spool()
    spool.write(b"x")
    spool.abort()
    with pytest.raises(ValueError, match="closed"):
        spool.close()

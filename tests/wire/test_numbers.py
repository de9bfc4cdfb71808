"""Long lists of numbers give what short ones do, whatever is in them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import InvalidArgument, ProtocolError
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame
from imaplus.wire.numbers import set_of_numbers
from imaplus.wire.set_reading import read_numbers
from imaplus.wire.sets import MAX_NUMBER, SequenceSet

edges = st.one_of(
    st.integers(0, 12),
    st.integers(990, 1010),
    st.integers(1990, 2010),
    st.integers(9_998_990, 10_001_010),
    st.integers(MAX_NUMBER - 2500, MAX_NUMBER + 2),
)


@st.composite
def rows(draw: st.DrawFn) -> bytes:
    """Numbers in a row, one of them perhaps replaced by something else."""
    first = draw(edges)
    texts = [b"%d" % n for n in range(first, first + draw(st.integers(1, 2100)))]
    if draw(st.booleans()):
        odd = st.sampled_from([b"", b"7", b"007", b"1.0", b"-1", b"1e3", b"x", b" ", b"1,2", b"@"])
        texts[draw(st.integers(0, len(texts) - 1))] = draw(odd)
    if draw(st.booleans()):
        del texts[draw(st.integers(0, len(texts) - 1))]
    return b" ".join(texts)


def read(text: bytes, many: int) -> tuple[object, bytes]:
    cursor = Cursor(Frame(text))
    try:
        return read_numbers(cursor, many=many), text[cursor.pos :]
    except ProtocolError as error:
        return str(error).partition(":")[0], b""


@given(
    st.one_of(rows(), st.lists(edges, max_size=40).map(lambda n: b" ".join(b"%d" % x for x in n)))
)
def test_long_lists_are_read_as_short_ones(text: bytes) -> None:
    assert read(text, 0) == read(text, 1 << 60)


@pytest.mark.parametrize("first", [1, 1000, 4_000_000_000])
def test_numbers_in_a_row_are_one_range(first: int) -> None:
    text = b" ".join(b"%d" % n for n in range(first, first + 5000))
    found = set_of_numbers(text)
    assert found is not None
    assert found.ranges == ((first, first + 4999),)


def test_uids_with_gaps_and_twice() -> None:
    some = random.Random(7).choices(range(1, 50_000), k=20_000)
    found = set_of_numbers(b" ".join(b"%d" % n for n in some))
    assert found is not None
    assert list(found) == sorted(set(some))
    assert found == SequenceSet(found.ranges)


def test_zero_is_no_number_of_a_message() -> None:
    with pytest.raises(InvalidArgument, match="0 is not a message number"):
        set_of_numbers(b"0 1 2 3")

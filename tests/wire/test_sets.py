"""Sequence sets against Python's own sets."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import InvalidArgument
from imaplus.wire.sets import LONGEST_RANGE, MAX_NUMBER, STAR, SequenceSet, parse_ranges

# Numbers close together, so that ranges touch and overlap, and a few at the very end.
numbers = st.one_of(st.integers(1, 60), st.integers(MAX_NUMBER - 3, MAX_NUMBER))
number_sets = st.frozensets(numbers, max_size=40)
range_lists = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), max_size=12)


def members(ranges: list[tuple[int, int]]) -> set[int]:
    return {n for a, b in ranges for n in range(min(a, b), max(a, b) + 1)}


@given(number_sets, number_sets)
def test_algebra_is_that_of_sets(a: frozenset[int], b: frozenset[int]) -> None:
    s, t = SequenceSet.of(a), SequenceSet.of(b)
    assert set(s | t) == a | b
    assert set(s & t) == a & b
    assert set(s - t) == a - b
    assert (s == t) == (a == b)
    assert bool(s) == bool(a)


@given(number_sets, numbers)
def test_reading_is_that_of_sets(a: frozenset[int], n: int) -> None:
    s = SequenceSet.of(a)
    assert list(s) == sorted(a) == s.expand(len(a))
    assert len(s) == len(a)
    assert (n in s) == (n in a)
    if a:
        assert (s.first, s.last) == (min(a), max(a))
        with pytest.raises(InvalidArgument):
            s.expand(len(a) - 1)


@given(number_sets, st.integers(-70, 70))
def test_places_are_those_of_a_list(a: frozenset[int], at: int) -> None:
    s, listed = SequenceSet.of(a), sorted(a)
    if -len(a) <= at < len(a):
        assert s[at] == listed[at]
    else:
        with pytest.raises(IndexError):
            s[at]
    assert list(reversed(s)) == listed[::-1]


ENDS = st.none() | st.integers(-70, 70)


@given(number_sets, ENDS, ENDS)
def test_slices_are_those_of_a_list(a: frozenset[int], start: int | None, stop: int | None) -> None:
    part = SequenceSet.of(a)[start:stop]
    assert part == SequenceSet.of(sorted(a)[start:stop])
    assert part == SequenceSet.from_ranges(part.ranges), "it is canonical"


@given(number_sets.filter(bool), st.integers(-9, 9).filter(lambda step: step != 1))
def test_slices_have_no_steps(a: frozenset[int], step: int) -> None:
    with pytest.raises(ValueError, match="step"):
        SequenceSet.of(a)[::step]


@given(range_lists)
def test_ranges_are_canonical_whatever_is_given(ranges: list[tuple[int, int]]) -> None:
    s = SequenceSet.from_ranges(ranges)
    assert set(s) == members(ranges)
    flat = [n for pair in s.ranges for n in pair]
    assert flat == sorted(flat)
    assert all(b[0] > a[1] + 1 for a, b in pairwise(s.ranges))
    assert s == SequenceSet.of(members(ranges))
    assert hash(s) == hash(SequenceSet.of(members(ranges)))


@given(range_lists)
def test_parse_reads_what_format_writes_and_what_servers_write(
    ranges: list[tuple[int, int]],
) -> None:
    s = SequenceSet.from_ranges(ranges)
    assert SequenceSet.parse(bytes(s)) == SequenceSet.parse(str(s)) == s
    sent = ",".join(f"{a}:{b}" for a, b in ranges).encode()
    assert SequenceSet.parse(sent) == s
    assert parse_ranges(sent) == tuple(ranges)


@given(number_sets, st.integers(LONGEST_RANGE, 60))
def test_split_keeps_to_the_limit_and_loses_nothing(a: frozenset[int], octets: int) -> None:
    parts = list(SequenceSet.of(a).split(octets))
    assert all(len(bytes(part)) <= octets for part in parts)
    assert [n for part in parts for n in part] == sorted(a)
    for one, other in pairwise(parts):  # no room was left unused
        first, *_ = other.ranges
        assert len(bytes(one)) + 1 + len(bytes(SequenceSet((first,)))) > octets


@given(number_sets, st.integers(1, 50))
def test_chunks_are_full_but_the_last(a: frozenset[int], size: int) -> None:
    chunks = list(SequenceSet.of(a).chunks(size))
    assert [n for chunk in chunks for n in chunk] == sorted(a)
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert all(1 <= len(chunk) <= size for chunk in chunks)


@pytest.mark.parametrize(
    ("data", "canonical"),
    [
        (b"", b""),
        (b"7", b"7"),
        (b"7:7", b"7"),
        (b"2,4:7,9,12:*", b"2,4:7,9,12:*"),  # RFC 9051, 9
        (b"*:4,5:7", b"4:*"),  # RFC 9051, 9
        (b"*", b"*"),
        (b"9:6", b"6:9"),
        (b"3,1,2,2,1:2", b"1:3"),
        (b"007", b"7"),
        (b"1:4294967295", b"1:4294967295"),
        (b"4294967295,*", b"4294967295:*"),
    ],
)
def test_parse_is_liberal_and_format_is_not(data: bytes, canonical: bytes) -> None:
    assert bytes(SequenceSet.parse(data)) == canonical
    assert SequenceSet.parse(data.decode()) == SequenceSet.parse(data)


@pytest.mark.parametrize(
    "data",
    [
        b"0",
        b"0:5",
        b"4294967296",
        b"1:2:3",
        b"1,",
        b",1",
        b":",
        b"1:",
        b"**",
        b"-1",
        b"+1",
        b" 1",
        b"1_0",
        b"1.5",
        b"$",
        b"x",
        b"\xff",
        b"1\r\n",
        b"9" * 5000,
    ],
)
def test_parse_refuses(data: bytes) -> None:
    with pytest.raises(InvalidArgument):
        SequenceSet.parse(data)
    with pytest.raises(InvalidArgument):
        parse_ranges(data)


def test_digits_of_other_scripts_are_not_digits() -> None:
    with pytest.raises(InvalidArgument):
        SequenceSet.parse("١٢")


def test_copyuid_order_is_kept() -> None:
    assert parse_ranges(b"304,319:320,9:6") == ((304, 304), (319, 320), (9, 6))


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (5, "5"),
        (range(3, 8), "3:7"),
        (range(7, 2, -1), "3:7"),
        (range(1, 8, 3), "1,4,7"),
        (range(0), ""),
        ([3, 1, 2, 9], "1:3,9"),
        (iter((5, 4)), "4:5"),
        ("1:4,7", "1:4,7"),
        (b"1:*", "1:*"),
        (bytearray(b"14"), "14"),
        (SequenceSet.parse("2"), "2"),
        (STAR, "*"),
        ({1: "a", 2: "b"}, "1:2"),
    ],
)
def test_of_takes_what_people_have(what: object, text: str) -> None:
    assert str(SequenceSet.of(what)) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("what", [0, -1, STAR + 1, 1.5, None, [0], ["5"], [1.5], range(0, 3)])
def test_of_refuses_what_is_not_a_message_number(what: object) -> None:
    with pytest.raises(InvalidArgument):
        SequenceSet.of(what)  # type: ignore[arg-type]


def test_star_is_the_greatest_number_of_all() -> None:
    s = SequenceSet.parse("5:*")
    assert s.open_ended
    assert s.last == STAR
    assert MAX_NUMBER in s
    assert 4 not in s
    assert 4 not in SequenceSet.parse("*")
    assert str(s - SequenceSet.of(range(7, 10))) == "5:6,10:*"
    assert str(s & SequenceSet.parse("1:6,*")) == "5:6,*"
    assert str(SequenceSet.parse("1:*") - s) == "1:4"
    assert str(s | SequenceSet.of(4)) == "4:*"
    assert list(map(str, SequenceSet.parse("1,3:*").split(LONGEST_RANGE))) == ["1,3:*"]


def test_what_has_no_end_is_not_counted() -> None:
    s = SequenceSet.parse("5:*")
    with pytest.raises(InvalidArgument):
        iter(s)
    with pytest.raises(InvalidArgument):
        len(s)
    for at in (0, -1, slice(-10, None)):
        with pytest.raises(InvalidArgument):
            s[at]
    with pytest.raises(InvalidArgument):
        reversed(s)
    with pytest.raises(InvalidArgument):
        s.expand(10)
    with pytest.raises(InvalidArgument):
        s.chunks(10)


def test_a_set_is_never_expanded_unasked() -> None:
    s = SequenceSet.parse(b"1:4294967295")
    assert len(s) == MAX_NUMBER
    assert (s[0], s[-1], s[10**9]) == (1, MAX_NUMBER, 10**9 + 1)
    assert str(s[-10:]) == "4294967286:4294967295"
    assert next(reversed(s)) == MAX_NUMBER
    assert str(s - SequenceSet.of(1000)) == "1:999,1001:4294967295"
    assert next(iter(s)) == 1
    assert str(next(s.chunks(1000))) == "1:1000"
    with pytest.raises(InvalidArgument, match="4294967295"):
        s.expand(10**6)


@pytest.mark.parametrize(
    ("text", "greatest", "resolved"),
    [
        ("1:*", 10, "1:10"),
        ("1,5:*", 3, "1,3"),
        ("*", 3, "3"),
        ("2,*", 0, "2"),
        ("1:*", 0, ""),
        ("1:5", 3, "1:5"),
    ],
)
def test_resolve_replaces_star(text: str, greatest: int, resolved: str) -> None:
    assert str(SequenceSet.parse(text).resolve(greatest)) == resolved


def test_misuse_is_told_before_anything_happens() -> None:
    s = SequenceSet.of(range(1, 10))
    with pytest.raises(InvalidArgument):
        s.split(LONGEST_RANGE - 1)
    with pytest.raises(InvalidArgument):
        s.chunks(0)
    for name in ("first", "last"):
        with pytest.raises(InvalidArgument):
            getattr(SequenceSet(), name)
    with pytest.raises(TypeError):
        s | {1, 2}  # type: ignore[operator]
    assert "5" not in s


def test_a_long_repr_is_cut() -> None:
    assert repr(SequenceSet.parse("1:3")) == "SequenceSet('1:3')"
    assert len(repr(SequenceSet.of(range(1, 10**5, 2)))) < 120

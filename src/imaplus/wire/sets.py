"""Sets of message numbers: parse, format, algebra (sequence-set, RFC 9051, 9).

A range stays a range from the wire to the wire: `1:4294967295` costs what `1` costs, and becomes
single numbers only where a caller asks for them. Whether the numbers are UIDs or sequence numbers,
and which of them exist, is not known here; nor is `$`, the result of the last SEARCH.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain, compress
from operator import index, sub
from typing import Final, TypeAlias, overload

from imaplus.errors import InvalidArgument, quote
from imaplus.records import record

MAX_NUMBER: Final = 2**32 - 1
"""The greatest nz-number (RFC 9051, 9)."""

STAR: Final = MAX_NUMBER + 1
"""`*`, the greatest number in use. Its value is greater than all numbers, for set operations."""

LONGEST_RANGE: Final = len(b"4294967294:4294967295")

NumberRange: TypeAlias = tuple[int, int]
"""The first and the last number of a range, both included."""
SequenceSetLike: TypeAlias = "SequenceSet | int | str | bytes | Iterable[int]"
"""Messages by number: a set, one number, a set in IMAP syntax ("1:5,7"), or many numbers."""


@record(repr=False)
class SequenceSet:
    """An immutable set of numbers from 1 to 4294967295, and `*`.

    It has a length and an order: `len(uids)`, `3 in uids`, `uids[-10:]`, `reversed(uids)`. Ranges
    stay ranges in all of this. `|`, `&` and `-` are what they are for sets.

    `ranges` holds (first, last) pairs, ascending, disjoint and not adjacent, in whatever order they
    were given, so sets are equal when their members are. The empty set formats as nothing, which
    IMAP cannot say: ask `bool(set)` before sending it.

    Raises: InvalidArgument for a number out of bounds, and for what is not a number.
    """

    ranges: tuple[NumberRange, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranges", _canonical(self.ranges))

    @classmethod
    def parse(cls, data: bytes | str) -> SequenceSet:
        """Read `2,4:7,9,12:*`. No text is the empty set.

        Order, overlap, duplicates and descending ranges are all right: `*:4,5:7` is `4:*`.

        Raises: InvalidArgument if it is not a sequence-set.
        """
        return cls(parse_ranges(data))

    @classmethod
    def from_ranges(cls, ranges: Iterable[NumberRange]) -> SequenceSet:
        """Return the union of ranges, given as pairs of their ends, in any order."""
        return cls(tuple(ranges))

    @classmethod
    def from_numbers(cls, numbers: Iterable[int]) -> SequenceSet:
        """The set of some numbers, in any order. The fast way, for a million of them.

        Raises: InvalidArgument for a number out of bounds, and for what is not a number.
        """
        try:
            ascending = sorted(map(index, numbers))
        except (TypeError, ValueError):
            raise InvalidArgument("a message number is a whole number") from None
        if not ascending:
            return EMPTY
        if not 1 <= ascending[0] <= ascending[-1] <= STAR:
            wrong = ascending[0] if ascending[0] < 1 else ascending[-1]
            raise InvalidArgument(f"{wrong} is not a message number")
        gaps = list(map(sub, ascending[1:], ascending))
        if 0 in gaps:
            ascending = sorted(set(ascending))
            gaps = list(map(sub, ascending[1:], ascending))
        # A range ends where the next number is not the next one. All of this runs in C.
        ends = list(map((1).__ne__, gaps))
        lows = chain(ascending[:1], compress(ascending[1:], ends))
        highs = chain(compress(ascending, ends), ascending[-1:])
        return cls._of_ranges(tuple(zip(lows, highs, strict=True)))

    @classmethod
    def of(cls, what: SequenceSetLike) -> SequenceSet:
        """The set that a caller means by a number, a `range`, some numbers, or an IMAP set as text.

        Raises: InvalidArgument.
        """
        match what:
            case SequenceSet():
                return what
            case str() | bytes() | bytearray():
                return cls.parse(bytes(what) if isinstance(what, bytearray) else what)
            case int() if type(what) is int and 1 <= what <= STAR:
                return cls._of_ranges(((what, what),))
            case int():
                return cls(((what, what),))
            case range() if what and abs(what.step) == 1:
                return cls(((what[0], what[-1]),))
            case Iterable():
                return cls.from_numbers(what)
        raise InvalidArgument(f"not a set of message numbers: {what!r:.100}")

    @classmethod
    def _of_ranges(cls, ranges: tuple[NumberRange, ...]) -> SequenceSet:
        """Return a set of ranges that are known to be sorted and disjoint."""
        made = object.__new__(cls)
        object.__setattr__(made, "ranges", ranges)
        return made

    def __bytes__(self) -> bytes:
        return str(self).encode("ascii")

    def __str__(self) -> str:
        return ",".join([_format(each) for each in self.ranges])

    def __repr__(self) -> str:
        text = str(self)
        return f"SequenceSet({text if len(text) <= 100 else text[:97] + '...'!r})"

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __len__(self) -> int:
        """The number of members. Raises: InvalidArgument if the set is open-ended."""
        self._insist_on_an_end()
        return sum(high - low + 1 for low, high in self.ranges)

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> SequenceSet: ...
    def __getitem__(self, at: int | slice) -> int | SequenceSet:
        """A number by its place, or the set of a slice: `uids[-1]`, `uids[-10:]`.

        It takes as long as there are ranges, not numbers.

        Raises:
            IndexError: there is no such place.
            InvalidArgument: the set is open-ended, or the slice has a step other than 1.
        """
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            if step != 1:
                raise InvalidArgument("a set can only be sliced with a step of 1: it has one order")
            return SequenceSet._of_ranges(tuple(_between(self.ranges, start, stop)))
        place = index(at)
        if place < 0:
            place += len(self)
        self._insist_on_an_end()
        for low, high in self.ranges if place >= 0 else ():
            if place <= high - low:
                return low + place
            place -= high - low + 1
        raise IndexError(f"there is no number at {at} of {self!r:.100}")

    def __reversed__(self) -> Iterator[int]:
        """The numbers, descending, made as they are asked for: the newest messages first.

        Raises: InvalidArgument if the set is open-ended.
        """
        self._insist_on_an_end()
        return chain.from_iterable(range(high, low - 1, -1) for low, high in reversed(self.ranges))

    def __contains__(self, number: object) -> bool:
        """Whether the number is in the set; 7 is in `5:*`, but not in `*`, which only `STAR` is."""
        if not isinstance(number, int):
            return False
        at = bisect_right(self.ranges, (number, STAR)) - 1
        return at >= 0 and number <= self.ranges[at][1]

    def __iter__(self) -> Iterator[int]:
        """The numbers, ascending, made as they are asked for.

        Raises: InvalidArgument if the set is open-ended.
        """
        self._insist_on_an_end()
        return chain.from_iterable(range(low, high + 1) for low, high in self.ranges)

    def __or__(self, other: SequenceSet) -> SequenceSet:
        if not isinstance(other, SequenceSet):
            return NotImplemented
        if not (self.ranges and other.ranges):
            return self if self.ranges else other
        return SequenceSet(self.ranges + other.ranges)

    def __and__(self, other: SequenceSet) -> SequenceSet:
        if not isinstance(other, SequenceSet):
            return NotImplemented
        return SequenceSet(tuple(_common(self.ranges, other.ranges)))

    def __sub__(self, other: SequenceSet) -> SequenceSet:
        if not isinstance(other, SequenceSet):
            return NotImplemented
        return SequenceSet(tuple(_common(self.ranges, tuple(_gaps(other.ranges)))))

    @property
    def open_ended(self) -> bool:
        """Whether the set contains `*`, so that its end depends on the mailbox."""
        return bool(self.ranges) and self.ranges[-1][1] == STAR

    @property
    def first(self) -> int:
        """The smallest member. Raises: InvalidArgument if the set is empty."""
        if not self.ranges:
            raise InvalidArgument("the empty set has no first number")
        return self.ranges[0][0]

    @property
    def last(self) -> int:
        """The greatest member, `STAR` if open-ended. Raises: InvalidArgument if it is empty."""
        if not self.ranges:
            raise InvalidArgument("the empty set has no last number")
        return self.ranges[-1][1]

    def resolve(self, greatest: int) -> SequenceSet:
        """The set with `*` replaced by the greatest number in use, 0 if there is none.

        `5:*` where 3 is the greatest is 3, since a range has no direction (RFC 9051, 9).
        """
        if not self.open_ended:
            return self
        rest, (low, _) = self.ranges[:-1], self.ranges[-1]
        return SequenceSet((*rest, (min(low, greatest), greatest)) if greatest else rest)

    def expand(self, maximum: int) -> list[int]:
        """All members, ascending. Raises: InvalidArgument if there are more than `maximum`."""
        if len(self) > maximum:
            raise InvalidArgument(f"{len(self)} message numbers, where at most {maximum} may be")
        return list(self)

    def split(self, octets: int) -> Iterator[SequenceSet]:
        """Sets that add up to this one, each at most `octets` long when formatted.

        For servers that limit the length of a command line. A range is never cut.

        Raises: InvalidArgument if `octets` is too small for the longest range there can be.
        """
        if octets < LONGEST_RANGE:
            raise InvalidArgument(f"a set cannot be split into {octets} octets")
        if len(self.ranges) * (LONGEST_RANGE + 1) <= octets:
            return iter((self,) if self.ranges else ())
        return self._split(octets)

    def _split(self, octets: int) -> Iterator[SequenceSet]:
        part: list[NumberRange] = []
        size = 0
        for each in self.ranges:
            needed = len(_format(each)) + 1  # the comma
            if part and size + needed > octets + 1:  # the last range is not followed by one
                yield SequenceSet(tuple(part))
                part, size = [], 0
            part.append(each)
            size += needed
        if part:
            yield SequenceSet(tuple(part))

    def chunks(self, numbers: int) -> Iterator[SequenceSet]:
        """Sets that add up to this one, ascending, of `numbers` each; the last may be smaller.

        Raises: InvalidArgument if the set is open-ended.
        """
        self._insist_on_an_end()
        if numbers < 1:
            raise InvalidArgument(f"a set cannot be cut into chunks of {numbers}")
        return self._chunks(numbers)

    def _chunks(self, numbers: int) -> Iterator[SequenceSet]:
        chunk: list[NumberRange] = []
        room = numbers
        for low, high in self.ranges:
            while low <= high:
                cut = min(high, low + room - 1)
                chunk.append((low, cut))
                room -= cut - low + 1
                low = cut + 1
                if not room:
                    yield SequenceSet(tuple(chunk))
                    chunk, room = [], numbers
        if chunk:
            yield SequenceSet(tuple(chunk))

    def _insist_on_an_end(self) -> None:
        if self.open_ended:
            raise InvalidArgument(f"only the mailbox knows where {quote(str(self))} ends")


def parse_ranges(data: bytes | str) -> tuple[NumberRange, ...]:
    """The ranges of a sequence-set as they were sent: their order and direction kept.

    COPYUID pairs two sets number by number (RFC 4315, 3); there `9:6` is (9, 6).

    Raises: InvalidArgument if it is not a sequence-set.
    """
    if isinstance(data, str):
        data = data.encode("ascii", "replace")
    if not data:
        return ()
    try:
        if data.translate(None, b"0123456789*:,"):  # int() also takes " 7", "+7" and "1_000"
            raise ValueError
        parts = data.split(b",")
        if b":" in data or b"*" in data:
            return tuple(map(_parse_range, parts))
        numbers = list(map(int, parts))
        if not 1 <= min(numbers) <= max(numbers) <= MAX_NUMBER:
            raise ValueError
    except ValueError:
        raise InvalidArgument(
            f"expected a set of message numbers, not {quote(data, 100)}"
        ) from None
    return tuple(zip(numbers, numbers, strict=True))


def _parse_range(data: bytes) -> NumberRange:
    one, colon, other = data.partition(b":")
    low = _parse_number(one)
    return low, _parse_number(other) if colon else low


def _parse_number(data: bytes) -> int:
    if data == b"*":
        return STAR
    number = int(data)  # thousands of digits are a ValueError too
    if 1 <= number <= MAX_NUMBER:
        return number
    raise ValueError


def _format(each: NumberRange) -> str:
    low, high = each
    last = "*" if high == STAR else str(high)
    return last if low == high else f"{low}:{last}"


def _canonical(ranges: Iterable[NumberRange]) -> tuple[NumberRange, ...]:
    """Ascending, disjoint, not adjacent. `index` sees to it that nothing but numbers gets in."""
    if isinstance(ranges, tuple) and _is_canonical(ranges):
        return ranges
    try:
        pairs = [(index(one), index(other)) for one, other in ranges]
    except (TypeError, ValueError):
        raise InvalidArgument("a message number is a whole number") from None
    merged: list[NumberRange] = []
    start, end = 0, -1
    for low, high in sorted(pair if pair[0] <= pair[1] else pair[::-1] for pair in pairs):
        if low > end + 1:
            if start:
                merged.append((start, end))
            start, end = low, high
        elif high > end:
            end = high
        if not 1 <= low <= high <= STAR:
            raise InvalidArgument(f"{low if low < 1 else high} is not a message number")
    if start:
        merged.append((start, end))
    return tuple(merged)


def _is_canonical(ranges: tuple[NumberRange, ...]) -> bool:
    """Whether ranges are already ascending, disjoint and not adjacent, as most servers send."""
    if set(map(type, chain.from_iterable(ranges))) != {int} or set(map(len, ranges)) != {2}:
        return False  # the empty set goes the long way, too
    end = -1  # so that 0 is refused: it would be adjacent
    for low, high in ranges:
        if not end + 1 < low <= high:
            return False
        end = high
    return end <= STAR


def _common(
    some: tuple[NumberRange, ...], others: tuple[NumberRange, ...]
) -> Iterator[NumberRange]:
    """Return the intersection of two lists of ascending, disjoint ranges."""
    i = j = 0
    while i < len(some) and j < len(others):
        low, high = max(some[i][0], others[j][0]), min(some[i][1], others[j][1])
        if low <= high:
            yield low, high
        if some[i][1] < others[j][1]:
            i += 1
        else:
            j += 1


def _between(ranges: tuple[NumberRange, ...], start: int, stop: int) -> Iterator[NumberRange]:
    """Return the members between two indices."""
    for low, high in ranges:
        if stop <= 0:
            return
        size = high - low + 1
        if start < min(size, stop):
            yield low + max(start, 0), low + min(size, stop) - 1
        start, stop = start - size, stop - size


def _gaps(ranges: tuple[NumberRange, ...]) -> Iterator[NumberRange]:
    """Return the complement of ascending, disjoint ranges in `1:*`."""
    start = 1
    for low, high in ranges:
        if start < low:
            yield start, low - 1
        start = high + 1
    if start <= STAR:
        yield start, STAR


EMPTY: Final = SequenceSet()
"""The empty set."""

"""Records behave as data classes do, and are made as cheaply as they say."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from functools import cached_property
from typing import ClassVar, Generic, TypeVar

import pytest

from imaplus.records import field, names_of, record, replace

T = TypeVar("T")


@record
class Point:
    """A record with a default, one made anew each time, and one that does not count."""

    kind: ClassVar[str] = "point"
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list, hash=False)
    note: str = field(default="", repr=False, compare=False)

    @cached_property
    def sum(self) -> int:
        return self.x + self.y


@record
class Located(Point):
    z: int = 0

    def __post_init__(self) -> None:
        if self.z < 0:
            raise ValueError("below ground")


@record(kw_only=True)
class Options(Generic[T]):
    depth: int = 1
    value: T


@record(frozen=False)
class Tally:
    count: int = 0


@dataclasses.dataclass(frozen=True)
class Reference:
    """What `dataclasses` makes of the same attributes as Point."""

    x: int
    y: int = 0
    tags: list[str] = dataclasses.field(default_factory=list, hash=False)
    note: str = dataclasses.field(default="", repr=False, compare=False)


def test_it_is_called_and_shown_as_a_data_class() -> None:
    parameters = inspect.signature(Point).parameters.values()
    assert [str(each) for each in parameters][:2] == ["x: 'int'", "y: 'int' = 0"]
    assert repr(Point(1, tags=["a"])) == repr(Reference(1, tags=["a"])).replace(
        "Reference", "Point"
    )
    assert Point(1).tags is not Point(1).tags
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Options(1, "x")  # type: ignore[call-arg]
    assert Options(value="x").depth == 1


def test_what_counts_is_compared_and_hashed() -> None:
    assert Point(1, 2, note="a") == Point(1, 2, note="b") != Point(1, 3)
    assert hash(Point(1, 2, ["a"], "a")) == hash(Point(1, 2, ["b"]))
    assert Point(1) != Located(1)
    assert Tally(1) == Tally(1)
    with pytest.raises(TypeError):
        hash(Tally())


def test_it_does_not_change() -> None:
    point = Point(1)
    with pytest.raises(AttributeError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del point.x  # type: ignore[misc]
    assert (point.sum, point.sum) == (1, 1)  # a cached property is no attribute of the value
    tally = Tally()
    tally.count += 1
    assert tally.count == 1


def test_records_inherit_attributes_and_are_matched() -> None:
    match Located(1, 2, z=3):
        case Point(x, y):
            assert (x, y) == (1, 2)
        case _:
            pytest.fail("a record matches its attributes by position")
    assert names_of(Located) == ("x", "y", "tags", "note", "z")
    with pytest.raises(ValueError, match="below ground"):
        Located(1, z=-1)


def test_the_standard_library_takes_it_for_a_data_class() -> None:
    point = Point(1, 2, ["a"], "n")
    assert dataclasses.is_dataclass(point)
    assert dataclasses.asdict(point) == {"x": 1, "y": 2, "tags": ["a"], "note": "n"}
    assert [each.name for each in dataclasses.fields(point)] == list(names_of(Point))
    assert dataclasses.replace(point, y=3) == replace(point, y=3) == Point(1, 3, ["a"])
    assert pickle.loads(pickle.dumps(point)) == copy.deepcopy(point) == point

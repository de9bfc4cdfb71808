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


# -- beside classes that `dataclasses` has made ----------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Labelled(Point):
    """A data class below a record."""

    label: str = "none"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Slotted(Point):
    weight: int


@record
class Framed(Labelled):
    """A record below a data class."""

    border: int = 1


def test_a_data_class_inherits_from_a_record() -> None:
    value = Labelled(1, label="a", tags=["t"])
    assert repr(value) == "Labelled(x=1, y=0, tags=['t'], label='a')"
    assert value == Labelled(1, 0, ["t"], "any note", "a") != Labelled(1)
    assert names_of(Labelled) == ("x", "y", "tags", "note", "label")
    assert replace(value, y=5) == dataclasses.replace(value, y=5) == Labelled(1, 5, ["t"], "", "a")
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    with pytest.raises(AttributeError):
        value.x = 2  # type: ignore[misc]
    assert repr(Slotted(x=1, weight=2)) == "Slotted(x=1, y=0, tags=[], weight=2)"
    assert Slotted(x=1, weight=2) != Slotted(x=1, weight=3)


def test_a_record_inherits_from_such_a_data_class() -> None:
    value = Framed(1, label="a", border=2)
    assert repr(value) == "Framed(x=1, y=0, tags=[], label='a', border=2)"
    assert dataclasses.asdict(value) == {
        "x": 1,
        "y": 0,
        "tags": [],
        "note": "",
        "label": "a",
        "border": 2,
    }
    assert Framed(1).tags is not Framed(1).tags
    assert hash(Framed(1, tags=["a"])) == hash(Framed(1, tags=["b"]))  # `hash=False` is inherited


def test_data_classes_that_may_change_do_not_inherit_from_records() -> None:
    with pytest.raises(TypeError, match="frozen"):

        @dataclasses.dataclass
        class Changing(Point):  # type: ignore[misc]
            label: str = ""


def test_fields_say_what_they_say_of_a_data_class() -> None:
    def told(cls: type) -> list[tuple[object, ...]]:
        return [
            (each.name, each.type, each.default, each.repr, each.compare, each.hash, each.kw_only)
            for each in dataclasses.fields(cls)  # type: ignore[arg-type]
        ]

    assert told(Point) == told(Reference)
    assert [each.kw_only for each in dataclasses.fields(Options)] == [True, True]


def test_records_can_be_replaced_as_any_object() -> None:
    """`copy.replace()` (Python 3.13) calls this method."""
    assert Point(1).__replace__(y=2) == Point(1, 2)  # type: ignore[attr-defined]


def test_what_is_no_record_has_no_names() -> None:
    with pytest.raises(TypeError, match="int is not a record"):
        names_of(int)

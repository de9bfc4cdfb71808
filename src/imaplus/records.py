"""Frozen values like `dataclass(frozen=True)`, defined in a twentieth of the time.

`dataclasses` writes and compiles six methods for every class as soon as it is defined: with more
than a hundred classes that was most of what importing imaplus took. Here only `__init__` is
written, when a class is first called; all else is shared. To `dataclasses.fields()`, `asdict()`
and `replace()`, to `copy.replace()` and to type checkers, these are data classes, and a data class
may inherit from a record or a record from a data class. Nothing is known here of IMAP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, dataclass_transform, overload

if TYPE_CHECKING:
    import dataclasses

T = TypeVar("T")

_MISSING: Final[Any] = object()


class Field:
    """The options of one attribute of a value."""

    kw_only = False
    annotation = ""

    def __init__(
        self,
        default: Any = _MISSING,
        default_factory: Any = _MISSING,
        init: bool = True,
        repr: bool = True,
        compare: bool = True,
        hash: bool = True,
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = repr
        self.compare = compare
        self.hash = hash


def field(
    *,
    default: Any = _MISSING,
    default_factory: Callable[[], Any] = _MISSING,
    init: bool = True,
    repr: bool = True,
    compare: bool = True,
    hash: bool = True,
) -> Any:
    """Set options of an attribute, as `dataclasses.field()`."""
    return Field(default, default_factory, init, repr, compare, hash)


@overload
def record(cls: type[T], /) -> type[T]: ...
@overload
def record(
    *,
    frozen: bool = True,
    eq: bool = True,
    repr: bool = True,
    init: bool = True,
    kw_only: bool = False,
) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(
    cls: type[Any] | None = None,
    /,
    *,
    frozen: bool = True,
    eq: bool = True,
    repr: bool = True,
    init: bool = True,
    kw_only: bool = False,
) -> Any:
    """Make a class of annotated attributes a frozen value: as `dataclasses.dataclass()`.

    What the class defines by itself is left as it is.
    """

    def decorate(cls: type[T]) -> type[T]:
        fields = _collect(cls, kw_only=kw_only)
        positional = (name for name, each in fields.items() if each.init and not each.kw_only)
        given: dict[str, Any] = {
            "_record_fields": fields,
            "__dataclass_fields__": _DataclassFields(fields),
            "__dataclass_params__": _shared_options(init, repr, eq, frozen, kw_only),
            "__match_args__": tuple(positional),
            "__replace__": replace,
        }
        if init:
            given["__init__"] = _Init(cls)
        if repr:
            given["__repr__"] = _repr
        if eq:
            given["__eq__"] = _eq
            given["__hash__"] = _hash if frozen else None
        if frozen:
            given["__setattr__"] = given["__delattr__"] = _refuse
        for name, attribute in given.items():
            if cls.__dict__.get(name) is None:
                setattr(cls, name, attribute)
        return cls

    return decorate if cls is None else decorate(cls)


def replace(value: T, /, **changes: Any) -> T:
    """Return a copy of the value with some attributes changed."""
    fields = _fields_of(type(value))
    same = {name: getattr(value, name) for name, each in fields.items() if each.init}
    return type(value)(**same | changes)


def names_of(cls: type) -> tuple[str, ...]:
    """The names of a record's attributes, in order."""
    return tuple(_fields_of(cls))


def _fields_of(cls: type) -> dict[str, Field]:
    """The fields of a record, or of a data class that inherits from one."""
    for base in cls.__mro__:
        if (fields := _own_fields(base)) is not None:
            return fields
    raise TypeError(f"{cls.__qualname__} is not a record")


def _own_fields(cls: type) -> dict[str, Field] | None:
    """The fields that a class was decorated with; None if it was not decorated."""
    if (fields := cls.__dict__.get("_record_fields")) is not None:
        found: dict[str, Field] = fields
        return found
    made: dict[str, dataclasses.Field[Any]] | None = cls.__dict__.get("__dataclass_fields__")
    if made is None:
        return None
    import dataclasses  # loaded already: it has decorated this class

    return {each.name: _from_dataclass(each) for each in dataclasses.fields(cls)}


def _from_dataclass(given: dataclasses.Field[Any]) -> Field:
    import dataclasses

    missing = dataclasses.MISSING
    found = Field(
        _MISSING if given.default is missing else given.default,
        _MISSING if given.default_factory is missing else given.default_factory,
        given.init,
        given.repr,
        given.compare,
        given.compare if given.hash is None else given.hash,
    )
    found.kw_only, found.annotation = bool(given.kw_only), str(given.type)
    return found


def _collect(cls: type, *, kw_only: bool) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        fields.update(_own_fields(base) or {})
    for name, annotation in cls.__annotations__.items():
        if annotation.startswith("ClassVar"):
            continue
        default = cls.__dict__.get(name, _MISSING)
        found = fields[name] = default if isinstance(default, Field) else Field(default)
        found.kw_only, found.annotation = kw_only, annotation
        if found is default:  # it is no attribute of the class
            if found.default is _MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, found.default)
    return fields


class _Init:
    """Stands for the `__init__` of a class until that is first looked up."""

    def __init__(self, cls: type) -> None:
        self._cls = cls

    def __get__(self, instance: object, owner: type) -> Any:
        method = _write_init(self._cls)
        setattr(self._cls, "__init__", method)  # noqa: B010 - which mypy does not let be assigned
        return method if instance is None else method.__get__(instance, owner)


def _write_init(cls: type) -> Any:
    """Generate `__init__`, which runs for every value, as a function of its own."""
    fields: dict[str, Field] = cls._record_fields  # type: ignore[attr-defined]
    names: dict[str, Any] = {"_set": object.__setattr__, "_MISSING": _MISSING}
    parameters, keywords, lines = ["self"], ["*"], []
    for name, each in fields.items():
        given = parameter = name
        if each.default is not _MISSING:
            names[f"_default_{name}"] = each.default
            parameter = f"{name}=_default_{name}"
        elif each.default_factory is not _MISSING:
            names[f"_make_{name}"] = each.default_factory
            parameter = f"{name}=_MISSING"
            given = f"_make_{name}() if {name} is _MISSING else {name}"
        if each.init:
            (keywords if each.kw_only else parameters).append(parameter)
            lines.append(f" _set(self, {name!r}, {given})")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    if len(keywords) > 1:
        parameters += keywords
    text = f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines or [" pass"])
    exec(text, names)  # made of nothing but the names in our own classes
    method = names["__init__"]
    method.__qualname__ = f"{cls.__qualname__}.__init__"
    method.__module__ = cls.__module__
    method.__annotations__ = {name: each.annotation for name, each in fields.items() if each.init}
    return method


def _repr(self: Any) -> str:
    names = (name for name, each in _fields_of(type(self)).items() if each.repr)
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
    return f"{type(self).__qualname__}({shown})"


def _comparison_key(value: Any) -> tuple[object, ...]:
    fields = value._record_fields
    return tuple([getattr(value, name) for name, each in fields.items() if each.compare])


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return _comparison_key(self) == _comparison_key(other)


def _hash(self: Any) -> int:
    fields = self._record_fields.items()
    return hash(tuple([getattr(self, name) for name, each in fields if each.compare and each.hash]))


def _refuse(self: object, name: str, value: object = None) -> None:
    raise AttributeError(f"{type(self).__qualname__} is a value: {name!r} cannot be changed")


class _Options:
    """`__dataclass_params__`: what `dataclasses` looks at when one of its own inherits."""

    def __init__(self, init: bool, repr: bool, eq: bool, frozen: bool, kw_only: bool) -> None:
        self.init = init
        self.repr = repr
        self.eq = eq
        self.order = False
        self.unsafe_hash = False
        self.frozen = frozen
        self.match_args = True
        self.kw_only = kw_only
        self.slots = False
        self.weakref_slot = False


_options: dict[tuple[bool, ...], _Options] = {}


def _shared_options(*given: bool) -> _Options:
    """Records have few combinations of options: one object for each."""
    if given not in _options:
        _options[given] = _Options(*given)
    return _options[given]


class _DataclassFields:
    """`__dataclass_fields__`, made when `dataclasses` asks for it."""

    def __init__(self, fields: dict[str, Field]) -> None:
        self._fields = fields
        self._made: dict[str, dataclasses.Field[Any]] | None = None

    def __get__(self, instance: object, owner: type) -> dict[str, dataclasses.Field[Any]]:
        if self._made is None:
            self._made = {name: _to_dataclass(name, each) for name, each in self._fields.items()}
        return self._made


def _to_dataclass(name: str, given: Field) -> dataclasses.Field[Any]:
    import dataclasses  # costs more than all of this

    options: dict[str, Any] = {}
    if given.default is not _MISSING:
        options["default"] = given.default
    elif given.default_factory is not _MISSING:
        options["default_factory"] = given.default_factory
    made: dataclasses.Field[Any] = dataclasses.field(
        init=given.init,
        repr=given.repr,
        compare=given.compare,
        hash=None if given.hash else False,
        kw_only=given.kw_only,
        **options,
    )
    made.name = name
    made.type = given.annotation  # text, as with postponed annotations
    made._field_type = dataclasses._FIELD  # type: ignore[attr-defined]
    return made

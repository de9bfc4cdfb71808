"""The public face is whole: every type that a public signature names is public itself.

Sources are parsed, so that annotations under `if TYPE_CHECKING:` count as well. What counts is
what a user can call or read: parameters and results of public functions and methods, inherited
ones included, and public attributes. Base classes do not count, nor do the constructors of what
only imaplus makes.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib import import_module
from typing import Any, TypeGuard

import pytest

import imaplus
import imaplus.mirror.public
import imaplus.query
import imaplus.testing
from imaplus import SequenceSet, credentials, endpoints, errors, sansio, search, types
from imaplus.credentials import Password, Secret
from imaplus.protocol.status import Status
from imaplus.search import Seen
from imaplus.wire.frames import frame_of
from imaplus.wire.sources import Octets

Home = tuple[str, str]
"""A module of ours, and a name that is defined in it."""
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign
MADE_BY_US = {
    "Answer",
    "AsyncAttachment",
    "AsyncClient",
    "AsyncMailbox",
    "AsyncMessage",
    "AsyncOpening",
    "AsyncPipeline",
    "Attachment",
    "Client",
    "Entries",
    "Fetched",
    "Journal",
    "Mailbox",
    "Message",
    "ObjectWriter",
    "Objects",
    "PartialWriter",
    "Pipeline",
    "PipelineMailbox",
    "Shelf",
    "Store",
}
"""Classes whose constructors nobody else calls: `connect()`, `select()` and the like do."""


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(import_module(module)))


@cache
def definitions(module: str) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    for node in tree(module).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                found[node.name] = node
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = node
    return found


@cache
def imported(module: str) -> dict[str, Home]:
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("imaplus")
        for alias in node.names
    }


@cache
def home(module: str, name: str) -> Home | None:
    """Where a name that a module uses is defined; None if it is none of ours."""
    while name not in definitions(module):
        if name not in imported(module):
            return None
        module, name = imported(module)[name]
    return module, name


def names(annotation: ast.AST) -> Iterator[str]:
    """All names in an annotation, also where it is written as text."""
    match annotation:
        case ast.Name(id=name):
            yield name
        case ast.Constant(value=str(text)):
            yield from names(ast.parse(text, mode="eval"))
        case ast.Subscript(value=ast.Name(id="Literal")):
            return
        case _:
            for child in ast.iter_child_nodes(annotation):
                yield from names(child)


def of_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    given = node.args
    for each in [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]:
        if each is not None and each.annotation is not None:
            yield each.annotation
    if node.returns is not None:
        yield node.returns


def of_class(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """The annotations of what a class shows, each with the attribute that has it."""
    for each in node.body:
        match each:
            case ast.FunctionDef(name="__init__"):
                yield from (("__init__", found) for found in of_function(each))
                yield from assigned(each)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if shown(name):
                yield from ((name, found) for found in of_function(each))
            case ast.AnnAssign(target=ast.Name(id=name), annotation=found) if shown(name):
                yield name, found


def assigned(init: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """The annotations of `self.name: ... = ...`, and of parameters that are kept as they are."""
    parameters = {each.arg: each.annotation for each in [*init.args.args, *init.args.kwonlyargs]}
    for node in ast.walk(init):
        match node:
            case ast.AnnAssign(target=ast.Attribute(attr=name), annotation=found) if shown(name):
                yield name, found
            case ast.Assign(targets=[ast.Attribute(attr=name)], value=ast.Name(id=given)):
                found = parameters.get(given)
                if found is not None and shown(name):
                    yield name, found


def shown(name: str) -> bool:
    return not name.startswith("_") or name.startswith("__")


def used(module: str, name: str, *, made: bool = False) -> Iterator[tuple[Home, str]]:
    """Our types in the signature of a name, each with the place where it occurs.

    A class that only imaplus makes is asked without its constructor.
    """
    node = definitions(module)[name]
    if isinstance(node, ast.ClassDef):
        made = made or name in MADE_BY_US
        for attribute, annotation in of_class(node):
            if not (made and attribute == "__init__"):
                yield from ((each, f"{name}.{attribute}") for each in homes(module, annotation))
        for base in node.bases:
            if isinstance(base, ast.Name):
                for there in homes(module, base):
                    yield from used(*there, made=made)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for annotation in of_function(node):
            yield from ((each, name) for each in homes(module, annotation))
    elif is_alias(node):
        yield from ((each, name) for each in homes(module, node.value))
    elif isinstance(node, ast.AnnAssign):
        yield from ((each, name) for each in homes(module, node.annotation))


def is_alias(node: Definition) -> TypeGuard[ast.Assign | ast.AnnAssign]:
    """Whether it gives a type a name."""
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.annotation) == "TypeAlias"
    return isinstance(node, ast.Assign) and isinstance(
        node.value, ast.Name | ast.BinOp | ast.Subscript
    )


def homes(module: str, annotation: ast.expr) -> Iterator[Home]:
    for name in names(annotation):
        found = home(module, name)
        if found is None:
            continue
        node = definitions(found[0])[found[1]]
        if isinstance(node, ast.ClassDef) or is_alias(node):
            yield found


def public_homes(face: Any) -> dict[Home, str]:
    declared = imported(face.__name__) | {
        name: (face.__name__, name) for name in definitions(face.__name__)
    }
    return {home(*declared[name]) or declared[name]: name for name in face.__all__}


FACES = [imaplus, credentials, endpoints, errors, sansio, search, types]
"""The public modules whose names may stand in each other's signatures."""
APART = [imaplus.testing, imaplus.query, imaplus.mirror.public]
"""Those that have their own types beside these."""


def missing(face: Any) -> list[str]:
    """The types that the signatures of a public module name, and no public module has."""
    known = set(public_homes(face)).union(*map(public_homes, [*FACES, imaplus.query]))
    return sorted(
        {
            f"{there[0]}.{there[1]}, for {where}"
            for module, name in public_homes(face)
            for there, where in used(module, name)
            if there not in known
        }
    )


@pytest.mark.parametrize("face", FACES + APART, ids=lambda face: face.__name__)
def test_every_type_of_a_public_signature_is_public(face: Any) -> None:
    assert missing(face) == []


def test_a_missing_type_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imaplus, "__all__", [each for each in imaplus.__all__ if each != "Limits"])
    assert "imaplus.wire.frames.Limits, for Client.connect" in missing(imaplus)


def test_each_name_means_one_thing_in_all_public_modules() -> None:
    parts = [face for face in FACES if face is not imaplus]
    names = [name for face in parts for name in face.__all__]
    assert len(names) == len(set(names))
    common = {name: face for face in parts for name in face.__all__ if name in imaplus.__all__}
    assert set(common.values()) == {credentials, errors, search}
    for name, face in common.items():
        assert getattr(imaplus, name) is getattr(face, name)


# -- what is said of them --------------------------------------------------------------------------


def documentation(module: str, name: str) -> str | None:
    """The docstring of a definition; of an alias or a value, the text below it."""
    node = definitions(module)[name]
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return ast.get_docstring(node)
    body = tree(module).body
    below = body[body.index(node) + 1 :][:1]
    match below:
        case [ast.Expr(value=ast.Constant(value=str(text)))]:
            return text
    return None


@pytest.mark.parametrize("face", FACES + APART, ids=lambda face: face.__name__)
def test_every_public_name_is_explained(face: Any) -> None:
    silent = [name for there, name in public_homes(face).items() if not documentation(*there)]
    assert silent == []


# -- data classes ----------------------------------------------------------------------------------

SAMPLES: dict[str, Any] = {
    "int": 7,
    "str": "text",
    "str | None": "text",
    "date": date(2026, 1, 2),
    "datetime | None": None,
    "bool": False,
    "Secret": Secret("horse"),
    "SequenceSet": SequenceSet.of("1:3"),
    "Query": Seen,
    "tuple[Query, ...]": (Seen, Seen),
    "Addresses": (),
    "str | PathLike[str]": "/run/imap",
    "Sequence[str]": ("imapd",),
    "frozenset[str]": frozenset({"a"}),
    "bytes": b"octets",
    "Source": Octets(b"hello"),
    "Frame": frame_of(b"* OK"),
    "Status": Status("OK", "done"),
    "ProtocolError": imaplus.ProtocolError("odd"),
    "socket.socket": None,
}
"""For each annotation of an attribute without a default, a value."""


NOT_COPIED = {"Connected"}
"""What holds an open socket can be asked for its fields, but not copied to the bottom."""


def public_records() -> dict[str, Any]:
    return {
        name: value
        for face in FACES
        for name in face.__all__
        if dataclasses.is_dataclass(value := getattr(face, name))
    }


def sample(kind: Any) -> Any:
    """A value of a public data class; where the public name is a value, that."""
    if not isinstance(kind, type):
        return kind
    given = {
        each.name: SAMPLES[str(each.type)]
        for each in dataclasses.fields(kind)
        if each.init and each.default is each.default_factory is dataclasses.MISSING
    }
    return kind(**given)


def test_there_are_public_records() -> None:
    assert {"Envelope", "And", "Password", "Tls", "Seen", "Command"} <= set(public_records())


@pytest.mark.parametrize("name", public_records())
def test_the_standard_library_takes_every_public_value_for_a_data_class(name: str) -> None:
    value = sample(public_records()[name])
    fields = [each.name for each in dataclasses.fields(value)]
    same = dataclasses.replace(value)
    assert type(same) is type(value)
    assert [getattr(same, each) for each in fields] == [getattr(value, each) for each in fields]
    if name not in NOT_COPIED:
        assert list(dataclasses.asdict(value)) == fields
    for each in dataclasses.fields(value):
        if str(each.type) == "str" and each.default is dataclasses.MISSING:
            changed = dataclasses.replace(value, **{each.name: "other"})
            assert getattr(changed, each.name) == "other"


def test_secrets_stay_secret_in_dictionaries() -> None:
    told = dataclasses.asdict(Password("ada", "horse"))
    assert "horse" not in str(told)
    assert told["password"] == Secret("horse")


def test_a_data_class_may_be_a_command() -> None:
    @dataclasses.dataclass(frozen=True)
    class GetQuota(sansio.Command[str]):
        name = b"GETQUOTA"
        root: str = ""

    command = GetQuota("user")
    assert command == dataclasses.replace(GetQuota(), root="user")
    assert repr(command).endswith("GetQuota(root='user')")
    assert dataclasses.asdict(command) == {"root": "user"}

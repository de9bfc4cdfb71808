"""The layers of ARCHITECTURE.md: every import points the way that the arrow allows.

The sources are only parsed, never imported, so that a module cannot hide an import by not being
reached.  Imports inside functions and under TYPE_CHECKING follow the layers as well.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = "imaplus"

# What each part of the package may import, besides itself.
RECORDS = {"logs", "records"}
WIRE = {"errors", "wire"} | RECORDS
PROTOCOL = WIRE | {"protocol"}
COMMANDS = PROTOCOL | {"core", "extensions", "sasl"}
READING = COMMANDS | {"reading"}
FLOWS = READING | {"flows"}
CLIENT = FLOWS | {"client"}
FACES = {"credentials", "endpoints", "sansio", "search", "types"}
PUBLIC = {"", "errors"} | FACES | RECORDS  # "" is the package itself: its public names
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "logs": set(),
    "records": set(),
    "wire": WIRE,
    "protocol": PROTOCOL,
    "core": COMMANDS,
    "extensions": COMMANDS,
    "sasl": PROTOCOL,
    "reading": READING,
    "flows": FLOWS,
    "client": CLIENT | {"version"},
    **dict.fromkeys(FACES, CLIENT),
    "": CLIENT | FACES | {"version"},
    "version": set(),
    "imaplib": WIRE | {"sasl"},  # and BRIDGES
    "testing": WIRE,
    "query": PUBLIC,
    "mirror": PUBLIC | {"query"},
    "cli": PUBLIC | {"query", "mirror", "testing"},
    "__main__": {"cli"},
}
# A module that may import more than its part: `IMAP4.typed` loads it when it is first used, and
# nothing else of the facade imports it but for its types.
BRIDGES: dict[str, set[str]] = {"imaplus.imaplib._typed": CLIENT}
# Outside the standard library, by part; each of these is an extra of pyproject.toml.
EXTRAS = {"testing": {"trustme"}}
# Every type checker brings its stubs along; at run time it must not be needed.
TYPES_ONLY = {"typing_extensions"}


@dataclass(frozen=True)
class Import:
    """One imported module, by its whole name, and where that stands."""

    importer: str
    target: str
    where: str
    types_only: bool  # under `if TYPE_CHECKING:`


def part_of(module: str) -> str:
    """`imaplus.wire.sets` belongs to `wire`, and `imaplus` to ``."""
    return f"{module}.".split(".")[1]


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def targets(node: ast.AST, module: str, *, is_package: bool) -> Iterator[str]:
    """The modules that one statement imports: a name of a package may be a module of it."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = module.split(".") if is_package else module.split(".")[:-1]
            package = package[: len(package) - node.level + 1]
            base = ".".join([*package, base] if base else package)
        for alias in node.names:
            name = f"{base}.{alias.name}"
            yield name if exists(name) else base


def exists(module: str) -> bool:
    path = SOURCE.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports(module: str, text: str, *, is_package: bool = False) -> Iterator[Import]:
    tree = ast.parse(text, filename=module)
    types_only = {inner for node in ast.walk(tree) if guards(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        for target in targets(node, module, is_package=is_package):
            where = f"{module}:{node.lineno}"  # type: ignore[attr-defined]
            yield Import(module, target, where, node in types_only)


def guards(node: ast.AST) -> bool:
    """`if TYPE_CHECKING:` without an `else`."""
    return (
        isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not node.orelse
    )


def fault(found: Import) -> str | None:
    """What is wrong with an import, None when it is allowed."""
    top = found.target.partition(".")[0]
    mine = part_of(found.importer)
    if top == PACKAGE:
        theirs = part_of(found.target)
        allowed = ALLOWED[mine] | BRIDGES.get(found.importer, set())
        if theirs != mine and theirs not in allowed:
            return f"{found.where}: {mine or PACKAGE!r} may not import {found.target}"
        return None
    extras = EXTRAS.get(mine, set()) | (TYPES_ONLY if found.types_only else set())
    if top not in sys.stdlib_module_names and top not in extras:
        return f"{found.where}: {found.target} is not in the standard library"
    return None


def test_only_one_function_crosses_the_bridge() -> None:
    """Whoever uses the facade alone does not load the client (tests/imaplib shows that too)."""
    crossing = [found for found in all_imports() if found.target in BRIDGES]
    assert {found.where.split(":")[0] for found in crossing if not found.types_only} == {
        "imaplus.imaplib._classes"
    }


def all_imports() -> Iterator[Import]:
    for path in sorted((SOURCE / PACKAGE).rglob("*.py")):
        is_package = path.name == "__init__.py"
        yield from imports(module_name(path), path.read_text(), is_package=is_package)


def test_every_part_has_its_place() -> None:
    parts = {part_of(module_name(path)) for path in (SOURCE / PACKAGE).rglob("*.py")}
    assert parts <= ALLOWED.keys()


def test_imports_follow_the_layers() -> None:
    assert [wrong for found in all_imports() if (wrong := fault(found))] == []


# -- circles ---------------------------------------------------------------------------------------

_MESSAGES = "answering attachment mailbox message messages saving".split()
TYPES_IN_A_CIRCLE = {
    frozenset(f"imaplus.client.{kind}_{each}" for each in _MESSAGES) for kind in ("_async", "_sync")
}
"""Modules that name one another's types: a mailbox gives messages, a message has its mailbox."""


def circles(edges: dict[str, set[str]]) -> set[frozenset[str]]:
    """The groups of modules in which each reaches each other one, by Tarjan's algorithm."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: set[frozenset[str]] = set()

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in sorted(edges.get(module, ())):
            if other not in number:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            at = stack.index(module)
            group, stack[at:] = frozenset(stack[at:]), []
            if len(group) > 1:
                found.add(group)

    for module in sorted(edges):
        if module not in number:
            visit(module)
    return found


def edges(*, types: bool) -> dict[str, set[str]]:
    """The modules that each module imports, also inside functions; for types alone if asked."""
    found: dict[str, set[str]] = {}
    for each in all_imports():
        if each.target.startswith(f"{PACKAGE}.") and (types or not each.types_only):
            found.setdefault(each.importer, set()).add(each.target)
    return found


def test_no_modules_below_the_mirror_import_one_another_in_a_circle() -> None:
    """Not even inside functions; and for types alone only where it is known."""
    assert {each for each in circles(edges(types=False)) if is_ours(each)} == set()
    assert {each for each in circles(edges(types=True)) if is_ours(each)} == TYPES_IN_A_CIRCLE


def is_ours(circle: frozenset[str]) -> bool:
    """Whether a module of a circle is in `client` or below."""
    return any(part_of(module) in CLIENT for module in circle)


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == {frozenset("abc")}


# -- the checks can fail ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("imaplus.wire.cursor", "from ..protocol import command"),
        ("imaplus.wire.cursor", "from imaplus.protocol.command import Command"),
        ("imaplus.protocol.response", "import imaplus.core.fetch"),
        ("imaplus.core.fetch", "from .. import client"),
        ("imaplus.flows.connect", "def later():\n    from ..client import streams"),
        ("imaplus.mirror.store", "from imaplus.wire.sets import SequenceSet"),
        ("imaplus.query.parser", "from imaplus.mirror import Store"),
        ("imaplus.cli.main", "from ..client import _sync"),
        ("imaplus.testing.server", "from ..protocol import connection"),
        ("imaplus.imaplib", "from .protocol import response"),
        ("imaplus.imaplib._classes", "from ..client import _sync"),
        ("imaplus.errors", "from .wire import cursor"),
        ("imaplus.cli.bar", "import rich"),
        ("imaplus.wire.cursor", "import trustme"),
        ("imaplus.wire.sinks", "from typing_extensions import Buffer"),
    ],
)
def test_a_wrong_arrow_is_found(module: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "exists", lambda name: True)
    assert any(fault(found) for found in imports(module, text))


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("imaplus.wire.cursor", "import re\nfrom .framing import Frame"),
        ("imaplus.core.fetch", "from ..extensions.condstore import ModSeq"),
        (
            "imaplus.mirror.store",
            "from imaplus import Client\nfrom imaplus.errors import ImapError",
        ),
        (
            "imaplus.wire.sinks",
            "if TYPE_CHECKING:\n    from typing_extensions import Buffer",
        ),
        ("imaplus.cli.main", "import argparse\nfrom ..mirror import backup"),
        ("imaplus.imaplib", "from .wire import framing\nfrom . import sasl"),
    ],
)
def test_a_right_arrow_is_not(module: str, text: str) -> None:
    assert [wrong for found in imports(module, text) if (wrong := fault(found))] == []

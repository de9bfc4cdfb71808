"""`Writer.raw()` is the one way past quoting: only constants, and what is vouched for, go there.

Every call in the code is looked at. What is no constant must stand in `VOUCHED`, with the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "imaplus"

VOUCHED = {
    ("core/raw_search.py", "token.encode('ascii')"): "a word of a pattern without specials",
    ("core/messages.py", "self.change.value"): "a member of the enum Change",
    ("core/fetch_items.py", "b'<%d.%d>' % self.partial"): "two numbers: %d takes nothing else",
    ("protocol/sending.py", "pending.tag.encode()"): "our own tag: hexadecimal digits and '-'",
    ("protocol/sending.py", "pending.command.name"): "a ClassVar of the command's class",
}
NOT_A_WRITER = {
    "testing": "the server's own responses",
    "imaplib": "the facade has its own rules and tests",
}


def raw_writes(source: str) -> Iterator[str]:
    """The arguments of all calls of a method `raw` that are no constants, as code."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr != "raw" or not (node.args or node.keywords):
            continue  # Cursor.raw() reads, and takes nothing
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if not (isinstance(argument, ast.Constant) and isinstance(argument.value, bytes)):
                yield ast.unparse(argument)


def files() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name.split("/")[0] not in NOT_A_WRITER:
            yield name, path.read_text()


def test_only_constants_and_what_is_vouched_for() -> None:
    found = {(name, write) for name, source in files() for write in raw_writes(source)}
    assert found <= VOUCHED.keys()
    assert VOUCHED.keys() <= found, "no longer written: take it from the list"


def test_constants_are_whole() -> None:
    """No constant begins or ends a line, or a literal: only the writer does."""
    for name, source in files():
        for node in ast.walk(ast.parse(source)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "raw"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                value = node.args[0].value
                assert isinstance(value, bytes), f"{name}: {value!r}"
                assert not set(value) & set(b'\r\n\0{}"\\'), f"{name}: {value!r}"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("out.raw(b'X ')", []),
        ("out.raw(name)", ["name"]),
        ("self.out.raw(data=name.encode())", ["name.encode()"]),
        ("out.raw(b'%b' % name)", ["b'%b' % name"]),
        ("c.raw()", []),
    ],
)
def test_the_search_finds_what_it_should(code: str, found: list[str]) -> None:
    assert list(raw_writes(code)) == found

"""Where the examples are: the Python blocks of every page, and those of every docstring.

In a docstring an example is an indented block below a line that ends in `::`, which is what Sphinx
shows as code.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

import imaplus

ROOT: Final = Path(__file__).parents[2]
WALKTHROUGH: Final = ROOT / "CONTRIBUTING.md"
"""It shows how to add to imaplus itself, from inside: `test_walkthrough.py` runs it."""
PAGES: Final = sorted(
    page
    for folder in (ROOT, ROOT / "docs", ROOT / "lab")
    for page in folder.glob("*.md")
    if page != WALKTHROUGH
)
PUBLIC_MODULES: Final = {
    "imaplus",
    "imaplus.credentials",
    "imaplus.endpoints",
    "imaplus.errors",
    "imaplus.imaplib",
    "imaplus.mirror",
    "imaplus.query",
    "imaplus.sansio",
    "imaplus.search",
    "imaplus.testing",
    "imaplus.types",
}
_FENCE: Final = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INDENTED: Final = re.compile(r"(?:^|\n\n)(    .*(?:\n(?:    .*)?)*)")


class Example(NamedTuple):
    """An example in Python."""

    where: str
    code: str


def fenced(page: Path, language: str = "python") -> list[str]:
    """The blocks of a Markdown page that are in a language ("": in none)."""
    found = _FENCE.findall(page.read_text())
    return [textwrap.dedent(text) for _, named, text in found if named == language]


def of_pages() -> list[Example]:
    """The examples of all pages."""
    return [
        Example(f"{page.relative_to(ROOT)}-{number}", text)
        for page in PAGES
        for number, text in enumerate(fenced(page), 1)
    ]


def docstrings() -> Iterator[tuple[str, str]]:
    """Every docstring of the sources, and where it stands."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{module}.{node.name}" if hasattr(node, "name") else module
                if (text := ast.get_docstring(node)) is not None:
                    yield name, text


def indented(text: str) -> Iterator[tuple[bool, str]]:
    """The indented blocks of a docstring, and whether it calls them code."""
    for match in _INDENTED.finditer(text):
        yield text[: match.start()].endswith("::"), textwrap.dedent(match[1])


def of_docstrings() -> list[Example]:
    """The examples of all docstrings."""
    return [
        Example(where, block)
        for where, text in docstrings()
        for is_code, block in indented(text)
        if is_code
    ]


def looks_like_code(block: str) -> bool:
    """Whether it is Python that does something."""
    try:
        tree = parsed(block)
    except SyntaxError:
        return False
    return any(isinstance(node, ast.Call) for node in ast.walk(tree))


def parsed(code: str) -> ast.Module:
    """The syntax tree of an example, which may await at its top."""
    tree = compile(code, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    assert isinstance(tree, ast.Module)
    return tree


def not_public(code: str) -> list[str]:
    """What an example takes from imaplus that is not public."""
    found: list[str] = []
    for node in ast.walk(parsed(code)):
        match node:
            case ast.Import(names=aliases):
                found += [alias.name for alias in aliases if not is_public(alias.name)]
            case ast.ImportFrom(module=str(module), names=aliases):
                names = [f"{module}.{alias.name}" for alias in aliases]
                found += [name for name in names if not (is_public(module) and is_public(name))]
            case ast.Attribute(value=ast.Name(id="imaplus"), attr=name):
                found += [] if is_public(f"imaplus.{name}") else [f"imaplus.{name}"]
    return found


def is_public(name: str) -> bool:
    """Whether a module or a name of one is public, or none of ours."""
    if name.partition(".")[0] != "imaplus" or name in PUBLIC_MODULES:
        return True
    module, _, last = name.rpartition(".")
    if module == "imaplus":
        return last in {*imaplus.__all__, "__version__"}
    return module in PUBLIC_MODULES and last in import_module(module).__all__

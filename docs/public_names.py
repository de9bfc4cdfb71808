"""Writes the body of api.md: the names of `imaplus`, `imaplus.testing` and `imaplus.mirror`.

The page says where each group goes, with a line such as `<!-- names: errors -->`. A name that
belongs to no group would be missing there, so it is an error to leave a group out.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Final

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.pycode import ModuleAnalyzer

import imaplus
import imaplus.mirror.public
import imaplus.testing
from imaplus import public

_MARK: Final = re.compile(r"^<!-- names: (\w+) -->$", re.MULTILINE)
_GROUPS: Final[tuple[tuple[str, Callable[[str, str], bool]], ...]] = (
    ("errors", lambda name, home: issubclass(_type(name), BaseException)),
    ("queries", lambda name, home: home.startswith("core.search_")),
    ("connecting", lambda name, home: home in ("sasl", "client.endpoints", "wire.secret")),
    ("connecting", lambda name, home: name in ("Limits", "Trace")),
    ("clients", lambda name, home: home.startswith("client.")),
    ("values", lambda name, home: home.startswith(("core.", "extensions.", "flows.", "wire.sets"))),
    ("values", lambda name, home: name in ("Exists", "Expunged", "Vanished")),
    ("commands", lambda name, home: True),
)
"""The first that fits has the name; `home` is the module that defines it."""


def _type(name: str) -> type:
    found = getattr(imaplus, name)
    return found if isinstance(found, type) else object


def _groups() -> dict[str, str]:
    """For each group, its names as reStructuredText."""
    texts: dict[str, list[str]] = {group: [] for group, _ in _GROUPS}
    for name in sorted(set(dir(public)) & set(public.__all__), key=str.lower):
        home, there = _home(name)
        group = next(group for group, fits in _GROUPS if fits(name, home.partition(".")[2]))
        texts[group].append("\n".join(_entry(imaplus, name, home, there, full=group == "clients")))
    texts["testing"] = [
        "\n".join(_entry(imaplus.testing, name, f"imaplus.testing.{part}", name))
        for part, names in imaplus.testing._HOMES.items()
        for name in names
    ]
    texts["mirror"] = [
        "\n".join(_entry(imaplus.mirror, name, home, name))
        for name, home in sorted(_of_mirror(), key=lambda each: each[0].lower())
    ]
    return {group: "\n".join(each) for group, each in texts.items()}


def _home(name: str) -> tuple[str, str]:
    """The module that defines a public name, and what it is called there."""
    for module, names in public._MODULES.items():
        if name in names.split():
            return module, public._RENAMED.get(name, name)
    raise ExtensionError(f"imaplus.{name} has no home in imaplus.public")


def _of_mirror() -> Iterator[tuple[str, str]]:
    """The names of `imaplus.mirror`, each with the module that defines it."""
    for node in ast.parse(inspect.getsource(imaplus.mirror.public)).body:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            yield from ((each.name, node.module or "") for each in node.names)


def _entry(
    face: ModuleType, name: str, home: str, there: str, *, full: bool = False
) -> Iterator[str]:
    """One name. With `full`, a class has what it inherits from bases that are not public, too."""
    yield f".. py:currentmodule:: {face.__name__}\n"  # where names in signatures are looked for
    value = getattr(face, name)
    path = f"{face.__name__}.{name}"
    if inspect.isfunction(value):
        yield f".. autofunction:: {path}"
    elif not isinstance(value, type) or value.__module__ != home:  # an alias, or a value
        yield f".. py:data:: {name}\n"
        yield textwrap.indent("\n".join(_documentation(home, there)), "   ")
    elif value.__name__ != name:  # autodoc would only say of what it is an alias
        yield f".. py:class:: {name}{inspect.signature(value)}\n"
        yield textwrap.indent(inspect.getdoc(value) or "", "   ")
    else:
        yield f".. autoclass:: {path}"
        yield "   :members:"
        if full:
            yield "   :inherited-members:"
        elif issubclass(value, BaseException):
            yield "   :show-inheritance:"
    yield ""


def _documentation(home: str, name: str) -> list[str]:
    """The text below an alias or a value."""
    return ModuleAnalyzer.for_module(home).find_attr_docs().get(("", name), [])


def _fill_in(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname != "api":
        return
    groups = _groups()
    named = _MARK.findall(source[0])
    if sorted(named) != sorted(groups):
        raise ExtensionError(f"api.md has the groups {named}, and there are {sorted(groups)}")
    source[0] = _MARK.sub(lambda m: f"```{{eval-rst}}\n{groups[m[1]]}\n```", source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Have the page filled in when it is read."""
    app.connect("source-read", _fill_in)
    return {"parallel_read_safe": True}

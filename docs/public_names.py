"""Writes the body of api.md: the names of every public module.

The page says where each group goes, with a line such as `<!-- names: search -->`: a public module,
or a part of `imaplus`. It is an error to leave a group out.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Final

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.pycode import ModuleAnalyzer

import imaplus
import imaplus.testing

_MARK: Final = re.compile(r"^<!-- names: (\w+) -->$", re.MULTILINE)
_MODULES: Final = (
    *("credentials", "endpoints", "errors", "mirror", "query", "sansio", "search", "types"),
)
_SHARING: Final = ("credentials", "errors", "search")
"""Those of which `imaplus` has the common names, too."""


def _groups() -> dict[str, str]:
    """For each group, its names as reStructuredText."""
    texts: dict[str, list[str]] = {"clients": [], "connecting": [], "values": [], "common": []}
    elsewhere = {name: module for module in _SHARING for name in _all(module)}
    for name, (home, there) in _homes("imaplus"):
        if name in elsewhere:
            texts["common"].append("\n".join(_pointer(name, elsewhere[name])))
            continue
        group = _group(home)
        entry = _entry(imaplus, name, home, there, full=group == "clients")
        texts[group].append("\n".join(entry))
    for module in _MODULES:
        face = import_module(f"imaplus.{module}")
        inside = f"imaplus.{module}.public" if module == "mirror" else face.__name__
        texts[module] = [
            "\n".join(_entry(face, name, home, there)) for name, (home, there) in _homes(inside)
        ]
    texts["testing"] = [
        "\n".join(_entry(imaplus.testing, name, f"imaplus.testing.{part}", name))
        for part, names in imaplus.testing._HOMES.items()
        for name in names
    ]
    return {group: "\n".join(each) for group, each in texts.items()}


def _group(home: str) -> str:
    """Where a name of `imaplus` stands on the page, by the module that defines it."""
    if home in ("imaplus.client.endpoints", "imaplus.wire.frames"):
        return "connecting"
    of_clients = home.startswith("imaplus.client._") or home.endswith(".answers")
    return "clients" if of_clients else "values"


def _homes(module: str) -> list[tuple[str, tuple[str, str]]]:
    """The public names of a module, each with the module that defines it and its name there."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(ast.parse(inspect.getsource(import_module(module)))):
        match node:
            case ast.ImportFrom(module=str(home), names=aliases) if home.startswith("imaplus."):
                found |= {each.asname or each.name: (home, each.name) for each in aliases}
            case ast.ClassDef(name=name):
                found[name] = module, name
    public = import_module(module.removesuffix(".public")).__all__
    return [(name, found[name]) for name in sorted(public, key=str.lower)]


def _all(module: str) -> list[str]:
    names: list[str] = import_module(f"imaplus.{module}").__all__
    return names


def _pointer(name: str, module: str) -> Iterator[str]:
    """A name that another public module explains."""
    value = getattr(imaplus, name)
    kind, summary = "data", ""
    if isinstance(value, type):
        kind = "exception" if issubclass(value, BaseException) else "class"
        summary = (inspect.getdoc(value) or "").partition("\n")[0] + " "
    yield ".. py:currentmodule:: imaplus\n"
    yield f".. py:{kind}:: {name}\n"
    yield f"   {summary}See :py:obj:`imaplus.{module}.{name}`.\n"


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

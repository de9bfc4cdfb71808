"""How Sphinx builds these pages: Markdown from the project's root, API from the docstrings."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

project = "imaplus"
author = "The imaplus developers"
release = version = version_of("imaplus")

sys.path.insert(0, str(Path(__file__).parent))
extensions = [
    "myst_parser",
    "public_names",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
default_role = "code"  # docstrings write `names` between single backticks
exclude_patterns = ["_build"]
suppress_warnings = [
    "myst.xref_missing",  # the project's own Markdown links to its source files: no pages here
    "ref.python",  # common names stand in two modules, and mean the same in both
]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_theme = "furo"
html_title = f"imaplus {release}"


def without_module_docstrings(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Those speak to readers of the source."""
    if what == "module":
        lines.clear()


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", without_module_docstrings)

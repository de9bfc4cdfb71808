"""The API page of the manual, as it is built, has every public name and says something of each."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import imaplus.mirror
import imaplus.query
import imaplus.testing
from imaplus import credentials, endpoints, errors, sansio, search, types

FACES = [
    each.__name__
    for each in (
        imaplus,
        imaplus.mirror,
        imaplus.query,
        imaplus.testing,
        credentials,
        endpoints,
        errors,
        sansio,
        search,
        types,
    )
]
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NEEDED = (
    "conf.py",
    "public_names.py",
    "api.md",
    "searching.md",
    "from-imaplib.md",
    "contributing.md",
)
EXTENSIONS = "myst_parser,public_names,sphinx.ext.autodoc,sphinx.ext.napoleon"


def built(folder: Path) -> str:
    """The page as HTML, built as `make docs` does it, but alone and in a plain theme."""
    source = folder / "docs"
    source.mkdir()
    for name in NEEDED:
        shutil.copy(DOCS / name, source)
    shutil.copy(ROOT / "CONTRIBUTING.md", folder)
    options = ["root_doc=api", "html_theme=basic", f"extensions={EXTENSIONS}"]
    words = [word for option in options for word in ("-D", option)]
    argv = [sys.executable, "-m", "sphinx", "-q", "-b", "html", *words, source, folder / "html"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (folder / "html" / "api.html").read_text()


def entry(page: str, name: str) -> str | None:
    """What the page says of a name, as text; None if it does not have it."""
    _, found, rest = page.partition(f'id="{name}"')
    if not found:
        return None
    _, _, below = rest.partition("<dd>")
    told = re.split(r'</dd>|<dt class="sig', below)[0]
    return html.unescape(re.sub(r"<[^>]+>", "", told)).strip()


@pytest.mark.timeout(400)  # Sphinx works for a while; it is built once, for all that is asked of it
def test_the_page_has_every_public_name(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    page = built(tmp_path)
    for face in FACES:
        names: list[str] = sys.modules[face].__all__
        found = {name: entry(page, f"{face}.{name}") for name in names}
        assert [name for name in names if found[name] is None] == []
        assert [name for name in names if not found[name]] == []
        shown = set(re.findall(rf'<dt class="sig[^"]*" id="{face}\.([A-Za-z_]\w*)"', page))
        assert shown == set(names)
    assert "Open a mailbox" in (entry(page, "imaplus.Client.select") or "")
    for method in ("run", "noop", "close"):  # inherited ones as well
        assert entry(page, f"imaplus.AsyncClient.{method}")
    assert entry(page, "imaplus.Client.nothing") is None

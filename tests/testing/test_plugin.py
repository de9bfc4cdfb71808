"""The pytest plugin has no effect on runs without its fixture, or on the import of imaplus.

pytest treats an installed distribution otherwise than an editable one, so imaplus is laid out here
as pip lays it out, with the entry point of pyproject.toml, and pytest runs in processes of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARGUMENTS = [
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
    "-p",
    "no:xdist",
    "-p",
    "no:asyncio",
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH with imaplus in it, as a wheel leaves it behind."""
    site = tmp_path_factory.mktemp("site")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "imaplus", site / "imaplus", ignore=ignored)
    shutil.copy(ROOT / "src" / "pytest_imaplus.py", site)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    plugins = project["entry-points"]["pytest11"]
    told = site / "imaplus-0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: imaplus\nVersion: 0\n")
    lines = "".join(f"{name} = {module}\n" for name, module in plugins.items())
    (told / "entry_points.txt").write_text(f"[pytest11]\n{lines}")
    files = [str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()]
    (told / "RECORD").write_text("".join(f"{name},,\n" for name in files))
    return site


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A Python program beside the installed imaplus, in which every warning is an error."""
    environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, "-W", "error", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def written(folder: Path, text: str) -> str:
    """A folder's one file of tests."""
    (folder / "test_it.py").write_text(text)
    return "test_it.py"


def test_a_run_without_the_fixture_imports_nothing_of_imaplus(
    installed: Path, tmp_path: Path
) -> None:
    file = written(
        tmp_path,
        "import sys\n"
        "def test_it():\n"
        "    assert 'pytest_imaplus' in sys.modules\n"
        "    assert [n for n in sys.modules if n.split('.')[0] == 'imaplus'] == []\n",
    )
    done = run(installed, tmp_path, "-m", "pytest", *ARGUMENTS, "-W", "error", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "warning" not in (done.stdout + done.stderr).lower()


def test_a_test_that_asks_gets_the_server(installed: Path, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "import imaplus\n"
        f"assert imaplus.__file__.startswith({str(installed)!r})\n"
        "def test_it(imap_server):\n"
        "    with imaplus.Client.connect(imap_server.host, imap_server.port,\n"
        "        user=imap_server.user, password=imap_server.password,\n"
        "        security=imaplus.Security.PLAIN) as client:\n"
        "        assert client.select('INBOX').exists == 0\n",
    )
    done = run(installed, tmp_path, "-m", "pytest", *ARGUMENTS, "-W", "error", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("strictly", [True, False])
def test_a_program_that_imports_imaplus_first_gets_no_warning(
    strictly: bool, installed: Path, tmp_path: Path
) -> None:
    file = written(tmp_path, "def test_it(imap_server): assert imap_server.port\n")
    words = [*ARGUMENTS, *(["-W", "error"] if strictly else []), file]
    program = f"import imaplus.testing, pytest; raise SystemExit(pytest.main({words!r}))"
    done = run(installed, tmp_path, "-c", program)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


def test_imaplus_is_loaded_from_its_own_bytecode(installed: Path, tmp_path: Path) -> None:
    """Its modules have Python's loader, not the one that rewrites, also for a conftest.py."""
    (tmp_path / "conftest.py").write_text("from imaplus import Client\n")
    file = written(
        tmp_path,
        "import sys\n"
        "def test_it(imap_server):\n"
        "    ours = [m for n, m in sys.modules.items() if n.split('.')[0] == 'imaplus']\n"
        "    assert len(ours) > 20\n"
        "    assert {type(m.__loader__).__name__ for m in ours} == {'SourceFileLoader'}\n"
        "    assert type(__loader__).__name__ == 'AssertionRewritingHook'\n",
    )
    done = run(installed, tmp_path, "-m", "pytest", *ARGUMENTS, file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_left_behind(installed: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "def test_it(): pass\n")
    program = (
        "import sys, pytest\n"
        f"assert pytest.main({[*ARGUMENTS, file]!r}) == 0\n"
        "assert 'pytest_imaplus' in sys.modules\n"
        "assert not [f for f in sys.meta_path if getattr(f, '__module__', '') == 'pytest_imaplus']"
    )
    done = run(installed, tmp_path, "-c", program)
    assert done.returncode == 0, done.stdout + done.stderr

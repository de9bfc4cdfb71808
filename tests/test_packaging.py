"""What is published: the project's metadata, and pages that stand for themselves."""

from __future__ import annotations

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: dict[str, Any] = PYPROJECT["project"]
README = (ROOT / "README.md").read_text()
HOME = "https://github.com/imaplus/imaplus"
LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^]]+\]: (\S+)$", re.MULTILINE)


def links(text: str) -> list[str]:
    return [inline or reference for inline, reference in LINK.findall(text)]


def test_the_links_of_the_readme_work_anywhere() -> None:
    """An index shows the page too, where a relative link leads nowhere."""
    assert len(links(README)) >= 5
    assert [link for link in links(README) if not link.startswith("https://")] == []
    used = set(re.findall(r"\[(\w+)\](?![(:])", README))
    assert used >= set(re.findall(r"^\[(\w+)\]: ", README, re.MULTILINE))


@pytest.mark.parametrize("link", [*links(README), *PROJECT["urls"].values()])
def test_links_into_the_repository_name_what_is_there(link: str) -> None:
    if match := re.fullmatch(rf"{HOME}/(?:blob|tree)/main/([^#]+)(?:#.*)?", link):
        assert (ROOT / match[1]).exists()
    else:
        assert link in (HOME, f"{HOME}/issues")


def test_the_classifiers_say_each_version() -> None:
    told = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if ":: 3." in each]
    assert told == [f"3.{minor}" for minor in range(11, 16)]
    assert PROJECT["requires-python"] == ">=3.11"


def test_the_pytest_plugin_stands_outside_the_package() -> None:
    for module in PROJECT["entry-points"]["pytest11"].values():
        assert "." not in module
        found = find_spec(module)
        assert found is not None
        assert found.origin == str(ROOT / "src" / f"{module}.py")
        assert (
            f"src/{module}.py"
            in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
        )


def test_commits_and_ci_check_alike() -> None:
    """A hook of pre-commit fetches nothing, and runs what CI runs."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"repo: (.*)", hooks) == ["local"]
    assert re.findall(r"entry: (.*)", hooks) == [
        "make check",
        "python3 tools/commit_subject.py",
    ]
    steps = (ROOT / ".ci" / "run").read_text().splitlines()
    for step in ("make check", "make docs", "make dist"):
        assert step in steps


def test_the_floor_of_coverage_is_a_floor() -> None:
    assert PYPROJECT["tool"]["coverage"]["report"]["fail_under"] >= 90
    check = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    assert "$(MAKE) coverage" in check

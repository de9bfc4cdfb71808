"""Each Python's own suite for imaplib, run on the facade by that Python."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from .differences import DIFFERENCES, FAILING
from .interpreters import VERSIONS, run_suite


@pytest.mark.parametrize("version", VERSIONS)
def test_the_suite_passes_apart_from_the_differences(version: str) -> None:
    outcome = run_suite(version)
    if outcome.unavailable:
        pytest.skip(outcome.unavailable)
    known = outcome.passed | outcome.skipped | {name for name, _ in outcome.failed}
    assert [how for name, how in outcome.failed if name not in FAILING] == []
    assert {name for name, _ in outcome.failed} == FAILING & known
    assert len(outcome.passed) > 80  # of 94 to 103; the rest talks to the Internet, or is listed


def test_the_table_in_the_readme_is_what_came_out() -> None:
    """`tools/compatibility.py` writes it."""
    tool = load_tool()
    outcomes: dict[str, object] = {version: run_suite(version) for version in VERSIONS}
    kept = tool.block(tool.README.read_text())
    assert kept == tool.table(kept, outcomes, same=True)


def load_tool() -> Any:
    path = Path(__file__).parents[2] / "tools" / "compatibility.py"
    spec = importlib.util.spec_from_file_location("compatibility", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_difference_is_there_once_and_says_why() -> None:
    assert len({difference.name for difference in DIFFERENCES}) == len(DIFFERENCES)
    assert all(difference.what and difference.why for difference in DIFFERENCES)

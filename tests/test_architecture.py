"""ARCHITECTURE.md names files and folders that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
PATHS = sorted(set(re.findall(r"`((?:[\w*]+/)*[\w*]+\.(?:py|md|json)|(?:[\w*]+/)+)`", TEXT)))
MADE = {"store.json"}
"""Files that imaplus writes at run time."""
FOLDERS = (ROOT, ROOT / "src" / "imaplus", ROOT / "tests")


@pytest.mark.parametrize("path", PATHS)
def test_a_path_exists(path: str) -> None:
    """A path is relative to the repository, to the package or to a folder in either."""
    if path not in MADE:
        assert any(found for folder in FOLDERS for found in folder.glob(f"**/{path}"))


def test_paths_are_recognised() -> None:
    assert {"wire/framing.py", "client/_async*.py", "core/bulk/", "link.py"} <= set(PATHS)

"""What is generated is what its source gives, to the last character."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytest.importorskip("ruff", reason="the generated files are formatted by it")


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "tools" / "gen_sync.py"), "--check"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_generated_files_are_what_their_sources_give() -> None:
    done = check(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "word", "other"),
    [
        ("_sync_base.py", "Log out, and", "Leave, and"),
        ("_pipelined_mailbox_commands.py", "Search", "See"),
    ],
)
def test_one_changed_word_is_found(tmp_path: Path, name: str, word: str, other: str) -> None:
    """The check can fail: it runs on a copy in which one word of a docstring differs."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert check(tmp_path).returncode == 0
    changed = tmp_path / "src" / "imaplus" / "client" / name
    changed.write_text(changed.read_text().replace(word, other))
    done = check(tmp_path)
    assert done.returncode == 1
    assert name in done.stdout

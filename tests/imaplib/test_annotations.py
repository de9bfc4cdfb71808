"""The annotations: programs for typeshed's imaplib pass mypy --strict with the facade as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLES = Path(__file__).with_name("typing_samples")


def mypy(*paths: Path) -> None:
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *map(str, paths)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_samples_pass_with_the_facade() -> None:
    mypy(*sorted(SAMPLES.glob("*.py")))


def test_the_programs_pass_with_typeshed(tmp_path: Path) -> None:
    """Or they would prove nothing."""
    text = (SAMPLES / "programs.py").read_text()
    copy = tmp_path / "programs.py"
    copy.write_text(text.replace("from imaplus import imaplib", "import imaplib"))
    mypy(copy)

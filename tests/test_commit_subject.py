"""The hook that checks the subjects of commits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "commit_subject.py"


def check(message: str, folder: Path) -> tuple[int, str]:
    """The exit status and the output of the hook."""
    path = folder / "COMMIT_EDITMSG"
    path.write_text(message, "utf-8")
    done = subprocess.run(
        [sys.executable, str(TOOL), str(path)], stderr=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "message",
    [
        "Compile each test pattern once",
        "Compile each test pattern once\n\nThe tests: slow. They compiled it each time.\n",
        "# a comment of git\n\nA" + "a" * 70,
        "Merge branch 'a-branch-with-a-very-long-name' of a remote with a long name.",
        "fixup! lower case",
        "Ä begins with a capital letter, too",
    ],
)
def test_a_subject_that_passes(message: str, tmp_path: Path) -> None:
    assert check(message, tmp_path) == (0, "")


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("", "no subject"),
        ("# only a comment\n", "no subject"),
        ("A" + "a" * 71, "72 characters"),
        ("Compile each test pattern once.", "full stop"),
        ("tests: Compile each pattern once", "area"),
        ("feat(core)!: Compile each pattern once", "area"),
        ("src/imaplus: Compile each pattern once", "area"),
        ("compile each test pattern once", "capital letter"),
    ],
)
def test_a_subject_that_fails(message: str, problem: str, tmp_path: Path) -> None:
    status, output = check(message, tmp_path)
    assert status == 1
    assert problem in output

"""Every transcript is run, every quirk has its file, and every line that is marked with one too."""

from __future__ import annotations

import re
from pathlib import Path

import imaplus

from . import test_connecting, test_core, test_extensions, test_identities, test_login, test_quirks
from .dialogue import CORPUS, HERE

EXCEPTIONS = {
    13: "QUOTA, which comes with its extension",
    14: "QUOTA, which comes with its extension",
}
"""The quirks without a file."""
VALUES = {8, 10, 11, 12, 41, *range(57, 75)}
"""The quirks of values: tests/core/test_corpus_structures.py has a table of their files."""
ALONE = {"compress-deflate", "starttls", "starttls-injected"}
"""Transcripts that need more than a row."""

_MARK = re.compile(r"[Qq]uirks? ([0-9]+(?:, [0-9]+)*)")


def number(path: Path) -> int:
    return int(path.name.partition("-")[0])


def test_every_quirk_has_a_file() -> None:
    found = {number(path) for path in CORPUS.glob("*.txt")}
    assert found.isdisjoint(EXCEPTIONS)
    assert found | set(EXCEPTIONS) == set(range(1, 84))


def test_every_file_is_in_a_table() -> None:
    dialogues = {path.stem for path in CORPUS.glob("*.txt") if number(path) not in VALUES}
    assert dialogues == set(test_quirks.CASES)
    tables = (test_core, test_extensions, test_identities, test_login, test_connecting)
    cases = {name for table in tables for name in table.CASES}
    assert {path.stem for path in HERE.glob("*.txt")} == cases | ALONE


def test_every_mark_has_a_file() -> None:
    marked = {
        int(quirk)
        for path in Path(imaplus.__file__).parent.rglob("*.py")
        if "testing" not in path.parts
        for found in _MARK.finditer(path.read_text("utf-8"))
        for quirk in found[1].split(", ")
    }
    assert marked - set(EXCEPTIONS) <= {number(path) for path in CORPUS.glob("*.txt")}
    assert len(marked) > 40

"""docs/from-imaplib.md: both versions of each idiom come to the same."""

from __future__ import annotations

import re

import pytest

from imaplus.testing import Server

from .finding import ROOT
from .running import run, three_letters

GUIDE = ROOT / "docs" / "from-imaplib.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
_, _, _IDIOMS = GUIDE.read_text().partition("## Idiom by idiom")
IDIOMS = {
    title: BLOCK.findall(text)
    for title, text in re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", _IDIOMS, re.M | re.S)
}


@pytest.mark.parametrize("title", IDIOMS)
def test_both_versions_come_to_the_same(title: str) -> None:
    old, new = IDIOMS[title]
    last = re.findall(r"^ *(\w+)(?: = | \+= )", new, re.M)[-1]
    results = []
    for block in (old, new):
        with Server() as server:
            three_letters(server)
            results.append(run(block, server)[last])
    assert results[0] == results[1]
    assert results[0] not in (None, [], {}, "")


def test_there_are_idioms() -> None:
    assert len(IDIOMS) >= 10
    assert all(len(blocks) == 2 for blocks in IDIOMS.values())

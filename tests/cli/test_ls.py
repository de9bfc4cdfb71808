"""How a list of mailboxes is shown."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

import pytest

from imaplus.cli.verbs.ls import Listing, lines, tree


def listing(name: str, delimiter: str | None = "/", **numbers: Any) -> Listing:
    return Listing(name, delimiter, frozenset(), **numbers)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["INBOX", "Lists", "Lists/a", "Lists/a/b", "Sent"],
         ["INBOX", "Lists", "  a", "    b", "Sent"]),
        (["Lists/a", "Lists/a/b/c", "Lists/b"], ["Lists/a", "  b/c", "Lists/b"]),
        (["a", "ab", "a/b"], ["a", "ab", "a/b"]),
        ([], []),
    ],
)  # fmt: skip
def test_tree(names: list[str], expected: list[str]) -> None:
    assert list(tree([listing(name) for name in names])) == expected


def test_a_mailbox_without_hierarchy_is_not_cut() -> None:
    assert list(tree([listing("a"), listing("a/b", delimiter=None)])) == ["a", "a/b"]


def test_columns() -> None:
    listings = [listing("INBOX", messages=12, unseen=3, size=1_500_000), listing("Lists")]
    args = Namespace(counts=True, sizes=True, tree=False, gone=False)
    assert list(lines(listings, args)) == [
        "MESSAGES  UNSEEN    SIZE  MAILBOX",
        "      12       3  1.5 MB  INBOX",
        "       -       -       -  Lists",
    ]
    args = Namespace(counts=False, sizes=False, tree=False, gone=False)
    assert list(lines(listings, args)) == ["INBOX", "Lists"]
    args = Namespace(counts=False, sizes=False, tree=False, gone=True)
    listings = [listing("INBOX"), listing("Old", gone=datetime(2026, 11, 30, tzinfo=UTC))]
    assert list(lines(listings, args)) == [
        "      GONE  MAILBOX",
        "            INBOX",
        "2026-11-30  Old",
    ]

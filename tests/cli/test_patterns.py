"""Which mailboxes a pattern means."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.cli.errors import Exit, Stop
from imaplus.cli.patterns import Pattern, choose, to_ask_for, without_meaning


@dataclass(frozen=True)
class Mailbox:
    name: str
    attributes: frozenset[str] = frozenset()
    delimiter: str | None = "/"


INBOX = Mailbox("INBOX")
SENT = Mailbox("Gesendet", frozenset({"\\Sent", "\\HasNoChildren"}))
LISTS = Mailbox("Lists")
PYTHON = Mailbox("Lists/python")
DEV = Mailbox("Lists/python/dev")
ODD = Mailbox("@sent")
ALL = [INBOX, SENT, LISTS, PYTHON, DEV, ODD]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([], ALL),
        (["*"], ALL),
        (["%"], [INBOX, SENT, LISTS, ODD]),
        (["inbox"], [INBOX]),
        (["@INBOX"], [INBOX]),
        (["@sent"], [SENT]),
        (["\\@sent"], [ODD]),
        (["Lists/%"], [PYTHON]),
        (["Lists/*"], [PYTHON, DEV]),
        (["Lists*"], [LISTS, PYTHON, DEV]),
        (["*/dev", "INBOX"], [INBOX, DEV]),
        (["Lists/%*"], [PYTHON, DEV]),
    ],
)
def test_choose(wanted: list[str], expected: list[Mailbox]) -> None:
    assert choose(ALL, wanted) == expected


def test_exclude() -> None:
    assert choose(ALL, [], ["Lists/*", "@sent"]) == [INBOX, LISTS, ODD]
    assert choose(ALL, ["Lists*"], ["Lists/python"]) == [LISTS, DEV]
    assert choose(ALL, [], ["nothing like it"]) == ALL


@pytest.mark.parametrize(
    ("pattern", "exit"),
    [
        ("", Exit.USAGE),
        ("@snet", Exit.USAGE),
        ("lists", Exit.NOT_FOUND),
        ("@trash", Exit.NOT_FOUND),
    ],
)
def test_patterns_that_mean_nothing(pattern: str, exit: Exit) -> None:
    with pytest.raises(Stop) as caught:
        choose(ALL, ["*", pattern])
    assert caught.value.failure.exit is exit


def test_exclusions_that_mean_nothing() -> None:
    assert without_meaning(ALL, ["Lists/*", "@sent", "@inbox"]) == []
    (plain,) = without_meaning(ALL, ["INBOX", "lists"])
    assert plain == "--exclude lists leaves nothing out: no mailbox matches it"
    (alias,) = without_meaning(ALL, ["@Trash"])
    assert "@Trash" in alias
    assert alias.endswith("the server does not say which mailbox is used for trash")
    (named,) = without_meaning([*ALL, Mailbox("INBOX/Trash")], ["@trash"])
    assert named.endswith("; is it --exclude 'INBOX/Trash'?")


def test_what_is_excluded_is_asked_for() -> None:
    assert to_ask_for(["Lists"]) == "Lists"
    assert to_ask_for(["Lists"], ["@trash"]) == "*"


def test_inbox_has_no_case_and_its_children_have() -> None:
    assert Pattern.parse("inbox/x").matches(Mailbox("Inbox/x"))
    assert not Pattern.parse("inbox/x").matches(Mailbox("Inbox/X"))


def test_without_a_hierarchy_percent_is_anything() -> None:
    assert Pattern.parse("a%").matches(Mailbox("a/b", delimiter=None))


@given(st.text(min_size=1))
def test_a_backslash_takes_any_name_as_it_is(name: str) -> None:
    assert Pattern.parse("\\" + name).matches(Mailbox(name)) or name.upper().startswith("INBOX")
    assert Pattern.parse("*").matches(Mailbox(name))

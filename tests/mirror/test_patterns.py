"""Which mailboxes a pattern means."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import InvalidArgument
from imaplus.mirror import Choice
from imaplus.mirror.patterns import Pattern, choose, is_named, merge_choices


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
    assert list(choose(ALL, Choice(tuple(wanted))).mailboxes) == expected


def test_exclude() -> None:
    def left(only: list[str], exclude: list[str]) -> list[Mailbox]:
        return list(choose(ALL, Choice(tuple(only), tuple(exclude))).mailboxes)

    assert left([], ["Lists/*", "@sent"]) == [INBOX, LISTS, ODD]
    assert left(["Lists*"], ["Lists/python"]) == [LISTS, DEV]
    assert left([], ["nothing like it"]) == ALL


@pytest.mark.parametrize("pattern", ["", "@snet"])
def test_invalid_patterns(pattern: str) -> None:
    with pytest.raises(InvalidArgument):
        choose(ALL, Choice(("*", pattern)))


def test_patterns_without_a_match() -> None:
    found = choose(ALL, Choice(("*", "lists", "@trash")))
    assert found.unmatched == ("lists", "@trash")
    trash = Mailbox("Trash")
    found = choose([*ALL, trash], Choice((), ("@trash", "@junk", "other")))
    unknown = "leaves nothing out: the server does not say which mailbox is used for"
    assert found.remarks == (
        f"--exclude @trash {unknown} trash; is it --exclude 'Trash'?",
        f"--exclude @junk {unknown} junk",
        "--exclude other leaves nothing out: no mailbox matches it",
    )


def test_merge_choices() -> None:
    some, more, less = Choice(("A",)), Choice(("B",)), Choice((), ("A",))
    assert merge_choices(None, some) == some
    assert merge_choices(some, more) == Choice(("A", "B"))
    assert merge_choices(Choice(), more) == Choice()
    assert merge_choices(less, more) == less
    assert merge_choices(some, less) == less
    assert merge_choices(less, Choice((), ("B",))) == Choice((), ("B",))
    assert merge_choices(Choice(("A",), ("B",), True), Choice(("*",))) == Choice(virtual=True)
    assert merge_choices(less, Choice(virtual=True)) == Choice((), ("A",), True)


def test_what_is_named_and_not_only_matched() -> None:
    every = Mailbox("All", frozenset({"\\All"}))
    for text, named in {"*": False, "A%": False, "@all": True, "All": True, "\\All": True}.items():
        assert is_named(every, Choice((text,))) is named


def test_inbox_has_no_case_and_its_children_have() -> None:
    assert Pattern.parse("inbox/x").matches(Mailbox("Inbox/x"))
    assert not Pattern.parse("inbox/x").matches(Mailbox("Inbox/X"))


def test_without_a_hierarchy_percent_is_anything() -> None:
    assert Pattern.parse("a%").matches(Mailbox("a/b", delimiter=None))


@given(st.text(min_size=1))
def test_a_backslash_takes_any_name_as_it_is(name: str) -> None:
    assert Pattern.parse("\\" + name).matches(Mailbox(name)) or name.upper().startswith("INBOX")
    assert Pattern.parse("*").matches(Mailbox(name))

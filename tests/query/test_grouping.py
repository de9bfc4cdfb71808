"""Threads by References (RFC 5256, 3)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.query import Threaded, threads
from imaplus.query.grouping import base_subject


def message(name: str, references: str = "", subject: str = "", day: int = 0) -> Threaded:
    refs = " ".join(f"<{one}>" for one in references.split())
    date = datetime(2026, 1, day or ord(name[0]) - 96, tzinfo=UTC)
    return Threaded(f"<{name}>", refs, "", subject or name, date)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], []),
        ([message("a"), message("b")], [[(0, 0)], [(1, 0)]]),
        ([message("a"), message("b", "a"), message("c", "a b")], [[(0, 0), (1, 1), (2, 2)]]),
        # A parent that is not there holds its children together; with one child it goes.
        ([message("b", "a"), message("c", "a")], [[(0, 0), (1, 0)]]),
        ([message("b", "a")], [[(0, 0)]]),
        ([message("a"), message("c", "a b")], [[(0, 0), (1, 1)]]),
        # In order of date, whatever the order of the input.
        ([message("c", "a"), message("b", "a"), message("a")], [[(2, 0), (1, 1), (0, 1)]]),
        # A loop is not made.
        ([message("a", "b"), message("b", "a")], [[(1, 0), (0, 1)]]),
        # The same subject.
        ([message("a", "", "lunch"), message("b", "", "Re: lunch")], [[(0, 0), (1, 1)]]),
        ([message("a", "", "lunch"), message("b", "", "LUNCH")], [[(0, 0), (1, 0)]]),
        ([message("b", "", "Re: lunch"), message("c", "", "Re: lunch")], [[(0, 0), (1, 0)]]),
        # Two messages with one Message-ID are two messages.
        ([message("a", "", "x"), message("a", "", "y", 2)], [[(0, 0)], [(1, 0)]]),
    ],
)  # fmt: skip
def test_threads(messages: list[Threaded], expected: list[list[tuple[int, int]]]) -> None:
    assert threads(messages) == expected


def test_in_reply_to_counts_without_references() -> None:
    reply = Threaded("<b>", "", "Your mail <a> <z>", "other", datetime(2026, 1, 2, tzinfo=UTC))
    assert threads([message("a"), reply]) == [[(0, 0), (1, 1)]]


names = st.sampled_from("abcdefgh")


@given(
    st.lists(
        st.builds(message, names, st.lists(names, max_size=4).map(" ".join), st.sampled_from(
            ["x", "Re: x", "y", "[list] Re: y", "Fwd: x", "(fwd)"])),
        max_size=12,
    )
)  # fmt: skip
def test_every_message_is_in_one_thread(messages: list[Threaded]) -> None:
    places = [place for thread in threads(messages) for place, _ in thread]
    assert sorted(places) == list(range(len(messages)))


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("lunch", ("lunch", False)),
        ("Re: Lunch ", ("lunch", True)),
        ("RE[2]: [list] Fwd: lunch (fwd)", ("lunch", True)),
        ("[list] lunch", ("lunch", False)),
        ("[list]", ("[list]", False)),
        ("[Fwd: lunch]", ("lunch", True)),
        ("Re:", ("", True)),
        ("a  \t b", ("a b", False)),
    ],
)
def test_base_subjects(subject: str, expected: tuple[str, bool]) -> None:
    assert base_subject(subject) == expected

"""A query as keys of SEARCH, and as steps where there is no key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imaplus import InvalidArgument, SequenceSet, search
from imaplus.query import Dates, Search, Structures, keys, parse, steps
from imaplus.types import Disposition, Part

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def has(*capabilities: str) -> Callable[[str], bool]:
    return lambda name: name in capabilities


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "And()"),
        ("from:ann -is:read", "From('ann') & ~Seen"),
        ("a OR b", "Text('a') | Text('b')"),
        ("keyword:$Junk is:deleted", "HasKeyword('$Junk') & Deleted"),
        ("since:2026-01-02 larger:1k", "Since(2026-01-02) & Larger(1000)"),
        ("sent-since:2026-01-02", "SentSince(2026-01-02)"),
        ("sent-on:2026-01-02", "SentOn(2026-01-02) & Header('Date', '')"),
        ("id:a@b header:X-A:b", "Header('Message-ID', '<a@b>') & Header('X-A', 'b')"),
        ("uid:1:5", "Uid(1:5)"),
        ("is:gone", "~All"),
        ("body:x cc:y bcc:z", "Body('x') & Cc('y') & Bcc('z')"),
        ("to:v subject:w", "To('v') & Subject('w')"),
        # What Dovecot 2.4 answers wrongly, or dies of, is not sent.
        ("(a OR b) (b OR a)", "Text('a') | Text('b')"),
        ("(a b) OR (b a)", "Text('a') & Text('b')"),
        ("a OR (a b)", "Text('a')"),
        ("a OR -a", "And()"),
        ("a -a", "Or()"),
        ("-(-a)", "Text('a')"),
        ("-(larger:300 larger:301)", "Smaller(302)"),
        ("larger:3 OR larger:5 OR smaller:1 OR smaller:2", "Larger(3) | Smaller(2)"),
        ("since:2026-01-02 since:2026-01-05", "Since(2026-01-05)"),
        ("-before:2026-01-02", "Since(2026-01-02)"),
        ("-sent-since:2026-01-02", "~SentSince(2026-01-02)"),
        ("-smaller:0", "~Smaller(0)"),
    ],
)  # fmt: skip
def test_keys(text: str, expected: str) -> None:
    assert repr(keys(parse(text, now=NOW), has())) == expected.replace("Uid(1:5)", repr_of_uids())


def repr_of_uids() -> str:
    return repr(search.Uid("1:5"))


def test_keys_that_need_an_extension() -> None:
    hours = parse("since:2h before:1h", now=NOW)
    assert keys(hours, has()) is None
    assert keys(hours, has("WITHIN")) == search.Younger(7200) & search.Older(3600)
    attachment = parse("has:attachment")
    assert keys(attachment, has()) is None
    assert keys(attachment, has("X-GM-EXT-1")) == search.GmailSearch("has:attachment")
    with pytest.raises(InvalidArgument):
        search.Younger(0)


def answered(text: str, answers: Callable[[Any], Any]) -> tuple[list[Any], SequenceSet]:
    """The steps for a query, and what it comes to."""
    asked: list[Any] = []
    asking = steps(parse(text, now=NOW), has())
    answer: Any = None
    while True:
        try:
            step = asking.send(answer)
        except StopIteration as finished:
            return asked, finished.value
        asked.append(step)
        answer = answers(step)


def part(name: str | None, disposition: str | None = None) -> Part:
    found = None if disposition is None else Disposition(disposition)
    return Part("1", "image", "png", {} if name is None else {"name": name}, disposition=found)


MAILBOX = {1: part("a.pdf"), 2: part(None), 3: part("b.png", "inline"), 4: part(None, "attachment")}
ALL = SequenceSet.of("1:4")


def server(step: Any) -> Any:
    match step:
        case Search(query):
            return SequenceSet.of("2:4") if query == search.Text("x") else ALL
        case Structures(uids):
            return {uid: MAILBOX[uid] for uid in uids}
        case Dates(uids):
            return {uid: NOW - timedelta(hours=uid) for uid in uids}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("has:attachment", "1,4"),
        ("-has:attachment", "2:3"),
        ("filename:*.p?f", "1"),
        ("filename:B.", "3"),
        ("x has:attachment", "4"),
        ("x OR has:attachment", "1:4"),
        ("x -(has:attachment OR filename:png)", "2"),
        ("since:2h", "1:2"),
        ("before:2h", "2:4"),
        ("x -since:3h", "4"),
    ],
)
def test_steps(text: str, found: str) -> None:
    assert answered(text, server)[1] == SequenceSet.of(found)


def test_only_what_the_rest_finds_is_looked_at() -> None:
    asked, _ = answered("has:attachment x", server)
    assert asked == [Search(search.Text("x")), Structures(SequenceSet.of("2:4"))]
    asked, found = answered("has:attachment x", lambda step: SequenceSet())
    assert len(asked) == 1
    assert not found

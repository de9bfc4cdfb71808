"""Queries: what they are read as, and where they cannot be read."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus import InvalidArgument, SequenceSet
from imaplus.query import QueryError, nodes, parse
from imaplus.query.nodes import Node

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
READ = nodes.HasFlag("\\Seen")


def words(text: str, where: nodes.TextField = "text") -> Node:
    return nodes.Words(where, text)


A, B, C = words("a"), words("b"), words("c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", nodes.All()),
        ("a", A),
        ("a b", nodes.All((A, B))),
        ("a AND b", nodes.All((A, B))),
        ("a OR b c", nodes.AnyOf((A, nodes.All((B, C))))),
        ("(a OR b) c", nodes.All((nodes.AnyOf((A, B)), C))),
        ("-a", nodes.Not(A)),
        ("NOT a", nodes.Not(A)),
        ("-(a b)", nodes.Not(nodes.All((A, B)))),
        ("- a-b", nodes.All((words("-"), words("a-b")))),
        ('"a b" "c \\" d"', nodes.All((words("a b"), words('c " d')))),
        ("FROM:a", words("a", "from")),
        ('subject:"a b"', words("a b", "subject")),
        ("to:(a OR b)", nodes.AnyOf((words("a", "to"), words("b", "to")))),
        ("cc:a bcc:b body:c text:d", nodes.All(
            (words("a", "cc"), words("b", "bcc"), words("c", "body"), words("d")))),
        ("is:unread", nodes.Not(READ)),
        ("is:read", READ),
        ("-is:starred", nodes.Not(nodes.HasFlag("\\Flagged"))),
        ("is:gone", nodes.Gone()),
        ("keyword:$Junk", nodes.HasFlag("$Junk")),
        ("since:2026-01-02", nodes.Arrived("since", date(2026, 1, 2))),
        ("before:2026-02", nodes.Arrived("before", date(2026, 2, 1))),
        ("on:today", nodes.Arrived("on", date(2026, 11, 30))),
        ("on:yesterday", nodes.Arrived("on", date(2026, 11, 29))),
        ("since:90d", nodes.Arrived("since", date(2026, 9, 1))),
        ("since:2w", nodes.Arrived("since", date(2026, 11, 16))),
        ("since:12h", nodes.Aged(younger=True, seconds=43200, now=NOW)),
        ("before:1h", nodes.Aged(younger=False, seconds=3600, now=NOW)),
        ("sent-since:1m", nodes.Sent("since", date(2026, 10, 31))),
        ("larger:1M", nodes.Larger(1_000_000)),
        ("smaller:2KiB", nodes.Smaller(2048)),
        ("uid:1:50,9", nodes.WithUid(SequenceSet.of("1:50,9"))),
        ("header:X-Spam:yes", nodes.InHeader("X-Spam", "yes")),
        ('header:X-A:"b c"', nodes.InHeader("X-A", "b c")),
        ("header:X-A", nodes.InHeader("X-A", "")),
        ("id:<a@b>", nodes.WithId("<a@b>")),
        ("id:a@b", nodes.WithId("<a@b>")),
        ("filename:*.pdf", nodes.FileNamed("*.pdf")),
        ("has:attachment", nodes.HasAttachment()),
        ("10:30", words("10:30")),
    ],
)  # fmt: skip
def test_queries(text: str, expected: Node) -> None:
    assert parse(text, now=NOW) == expected


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("a (b OR c", 3, "not closed"),
        ("a) b", 2, "without '('"),
        ('a "b', 3, "not closed"),
        ('from:"b', 6, "not closed"),
        ("a OR", 3, "nothing after"),
        ("OR a", 1, "nothing before"),
        ("a () b", 3, "nothing in these"),
        ("a fro:b", 3, "did you mean from:"),
        ("http://example.org", 1, "quote it"),
        ("from:", 1, "no value"),
        ("a from: b", 3, "no value"),
        ("since:soon", 7, "expected a day"),
        ("since:2026-02-30", 7, "expected a day"),
        ("a since:999999y", 9, "expected a day"),
        ("larger:big", 8, "expected a size"),
        ("larger:999999999999999G", 8, "too large"),
        ("is:open", 4, "takes one of"),
        ("has:legs", 5, "takes attachment"),
        ("uid:x", 5, "expected UIDs"),
        ("uid:(1)", 5, "no parentheses"),
        ("keyword:a]b", 9, "valid keyword"),
        ("id:<>", 4, "Message-ID"),
        ('header:"a b"', 8, "header:NAME:TEXT"),
        ('a ""', 3, "no text"),
        ("a\ud800", 1, "surrogate"),
        ("-" * 40 + "a", 31, "levels"),
        ("(" * 40 + "a", 31, "levels"),
        ("a NOT", 5, "a term is missing"),
        ("x" * 10_001, 10_000, "more than"),
    ],
)
def test_errors_point_at_their_column(text: str, column: int, reason: str) -> None:
    with pytest.raises(QueryError, match=f"column {column}: ") as caught:
        parse(text, now=NOW)
    assert caught.value.column == column
    assert reason in caught.value.reason
    assert isinstance(caught.value, InvalidArgument)


@given(st.text(st.sampled_from('ab:()"\\- ORsinceuid19*\0é'), max_size=40))
def test_any_text_is_read_or_refused_where_it_is(text: str) -> None:
    found = read(text)
    column = found.column if isinstance(found, QueryError) else 1
    assert 1 <= column <= len(text) + 1


def read(text: str) -> Node | QueryError:
    try:
        return parse(text, now=NOW)
    except QueryError as error:
        return error

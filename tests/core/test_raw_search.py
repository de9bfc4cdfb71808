"""Search criteria in IMAP's own words: what is one search, and how it is written."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imaplus import InvalidArgument
from imaplus.search import Raw, Seen
from imaplus.wire.writer import Rules, Writer

QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def written(criteria: str) -> bytes:
    out = Writer(Rules(utf8=True))
    Raw(criteria).encode_key(out)
    ((piece,),) = out.finish()
    assert isinstance(piece.data, bytes)
    return piece.data.strip()


@pytest.mark.parametrize(
    ("criteria", "wire"),
    [
        ("SEEN", "(SEEN)"),
        ("  OR  (FROM ann  SEEN) 1:* ", "(OR (FROM ann SEEN) 1:*)"),
        ('SUBJECT "a \\"b\\""', '(SUBJECT "a \\"b\\"")'),
        ("FROM müller", '(FROM "müller")'),
    ],
)
def test_how_it_is_written(criteria: str, wire: str) -> None:
    assert written(criteria).decode() == wire


@pytest.mark.parametrize(
    ("criteria", "texts"),
    [
        ("SEEN", ("SEEN",)),
        (
            "  OR  FROM ann (SUBJECT report SEEN) ",
            ("OR", "FROM", "ann", "SUBJECT", "report", "SEEN"),
        ),
        ('SUBJECT "a \\"b\\" (c"', ("SUBJECT", 'a "b" (c')),
        ("UID 1:5,7:*", ("UID", "1:5,7:*")),
        ('X-GM-RAW "has:attachment"', ("X-GM-RAW", "has:attachment")),
        ('FROM "müller"', ("FROM", "müller")),
        ("FROM müller", ("FROM", "müller")),
        ('HEADER X-Empty ""', ("HEADER", "X-Empty", "")),
    ],
)
def test_criteria(criteria: str, texts: tuple[str, ...]) -> None:
    assert Raw(criteria).texts() == texts
    assert Raw(criteria).needs_charset == (not criteria.isascii())


@pytest.mark.parametrize(
    "criteria",
    [
        "", " ", "SEEN\r\nx LOGOUT", "SEEN\n", "SEEN\0", "(SEEN", "SEEN)", ")SEEN(", "()", '"open',
        "SEEN {5}", "{5}\r\nhello", 'SUBJECT "a\\b"', "a\\b", "(" * 200 + "SEEN" + ")" * 200,
        "CHARSET UTF-8 SEEN", "RETURN (ALL) SEEN", "\ud800", "FROM a%b", "SEEN\t", 'FROM "a\nb"',
    ],
)  # fmt: skip
def test_what_is_none(criteria: str) -> None:
    with pytest.raises(InvalidArgument):
        Raw(criteria)


def test_it_combines_with_other_queries() -> None:
    assert repr(Raw("FROM ann") & ~Seen) == "Raw('FROM ann') & ~Seen"


@example('"%"')
@given(st.text(alphabet='SEN ()"\\{}\r\n\0ü*%', max_size=20))
def test_it_is_refused_or_whole(criteria: str) -> None:
    try:
        query = Raw(criteria)
    except InvalidArgument:
        return
    assert not set(criteria) & set("\r\n\0")
    assert not set(QUOTED.sub("", criteria)) & set("{%")  # within quotes they begin no literal
    assert query.texts()

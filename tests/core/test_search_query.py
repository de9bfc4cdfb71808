"""Queries: how they are written, that this is what Python's operators mean, what is refused."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import reduce
from operator import and_, or_
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.core import search_keys
from imaplus.core.search_keys import (
    Answered,
    Bcc,
    Before,
    Body,
    Cc,
    Deleted,
    Draft,
    Flagged,
    From,
    HasKeyword,
    Header,
    LacksKeyword,
    Larger,
    ModSeq,
    New,
    Old,
    On,
    Recent,
    Seen,
    SentBefore,
    SentOn,
    SentSince,
    SequenceNumbers,
    Since,
    Smaller,
    Subject,
    Text,
    To,
    Uid,
    Unanswered,
    Undeleted,
    Undraft,
    Unflagged,
    Unseen,
)
from imaplus.core.search_query import MAX_DEPTH, All, And, Not, Or, Query, write_text
from imaplus.errors import InvalidArgument
from imaplus.wire.writer import Rules, Writer

DAY = date(1994, 2, 1)


def written(query: Query, charset: str = "utf-8", **rules: Any) -> bytes:
    out = Writer(Rules(**rules))
    query.encode(out, charset)
    pieces = [piece.data for segment in out.finish() for piece in segment]
    return b"".join(piece for piece in pieces if isinstance(piece, bytes)).removesuffix(b"\r\n")


TABLE = [
    (All, b"ALL", "All"),
    (Answered, b"ANSWERED", "Answered"),
    (Bcc("a"), b"BCC a", "Bcc('a')"),
    (Before(DAY), b"BEFORE 1-Feb-1994", "Before(1994-02-01)"),
    (Body("a b"), b'BODY "a b"', "Body('a b')"),
    (Cc("a"), b"CC a", "Cc('a')"),
    (Deleted, b"DELETED", "Deleted"),
    (Draft, b"DRAFT", "Draft"),
    (Flagged, b"FLAGGED", "Flagged"),
    (From("NIL"), b'FROM "NIL"', "From('NIL')"),
    (Header("X-A"), b'HEADER X-A ""', "Header('X-A', '')"),
    (Header("Message-ID", "<1@a>"), b'HEADER Message-ID <1@a>', "Header('Message-ID', '<1@a>')"),
    (HasKeyword("$Junk"), b"KEYWORD $Junk", "HasKeyword('$Junk')"),
    (Larger(4_294_967_296), b"LARGER 4294967296", "Larger(4294967296)"),
    (ModSeq(7), b"MODSEQ 7", "ModSeq(7)"),
    (New, b"NEW", "New"),
    (Old, b"OLD", "Old"),
    (On(DAY), b"ON 1-Feb-1994", "On(1994-02-01)"),
    (Recent, b"RECENT", "Recent"),
    (Seen, b"SEEN", "Seen"),
    (SentBefore(DAY), b"SENTBEFORE 1-Feb-1994", "SentBefore(1994-02-01)"),
    (SentOn(DAY), b"SENTON 1-Feb-1994", "SentOn(1994-02-01)"),
    (SentSince(DAY), b"SENTSINCE 1-Feb-1994", "SentSince(1994-02-01)"),
    (SequenceNumbers("2,4:*"), b"2,4:*", "SequenceNumbers(SequenceSet('2,4:*'))"),
    (Since(DAY), b"SINCE 1-Feb-1994", "Since(1994-02-01)"),
    (Smaller(0), b"SMALLER 0", "Smaller(0)"),
    (Subject('a"b'), b'SUBJECT "a\\"b"', "Subject('a\"b')"),
    (Text("a\r\nb"), b"TEXT {4}\r\na\r\nb", "Text('a\\r\\nb')"),
    (To(""), b'TO ""', "To('')"),
    (Uid([3, 1, 2]), b"UID 1:3", "Uid(SequenceSet('1:3'))"),
    (Uid([]), b"NOT ALL", "Uid(SequenceSet(''))"),
    (Unanswered, b"UNANSWERED", "Unanswered"),
    (Undeleted, b"UNDELETED", "Undeleted"),
    (Undraft, b"UNDRAFT", "Undraft"),
    (Unflagged, b"UNFLAGGED", "Unflagged"),
    (LacksKeyword("x"), b"UNKEYWORD x", "LacksKeyword('x')"),
    (Unseen, b"UNSEEN", "Unseen"),
    # combinations
    (~Seen, b"NOT SEEN", "~Seen"),
    (~~Seen, b"SEEN", "Seen"),
    (From("a") & Since(DAY) & ~Seen, b"FROM a SINCE 1-Feb-1994 NOT SEEN",
     "From('a') & Since(1994-02-01) & ~Seen"),
    (Seen | Draft, b"OR SEEN DRAFT", "Seen | Draft"),
    (Seen | Draft | New, b"OR SEEN OR DRAFT NEW", "Seen | Draft | New"),
    (Seen | Draft | New | Old, b"OR OR SEEN DRAFT OR NEW OLD", "Seen | Draft | New | Old"),
    (Seen & (Draft | New), b"SEEN OR DRAFT NEW", "Seen & (Draft | New)"),
    (Seen & Draft | New, b"OR (SEEN DRAFT) NEW", "(Seen & Draft) | New"),
    (~(Seen & Draft), b"NOT (SEEN DRAFT)", "~(Seen & Draft)"),
    (~(Seen | Draft), b"NOT OR SEEN DRAFT", "~(Seen | Draft)"),
    (And(), b"ALL", "And()"),
    (~And(), b"NOT ALL", "~And()"),
    (Or(), b"NOT ALL", "Or()"),
    (And(Seen), b"SEEN", "And(Seen)"),
    (Or(Seen & Draft), b"(SEEN DRAFT)", "Or(Seen & Draft)"),
    (~Or(Seen), b"NOT SEEN", "~Or(Seen)"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "octets", "shown"), TABLE, ids=[row[2] for row in TABLE])
def test_how_it_is_written(query: Query, octets: bytes, shown: str) -> None:
    assert written(query) == octets
    assert repr(query) == shown
    assert pickle.loads(pickle.dumps(query)) == query


def test_the_table_has_every_key() -> None:
    names = {
        name
        for name, value in vars(search_keys).items()
        if not name.startswith("_")
        and (isinstance(value, Query) or (isinstance(value, type) and issubclass(value, Query)))
    } - {"Query", "Key"}
    shown = " ".join(row[2] for row in TABLE)
    assert {name for name in names if not re.search(rf"\b{name}\b", shown)} == set()


def test_values_are_equal_by_what_they_say() -> None:
    assert From("a") == From("a")
    assert len({From("a"), From("a"), To("a")}) == 2
    assert len({Seen & Draft, Seen & Draft, Seen | Draft, Draft & Seen}) == 3
    assert (Seen & Draft) & New == Seen & (Draft & New) == And(Seen, Draft, New)
    assert Since(datetime(1994, 2, 1, 23, 59, tzinfo=UTC)) == Since(DAY)


def test_neither_true_nor_false() -> None:
    with pytest.raises(InvalidArgument, match="&"):
        bool(Seen and Draft)  # type: ignore[redundant-expr]
    with pytest.raises(InvalidArgument):
        bool(Seen)


@pytest.mark.parametrize(
    "make",
    [
        lambda: From("a\0b"),
        lambda: From("\ud800"),
        lambda: From(b"a"),  # type: ignore[arg-type]
        lambda: Header("X: y", "a"),
        lambda: Header("", "a"),
        lambda: Header("X-A\r\n", "a"),
        lambda: Header("X-A", "\0"),
        lambda: HasKeyword("\\Seen"),
        lambda: HasKeyword(""),
        lambda: HasKeyword("a b"),
        lambda: HasKeyword("é"),
        lambda: LacksKeyword("a)"),
        lambda: Larger(-1),
        lambda: Smaller(1 << 63),
        lambda: Larger("1"),  # type: ignore[arg-type]
        lambda: Since("1-Feb-1994"),  # type: ignore[arg-type]
        lambda: Uid([0]),
        lambda: Uid("1 ALL"),
        lambda: And(Seen, "x"),  # type: ignore[arg-type]
        lambda: Not("x"),  # type: ignore[arg-type]
    ],
)
def test_refused_when_it_is_made(make: Any) -> None:
    with pytest.raises(InvalidArgument):
        make()


def test_only_queries_combine() -> None:
    with pytest.raises(TypeError):
        Seen & "x"  # type: ignore[operator]
    with pytest.raises(TypeError):
        Seen | 1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "charset", "octets"),
    [
        ("é", "utf-8", b"FROM {2}\r\n\xc3\xa9"),
        ("é", "ISO-8859-1", b"FROM {1}\r\n\xe9"),
        ("é", "US-ASCII", b"FROM e"),
        ("Ångström", "us-ascii", b"FROM Angstrom"),
        ("あ", "iso-2022-jp", b'FROM "\x1b$B$\\"\x1b(B"'),
    ],
)
def test_charsets(text: str, charset: str, octets: bytes) -> None:
    assert From(text).needs_charset
    assert written(From(text), charset) == octets


@pytest.mark.parametrize("charset", ["us-ascii", "iso-8859-1", "no-such", "idna", "hex"])
def test_what_a_charset_cannot_express(charset: str) -> None:
    with pytest.raises(InvalidArgument):
        written(From("あ"), charset)


def test_utf8_enabled() -> None:
    assert written(From("é"), utf8=True) == 'FROM "é"'.encode()


def test_what_a_query_needs() -> None:
    query = ~(Seen & (ModSeq(1) | Subject("é")))
    assert query.needs() == {"CONDSTORE"}
    assert query.needs_charset
    assert not (Seen & Subject("e")).needs_charset
    assert Seen.needs() == set()


@dataclass(frozen=True, slots=True, repr=False)
class Fuzzy(Query):
    """FUZZY (RFC 6203): what an extension has to write, and no more."""

    requires = "SEARCH=FUZZY"
    query: Query

    def below(self) -> tuple[Query, ...]:
        return (self.query,)

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.raw(b"FUZZY ")
        self.query.encode_key(out, charset)


@dataclass(frozen=True, slots=True, repr=False)
class GmailRaw(Query):
    """X-GM-RAW: likewise."""

    requires = "X-GM-EXT-1"
    text: str

    def texts(self) -> tuple[str, ...]:
        return (self.text,)

    def encode(self, out: Writer, charset: str = "utf-8") -> None:
        out.raw(b"X-GM-RAW ")
        write_text(out, self.text, charset)


def test_keys_of_extensions() -> None:
    query = ~Fuzzy(Subject("a") & GmailRaw("é"))
    assert written(query) == b"NOT FUZZY (SUBJECT a X-GM-RAW {2}\r\n\xc3\xa9)"
    assert query.needs() == {"SEARCH=FUZZY", "X-GM-EXT-1"}
    assert query.needs_charset
    assert repr(query) == "~Fuzzy(Subject('a') & GmailRaw('é'))"


def test_ten_thousand_terms() -> None:
    terms: list[Query] = [Uid(n) for n in range(1, 10_001)]
    both, either = reduce(and_, terms), reduce(or_, terms)
    assert both == And(*terms)
    assert either == Or(*terms)
    assert both.depth == 1
    assert either.depth == 14
    assert written(both) == b" ".join(b"UID %d" % n for n in range(1, 10_001))
    assert written(either).count(b"OR ") == 9_999
    assert len(repr(~either)) > 10_000
    assert hash(either) == hash(Or(*terms))


def alternating(depth: int) -> Query:
    query: Query = Seen
    for _ in range(depth // 2):
        query = (query & Draft) | New
    return query


def negated(depth: int) -> Query:
    query: Query = Seen
    for _ in range(depth):
        query = Not(query)
    return query


@pytest.mark.parametrize("nested", [alternating, negated])
def test_depth_is_bounded(nested: Callable[[int], Query]) -> None:
    deepest = nested(MAX_DEPTH)
    assert deepest.depth == MAX_DEPTH
    assert len(written(deepest)) > MAX_DEPTH
    assert len(repr(deepest)) > MAX_DEPTH
    for depth in (MAX_DEPTH + 2, 10_000):
        with pytest.raises(InvalidArgument, match="levels"):
            nested(depth)


# -- what is written means what was meant ----------------------------------------------------------

LETTERS = {"a": Seen, "b": Draft, "c": Flagged}
queries = st.recursive(
    st.sampled_from([*LETTERS.values(), All]),
    lambda below: st.one_of(
        st.builds(Not, below),
        st.lists(below, max_size=5).map(lambda terms: And(*terms)),
        st.lists(below, max_size=5).map(lambda terms: Or(*terms)),
    ),
    max_leaves=12,
)


def meant(query: Query, true: set[Query]) -> bool:
    if isinstance(query, And):
        return all(meant(term, true) for term in query.terms)
    if isinstance(query, Or):
        return any(meant(term, true) for term in query.terms)
    if isinstance(query, Not):
        return not meant(query.query, true)
    return query == All or query in true


def read(tokens: list[str], true: set[str]) -> bool:
    """One search-key of RFC 9051's grammar."""
    token = tokens.pop(0)
    if token == "NOT":
        return not read(tokens, true)
    if token == "OR":
        first, second = read(tokens, true), read(tokens, true)
        return first or second
    if token == "(":
        found = [read(tokens, true)]
        while tokens[0] != ")":
            found.append(read(tokens, true))
        tokens.pop(0)
        return all(found)
    return token == "ALL" or token in true


@given(queries, st.sets(st.sampled_from(list(LETTERS.values()))))
def test_what_is_written_is_what_is_meant(query: Query, true: set[Query]) -> None:
    tokens = re.findall(r"[()]|\w+", written(query).decode())
    names = {repr(key).upper() for key in true}
    found = []
    while tokens:
        found.append(read(tokens, names))
    assert all(found) == meant(query, true)
    assert meant(~query, true) != meant(query, true)


@given(st.text(), st.text())
def test_no_text_becomes_a_key_of_its_own(first: str, second: str) -> None:
    try:
        octets = written(From(first) & Subject(second))
    except InvalidArgument:
        return
    string = rb'(?:"(?:[^"\\\r\n]|\\["\\])*"|\{(\d+)\}\r\n|[^\s(){%*"\\\]\x00-\x1f\x7f-\xff]+)'
    for name, text in ((b"FROM ", first), (b" SUBJECT ", second)):
        match = re.compile(name + string).match(octets)
        assert match is not None
        octets = octets[match.end() :]
        if match[1] is not None:
            assert octets[: int(match[1])] == text.encode()
            octets = octets[int(match[1]) :]
    assert octets == b""

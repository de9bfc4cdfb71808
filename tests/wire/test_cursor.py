"""Reading tokens: a table of what each method makes of what comes, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import ProtocolError
from imaplus.wire import set_reading, tokens
from imaplus.wire.cursor import MAX_NUMBER64, Cursor
from imaplus.wire.frames import Frame, Limits
from imaplus.wire.framing import Framer
from imaplus.wire.sets import SequenceSet
from imaplus.wire.tokens import decode_text

INBOX_IN_UTF7 = b"Entw&APw-rfe"


def read(c: Cursor, method: str) -> object:
    """What a method of a cursor reads, or the function for a set of that name."""
    for_sets = getattr(set_reading, f"read_{method}", None)
    return getattr(c, method)() if for_sets is None else for_sets(c)


def cursor(data: bytes, **options: Any) -> Cursor:
    framer = Framer()
    framer.feed(data + b"\r\n")
    return Cursor(framer.next_frame() or Frame(data), **options)


def listed(method: str) -> Callable[[Cursor], list[Any]]:
    return lambda c: [read(c, method) for _ in c.items()]


def flags(*names: str) -> frozenset[str]:
    return frozenset(names)


TABLE: list[tuple[bytes, str, object, bytes]] = [
    # octets, method, value, what is left
    (b"INBOX x", "atom", "INBOX", b" x"),
    (b"a]b", "atom", "a", b"]b"),
    (b"LITERAL+", "atom", "LITERAL+", b""),
    (b"\xc3\xa4 x", "atom", "ä", b" x"),
    (b"\xe4", "atom", "ä", b""),
    (b"Fetch (", "keyword", "FETCH", b" ("),
    (b"0", "number", 0, b""),
    (b"00012)", "number", 12, b")"),
    (b"18446744073709551615", "number", MAX_NUMBER64, b""),
    (b"-1 x", "number", 0, b" x"),  # quirk 12
    (b"9.3736e+06)", "number", 9373600, b")"),  # quirk 11
    (b"3.9", "number", 3, b""),
    (b"12 x", "accept_number", 12, b" x"),
    (b"x", "accept_number", None, b"x"),
    (b"1:3,9 x", "sequence_set", SequenceSet.parse("1:3,9"), b" x"),
    (b"1:*", "sequence_set", SequenceSet.parse("1:*"), b""),
    (b"9:1", "uid_set", SequenceSet.parse("1:9"), b""),
    (b"9:6,1 x", "uid_ranges", ((9, 6), (1, 1)), b" x"),
    (b"1:4294967295", "uid_ranges", ((1, 4294967295),), b""),
    (b" 3 1 2  9 ", "numbers", SequenceSet.parse("1:3,9"), b""),
    (b"", "numbers", SequenceSet(), b""),
    (b"1 2(x", "numbers", SequenceSet.parse("1:2"), b"(x"),
    (b'"a b" c', "string", b"a b", b" c"),
    (b'""', "string", b"", b""),
    (b'"a\\"b\\\\c"', "string", b'a"b\\c', b""),
    (b'"a\\bc"', "string", b"abc", b""),
    (b'"a"b" c', "string", b'a"b', b" c"),  # quirk 10
    (b'"=_b"" "x"', "string", b'=_b"', b' "x"'),
    (b"{3}\r\na\rb c", "string", b"a\rb", b" c"),
    (b"~{1}\r\n\0 c", "string", b"\0", b" c"),
    (b"{0}\r\n", "string", b"", b""),
    (b"a]b c", "astring", b"a]b", b" c"),
    (b'"NIL"', "astring", b"NIL", b""),
    (b"NIL", "astring", b"NIL", b""),
    (b'"\xc3\xa4"', "string_text", "ä", b""),
    (b'"\xe4"', "string_text", "ä", b""),  # quirk 74
    (b"x", "accept_string", None, b"x"),
    (b"nil)", "accept_nil", True, b")"),
    (b"NILS", "accept_nil", False, b"NILS"),
    (b'"NIL"', "accept_nil", False, b'"NIL"'),
    (b"NIL x", "nstring", None, b" x"),
    (b"7bit x", "nstring", b"7bit", b" x"),  # quirk 66, 70
    (b'"x"', "nstring_text", "x", b""),
    (b"NIL", "nstring_text", None, b""),
    (b"NIL", "payload", None, b""),
    (b")", "payload", None, b")"),  # quirk 75
    (b"{2}\r\nab)", "payload", b"ab", b")"),
    (b"inbox", "mailbox", "INBOX", b""),  # quirk 56
    (b'"InBox"', "mailbox", "INBOX", b""),
    (b"NIL", "mailbox", "NIL", b""),  # quirk 46
    (b"2015 x", "mailbox", "2015", b" x"),
    (INBOX_IN_UTF7, "mailbox", "Entwürfe", b""),
    (b"{5}\r\nab cd x", "mailbox", "ab cd", b" x"),
    (b'" 1-Feb-1994 21:52:25 +0000"', "date_time", datetime(1994, 2, 1, 21, 52, 25, 0, UTC), b""),
    (b'"00-Jan-0000 00:00:00 +0000"', "date_time", None, b""),  # quirk 41
    (b"NIL", "date_time", None, b""),  # quirk 72
    (b"(\\Seen $x) y", "flag_list", flags("\\Seen", "$x"), b" y"),
    (b"()", "flag_list", flags(), b""),
    (b"( \\Seen  \\Seen )", "flag_list", flags("\\Seen"), b""),
    (b"(\\Answered \\*)", "flag_list", flags("\\Answered", "\\*"), b""),  # quirk 16
    (b'("\\\\Seen" a)', "flag_list", flags("\\Seen", "a"), b""),  # quirk 17
    (b"NIL", "flag_list", flags(), b""),
    (b"(x-[Google] [css3])", "flag_list", flags("x-[Google]", "[css3]"), b""),  # quirk 15
    (b'("a" NIL "b") x', "strings", [b"a", b"b"], b" x"),  # quirk 71
    (b'"a"', "strings", [b"a"], b""),
    (b"NIL", "strings", [], b""),
    (b"a {1}\r\nx", "rest", b"a {1}\r\n", b""),
    (b"(a (b {1}\r\nx)) y", "raw", Frame(b"(a (b {1}\r\n))", (b"x",)), b" y"),
    (b"a(b", "raw", Frame(b"a"), b"(b"),
    (b'"a b" c', "raw", Frame(b'"a b"'), b" c"),
    (b'("(" "\\")") x', "raw", Frame(b'("(" "\\")")'), b" x"),
    (b" \t x", "accept_sp", True, b"x"),
    (b"x", "accept_sp", False, b"x"),
    (b"  ", "at_end", True, b""),
    (b" x", "at_end", False, b"x"),
]


@pytest.mark.parametrize(("data", "method", "value", "rest"), TABLE)
def test_values(data: bytes, method: str, value: object, rest: bytes) -> None:
    c = cursor(data)
    assert read(c, method) == value
    assert c.rest() == rest


@pytest.mark.parametrize(
    ("data", "method", "expected"),
    [
        (b"", "atom", "an atom at byte 0, found ''"),
        (b"(", "keyword", "an atom"),
        (b"x", "number", "a number"),
        (b"18446744073709551616", "number", "64 bits"),
        (b"9" * 21, "number", "a number"),
        (b"9e99", "number", "64 bits"),
        (b"0", "sequence_set", "a sequence set"),
        (b"4294967296", "sequence_set", "a sequence set"),
        (b"1:", "sequence_set", "a sequence set"),
        (b"9" * 5000, "sequence_set", "a sequence set"),
        (b"1:*", "uid_set", "with"),
        (b"*", "uid_ranges", "with"),
        (b"1,,2", "uid_ranges", "a UID set"),
        (b"0 1", "numbers", "message numbers"),
        (b"4294967296", "numbers", "32 bits"),
        (b"9" * 5000, "numbers", "message numbers"),
        (b"atom", "string", "a string"),
        (b'"abc', "string", "end of a quoted"),
        (b'"abc\\"', "string", "end of a quoted"),
        (b"{3}", "string", "a string"),
        (b"(", "nstring", "NIL"),
        (b"(", "astring", "an astring"),
        (b"(\\Seen", "flag_list", "a flag"),
        (b"((", "flag_list", "a flag"),
        (b"(a (b)", "skip", "end of a list"),
        (b'(a "b)', "skip", "end of a"),
        (b"", "skip", "a value"),
        (b"x", "sp", "a space"),
    ],
)
def test_what_is_not_expected(data: bytes, method: str, expected: str) -> None:
    with pytest.raises(ProtocolError, match=expected):
        read(cursor(data), method)


def test_a_failure_shows_where_and_what() -> None:
    c = cursor(b"a " + b"(" * 100)
    c.atom()
    c.sp()
    with pytest.raises(ProtocolError, match=r"a number at byte 2, found '\({40}'"):
        c.number()


def test_accept_and_expect() -> None:
    c = cursor(b"* Ok( x")
    assert not c.accept(b"+")
    assert c.accept(b"*")
    c.expect(b" ")
    assert not c.accept_word(b"O")
    assert c.accept_word(b"OK")
    assert c.peek() == b"("
    c.expect(b"(")
    with pytest.raises(ProtocolError, match=r"b'\)'"):
        c.expect(b")")
    place = c.mark()
    c.sp()
    assert c.atom() == "x"
    assert c.peek() == b""
    c.reset(place)
    assert c.rest() == b" x"


def test_a_literal_that_went_elsewhere_is_no_text() -> None:
    frame = Frame(b"{3}\r\n", (42,))
    assert Cursor(frame).payload() == 42
    for method in ("string", "astring", "nstring", "mailbox"):
        with pytest.raises(ProtocolError, match="written to a sink"):
            read(Cursor(frame), method)


def test_a_literal_that_was_never_sent() -> None:
    with pytest.raises(ProtocolError, match="a literal"):
        Cursor(Frame(b"{3}\r\n")).string()


def test_mailboxes_in_utf8() -> None:
    assert cursor('"Entwürfe"'.encode(), utf8=True).mailbox() == "Entwürfe"
    assert cursor(INBOX_IN_UTF7, utf8=True).mailbox() == INBOX_IN_UTF7.decode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"(a b)", ["a", "b"]),
        (b"()", []),
        (b"( a  b )", ["a", "b"]),
        (b"(a)", ["a"]),
    ],
)
def test_items(data: bytes, expected: list[str]) -> None:
    assert listed("atom")(cursor(data)) == expected


def test_items_that_are_not_read_end_the_walk() -> None:
    with pytest.raises(ProtocolError, match="an item"):
        for _ in cursor(b"(a b)").items():
            pass


@pytest.mark.parametrize("depth", [4, 20, 128])
def test_depth(depth: int) -> None:
    limits = Limits(depth=depth)

    def nested(levels: int) -> Cursor:
        return cursor(b"(" * levels + b")" * levels, limits=limits)

    def walk(c: Cursor) -> None:
        for _ in c.items():
            walk(c)

    nested(depth).skip()
    walk(nested(depth))
    for read in (Cursor.skip, walk):
        with pytest.raises(ProtocolError, match="levels"):
            read(nested(depth + 1))


values = st.recursive(
    st.sampled_from([b"NIL", b"a", b'"x y"', b'"\\")"', b'""', b"{1", b"12", b'"a"b"', b'"a"]'])
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=5).map(lambda found: b"(" + b" ".join(found) + b")"),
    max_leaves=30,
)


@given(values, st.binary(max_size=5))
def test_the_short_way_past_a_list_leads_where_the_long_way_does(value: bytes, rest: bytes) -> None:
    text = b"(" + value + rest
    # With a limit below the depth of the pattern for lists, the loop alone is used.
    short, long = Cursor(Frame(text)), Cursor(Frame(text), limits=Limits(depth=tokens.NESTED - 1))
    if short.accept_match(tokens.LIST) is None:
        return
    try:
        long.skip()
    except ProtocolError:
        assert text.count(b"(") >= tokens.NESTED
    else:
        assert short.pos == long.pos


@given(values)
def test_raw_is_what_skip_passes_over(value: bytes) -> None:
    one, other = cursor(value), cursor(value)
    try:
        frame = one.raw()
    except ProtocolError:
        with pytest.raises(ProtocolError):
            other.skip()
        return
    other.skip()
    assert one.pos == other.pos
    assert frame.text == one.text[: one.pos]


METHODS = sorted({method for _, method, _, _ in TABLE})


@given(st.binary(max_size=60), st.lists(st.sampled_from(METHODS), max_size=8), st.booleans())
def test_nothing_but_protocol_errors(data: bytes, methods: list[str], utf8: bool) -> None:
    c = Cursor(Frame(data), utf8=utf8)
    for method in methods:
        before = c.pos
        try:
            read(c, method)
        except ProtocolError:
            return
        assert before <= c.pos <= len(data)


@given(st.binary())
def test_any_octets_are_some_text(data: bytes) -> None:
    text = decode_text(data)
    assert data in (text.encode("utf-8", "replace"), text.encode("latin-1", "replace"))

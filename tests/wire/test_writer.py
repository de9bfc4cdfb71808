"""Writing tokens: what travels as an atom, a quoted string or a literal, and arrives as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imaplus.errors import InvalidArgument
from imaplus.wire import mailbox_names
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame
from imaplus.wire.framing import Framer
from imaplus.wire.secret import Secret
from imaplus.wire.sets import EMPTY, SequenceSet
from imaplus.wire.sources import Octets
from imaplus.wire.writer import DEFAULT_RULES, EAGER_LITERAL, LONGEST_QUOTED, Rules, Writer

PLUS = Rules(eager=1 << 62)
MINUS = Rules(eager=4096)
UTF8 = Rules(utf8=True)
ALL_RULES = [DEFAULT_RULES, PLUS, MINUS, UTF8, Rules(eager=4096, utf8=True)]

Write = Callable[[Writer], object]


def written(write: Write, rules: Rules = DEFAULT_RULES) -> list[bytes]:
    """The segments of a command, each as octets, without the last line end."""
    out = Writer(rules)
    write(out)
    segments = [
        b"".join(
            piece.data if isinstance(piece.data, bytes) else b"".join(piece.data.chunks())
            for piece in segment
        )
        for segment in out.finish()
    ]
    assert segments[-1].endswith(b"\r\n")
    return [*segments[:-1], segments[-1][:-2]]


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda out: out.raw(b"x y"), b"x y"),
        (lambda out: out.sp(), b" "),
        (lambda out: out.atom("INBOX"), b"INBOX"),
        (lambda out: out.atom_list(["b", "A"]), b"(b A)"),
        (lambda out: out.number(0), b"0"),
        (lambda out: out.number((1 << 64) - 1), b"18446744073709551615"),
        (lambda out: out.sequence_set(SequenceSet.parse("3,1:2,9:*")), b"1:3,9:*"),
        (lambda out: out.flag("\\Seen"), b"\\Seen"),
        (lambda out: out.flag("$Fwd]"), b"$Fwd]"),
        (lambda out: out.flag_list(["b", "\\Seen", "a"]), b"(\\Seen a b)"),
        (lambda out: out.flag_list([]), b"()"),
        (lambda out: out.date(date(1994, 2, 1)), b"1-Feb-1994"),
        (
            lambda out: out.date_time(datetime(1994, 2, 1, tzinfo=UTC)),
            b'" 1-Feb-1994 00:00:00 +0000"',
        ),
        (lambda out: out.astring("a"), b"a"),
        (lambda out: out.astring(""), b'""'),
        (lambda out: out.astring("a b"), b'"a b"'),
        (lambda out: out.astring("nil"), b'"nil"'),
        (lambda out: out.astring("a]"), b'"a]"'),
        (lambda out: out.astring('"\\'), b'"\\"\\\\"'),
        (lambda out: out.astring("{5}"), b'"{5}"'),
        (lambda out: out.astring("\x7f"), b'"\x7f"'),
        (lambda out: out.astring(b"a"), b"a"),
        (lambda out: out.string("a"), b'"a"'),
        (lambda out: out.nstring(None), b"NIL"),
        (lambda out: out.nstring("NIL"), b'"NIL"'),
        (lambda out: out.mailbox("inbox"), b"INBOX"),
        (lambda out: out.mailbox("Entwürfe & mehr"), b'"Entw&APw-rfe &- mehr"'),
        (lambda out: out.mailbox(""), b'""'),
        (lambda out: out.list_mailbox("*"), b'"*"'),
        (lambda out: out.list_mailbox("a/%"), b'"a/%"'),
        (lambda out: out.secret(Secret("YWJj=")), b"YWJj="),
        (lambda out: [out.raw(b"%d" % i) for i, _ in out.separate("abc")], b"0 1 2"),
    ],
)
def test_tokens(write: Write, expected: bytes) -> None:
    assert written(write) == [expected]


@pytest.mark.parametrize(
    "write",
    [
        lambda out: out.atom(""),
        lambda out: out.atom("a b"),
        lambda out: out.atom("a\r\nb"),
        lambda out: out.atom("ä"),
        lambda out: out.atom("a]"),
        lambda out: out.atom(cast(Any, b"a")),
        lambda out: out.atom_list(["a", "b c"]),
        lambda out: out.number(-1),
        lambda out: out.number(1 << 64),
        lambda out: out.sequence_set(EMPTY),
        lambda out: out.flag(""),
        lambda out: out.flag("\\"),
        lambda out: out.flag("\\*"),
        lambda out: out.flag("a b"),
        lambda out: out.flag("a\n"),
        lambda out: out.flag("a)"),
        lambda out: out.flag_list("\\Seen \\Flagged"),
        lambda out: out.flag_list(cast(Any, [b"x"])),
        lambda out: out.flag_list(cast(Any, None)),
        lambda out: out.astring("a\0b"),
        lambda out: out.string("\ud800"),
        lambda out: out.string(Secret("\ud800")),
        lambda out: out.astring(cast(Any, 5)),
        lambda out: out.mailbox(cast(Any, b"INBOX")),
        lambda out: out.mailbox("a\ud800"),
        lambda out: out.secret(Secret("a\r\nb")),
        lambda out: out.secret(Secret("ä")),
    ],
)
def test_what_cannot_be_said(write: Write) -> None:
    with pytest.raises(InvalidArgument):
        written(write)


def test_names_go_in_form_c_unless_the_server_has_listed_them() -> None:
    utf8, listed = Rules(utf8=True), {"e\u0301"}
    for rules, known, name, expected in (
        (utf8, (), "e\u0301", b'"\xc3\xa9"'),
        (utf8, listed, "e\u0301", b'"e\xcc\x81"'),
        (utf8, listed, "a\u0301", b'"\xc3\xa1"'),
        (DEFAULT_RULES, (), "e\u0301", b"e&AwE-"),
        (utf8, (), "\ufffdFC\u0301", b"{3}\r\n"),  # what is no UTF-8 goes in a literal
    ):
        out = Writer(rules, known)
        out.mailbox(name)
        first, *_ = out.finish()
        assert b"".join(piece.data for piece in first).removesuffix(
            b"\r\n"
        ) == expected.removesuffix(b"\r\n")


def test_errors_do_not_show_secrets() -> None:
    for text in ("pass\0word", "pass\ud800word"):
        with pytest.raises(InvalidArgument) as caught:
            Writer().string(Secret(text))
        assert "pass" not in str(caught.value)
    with pytest.raises(InvalidArgument) as caught:
        Writer().secret(Secret("p a s s"))
    assert "p a" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rules", "expected"),
    [
        ("a\nb", DEFAULT_RULES, [b"{3}\r\n", b"a\nb"]),
        ("a\nb", PLUS, [b"{3+}\r\na\nb"]),
        ("a\nb", MINUS, [b"{3+}\r\na\nb"]),
        ("\r" * 4096, MINUS, [b"{4096+}\r\n" + b"\r" * 4096]),
        ("\r" * 4097, MINUS, [b"{4097}\r\n", b"\r" * 4097]),
        ("\r" * 4097, PLUS, [b"{4097+}\r\n" + b"\r" * 4097]),
        ("ä", DEFAULT_RULES, [b"{2}\r\n", b"\xc3\xa4"]),
        ("ä", UTF8, [b'"\xc3\xa4"']),
        (b"\xe4", UTF8, [b"{1}\r\n", b"\xe4"]),
        ("x y" * LONGEST_QUOTED, UTF8, [b"{3000}\r\n", b"x y" * LONGEST_QUOTED]),
        (" " * LONGEST_QUOTED, DEFAULT_RULES, [b'"' + b" " * LONGEST_QUOTED + b'"']),
        (Secret("a\nb"), DEFAULT_RULES, [b"{3}\r\n", b"a\nb"]),
    ],
)
def test_which_literal(text: str, rules: Rules, expected: list[bytes]) -> None:
    assert written(lambda out: out.string(text), rules) == expected


@pytest.mark.parametrize("rules", ALL_RULES)
def test_a_large_literal_asks_first_whatever_the_server_allows(rules: Rules) -> None:
    segments = written(lambda out: out.literal(Octets(b"x" * (EAGER_LITERAL + 1))), rules)
    assert segments[0] == b"{%d}\r\n" % (EAGER_LITERAL + 1)


def test_literal8() -> None:
    assert written(lambda out: out.literal(Octets(b"\0"), binary=True), PLUS) == [b"~{1+}\r\n\0"]
    assert written(lambda out: out.literal(Octets(b"\0"), binary=True)) == [b"~{1}\r\n", b"\0"]
    assert written(lambda out: out.literal(Octets(b""))) == [b"{0}\r\n", b""]


def test_a_mailbox_in_utf8() -> None:
    assert written(lambda out: out.mailbox("ü"), UTF8) == [b'"\xc3\xbc"']


@pytest.mark.parametrize("rules", ALL_RULES)
@pytest.mark.parametrize("text", ["abc", "a b", "a\nb", "ä", "x" * 2000])
def test_pieces_that_are_secret_are_marked_and_no_others(text: str, rules: Rules) -> None:
    out = Writer(rules)
    out.raw(b"LOGIN ")
    out.astring("ada")
    out.sp()
    out.astring(Secret(text))
    pieces = [piece for segment in out.finish() for piece in segment]
    shown = b"".join(cast(bytes, piece.data) for piece in pieces if not piece.secret)
    hidden = b"".join(cast(bytes, piece.data) for piece in pieces if piece.secret)
    assert text.encode() not in shown
    assert hidden.strip(b'"') == text.encode()
    assert shown.startswith(b"LOGIN ada ")


def test_parentheses() -> None:
    def write(out: Writer) -> None:
        with out.parens():
            for _, text in out.separate(["a", "b c", ""]):
                out.astring(text)

    assert written(write) == [b'(a "b c" "")']


TEXTS = st.text(
    st.sampled_from('ab \t\r\n"\\{}()*%&-]+~äß😀\x7f5') | st.characters(exclude_categories=["Cs"])
).filter(lambda text: "\0" not in text)


def read_back(segments: list[bytes]) -> Frame:
    """What a server makes of the command: one frame, and it waits at the end of each segment."""
    framer = Framer()
    for segment in segments:
        assert framer.next_frame() is None
        framer.feed(segment)
    framer.feed(b"\r\n")
    frame = framer.next_frame()
    assert frame is not None
    assert framer.next_frame() is None
    assert not framer.inside_response
    return frame


@given(st.lists(TEXTS, max_size=4), st.sampled_from(ALL_RULES))
@example(["x" * 100_000, "{5}", "a\r\nA1 LOGOUT\r\n"], DEFAULT_RULES)
@example(["{5+}\r\n", "", "NIL", '"'], PLUS)
def test_any_text_arrives_as_it_was_in_one_command(texts: list[str], rules: Rules) -> None:
    def write(out: Writer) -> None:
        out.raw(b"A1 X")
        for text in texts:
            out.sp()
            out.astring(text)
            out.sp()
            out.nstring(text)
            out.sp()
            out.mailbox(text)
            out.raw(b" (")
            out.string(Secret(text))
            out.raw(b")")

    c = Cursor(read_back(written(write, rules)), utf8=rules.utf8)
    assert (c.atom(), c.accept_sp(), c.atom()) == ("A1", True, "X")
    for text in texts:
        c.sp()
        assert c.astring() == text.encode()
        c.sp()
        assert c.nstring() == text.encode()
        c.sp()
        name = mailbox_names.normalise(text)
        assert c.mailbox() == (mailbox_names.compose(name) if rules.utf8 else name)
        c.expect(b" ")
        for _ in c.items():
            assert c.string() == text.encode()
    assert c.at_end()


@given(st.binary().filter(lambda data: b"\0" not in data), st.sampled_from(ALL_RULES))
def test_any_octets_arrive_as_they_were(data: bytes, rules: Rules) -> None:
    c = Cursor(read_back([b"A ", *written(lambda out: out.string(data), rules)]))
    c.atom()
    c.sp()
    assert c.string() == data
    assert c.at_end()


@given(st.text())
def test_nothing_that_is_no_string_changes_the_number_of_lines(text: str) -> None:
    for method in ("atom", "flag", "mailbox", "list_mailbox", "astring"):
        try:
            segments = written(lambda out: getattr(out, method)(text))  # noqa: B023
        except InvalidArgument:
            continue
        frame = read_back([b"A1 ", *segments])
        assert frame.text.count(b"\n") == len(frame.literals)

"""One value as nested lists: the same tokens as the cursor's, whatever the octets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import ProtocolError
from imaplus.wire.cursor import Cursor
from imaplus.wire.framing import Framer
from imaplus.wire.tree import MAX_OCTETS, Tree, tree


def cursor(value: bytes) -> Cursor:
    framer = Framer()
    framer.feed(value + b"\r\n")
    frame = framer.next_frame()
    assert frame is not None
    return Cursor(frame)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"NIL", None),
        (b"atom", "atom"),
        (b'"NIL"', "NIL"),
        (b"()", []),
        (b'(a "b c" NIL nil 12 () (("d")))', ["a", "b c", None, None, "12", [], [["d"]]]),
        (b'("a"(b)c"d"("e"))', ["a", ["b"], "c", "d", ["e"]]),
        (b'( "a"   "b"\t( c ) )', ["a", "b", ["c"]]),
        (b'("a\\"b\\\\" "")', ['a"b\\', ""]),
        (b'("a"b" "c")', ['a"b', "c"]),  # quirk 10
        (b'("_x"" "y")', ['_x"', "y"]),
        (b'({3}\r\n()" {0}\r\n ~{1}\r\n\0)', ['()"', "", "\0"]),
        (b'("\xc3\xa9" "\xe9" \xe9)', ["é", "é", "é"]),  # quirk 74
        (b'("{3}" a{b)', ["{3}", "a", "{", "b"]),
        (b"(-1 9.3736e+06 NILS)", ["-1", "9.3736e+06", "NILS"]),
    ],
)
def test_values(value: bytes, expected: Tree) -> None:
    c = cursor(value + b" rest")
    assert tree(c) == expected
    assert c.rest() == b" rest"


@pytest.mark.parametrize("value", [b"(", b")", b'("a)', b"((a)", b'"', b'("a" "b)'])
def test_what_is_no_value(value: bytes) -> None:
    with pytest.raises(ProtocolError):
        tree(cursor(value))


def test_a_value_has_a_greatest_size() -> None:
    half = b'"' + b"a" * (MAX_OCTETS // 2 - 4) + b'"'
    assert tree(cursor(b"(%b %b)" % (half, half)))
    with pytest.raises(ProtocolError, match="exceeds"):
        tree(cursor(b"(%b %b    )" % (half, half + half)))


def test_depth_is_bounded_and_costs_no_recursion() -> None:
    value: Any = tree(cursor(b"(" * 128 + b")" * 128))
    for _ in range(127):
        (value,) = value
    with pytest.raises(ProtocolError, match="levels"):
        tree(cursor(b"(" * 129 + b")" * 129))


def test_a_literal_that_went_elsewhere_is_no_text() -> None:
    c = cursor(b"({1}\r\na)")
    with pytest.raises(ProtocolError):
        tree(Cursor(c.raw()._replace(literals=(object(),))))


lists = st.recursive(
    st.none() | st.text('ab \\"()é\n', max_size=5),
    lambda values: st.lists(values, max_size=5),
    max_leaves=20,
)


def spelled(value: Tree) -> bytes:
    if value is None:
        return b"NIL"
    if isinstance(value, list):
        return b"(%b)" % b" ".join(map(spelled, value))
    data = value.encode()
    if b"\n" in data:
        return b"{%d}\r\n%b" % (len(data), data)
    return b'"%b"' % data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


@given(lists)
def test_any_list_comes_back(value: Tree) -> None:
    assert tree(cursor(spelled(value))) == value


@given(st.text('()"\\ {1}a\r\n').map(str.encode))
def test_octets_are_a_value_or_refused(octets: bytes) -> None:
    framer = Framer()
    framer.feed(b"(" + octets + b")\r\n")
    while (frame := framer.next_frame()) is not None:
        try:
            tree(Cursor(frame))
        except ProtocolError:
            continue

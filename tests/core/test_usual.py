"""What the patterns for usual envelopes, body structures and dates give, the general readers do."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imaplus.core.bodystructure import bodystructure
from imaplus.core.bulk.envelopes import read_envelope, usual_envelope
from imaplus.core.bulk.structures import read_structure, usual_body
from imaplus.core.envelope import envelope
from imaplus.errors import ProtocolError
from imaplus.wire.cursor import Cursor
from imaplus.wire.dates import parse_header_date
from imaplus.wire.frames import Frame

TEXTS = [b"NIL", b'"a"', b'""', b'"(x"', b'"A B"', b'"\xe4"', b'"\xc3\xa4"', b"{2}\r\n", b'"NIL"']
ODD = [b'"{1}"', b'"<a@b"', b'"x\\"y"', b"nil", b"atom", b'"a"b"', b"7", b'".MISSING-HOST-NAME."']
strings = st.sampled_from([*TEXTS, *ODD, b'"inline"'])
numbers = st.sampled_from([b"0", b"7", b"007", b"-1", b"9.3e+06", b"99999999999999999999", b"NIL"])
addresses = st.lists(st.lists(strings, min_size=3, max_size=5).map(b" ".join), max_size=3).map(
    lambda found: b"(" + b"".join(b"(%b)" % each for each in found) + b")" if found else b"NIL"
)


def frame(text: bytes) -> Frame:
    return Frame(text, (b"li",) * text.count(b"\r\n"))


@settings(max_examples=500)
@given(st.tuples(strings, strings, *[addresses] * 6, strings, strings), st.integers(8, 10))
def test_usual_envelopes(fields: tuple[bytes, ...], count: int) -> None:
    text = b"(" + b" ".join(fields[:count]) + b")"
    usual, general = Cursor(frame(text)), Cursor(frame(text))
    try:
        expected = envelope(general)
    except ProtocolError:
        with pytest.raises(ProtocolError):
            read_envelope(usual)
        return
    assert read_envelope(usual) == expected
    assert usual.mark() == general.mark()


@pytest.mark.parametrize(
    "text",
    [
        b'("d" NIL (("n" NIL "m" "h")("n" NIL "m" "h")) NIL NIL NIL NIL NIL "r" "i")',
        b'("d" {2}\r\n (({2}\r\n NIL "m" "h")) NIL NIL NIL NIL NIL NIL {2}\r\n)',
    ],
)
def test_an_envelope_of_the_grammar_is_usual(text: bytes) -> None:
    found = usual_envelope(text.decode(), 0, iter(["li"] * 3))
    assert found is not None
    assert found[1] == len(text)


params = st.lists(strings, max_size=4).map(lambda x: b"(" + b" ".join(x) + b")" if x else b"NIL")
dispositions = st.just(b"NIL") | st.tuples(strings, params).map(lambda x: b"(%b %b)" % x)
languages = strings | st.lists(strings, max_size=2).map(lambda x: b"(" + b" ".join(x) + b")")
extensions = st.one_of(
    st.just(()), st.tuples(strings), st.tuples(strings, dispositions, languages, strings)
)
kinds = st.sampled_from(
    [b'"text"', b'"TEXT"', b'"image"', b'"message"', b'"multipart"', b"NIL", b'""']
)
singles = st.tuples(
    st.tuples(kinds, strings, params, strings, strings, strings, numbers),
    st.one_of(st.just(()), st.tuples(numbers)),
    extensions,
).map(lambda groups: b"(" + b" ".join(each for group in groups for each in group) + b")")
envelopes_ = st.sampled_from(
    [
        b'("d" {2}\r\n (("n" NIL "m" "h")({2}\r\n NIL "m" "h")) NIL NIL NIL NIL NIL NIL "<i>")',
        b'("" NIL ((NIL NIL "m" "h")) ((NIL NIL "m" "h")) ((NIL NIL "m" "h")) NIL NIL NIL NIL "r")',
        b'(NIL "s")',
        b"NIL",
    ]
)


def messages(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Parts that hold a message, more or less as the grammar has them."""
    return st.tuples(
        st.sampled_from([b'"message" "rfc822"', b'"MESSAGE" "global"', b'"message" "partial"']),
        params,
        st.sampled_from([b'NIL NIL "7bit" 9', b'"<i>" "d" "8BIT" 0', b'NIL NIL "7bit" 9 1']),
        envelopes_,
        inner,
        numbers,
        extensions,
    ).map(lambda x: b"(" + b" ".join([*x[:6], *x[6]]) + b")")


structures = st.recursive(
    singles,
    lambda inner: (
        messages(inner)
        | st.tuples(
            st.lists(inner, min_size=1, max_size=3),
            strings,
            st.one_of(
                st.just(()), st.tuples(params), st.tuples(params, dispositions, languages, strings)
            ),
        ).map(lambda x: b"(" + b"".join(x[0]) + b" " + b" ".join([x[1], *x[2]]) + b")")
    ),
    max_leaves=4,
)


@settings(max_examples=500)
@given(structures)
@example(b'(("text" "plain" ("charset" "x") NIL NIL "7bit" 1 2 NIL NIL NIL NIL) "mixed")')
@example(b'("image" "png" NIL NIL NIL "base64" 9 NIL ("attachment" ("filename" "a")) "de" NIL)')
def test_usual_body_structures(text: bytes) -> None:
    usual, general = Cursor(frame(text)), Cursor(frame(text))
    try:
        expected = bodystructure(general)
    except ProtocolError:
        with pytest.raises(ProtocolError):
            read_structure(usual)
        return
    assert read_structure(usual) == expected
    assert usual.mark() == general.mark()


def test_body_structures_of_the_grammar_are_usual() -> None:
    single = b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 1 2 NIL NIL NIL NIL)'
    fields = b"NIL {2}\r\n NIL NIL NIL NIL NIL NIL NIL NIL"
    message = b'("message" "rfc822" NIL NIL NIL "7bit" 9 (%b) %b 7)' % (fields, single)
    for text in (
        single,
        message,
        b'(%b%b "mixed" ("boundary" "b" "x" "y") NIL NIL NIL)' % (single, message),
    ):
        assert usual_body(Cursor(frame(text))) is not None


def test_parts_that_begin_alike_share_nothing_that_can_be_changed() -> None:
    text = b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 1 2)'
    first, second = usual_body(Cursor(Frame(text))), usual_body(Cursor(Frame(text)))
    assert first == second
    assert first is not None
    assert second is not None
    assert first.params is not second.params


def test_neither_depth_nor_number_of_parts_is_without_bound() -> None:
    single = b'("text" "plain" NIL NIL NIL "7bit" 1 2)'
    deep = b"(" * 100 + single + b' "mixed")' * 100
    head, fields = b'("message" "rfc822" NIL NIL NIL "7bit" 9 ', b"(%b) " % b" ".join([b"NIL"] * 10)
    within = (head + fields) * 100 + single + b" 7)" * 100
    assert usual_body(Cursor(Frame(within))) is None
    wide = b"(" + single * 2000 + b' "mixed")'
    assert usual_body(Cursor(Frame(deep))) is None
    assert usual_body(Cursor(Frame(wide))) is None


dates = st.builds(
    "{}{} {} {} {}:{}:{} {}".format,
    st.sampled_from(["", "Mon, ", "Sun, ", "mon, ", "Xyz, "]),
    st.integers(0, 32),
    st.sampled_from(["Jan", "Feb", "Dec", "jan", "Foo"]),
    st.sampled_from(["1994", "2026", "1000", "0050", "9999", "0001", "99"]),
    st.integers(0, 25).map("{:02}".format),
    st.sampled_from(["00", "59", "60"]),
    st.sampled_from(["00", "59", "60"]),
    st.sampled_from(["+0000", "-0000", "+0530", "-0800", "+2359", "+2400", "GMT", "+9900"]),
)


@settings(max_examples=500)
@given(dates)
@example("Thu, 1 Jan 2015 00:25:13 +0000")
def test_usual_dates(text: str) -> None:
    found = parse_header_date(text)
    if found is None:
        return
    expected = parsedate_to_datetime(text)
    assert found == (expected if expected.tzinfo else expected.replace(tzinfo=UTC))
    assert found.utcoffset() == (expected.utcoffset() or UTC.utcoffset(None))


def test_a_date_of_the_grammar_is_usual() -> None:
    assert parse_header_date("Thu, 1 Jan 2015 00:25:13 +0000") is not None

"""ENVELOPE: the grammar in both directions, groups, dates, and that rubbish is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.core.envelope import Address, Envelope, envelope
from imaplus.errors import ProtocolError

from .reading import cursor
from .spelling import spell

GRAY = Address("Terry Gray", "gray", "cac.washington.edu")

# RFC 9051, 7.5.2 and 8
RFC_EXAMPLE = (
    b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" '
    b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
    b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
    b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
    b'((NIL NIL "imap" "cac.washington.edu")) '
    b'((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) '
    b'NIL NIL "<B27397-0100000@cac.washington.edu>")'
)


def test_the_example_of_the_rfc() -> None:
    found = envelope(cursor(RFC_EXAMPLE))
    assert found == Envelope(
        "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
        "IMAP4rev2 WG mtg summary and minutes",
        (GRAY,),
        (GRAY,),
        (GRAY,),
        (Address(None, "imap", "cac.washington.edu"),),
        (
            Address(None, "minutes", "CNRI.Reston.VA.US"),
            Address("John Klensin", "KLENSIN", "MIT.EDU"),
        ),
        (),
        None,
        "<B27397-0100000@cac.washington.edu>",
    )
    assert found.date == datetime(1996, 7, 17, 2, 23, 25, tzinfo=timezone(timedelta(hours=-7)))
    assert found.from_[0].email == "gray@cac.washington.edu"


def test_it_takes_its_value_and_no_more() -> None:
    c = cursor(RFC_EXAMPLE + b" UID 7)")
    envelope(c)
    assert c.rest() == b" UID 7)"


def addresses(value: bytes) -> tuple[Address, ...]:
    return envelope(cursor(b"(NIL NIL NIL NIL NIL %b NIL NIL NIL NIL)" % value)).to


GROUP = b'(NIL NIL "friends" NIL)'
END = b"(NIL NIL NIL NIL)"
ADA = b'("Ada" NIL "ada" "example.org")'
ada = Address("Ada", "ada", "example.org")
friend = Address("Ada", "ada", "example.org", "friends")
empty = Address(None, None, None, "friends")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"NIL", ()),
        (b"()", ()),
        (b"(%b)" % ADA, (ada,)),
        (b"(%b%b%b)" % (GROUP, ADA, END), (friend,)),
        (b"(%b%b%b%b%b)" % (ADA, GROUP, ADA, END, ADA), (ada, friend, ada)),
        (b"(%b%b)" % (GROUP, END), (empty,)),
        (b"(%b%b%b%b%b)" % (GROUP, END, GROUP, ADA, END), (empty, friend)),
        # no end, no group
        (b"(%b%b)" % (GROUP, ADA), (Address(None, "friends", None), ada)),
        (b"(%b%b)" % (ADA, END), (ada,)),
        (b'((NIL NIL "=?utf-8?Q?=C3=A9?=" NIL)%b)' % END, (Address(None, None, None, "é"),)),
        # an obsolete source route is dropped
        (b'(("Ada" "@a,@b" "ada" "example.org"))', (ada,)),
    ],
)
def test_address_lists(value: bytes, expected: tuple[Address, ...]) -> None:
    assert addresses(value) == expected


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (ada, "Ada <ada@example.org>"),
        (Address(None, "ada", "example.org"), "ada@example.org"),
        (Address("=?utf-8?Q?=C3=89va?=", "eva", "example.org"), "Éva <eva@example.org>"),
        (Address('Lovelace, "A"', "a", "b"), '"Lovelace, \\"A\\"" <a@b>'),
        (Address(None, "root", None), "root"),
        (Address("Somebody", None, None), "Somebody"),
        (Address(None, None, None, "friends"), "friends:;"),
        (Address(None, None, None), ""),
    ],
)
def test_an_address_to_read(address: Address, text: str) -> None:
    assert str(address) == text


def with_date(text: str) -> Envelope:
    return Envelope(text, None, (), (), (), (), (), (), None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 7 Feb 1994 21:52:25 -0800 (PST)", "1994-02-07T21:52:25-08:00"),
        ("7 Feb 94 21:52 GMT", "1994-02-07T21:52:00+00:00"),
        ("Mon, 7 Feb 1994 21:52:25 -0000", "1994-02-07T21:52:25+00:00"),
        ("Mon, 7 Feb 1994 21:52:25", "1994-02-07T21:52:25+00:00"),
    ],
)
def test_dates(text: str, expected: str) -> None:
    date = with_date(text).date
    assert date is not None
    assert date.isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "yesterday",
        "Mon, 32 Feb 1994 21:52:25 +0000",
        "Mon, 7 Feb 1994 21:52:25 +9999",
        "Fri, 31 Dec 9999 23:59:59 -0100",
        "1 Jan 1 00:00:00 +99999999999",
        "Mon, " + "7" * 5000 + " Feb 1994 21:52:25 +0000",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert with_date(text).date is None


@given(st.one_of(st.text(), st.text(alphabet="Mon, 7Feb19:+-()Z ")))
def test_a_date_is_aware_or_none(text: str) -> None:
    date = with_date(text).date
    assert date is None or date.astimezone(UTC) == date


def test_texts_are_decoded_when_they_are_asked_for() -> None:
    found = envelope(cursor(b'(NIL "=?utf-8?Q?=C3=A9?=" NIL NIL NIL NIL NIL NIL NIL NIL)'))
    assert found.raw_subject == "=?utf-8?Q?=C3=A9?="
    assert found.subject == "é"
    assert envelope(cursor(b'(NIL "" NIL NIL NIL NIL NIL NIL NIL NIL)')).subject == ""
    assert envelope(cursor(b"NIL")).subject is None


def test_a_text_may_be_a_literal() -> None:
    value = b'(NIL {3}\r\n"\\( (({2}\r\n\r\n NIL {1}\r\na "b")) NIL NIL NIL NIL NIL NIL NIL)'
    found = envelope(cursor(value))
    assert found.subject == '"\\('
    assert found.from_ == (Address("\r\n", "a", "b"),)


@pytest.mark.parametrize(
    "value",
    [
        b'"text"',
        b"(NIL ())",
        b"(NIL NIL text)",
        b"(NIL NIL (text))",
        b'(NIL NIL (("three" NIL "fields")))',
        b'(NIL NIL (("a" NIL ("b") "c")))',
        b"(NIL",
        b")",
    ],
)
def test_what_is_no_envelope(value: bytes) -> None:
    with pytest.raises(ProtocolError):
        envelope(cursor(value))


@given(st.one_of(st.binary(), st.text(alphabet='()"\\ {1}\r\nNIL<@>').map(str.encode)))
def test_octets_parse_or_are_refused(value: bytes) -> None:
    try:
        c = cursor(b"(" + value.replace(b"\n", b"") + b")")
    except ValueError:  # not one frame
        return
    try:
        found = envelope(c)
    except ProtocolError:
        return
    _ = found.subject, found.date, [str(address) for address in (*found.from_, *found.to)]


text = st.text(st.characters(codec="utf-8"), max_size=12)
nstring = st.none() | text
# What the tolerance for broken servers takes for something else is left out: "<", ">", nothing.
name = st.none() | text.filter(lambda s: not s.startswith("<"))
word = st.text('abcäö 01."\\()', min_size=1, max_size=8)
some_addresses = st.lists(st.builds(Address, name, word, word), max_size=3).map(tuple)
envelopes = st.builds(Envelope, nstring, nstring, *[some_addresses] * 6, nstring, nstring)


def fields(value: Envelope) -> list[object]:
    def entries(found: tuple[Address, ...]) -> list[object] | None:
        return [[a.raw_name, None, a.mailbox, a.host] for a in found] or None

    return [
        value.raw_date,
        value.raw_subject,
        *map(entries, (value.from_, value.sender, value.reply_to, value.to, value.cc, value.bcc)),
        value.in_reply_to,
        value.message_id,
    ]


@given(envelopes, st.randoms(use_true_random=False))
def test_any_envelope_comes_back(value: Envelope, random: object) -> None:
    assert envelope(cursor(spell(fields(value), random))) == value

"""Mailbox names: nothing that a server lists is lost, nothing that a user types is changed."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import InvalidArgument
from imaplus.wire.mailbox_names import (
    compose,
    decode,
    decode_utf8,
    encode,
    encode_utf8,
    normalise,
    printable,
    same,
    with_surrogates,
)

# Arbitrary octets hardly ever make a shift, so these are made of what shifts are made of.
raw_names = st.one_of(
    st.binary(max_size=40),
    st.lists(
        st.sampled_from(
            b"& - &- A AOQ &AOQ- &AOQA5A- &AGE- &AAk- 2D3eAA &2D0- , + / = \xe4 \xc3\xa4 \0".split()
        ),
        max_size=12,
    ).map(b"".join),
)
names = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="&-aA,/ä台\U0001f600\t\x7f ~", max_size=20),
)


@given(raw_names)
def test_octets_survive(raw: bytes) -> None:
    assert encode(decode(raw)) == raw
    assert encode_utf8(decode_utf8(raw)) == raw


@given(raw_names)
def test_names_can_be_printed_and_kept(raw: bytes) -> None:
    for name, back in ((decode(raw), encode), (decode_utf8(raw), encode_utf8)):
        name.encode()
        assert back(json.loads(json.dumps(name))) == raw
        assert back(pickle.loads(pickle.dumps(name))) == raw
        assert back(with_surrogates(name)) == raw  # as earlier versions gave it
        assert printable(with_surrogates(name)) == name


@given(names)
def test_names_survive(name: str) -> None:
    assert decode(encode(name)) == name
    assert decode_utf8(encode_utf8(name)) == name


@given(names)
def test_what_is_sent_is_printable_ascii(name: str) -> None:
    assert all(0x20 <= octet <= 0x7E for octet in encode(name))


@given(raw_names, raw_names)
def test_two_names_of_a_server_are_two_names_here(one: bytes, other: bytes) -> None:
    assert (decode(one) == decode(other)) == (one == other)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("", b""),
        ("INBOX", b"INBOX"),
        ("A&B", b"A&-B"),
        ("&&", b"&-&-"),
        ("Entwürfe", b"Entw&APw-rfe"),
        ("ä&ö", b"&AOQ-&-&APY-"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  # RFC 3501, 5.1.3
        ("☺!", b"&Jjo-!"),  # RFC 2152's example
        ("\U0001f600", b"&2D3eAA-"),
        ("\t\x7f\x00", b"&AAkAfwAA-"),
    ],
)
def test_modified_utf7(name: str, raw: bytes) -> None:
    assert encode(name) == raw
    assert decode(raw) == name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"&AGE-", "\ufffd26AGE-"),  # "a" needs no shift
        (b"&AOQAYQ-", "\ufffd26AOQAYQ-"),  # nor does the second half of this
        (b"&AOQ-&AOQ-", "ä\ufffd26AOQ-"),  # one shift would have done (RFC 3501, 5.1.3)
        (b"&AOQ-&AOQ-&AOQ-", "ä\ufffd26AOQ-ä"),
        (b"&AOR-", "\ufffd26AOR-"),  # bits left over
        (b"&AOQ", "\ufffd26AOQ"),
        (b"&AOQ=-", "\ufffd26AOQ=-"),
        (b"&AO/-", "\ufffd26AO/-"),
        (b"&A-", "\ufffd26A-"),
        (b"&2D0-", "\ufffd262D0-"),  # half of a surrogate pair
        (b"&3AA-", "\ufffd263AA-"),
        (b"&", "\ufffd26"),
        (b"&&-", "\ufffd26&"),
        (b"Entw\xfcrfe", "Entw\ufffdFCrfe"),
        (b"Da\tOggetto", "Da\ufffd09Oggetto"),  # quirk 40
        (b"&BBAEMQQyACYEMwQ0BDU-", "\ufffd26BBAEMQQyACYEMwQ0BDU-"),  # quirk 92: Yandex
        (b"&,,0-", "\ufffd"),  # U+FFFD itself, which a server may hold
        (b"&,,0-AB", "\ufffd26,,0-AB"),  # the same, where it would be taken for an octet
        (b"&,,0-41", "\ufffd41"),  # no octet is shown like this
    ],
)
def test_what_is_not_modified_utf7_is_kept(raw: bytes, name: str) -> None:
    assert decode(raw) == name
    assert encode(name) == raw


def test_a_name_read_before_utf8_was_enabled_can_still_be_sent() -> None:
    assert encode_utf8("a\ufffd26\ufffdFC") == b"a&\xfc"
    assert decode_utf8(b"Entw\xc3\xbcrfe \xfc &AOQ-") == "Entwürfe \ufffdFC &AOQ-"


@pytest.mark.parametrize("name", ["\ud800", "a\udbff", "\udfff\udc80"])
def test_other_surrogates_are_refused(name: str) -> None:
    with pytest.raises(InvalidArgument):
        encode(name)
    with pytest.raises(InvalidArgument):
        encode_utf8(name)


@pytest.mark.parametrize("unit", [b"&", b"&A", b"&-", b"&AOQ-", b"\xff", b"&AGE-"])
def test_a_megabyte_is_no_work(unit: bytes) -> None:
    raw = unit * (2**20 // len(unit))
    assert encode(decode(raw)) == raw
    raw = b"&" + b"A" * 2**20
    assert encode(decode(raw)) == raw


@pytest.mark.parametrize("name", ["INBOX", "inbox", "Inbox", "iNBOX"])
def test_inbox_in_any_case(name: str) -> None:
    assert normalise(name) == "INBOX"
    assert same(name, "INBOX")


@pytest.mark.parametrize("name", ["ınbox", "inbox/x", "Work", "INBOX "])
def test_other_names_are_as_they_are(name: str) -> None:
    assert normalise(name) == name
    assert not same(name, "INBOX")
    assert not same("Work", "work")


def test_names_in_form_c() -> None:
    assert compose("cafe\u0301") == "caf\u00e9"
    assert compose("\ufffdFC\u0301") == "\ufffdFC\u0301"  # the C is a digit of an octet's
    assert compose("Cafe") == "Cafe"
    assert same("cafe\u0301", "caf\u00e9")
    assert not same("cafe", "caf\u00e9")


def test_both_spellings_of_an_octet_are_of_one_mailbox() -> None:
    assert same("bad\udcff", "bad\ufffdFF")
    assert encode_utf8("bad\udcff") == encode_utf8("bad\ufffdFF") == b"bad\xff"

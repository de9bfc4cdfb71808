"""RFC 2047 and RFC 2231: what senders write, and that nothing raises."""

from __future__ import annotations

import sys
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.core.encoded_words import (
    charset_codec,
    decode_charset,
    decode_parameter,
    decode_words,
)

WORDS = [
    # RFC 2047, section 8
    ("=?ISO-8859-1?Q?a?=", "a"),
    ("=?ISO-8859-1?Q?a?= b", "a b"),
    ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
    ("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab"),
    ("=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=", "ab"),
    ("=?ISO-8859-1?Q?a_b?=", "a b"),
    ("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
    ("=?US-ASCII?Q?Keith_Moore?=", "Keith Moore"),
    (
        (
            "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n"
            " =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?="
        ),
        "If you can read this you understand the example.",
    ),
    # RFC 2231, section 5
    ("=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"),
    # plain
    ("", ""),
    ("plain", "plain"),
    ("folded\r\n text\n too", "folded text too"),
    ("a =?utf-8?q?b?= c", "a b c"),
    ("\t=?utf-8?q?b?=", "\tb"),
    # characters cut in half, and not
    ("=?utf-8?B?w6kgw?= =?utf-8?B?6k=?=", "é \ufffd"),  # base64 cut where it cannot be
    ("=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é"),
    ("=?utf-8?B?4oI=?=\r\n =?UTF-8?Q?=AC?=", "€"),
    ("=?iso-2022-jp?B?GyRCJCIbKEI=?=", "あ"),
    # what broken senders write
    ("=?utf-8?Q?What? Now?=", "What? Now"),
    ("=?utf-8?Q?a=?=", "a"),
    ("=?utf-8?Q?=zz=4?=", "=zz=4"),
    ("=?utf-8?B?YWI?=", "ab"),
    ("=?utf-8?B?YWJjZ?=", "abc"),
    ("=?utf-8?B??=", ""),
    ("=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"),
    ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
    ("=?utf-8?Q?a", "=?utf-8?Q?a"),
    ("=?=?utf-8?Q?a?=", "=?a"),
    ("x=?utf-8?Q?=C3=A9?=y", "xéy"),
    # charsets
    ("=?no-such?Q?=C3=A9?=", "é"),
    ("=?no-such?Q?=E9?=", "é"),
    ("=?us-ascii?Q?=E9?=", "é"),
    ("=?utf-8?Q?a=E9b?=", "a\ufffdb"),
    ("=?gb2312?B?gTCBMQ==?=", "\x81"),  # GB 18030, as which it is labelled more often than not
    ("=?ks_c_5601-1987?B?jGM=?=", "똠"),  # in CP949 only
    ("=?rot13?Q?uryyb?=", "uryyb"),
    ("=?hex?Q?6869?=", "6869"),
    ("=?unicode_escape?Q?=5Cu0041?=", "\\u0041"),
]


@pytest.mark.parametrize(("raw", "text"), WORDS)
def test_words(raw: str, text: str) -> None:
    assert decode_words(raw) == text


@given(st.text(), st.sampled_from(["utf-8", "UTF-8"]), st.integers(1, 40))
def test_any_text_cut_anywhere_comes_back(text: str, charset: str, size: int) -> None:
    data = text.encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    words = [f"=?{charset}?b?{b64encode(piece).decode()}?=" for piece in pieces]
    assert decode_words("\r\n ".join(words)) == text


fragments = "=? ?= utf-8 iso-2022-jp utf-7 utf-16 hz ?q? ?B? = a YQ== =41 é \ud800 \0 ?".split(" ")
pieces = st.sampled_from([*fragments, " ", "\n"])


@given(st.one_of(st.text(), st.lists(pieces).map("".join)))
def test_nothing_raises(text: str) -> None:
    decode_words(text)
    decode_parameter({"name": text, "filename*": text, "x*0*": text, "x*1": text}, "name")
    decode_parameter({"name*": text}, "name")
    decode_parameter({"name*0*": text, "name*1": text, "name*2*": text}, "name")


@given(st.text(max_size=20), st.binary(max_size=40))
def test_no_charset_raises(charset: str, data: bytes) -> None:
    decode_charset(data, charset)


@given(st.binary(max_size=40))
def test_no_octets_raise_in_any_charset(data: bytes) -> None:
    from imaplus.core.encoded_words import _CHARSETS

    for codec in set(_CHARSETS.values()):
        decode_charset(data, codec)


def test_no_module_is_imported_by_a_strangers_name() -> None:
    before = set(sys.modules)
    for name in ("idna", "punycode", "zlib_codec", "../../x", "no_such_charset", "bz2", "uu"):
        assert charset_codec(name) is None
        decode_charset(b"x", name)
    assert not {name for name in set(sys.modules) - before if name.startswith("encodings.")}


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({}, None),
        ({"name": "a.txt"}, "a.txt"),
        ({"name": "=?utf-8?Q?=C3=A9.txt?="}, "é.txt"),
        ({"name*": "utf-8''%e2%82%ac%20rates"}, "€ rates"),
        ({"name*": "iso-8859-1'en'%A3%20rates", "name": "rates"}, "£ rates"),
        ({"name*0": "a", "name*1": "b", "name*2": "c", "name*4": "e"}, "abc"),
        # RFC 2231, section 4.1
        (
            {
                "name*0*": "us-ascii'en'This%20is%20even%20more%20",
                "name*1*": "%2A%2A%2Afun%2A%2A%2A%20",
                "name*2": "isn't it!",
            },
            "This is even more ***fun*** isn't it!",
        ),
        ({"name*0*": "utf-8''%e2", "name*1*": "%82", "name*2*": "%ac"}, "€"),
        ({"name*0": "100%25", "name*1*": "%25"}, "100%25%"),
        ({"name*": "no charset %41"}, "no charset A"),
        ({"name*": "utf-8''%zz%4"}, "%zz%4"),
        ({"name*1": "b"}, None),
    ],
)
def test_parameters(params: dict[str, str], name: str | None) -> None:
    assert decode_parameter(params, "name") == name

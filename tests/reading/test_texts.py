"""Texts of parts: valid and invalid transfer encodings and charsets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imaplus.core.encoded_words import charset_codec
from imaplus.core.parts import Part, TextPart
from imaplus.reading.choosing import choose
from imaplus.reading.local import take_apart
from imaplus.reading.texts import content_of, decode_charset, text_of

from .weird import HOPELESS, SOUND, WEIRD

ENCODINGS = ["7bit", "8bit", "base64", "quoted-printable", "x-uuencode", "", "x-foo", "BASE64;"]
CHARSETS = ["utf-8", "us-ascii", "utf-7", "utf-16", "gb2312", "iso-2022-jp", "hz", "x", "", "rot13"]


@given(st.binary(max_size=200), st.sampled_from(ENCODINGS), st.sampled_from(CHARSETS))
def test_nothing_raises(data: bytes, encoding: str, charset: str) -> None:
    for subtype in ("plain", "html"):
        part = TextPart("1", "text", subtype, {"charset": charset}, encoding=encoding)
        text, problems = text_of(data, part)
        text.encode()  # no lone surrogate is in it
        assert "\r" not in text
        assert all(problem.section == "1" and problem.text for problem in problems)


@given(st.text())
def test_what_is_right_is_told_without_a_problem(text: str) -> None:
    assert decode_charset(text.encode(), "utf-8") == (text.removeprefix("\ufeff"), "")


def test_every_charset_that_python_has_is_known_by_its_name() -> None:
    for name in ("koi8-u", "windows-874", "iso-8859-16", "euc-jp", "macintosh", "cp866"):
        assert charset_codec(name)
        assert decode_charset(b"abc", name) == ("abc", "")


def test_a_charset_is_a_charset_and_nothing_else() -> None:
    assert decode_charset(b"abc", "rot13") == ("abc", "")
    assert decode_charset(b"616263", "hex") == ("616263", "")


def test_content_that_is_damaged_is_decoded_as_far_as_possible() -> None:
    part = Part("2", "application", "pdf", encoding="base64")
    assert content_of(b"SGVsbG8=", part) == (b"Hello", ())
    content, problems = content_of(b"SGVs\x00bG8", part)
    assert content == b"Hello"
    assert [str(each) for each in problems] == [
        "part 2: the base64 is damaged: decoded as far as possible"
    ]


def test_a_message_is_taken_apart_as_a_server_does_it() -> None:
    """Without BODYSTRUCTURE the text is the same."""
    for name, weird in WEIRD.items():
        structure, contents = take_apart(weird.message)
        parts = choose(structure).texts()
        assert all(part.section in contents for part in parts), name
        assert all(text_of(contents[part.section], part).text is not None for part in parts)
    for message in (*SOUND.values(), *HOPELESS.values()):
        structure, contents = take_apart(message)
        assert {part.section for part in structure.walk()} >= set(contents)


@given(st.binary(max_size=300))
def test_anything_can_be_taken_apart(data: bytes) -> None:
    structure, _ = take_apart(data)
    choose(structure)


def test_what_is_nested_beyond_reason_is_one_text() -> None:
    head = b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n"
    deep = b"".join(head % (n, n) for n in range(3000))
    assert choose(take_apart(deep).structure) is not None

"""Words of a message: what one would search it by, and never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.mirror.index.folding import fold
from imaplus.mirror.index.words import MAX_BYTES, Words, words

MESSAGE = b"""\
From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>
To: a@example.org,
 b@example.org
Cc: c@example.org
Subject: =?iso-8859-1?q?Gr=FC=DFe?= from here
Date: Fri, 30 Jan 2026 12:00:00 -0500
Message-ID: <7@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

SMOkbGxv
--b
Content-Type: text/html

<style>p{color:red}</style><script>if (a < b) hidden()</script><p>caf&eacute; <b>bold</b>
--b
Content-Type: application/pdf; name*=utf-8''%C3%BCber.pdf
Content-Disposition: attachment

secret
--b--
"""


def test_a_message_gives_its_words() -> None:
    found = words(MESSAGE)
    assert found.subject == "Grüße from here"
    assert found.sender == "Jürgen <j@example.org>"
    assert found.to.split() == ["a@example.org,", "b@example.org"]
    assert found.cc == "c@example.org"
    assert found.body.split() == ["Hällo", "café", "bold"]
    assert found.files == "über.pdf"
    assert found.attachment
    assert found.message_id == "<7@example.org>"
    assert str(found.sent) == "2026-01-30 12:00:00-05:00"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>f<b>oo</b>bar", "foobar"),
        ("<td>one</td><td>two</td>", "one two"),
        ("one<br>two<br/>three", "one two three"),
        ("a<SPAN class='x'>b</SPAN>c", "abc"),
        ("<!-- no -->yes<script>no</script> <style>no", "yes"),
        ("2 < 3 & caf&eacute;&nbsp;x", "2 < 3 & café x"),
    ],
)
def test_tags_are_removed_without_splitting_words(html: str, expected: str) -> None:
    found = words(f"Content-Type: text/html\r\n\r\n{html}".encode())
    assert found.body.split() == expected.split()


ATTACHED = b"""\
Subject: outside
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: message/rfc822
Content-Disposition: attachment; filename="old mail.eml"

Subject: =?utf-8?q?w=C3=A4hrend?=
From: eve@example.org
To: dan@example.org

inner text
--b
Content-Type: message/global
Content-Transfer-Encoding: base64

U3ViamVjdDogZ2xvYmFsCkZyb206IHpvZUBleGFtcGxlLm9yZwoKZGVlcCB0ZXh0Cg==
--b--
"""


def test_attached_messages_are_read_too() -> None:
    found = words(ATTACHED)
    assert found.subject == "outside"
    assert found.sender == ""
    for text in ("während", "eve@example.org", "dan@example.org", "inner text", "deep text"):
        assert text in found.body
    assert "global" in found.body
    assert "zoe@example.org" in found.body
    assert found.files == "old mail.eml"


@pytest.mark.parametrize(
    ("disposition", "name", "expected"),
    [
        ("attachment", "", True),
        ("inline", "", False),
        ("inline", "a.png", False),
        ("", "a.png", True),
        ("", "", False),
        ("nonsense", "", True),
    ],
)
def test_what_is_an_attachment(disposition: str, name: str, expected: bool) -> None:
    lines = ["Content-Type: image/png" + (f"; name={name}" if name else "")]
    lines += [f"Content-Disposition: {disposition}"] if disposition else []
    assert words("\r\n".join([*lines, "", "x"]).encode()).attachment == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Straße Łódź smørrebrød", "Strasse lódź smorrebrod"),
        ("ıspanak œuvre Æsir đak", "ispanak oeuvre aesir dak"),
        ("会議の a한국어b", "会 議 の a 한 국 어 b"),
        ("ＡＢＣ ﾃﾞｰﾀ", "ABC デ ー タ"),
        ("\u1112\u1161\u11ab", "한"),
        ("plain", "plain"),
    ],
)
def test_what_the_tokenizer_is_given(text: str, expected: str) -> None:
    assert fold(text).split() == expected.split()


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Fri, 30 Jan 2026 12:00:00 -0500", "2026-01-30 12:00:00-05:00"),
        ("30 Jan 26 12:00 GMT", "2026-01-30 12:00:00+00:00"),
        ("1 Feb 2026 00:00:60 EST (comment)", "2026-02-01 00:00:59-05:00"),
        ("31 Feb 2026 00:00:00 +0000", "None"),
        ("1 Feb 2026 00:00:00 +9999", "None"),
        ("yesterday", "None"),
    ],
)
def test_dates(date: str, expected: str) -> None:
    assert str(words(f"Date: {date}\r\n\r\n".encode()).sent) == expected


def test_repeated_fields_are_all_searched() -> None:
    found = words(b"To: a@x\r\nTo: b@x\r\nSubject: one\r\nSubject: two\r\n\r\n")
    assert found.to.split() == ["a@x", "b@x"]
    assert found.subject.split() == ["one", "two"]


def test_a_character_that_two_encoded_words_share() -> None:
    subject = b"=?utf-8?b?4pg=?= =?utf-8?b?gw==?= x"
    assert words(b"Subject: " + subject + b"\r\n\r\n").subject == "\u2603 x"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", Words()),
        (b"no header at all", Words(body="no header at all")),
        (b"Subject: a\0b\r\n\r\n\xff", Words(subject="a b", body="ÿ")),
        (b"Subject: =?nonsense?b?x?=\r\n\r\n", Words(subject="=?nonsense?b?x?=")),
        (b"Subject: =?utf-8?b?!!!?=\r\n\r\n", None),
        (b"Content-Type: text/plain; charset=nonsense\r\n\r\nx", Words(body="x")),
        (b"Content-Type: text/plain; charset=rot13\r\n\r\nx", Words(body="x")),
        (b"Content-Type: text/html\r\n\r\na<b", Words(body="a ")),
        (b"Content-Type: text/html\r\n\r\n&#" + b"9" * 5000 + b";", None),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary", None),
        (b"Content-Transfer-Encoding: base64\r\n\r\n=", None),
    ],
)
def test_broken_messages_give_what_they_have(raw: bytes, expected: Words | None) -> None:
    found = words(raw)
    assert isinstance(found, Words)
    if expected is not None:
        assert found == expected


def nested(depth: int) -> bytes:
    heads = [
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (each, each)
        for each in range(depth)
    ]
    return b"".join(heads)


@pytest.mark.parametrize(
    "raw",
    [
        nested(3000),
        b"Content-Type: message/rfc822\r\n\r\n" * 3000,
        b"Content-Type: text/html\r\n\r\n" + b"<" * MAX_BYTES,
        b"Content-Type: text/html\r\n\r\n" + b"<script>" * (MAX_BYTES // 8),
        b"Content-Type: text/html\r\n\r\n" + b"&" * MAX_BYTES,
        b"Subject: " + b"=?utf-8?q?x?= " * (MAX_BYTES // 14),
        b"Subject: x\r\n" * (MAX_BYTES // 12),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * (MAX_BYTES // 7),
        b"Content-Disposition: attachment" + b"; filename*0=a" * (MAX_BYTES // 15) + b"\r\n\r\n",
        b"Content-Type: a;" + b'"' * (MAX_BYTES // 64) + b"\r\n\r\n",
        b"\r" * MAX_BYTES,
        bytes(MAX_BYTES),
    ],
    ids=range(12),
)
def test_hostile_messages_are_parsed_in_bounded_time(raw: bytes) -> None:
    assert isinstance(words(raw), Words)


lines = st.sampled_from(MESSAGE.splitlines(keepends=True)) | st.binary(max_size=30)


@given(st.lists(lines, max_size=30).map(b"".join))
def test_nothing_raises_and_all_is_plain_text(raw: bytes) -> None:
    found = words(raw)
    for text in (
        found.subject,
        found.sender,
        found.to,
        found.cc,
        found.bcc,
        found.body,
        found.files,
    ):
        assert "\0" not in text
        text.encode("utf-8")

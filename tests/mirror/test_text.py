"""Words of a message: what one would search it by, and never an exception."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.mirror.text import MAX_OCTETS, Words, words

MESSAGE = b"""\
From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>
To: a@example.org,
 b@example.org
Cc: c@example.org
Subject: =?iso-8859-1?q?Gr=FC=DFe?= from here
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
    assert found.recipients.split() == ["a@example.org,", "b@example.org", "c@example.org"]
    assert found.body.split() == ["Hällo", "café", "bold"]
    assert found.files == "über.pdf"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", Words()),
        (b"no header at all", Words(body="no header at all")),
        (b"Subject: a\0b\r\n\r\n\xff", Words(subject="a b", body="\ufffd")),
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
        b"Content-Type: text/html\r\n\r\n" + b"<" * MAX_OCTETS,
        b"Content-Type: text/html\r\n\r\n" + b"<script>" * (MAX_OCTETS // 8),
        b"Content-Type: text/html\r\n\r\n" + b"&" * MAX_OCTETS,
        b"Subject: " + b"=?utf-8?q?x?= " * (MAX_OCTETS // 14),
        b"Subject: x\r\n" * (MAX_OCTETS // 12),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * (MAX_OCTETS // 7),
        b"Content-Disposition: attachment" + b"; filename*0=a" * (MAX_OCTETS // 15) + b"\r\n\r\n",
        b"Content-Type: a;" + b'"' * (MAX_OCTETS // 64) + b"\r\n\r\n",
        b"\r" * MAX_OCTETS,
        bytes(MAX_OCTETS),
    ],
    ids=range(12),
)
def test_hostile_messages_take_no_forever(raw: bytes) -> None:
    before = time.process_time()
    assert isinstance(words(raw), Words)
    assert time.process_time() - before < 5


lines = st.sampled_from(MESSAGE.splitlines(keepends=True)) | st.binary(max_size=30)


@given(st.lists(lines, max_size=30).map(b"".join))
def test_nothing_raises_and_all_is_plain_text(raw: bytes) -> None:
    found = words(raw)
    for text in (found.subject, found.sender, found.recipients, found.body, found.files):
        assert "\0" not in text
        text.encode("utf-8")

"""FETCH: every item, sections with the very bytes, nested parts, partials, \\Seen."""

from __future__ import annotations

import email
import hashlib
import re

import pytest

from imaplus.testing import Generated, Personality, Quirk, sample_mailbox
from imaplus.testing.personality import REV1

NESTED = (
    b"From: =?utf-8?Q?Z=C3=B6e?= <zoe@example.org>, bob@example.org\r\n"
    b'To: Friends: Ann <ann@example.org>, "Q. \\"X\\"" <q@x>;, undisclosed:;\r\n'
    b"Subject: nested\r\n of parts\r\n"
    b'Content-Type: multipart/mixed; boundary="out er"\r\n'
    b"\r\n"
    b"preamble\r\n"
    b"--out er\r\n"
    b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"
    b"one\r\ntwo\r\n"
    b"\r\n--out er\r\n"
    b"Content-Type: message/rfc822\r\nContent-Description: letter\r\n\r\n"
    b"Subject: inner\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"
    b"--in\r\n\r\nplain\r\n--in\r\nContent-Type: text/html\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nPGI+\r\n--in--\r\n"
    b"\r\n--out er\r\n"
    b"Content-Type: message/rfc822\r\n\r\n"
    b"Subject: simple\r\n\r\nsimple text\r\n"
    b"--out er\r\n"
    b'Content-Type: image/png; name="a\\"b.png"\r\nContent-ID: <x@y>\r\n'
    b"Content-Disposition: attachment; filename=a.png\r\nContent-Language: de, en\r\n"
    b"Content-Location: http://x\r\nContent-MD5: abc\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"AAEC\r\n"
    b"--out er--\r\n"
    b"epilogue\r\n"
)


@pytest.fixture
def talk(server, dial):
    server.add_message("INBOX", NESTED)
    return dial(server, select="INBOX")


def value(talk, item):
    """The literal or quoted value of one item of message 1."""
    answer = talk.ok(f"FETCH 1 ({item.replace('BODY[', 'BODY.PEEK[')})")
    match = re.search(rb"\{(\d+)\}\r\n", answer)
    if match is None:
        return None if b" NIL)" in answer else b""
    return answer[match.end() : match.end() + int(match[1])]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("", NESTED),
        ("HEADER", NESTED[: NESTED.index(b"\r\n\r\n") + 4]),
        ("TEXT", NESTED[NESTED.index(b"\r\n\r\n") + 4 :]),
        ("1", b"one\r\ntwo\r\n"),
        ("1.MIME", b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"),
        ("1.HEADER", None),
        ("1.1", None),
        ("2.HEADER", b"Subject: inner\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"),
        ("2.MIME", b"Content-Type: message/rfc822\r\nContent-Description: letter\r\n\r\n"),
        ("2.1", b"plain"),
        ("2.1.MIME", b"\r\n"),
        ("2.2", b"PGI+"),
        ("2.HEADER.FIELDS (subject)", b"Subject: inner\r\n\r\n"),
        ("2.3", None),
        ("3", b"Subject: simple\r\n\r\nsimple text"),
        ("3.1", b"simple text"),
        ("3.TEXT", b"simple text"),
        ("3.2", None),
        ("4", b"AAEC"),
        ("4.1", None),
        ("5", None),
        ("HEADER.FIELDS (SUBJECT)", b"Subject: nested\r\n of parts\r\n\r\n"),
        ("HEADER.FIELDS (X-NONE)", b"\r\n"),
        ("HEADER.FIELDS.NOT (from TO content-type)", b"Subject: nested\r\n of parts\r\n\r\n"),
    ],
)
def test_sections_are_the_stored_bytes(talk, section, expected):
    assert value(talk, f"BODY[{section}]") == expected


@pytest.mark.parametrize(("first", "number"), [(0, 5), (3, 10**9), (10**6, 1), (0, len(NESTED))])
def test_partials(talk, first, number):
    assert value(talk, f"BODY[]<{first}.{number}>") == NESTED[first : first + number]
    answer = talk.ok(f"FETCH 1 BODY.PEEK[]<{first}.{number}>")
    assert b"BODY[]<%d> " % first in answer


def test_old_names(talk):
    assert value(talk, "RFC822") == NESTED
    assert value(talk, "RFC822.HEADER") == NESTED[: NESTED.index(b"\r\n\r\n") + 4]
    assert value(talk, "RFC822.TEXT") == NESTED[NESTED.index(b"\r\n\r\n") + 4 :]


def test_bodystructure(talk):
    assert talk.ok("FETCH 1 BODYSTRUCTURE").splitlines()[0] == (
        b'* 1 FETCH (BODYSTRUCTURE (("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL'
        b' NIL NIL NIL)("message" "rfc822" NIL NIL "letter" "7bit" 165 (NIL "inner" NIL NIL NIL NIL'
        b' NIL NIL NIL NIL) (("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0 NIL NIL NIL'
        b' NIL)("text" "html" NIL NIL NIL "base64" 4 0 NIL NIL NIL NIL) "alternative" ("boundary"'
        b' "in") NIL NIL NIL) 12 NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7bit" 30 (NIL'
        b' "simple" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL'
        b' "7bit" 11 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL)("image" "png" ("name" "a\\"b.png")'
        b' "<x@y>" NIL "base64" 4 "abc" ("attachment" ("filename" "a.png")) ("de" "en") "http://x")'
        b' "mixed" ("boundary" "out er") NIL NIL NIL))'
    )


def test_body_has_no_extension_data(talk):
    assert b'"base64" 4) "mixed"))\r\n' in talk.ok("FETCH 1 BODY")


def test_envelope(talk):
    sender = b'("=?utf-8?Q?Z=C3=B6e?=" NIL "zoe" "example.org")(NIL NIL "bob" "example.org")'
    to = (
        b'(NIL NIL "Friends" NIL)("Ann" NIL "ann" "example.org")("Q. \\"X\\"" NIL "q" "x")'
        b'(NIL NIL NIL NIL)(NIL NIL "undisclosed" NIL)(NIL NIL NIL NIL)'
    )
    assert talk.ok("FETCH 1 ENVELOPE").splitlines()[0] == (
        b'* 1 FETCH (ENVELOPE (NIL "nested of parts" (%b) (%b) (%b) (%b) NIL NIL NIL NIL))'
        % (sender, sender, sender, to)
    )


@pytest.mark.parametrize("macro", ["ALL", "FAST", "FULL"])
def test_macros(talk, macro):
    answer = talk.ok(f"FETCH 1 {macro}")
    assert b"RFC822.SIZE %d" % len(NESTED) in answer
    assert (b"ENVELOPE" in answer) == (macro != "FAST")
    assert (b" BODY (" in answer) == (macro == "FULL")


def test_binary(talk):
    assert b"BINARY[4] ~{3}\r\n\0\1\2)" in talk.ok("FETCH 1 BINARY.PEEK[4]")
    assert b"BINARY[2.2] {3}\r\n<b>)" in talk.ok("FETCH 1 BINARY.PEEK[2.2]")
    assert b"BINARY[4]<1> {2}\r\n\1\2)" in talk.ok("FETCH 1 BINARY.PEEK[4]<1.9>")
    assert b"BINARY.SIZE[4] 3)" in talk.ok("FETCH 1 BINARY.SIZE[4]")
    assert b" NO " in talk("FETCH 1 BINARY.SIZE[9]")


def test_binary_with_an_unknown_encoding(server, dial):
    server.add_message("INBOX", b"Content-Transfer-Encoding: rot13\r\n\r\nuryyb\r\n")
    assert b"NO [UNKNOWN-CTE]" in dial(server, select="INBOX")("FETCH 1 BINARY[1]")


def test_fetching_a_body_sets_seen(server, talk):
    assert b"FLAGS (\\Recent \\Seen)" in talk.ok("FETCH 1 BODY[1]")
    assert server.mailbox().flags(1) == {"\\Seen"}
    assert b"FLAGS" not in talk.ok("FETCH 1 BODY[1]")


def test_peeking_does_not(server, talk):
    talk.ok("FETCH 1 (BODY.PEEK[] BINARY.PEEK[1] RFC822.HEADER ENVELOPE)")
    assert server.mailbox().flags(1) == frozenset()


def test_examine_does_not(server, dial, talk):
    talk.ok("EXAMINE INBOX")
    talk.ok("FETCH 1 BODY[]")
    assert server.mailbox().flags(1) == frozenset()


def test_internaldate_is_kept(talk):
    talk.ok(b'APPEND INBOX () " 1-Feb-1994 21:52:25 -0800" {1+}\r\nx')
    assert b'INTERNALDATE " 1-Feb-1994 21:52:25 -0800"' in talk.ok("FETCH 2 INTERNALDATE")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\r\n",
        b"\n",
        b"no header at all",
        b"Subject: no body",
        b"Subject: bare\nX: lf\n\nbody\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno parts",
        b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\nno boundary\r\n--x--\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n--x",
        b"Content-Type: message/rfc822\r\n\r\n",
        b'Content-Type: ;;;\r\nFrom: <<>>,,;:@\r\nTo: "unclosed\r\n\r\n\0\xff',
        b"Content-Type: message/rfc822\r\n\r\n" * 300,
        b"Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\nSubject: d\r\n\r\nx--x--",
    ],
)
def test_odd_messages(server, dial, message):
    server.add_message("INBOX", message)
    talk = dial(server, select="INBOX")
    talk.ok("FETCH 1 (ENVELOPE BODYSTRUCTURE BODY[1] BODY[1.MIME] BODY[1.1] BODY[HEADER])")
    assert value(talk, "BODY[]") == message
    talk.ok("SEARCH TEXT x SENTSINCE 1-Jan-2020")


def test_agrees_with_email(server, dial):
    """The leaves of the sample, as the standard library sees them."""
    sample_mailbox(server, 16)
    talk = dial(server)
    found = 0
    for name in ("INBOX", "Sent", "Archive/2025", "Trash", '"Wichtig &- &ANw-bersicht"'):
        talk.ok(f"EXAMINE {name}")
        for uid in re.findall(rb"(\d+)\r\n", talk.ok("UID SEARCH RETURN (MAX) ALL")):
            answer = talk.ok(f"UID FETCH {int(uid)} BODY.PEEK[]")
            size = int(re.search(rb"\{(\d+)\}", answer)[1])
            start = answer.index(b"}\r\n") + 3
            whole = email.message_from_bytes(answer[start : start + size])
            if whole.is_multipart():
                first = whole.get_payload(0)
                one = talk.ok(f"UID FETCH {int(uid)} BODY.PEEK[1]")
                assert first.as_bytes().replace(b"\n", b"\r\n").split(b"\r\n\r\n", 1)[1] in one
                found += 1
    assert found


def test_large_messages_are_streamed(server, dial):
    big = Generated(5_000_001, seed=7)
    server.add_message("INBOX", big)
    talk = dial(server, select="INBOX")
    assert b"RFC822.SIZE 5000001" in talk.ok("FETCH 1 RFC822.SIZE")
    talk.send(b"x FETCH 1 BODY.PEEK[]\r\n")
    assert talk.line() == b"* 1 FETCH (BODY[] {5000001}\r\n"
    data = talk.data
    while len(data) < big.size:
        data += talk.sock.recv(1 << 20)
    expected = b"".join(big.chunks(0, big.size))
    assert hashlib.sha256(data[: big.size]).digest() == hashlib.sha256(expected).digest()


def test_unknown_items_are_bad(talk):
    for item in (
        "NOTHING",
        "()",
        "BODY[1.NOTHING]",
        "BODY[MIME]",
        "BODY[HEADER.FIELDS ()]",
        "BODY[",
    ):
        assert b" BAD " in talk(f"FETCH 1 {item}")
    assert b" BAD " in talk("FETCH 2 FLAGS")
    assert b" BAD " in talk("FETCH 0 FLAGS")
    assert talk("UID FETCH 2 FLAGS") == b"t%d OK UID FETCH completed\r\n" % talk.count


def test_quirks_of_sections(start, dial):
    who = Personality(
        name="x",
        capabilities=REV1,
        quirks=frozenset({Quirk.BODY_VALUE_MISSING, Quirk.FULL_PARTIAL}),
    )
    server = start(personality=who)
    server.add_message("INBOX", b"Subject: x\r\n\r\n")
    talk = dial(server, select="INBOX")
    assert b"(BODY[TEXT] )" in talk.ok("FETCH 1 BODY.PEEK[TEXT]")
    assert b"BODY[]<0.3> {3}" in talk.ok("FETCH 1 BODY.PEEK[]<0.3>")

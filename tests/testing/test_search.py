"""SEARCH: every key, the result options, and what IMAP4rev2 answers."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from imaplus.testing import PERSONALITIES, Quirk

FIRST = (
    b"From: =?utf-8?Q?Z=C3=B6e?= <zoe@example.org>\r\nTo: ada@example.org\r\nCc: carol@x\r\n"
    b"Subject: the compiler\r\nDate: Mon, 6 Jan 2025 23:30:00 -0500\r\nX-Tag: Blue\r\n"
    b"\r\nbody one\r\n"
)
SECOND = (
    b"From: bob@example.org\r\nBcc: dave@x\r\nSubject: =?iso-8859-1?Q?K=E4se?=\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.b64encode("Grüße aus Köln".encode())
    + b"\r\n--b--\r\n"
)
THIRD = b"Subject: third\r\n\r\n" + b"x" * 2000


def fill(server):
    add = server.mailbox().add
    add(FIRST, ["\\Seen", "$work"], datetime(2025, 1, 7, 12, tzinfo=UTC))
    add(SECOND, ["\\Flagged", "\\Answered"], datetime(2025, 2, 1, tzinfo=UTC))
    add(THIRD, ["\\Deleted", "\\Draft"])


@pytest.fixture
def talk(server, dial):
    fill(server)
    return dial(server, select="INBOX")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("ALL", "1 2 3"),
        ("SEEN", "1"),
        ("UNSEEN", "2 3"),
        ("FLAGGED ANSWERED", "2"),
        ("UNFLAGGED UNANSWERED", "1 3"),
        ("DELETED", "3"),
        ("UNDELETED", "1 2"),
        ("DRAFT", "3"),
        ("UNDRAFT", "1 2"),
        ("KEYWORD $WORK", "1"),
        ("UNKEYWORD $work", "2 3"),
        ("NEW", "2 3"),
        ("OLD", ""),
        ("RECENT", "1 2 3"),
        ("FROM ZOE", "1"),
        ("TO ada", "1"),
        ("CC carol", "1"),
        ("BCC dave", "2"),
        ("SUBJECT compiler", "1"),
        ('SUBJECT ""', "1 2 3"),
        ("HEADER X-Tag blue", "1"),
        ('HEADER X-Tag ""', "1"),
        ("BODY one", "1"),
        ("BODY compiler", ""),
        ("TEXT compiler", "1"),
        ("LARGER 1000", "3"),
        ("SMALLER 1000", "1 2"),
        ("BEFORE 7-Jan-2025", ""),
        ("ON 7-Jan-2025", "1"),
        ("SINCE 7-jan-2025 BEFORE 2-Feb-2025", "1 2"),
        ("SENTON 6-Jan-2025", "1"),
        ("SENTBEFORE 7-Jan-2025", "1"),
        ('SENTSINCE "6-Jan-2025"', "1"),
        ("YOUNGER 3600", "3"),
        ("OLDER 3600", "1 2"),
        ("NOT SEEN", "2 3"),
        ("OR SEEN DELETED", "1 3"),
        ("OR (SEEN FROM zoe) (DRAFT NOT NOT DELETED)", "1 3"),
        ("2:*", "2 3"),
        ("*", "3"),
        ("1,3 UID 2:9", "3"),
        ("UID 99", ""),
        ("UID 99:*", "3"),
        ("MODSEQ 3", "2 3"),
        ('MODSEQ "/flags/\\\\seen" all 3', "2 3"),
    ],
)
def test_keys(talk, keys, expected):
    answer = talk.ok(f"SEARCH {keys}").splitlines()[0].decode()
    assert answer.split(" (MODSEQ")[0] == f"* SEARCH {expected}".rstrip()


def test_charsets(talk):
    assert b"* SEARCH 2\r\n" in talk.ok("SEARCH CHARSET UTF-8 BODY {5+}\r\nKöln")
    assert b"* SEARCH 2\r\n" in talk.ok(b"SEARCH CHARSET ISO-8859-1 SUBJECT {2+}\r\nk\xe4")
    assert b"NO [BADCHARSET (" in talk("SEARCH CHARSET X-ODD ALL")
    assert b" BAD " in talk(b"SEARCH SUBJECT {1+}\r\n\xe4")


@pytest.mark.parametrize(
    "keys",
    ["", "NOTHING", "FROM", "OR SEEN", "NOT", "()", "(SEEN", "9", "SINCE 31-Feb-2025", "LARGER x"],
)
def test_bad_keys(talk, keys):
    assert b" BAD " in talk(f"SEARCH {keys}")


def test_nesting_has_a_limit(talk):
    assert b" BAD " in talk("SEARCH " + "NOT " * 5000 + "SEEN")
    assert b" BAD " in talk("SEARCH " + "(" * 5000 + "SEEN" + ")" * 5000)
    assert b" BAD " in talk("SEARCH " + "OR SEEN " * 5000 + "SEEN")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("SEARCH RETURN () ALL", b" ALL 1:3"),
        ("SEARCH RETURN (MIN MAX COUNT ALL) UNSEEN", b" MIN 2 MAX 3 ALL 2:3 COUNT 2"),
        ("UID SEARCH RETURN (ALL) 1,3", b" UID ALL 1,3"),
        ("SEARCH RETURN (MIN ALL) KEYWORD none", b""),
        ("SEARCH RETURN (COUNT) KEYWORD none", b" COUNT 0"),
        ("SEARCH RETURN (MAX) MODSEQ 1", b" MAX 3 MODSEQ 4"),
    ],
)
def test_esearch(talk, command, expected):
    assert talk.ok(command).startswith(b'* ESEARCH (TAG "t3")%b\r\n' % expected)


def test_saved_results(talk):
    assert talk("SEARCH RETURN (SAVE) UNSEEN") == b"t3 OK SEARCH completed\r\n"
    assert b"* SEARCH 3\r\n" in talk.ok("SEARCH $ DRAFT")
    assert talk.ok("FETCH $ UID").startswith(b"* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\n")
    talk.ok("SEARCH RETURN (SAVE MIN) ALL")
    assert talk.ok("UID FETCH $ FLAGS").count(b"FETCH (UID") == 1


def test_rev2_answers_with_esearch(start, dial):
    server = start(personality="rev2")
    fill(server)
    talk = dial(server, enable="IMAP4rev2", select="INBOX")
    assert b'* ESEARCH (TAG "t4") ALL 2:3\r\n' in talk.ok("SEARCH UNSEEN")
    assert b'* ESEARCH (TAG "t5") UID\r\n' in talk.ok("UID SEARCH KEYWORD none")
    assert b" ALL 2\r\n" in talk.ok('SEARCH SUBJECT "KÄSE"')


def test_quirks(start, dial):
    who = PERSONALITIES["rev1"].but(Quirk.PLAIN_SEARCH, Quirk.NO_SEARCH_CHARSET)
    server = start(personality=who)
    fill(server)
    talk = dial(server, select="INBOX")
    assert b"* SEARCH 1 2 3\r\n" in talk.ok("SEARCH RETURN (ALL) ALL")
    assert b"NO [BADCHARSET (US-ASCII)]" in talk("SEARCH CHARSET UTF-8 ALL")

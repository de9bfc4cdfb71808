"""What goes over the wire for what callers give: quoting, names, sets, lists, criteria."""

from __future__ import annotations

import codecs
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus import imaplib
from imaplus.imaplib import _arguments as arguments
from imaplus.wire import mailbox_names
from imaplus.wire.sets import SequenceSet

from .scripted import Answer


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("INBOX", b"INBOX"),
        ("two words", b'"two words"'),
        ('"two words"', b'"two words"'),
        ('say "hi"', rb'"say \"hi\""'),
        ("back\\slash", rb'"back\\slash"'),
        ("100%", b'"100%"'),
        ("", b'""'),
        ("Entwürfe", b"Entw&APw-rfe"),
        ('"Entwürfe 2"', b'"Entw&APw-rfe 2"'),
        ("Entw&APw-rfe", b"Entw&APw-rfe"),
        ("A & B", b'"A &- B"'),
        ("AT&T", b"AT&-T"),
        ("a\tb", b'"a\tb"'),
        ("(odd", b'"(odd"'),
        ('"a" "b"', rb'"\"a\" \"b\""'),
        ("(a) (b)", b'"(a) (b)"'),
        (b'"as it is"', b'"as it is"'),
        (bytearray(b"too"), b"too"),
        ("{5}", b'"{5}"'),
    ],
)
def test_a_mailbox_name(talk: Any, name: Any, sent: bytes) -> None:
    """Differences: quoting, mailbox-names, no-mailbox."""
    client, server = talk()
    client.create(name)
    assert server.heard == [b"CREATE " + sent + b"\r\n"]


def test_a_mailbox_name_under_utf8_accept(talk: Any) -> None:
    client, server = talk(state="AUTH")
    client.enable("UTF8=ACCEPT")
    client.create("Entwürfe")
    client.append("Entwürfe", None, None, b"x")
    assert server.heard[1:] == [
        'CREATE "Entwürfe"\r\n'.encode(),
        'APPEND "Entwürfe" {1}\r\nx\r\n'.encode(),
    ]


def test_a_mailbox_name_in_form_c(talk: Any) -> None:
    """Difference: form-c."""
    client, server = talk(state="AUTH")
    client.create("e\u0301")
    client.enable("UTF8=ACCEPT")
    client.create("e\u0301")
    client.create(b'"e\xcc\x81"')
    assert server.heard[0] == b"CREATE e&AwE-\r\n"
    assert server.heard[2:] == [b'CREATE "\xc3\xa9"\r\n', b'CREATE "e\xcc\x81"\r\n']


def test_wildcards_and_references(talk: Any) -> None:
    client, server = talk()
    client.list()
    client.list("Übung/", "a %")
    client.lsub("", "*")
    client.list('""', "(a b*)")
    assert server.heard == [
        b'LIST "" *\r\n',
        b'LIST &ANw-bung/ "a %"\r\n',
        b'LSUB "" *\r\n',
        b'LIST "" (a b*)\r\n',
    ]


@given(st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"])))
def test_a_mailbox_name_is_always_one_argument(name: str) -> None:
    sent = arguments.mailbox(name, utf8=False)
    if sent[:1] == b"(":
        assert arguments._is_one_list(sent)
    elif sent[:1] == b'"':
        assert arguments._QUOTED.fullmatch(sent)
    else:
        assert not set(sent) & set(b' ()"{\\%*')
        decoded = mailbox_names.decode(sent)
        assert decoded == name or sent == name.encode("ascii")


@pytest.mark.parametrize(
    ("numbers", "sent"),
    [
        ("1:*", b"1:*"),
        (7, b"7"),
        ([1, 2, 9], b"1,2,9"),
        ([1, (3, 5), (8, None)], b"1,3:5,8:*"),
        ([(None, 4)], b"*:4"),
        (range(3, 6), b"3:5"),
        ([range(3, 6), 9, range(1, 8, 3)], b"3:5,9,1,4,7"),
        ([b"1", "4"], b"1,4"),
        (iter([5, 3]), b"5,3"),
        (SequenceSet.of([1, 2, 3]), b"1:3"),
        (b"1,2", b"1,2"),
    ],
)
def test_a_message_set(talk: Any, numbers: Any, sent: bytes) -> None:
    client, server = talk()
    client.fetch(numbers, "FLAGS")
    assert server.heard == [b"FETCH " + sent + b" FLAGS\r\n"]


@pytest.mark.parametrize("numbers", [0, -1, 1 << 32, True, [], range(0), [1.5], [("a", 1)], [[1]]])
def test_what_is_no_message_set(talk: Any, numbers: Any) -> None:
    client, server = talk()
    with pytest.raises(imaplib.IMAP4.error):
        client.fetch(numbers, "FLAGS")
    assert server.heard == []


def test_lists_of_names(talk: Any) -> None:
    client, server = talk()
    client.store(1, "+FLAGS", ["\\Seen", "$Label1"])
    client.store("1", "FLAGS", "\\Seen", uid=True)
    client.status("INBOX", ["MESSAGES", "UIDNEXT"])
    client.fetch(1, ("UID", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"))
    client.sort(["REVERSE", "DATE"], "UTF-8", "ALL")
    client.append("INBOX", "\\Seen \\Draft", None, b"a\nb")
    client.append("INBOX", ["\\Seen"], None, b"a\nb", translate_line_endings=False)
    client.uid("STORE", [1, 2], "+FLAGS", ["\\Seen"])
    assert server.heard == [
        b"STORE 1 +FLAGS (\\Seen $Label1)\r\n",
        b"UID STORE 1 FLAGS (\\Seen)\r\n",
        b"STATUS INBOX (MESSAGES UIDNEXT)\r\n",
        b"FETCH 1 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n",
        b"SORT (REVERSE DATE) UTF-8 ALL\r\n",
        b"APPEND INBOX (\\Seen \\Draft) {4}\r\na\r\nb\r\n",
        b"APPEND INBOX (\\Seen) {3}\r\na\nb\r\n",
        b"UID STORE 1,2 +FLAGS (\\Seen)\r\n",
    ]
    with pytest.raises(imaplib.IMAP4.error, match="not a flag"):
        client.store(1, "FLAGS", ["\\Seen) BODY["])


def test_by_uid(talk: Any) -> None:
    client, server = talk(
        answers=[Answer((b"* 1 EXPUNGE", b"* 1 FETCH (UID 7)", b"* SEARCH 7"))] * 9
    )
    assert client.copy(7, "two words", uid=True) == ("OK", [b"done"])
    assert client.move("7", "Trash", uid=True)[0] == "OK"
    client.untagged_responses.clear()
    assert client.expunge([7], uid=True) == ("OK", [b"1"])
    client.untagged_responses.clear()
    assert client.fetch(7, "(FLAGS)", uid=True) == ("OK", [b"1 (UID 7)"])
    client.untagged_responses.clear()
    assert client.search(None, "ALL", uid=True) == ("OK", [b"7"])
    client.sort("DATE", "UTF-8", "ALL", uid=True)
    client.thread("REFERENCES", "UTF-8", "ALL", uid=True)
    client.uid("MOVE", 7, "two words")
    assert server.heard == [
        b'UID COPY 7 "two words"\r\n',
        b"UID MOVE 7 Trash\r\n",
        b"UID EXPUNGE 7\r\n",
        b"UID FETCH 7 (FLAGS)\r\n",
        b"UID SEARCH ALL\r\n",
        b"UID SORT (DATE) UTF-8 ALL\r\n",
        b"UID THREAD REFERENCES UTF-8 ALL\r\n",
        b'UID MOVE 7 "two words"\r\n',
    ]
    with pytest.raises(imaplib.IMAP4.error):
        client.expunge([7])
    with pytest.raises(imaplib.IMAP4.error):
        client.expunge(uid=True)


def test_criteria_in_a_charset(talk: Any) -> None:
    """Difference: charset."""
    client, server = talk()
    client.search("UTF-8", "SUBJECT", '"Grüße"')
    client.search("latin-1", 'SUBJECT "Grüße"')
    client.search("X-UNKNOWN", b"\xff", "ALL")
    client.sort("DATE", "UTF-8", 'SUBJECT "Grüße"')
    client.uid("SORT", "(DATE)", "UTF-8", 'SUBJECT "Grüße"')
    assert server.heard == [
        'SEARCH CHARSET UTF-8 SUBJECT "Grüße"\r\n'.encode(),
        'SEARCH CHARSET latin-1 SUBJECT "Grüße"\r\n'.encode("latin-1"),
        b"SEARCH CHARSET X-UNKNOWN \xff ALL\r\n",
        'SORT (DATE) UTF-8 SUBJECT "Grüße"\r\n'.encode(),
        'UID SORT (DATE) UTF-8 SUBJECT "Grüße"\r\n'.encode(),
    ]
    with pytest.raises(UnicodeEncodeError):
        client.search(None, "SUBJECT Grüße")


def test_parameters(talk: Any) -> None:
    client, server = talk()
    client.search(None, "FROM ? SINCE ?", params=['Ann "B"', date(2024, 2, 1)])
    client.search("UTF-8", "SUBJECT", "?", 'TEXT "what?"', "LARGER ?", params=["Grüße", 5])
    client.search(None, "BODY ?", uid=True, params=["two\r\nlines"])
    client.fetch(1, "(BODY[HEADER.FIELDS (?)])", params=["X-Spam"])
    client.uid("SEARCH", "HEADER ? ?", params=["X-A", b"\xff"])
    client.thread("REFERENCES", "UTF-8", "TEXT ?", params=["ä"])
    assert server.heard == [
        b'SEARCH FROM "Ann \\"B\\"" SINCE 1-Feb-2024\r\n',
        'SEARCH CHARSET UTF-8 SUBJECT {7}\r\nGrüße TEXT "what?" LARGER 5\r\n'.encode(),
        b"UID SEARCH BODY {10}\r\ntwo\r\nlines\r\n",
        b'FETCH 1 (BODY[HEADER.FIELDS ("X-Spam")])\r\n',
        b'UID SEARCH HEADER "X-A" {1}\r\n\xff\r\n',
        "THREAD REFERENCES UTF-8 TEXT {2}\r\nä\r\n".encode(),
    ]
    for criteria, params in [("FROM ?", []), ("FROM ?", ["a", "b"]), ("FROM ?", ["a\0"])]:
        with pytest.raises(imaplib.IMAP4.error):
            client.search(None, criteria, params=params)
    client.search(None, "BODY ?", params=['"\n{5}'])  # a literal may end in anything
    assert server.heard[-1] == b'SEARCH BODY {5}\r\n"\n{5}\r\n'
    with pytest.raises(imaplib.IMAP4.error, match="announces"):
        client.search(None, 'BODY ? SUBJECT x"{5}', params=['"\n'])
    client.search(None, "SUBJECT why?")
    assert server.heard[-1] == b"SEARCH SUBJECT why?\r\n"


def test_identity_and_logins(talk: Any) -> None:
    client, server = talk(b'* ID ("name" "Dovecot")', state="NONAUTH")
    assert client.id({"name": 'my "app"', "version": None}) == ("OK", [b'("name" "Dovecot")'])
    assert client.id() == ("OK", [None])
    client.login("Ann Bee", 'pass "word"')
    client.state = "NONAUTH"
    client.login_plain("änn", "pässword")
    assert server.heard == [
        b'ID ("name" "my \\"app\\"" "version" NIL)\r\n',
        b"ID NIL\r\n",
        b'LOGIN "Ann Bee" "pass \\"word\\""\r\n',
        b"AUTHENTICATE PLAIN\r\nAMOkbm4AcMOkc3N3b3Jk\r\n",
    ]


def test_the_codec() -> None:
    assert "Entwürfe & mehr".encode("utf-7-imap") == b"Entw&APw-rfe &- mehr"
    assert b"Entw&APw-rfe &- mehr".decode("UTF-7-IMAP") == "Entwürfe & mehr"
    assert codecs.lookup("mutf-7").name == "utf-7-imap"
    with pytest.raises(UnicodeDecodeError):
        b"a & b".decode("utf-7-imap")
    with pytest.raises(UnicodeEncodeError):
        "\ud800".encode("utf-7-imap")
    with pytest.raises(UnicodeError):
        "a".encode("utf-7-imap", "replace")


def test_quoting_keeps_the_type(talk: Any) -> None:
    """Difference: quote-type."""
    client, _ = talk()
    assert client._quote('a"b\\') == '"a\\"b\\\\"'
    assert client._quote(b'a"b') == b'"a\\"b"'
    assert client._checkquote("a b") == '"a b"'
    assert client._checkquote(b"(a b)") == b"(a b)"
    assert client._checkquote('"a b"') == '"a b"'
    assert client._checkquote("a.b") == "a.b"
    assert client._checkquote("") == '""'

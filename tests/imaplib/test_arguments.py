"""What goes over the wire for what callers give: quoting, names, sets, lists, criteria."""

from __future__ import annotations

import codecs
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus import imaplib
from imaplus.imaplib._arguments import _QUOTED
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
        ("a\tb", b"a&AAk-b"),
        ("bell\a\x7f", b"bell&AAcAfw-"),
        ("a&AAk-b", b"a&AAk-b"),
        ("(a)", b'"(a)"'),
        ("me@host", b"me@host"),
        ("(odd", b'"(odd"'),
        ('"a" "b"', rb'"\"a\" \"b\""'),
        ("(a) (b)", b'"(a) (b)"'),
        (b'"as it is"', b'"as it is"'),
        (b"New folder", b'"New folder"'),
        (b"a\tb", b'"a\tb"'),
        (b"Entw\xc3\xbcrfe", b'"Entw\xc3\xbcrfe"'),
        (b"Entw&APw-rfe", b"Entw&APw-rfe"),
        (b"(a)", b'"(a)"'),
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
    client, server = talk(b"* ENABLED UTF8=ACCEPT", state="AUTH")
    client.enable("UTF8=ACCEPT")
    client.create("Entwürfe")
    client.append("Entwürfe", None, None, b"x")
    assert server.heard[1:] == [
        'CREATE "Entwürfe"\r\n'.encode(),
        'APPEND "Entwürfe" {1}\r\nx\r\n'.encode(),
    ]


def test_a_mailbox_name_in_form_c(talk: Any) -> None:
    """Difference: form-c."""
    client, server = talk(state="AUTH", answers=[Answer(), Answer((b"* ENABLED UTF8=ACCEPT",))])
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
        b'LIST "" "(a b*)"\r\n',
    ]


@given(st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"])))
def test_a_mailbox_name_is_always_one_argument(name: str) -> None:
    client = imaplib.IMAP4.__new__(imaplib.IMAP4)
    client._reset()
    sent = client._mailbox(name)
    if sent[:1] == b'"':
        assert _QUOTED.fullmatch(sent)
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
        ([(8, "*")], b"8:*"),
        (bytearray(b"1:3"), b"1:3"),
        (memoryview(b"12"), b"12"),
        ([(None, 4)], b"*:4"),
        (range(3, 6), b"3:5"),
        ([range(3, 6), 9, range(1, 8, 3)], b"3:5,9,1,4,7"),
        (iter([5, 3]), b"5,3"),
        (SequenceSet.of([1, 2, 3]), b"1:3"),
        (b"1,2", b"1,2"),
    ],
)
def test_a_message_set(talk: Any, numbers: Any, sent: bytes) -> None:
    client, server = talk()
    client.fetch(numbers, "FLAGS")
    assert server.heard == [b"FETCH " + sent + b" (FLAGS)\r\n"]
    assert client._sequence_set(b"1:3,7") == "1:3,7"
    assert client._sequence_set([1, 2, 5]) == "1,2,5"


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        *((numbers, ValueError) for numbers in (0, -1, 1 << 32, [], range(0), b"\xff")),
        *((numbers, TypeError) for numbers in (True, [True], 1.5, [1.5], ["7"], [b"7"], None)),
        *((numbers, TypeError) for numbers in ([("a", 1)], [[1]], [(1, 2, 3)], [None])),
    ],
)
def test_what_is_no_message_set(talk: Any, numbers: Any, kind: type[Exception]) -> None:
    client, server = talk()
    with pytest.raises(imaplib.IMAP4.error) as caught:
        client.fetch(numbers, "FLAGS")
    assert isinstance(caught.value, kind)
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


def test_lists_get_their_parentheses(talk: Any) -> None:
    """Difference: parentheses."""
    client, server = talk()
    client.status("INBOX", "UIDNEXT MESSAGES")
    client.status("INBOX", b"UIDNEXT")
    client.setquota("", "STORAGE 512")
    client.setquota("root", ["STORAGE", "512"])
    client.sort("SUBJECT", "UTF-8", "ALL")
    client.uid("sort", "SUBJECT", "UTF-8", "ALL")
    client.uid("store", "1", "+FLAGS", r"\Deleted")
    client.uid("store", "1", "(UNCHANGEDSINCE 5)", "+FLAGS", "a b")
    client.fetch("1", "BODY[HEADER.FIELDS (SUBJECT TO)]")
    client.fetch("1", "FLAGS UID")
    client.fetch("1", b"FLAGS")
    client.fetch("1", "all")
    client.fetch("1", ["FAST"])
    client.uid("FETCH", "1", "FLAGS")
    client.uid("FETCH", "1:*", "FLAGS", "(CHANGEDSINCE 5)")
    client.fetch("1:*", "FLAGS UID (CHANGEDSINCE 5)")
    client.fetch("1:*", "BODY[HEADER.FIELDS (TO)] (CHANGEDSINCE 5)")
    client.fetch("1:*", "(FLAGS) (CHANGEDSINCE 5)")
    client.fetch("1:*", "FULL (CHANGEDSINCE 5)")
    assert [command.rstrip().decode() for command in server.heard] == [
        "STATUS INBOX (UIDNEXT MESSAGES)",
        "STATUS INBOX (UIDNEXT)",
        'SETQUOTA "" (STORAGE 512)',
        "SETQUOTA root (STORAGE 512)",
        "SORT (SUBJECT) UTF-8 ALL",
        "UID SORT (SUBJECT) UTF-8 ALL",
        r"UID STORE 1 +FLAGS (\Deleted)",
        "UID STORE 1 (UNCHANGEDSINCE 5) +FLAGS (a b)",
        "FETCH 1 (BODY[HEADER.FIELDS (SUBJECT TO)])",
        "FETCH 1 (FLAGS UID)",
        "FETCH 1 (FLAGS)",
        "FETCH 1 all",
        "FETCH 1 FAST",
        "UID FETCH 1 (FLAGS)",
        "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5)",
        "FETCH 1:* (FLAGS UID) (CHANGEDSINCE 5)",
        "FETCH 1:* (BODY[HEADER.FIELDS (TO)]) (CHANGEDSINCE 5)",
        "FETCH 1:* (FLAGS) (CHANGEDSINCE 5)",
        "FETCH 1:* FULL (CHANGEDSINCE 5)",
    ]
    with pytest.raises(TypeError):
        client.status("INBOX", [1])


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
    client.search(b"UTF-8", 'SUBJECT "Grüße"')
    client.search("X-UNKNOWN", b"\xff", b"ALL")
    client.search("NF_Z_62-010_(1973)", b"ALL")
    client.search("", "ALL")
    client.sort("DATE", "UTF-8", 'SUBJECT "Grüße"')
    client.sort("DATE", None, "ALL")
    client.uid("SORT", "(DATE)", "UTF-8", 'SUBJECT "Grüße"')
    client.uid("THREAD", "REFERENCES", b"X-UNKNOWN (1)", b"ALL")
    assert server.heard == [
        'SEARCH CHARSET UTF-8 SUBJECT "Grüße"\r\n'.encode(),
        'SEARCH CHARSET latin-1 SUBJECT "Grüße"\r\n'.encode("latin-1"),
        'SEARCH CHARSET UTF-8 SUBJECT "Grüße"\r\n'.encode(),
        b"SEARCH CHARSET X-UNKNOWN \xff ALL\r\n",
        b'SEARCH CHARSET "NF_Z_62-010_(1973)" ALL\r\n',
        b'SEARCH CHARSET "" ALL\r\n',
        'SORT (DATE) UTF-8 SUBJECT "Grüße"\r\n'.encode(),
        b"SORT (DATE) ALL\r\n",
        'UID SORT (DATE) UTF-8 SUBJECT "Grüße"\r\n'.encode(),
        b'UID THREAD REFERENCES "X-UNKNOWN (1)" ALL\r\n',
    ]
    with pytest.raises(UnicodeEncodeError):
        client.search(None, "SUBJECT Grüße")
    with pytest.raises(LookupError):
        client.search("X-UNKNOWN", "ALL")
    with pytest.raises(LookupError):
        client.uid("SORT", "DATE", "X-UNKNOWN", "ALL")


def test_parameters(talk: Any) -> None:
    client, server = talk()
    client.search(None, "FROM ? SINCE ?", params=['Ann "B"', date(2024, 2, 1)])
    client.search("UTF-8", "SUBJECT", "?", 'TEXT "what?"', "LARGER ?", params=["Grüße", 5])
    client.search(None, "BODY ?", uid=True, params=["two\r\nlines"])
    client.fetch(1, "(BODY[HEADER.FIELDS (?)])", params=["X-Spam"])
    client.uid("SEARCH", "HEADER ? ?", params=["X-A", b"\xff"])
    client.thread("REFERENCES", "UTF-8", "TEXT ?", params=["ä"])
    client.search(None, "KEYWORD ?f UID ?s SUBJECT why??", params=["$Junk", [1, (3, 5), (8, "*")]])
    client.uid("STORE", "?s", "+FLAGS", "?f", params=[range(1, 4), ["\\Seen", "a"]])
    client.fetch(1, "BODY[HEADER.FIELDS ?]", params=[["From", "To"]])
    client.fetch(1, "BODY[HEADER.FIELDS (?)]", params=[("From", "To")])
    client.uid("FETCH", 7, "BODY[?]", params=[1])
    assert server.heard == [
        b'SEARCH FROM "Ann \\"B\\"" SINCE 1-Feb-2024\r\n',
        'SEARCH CHARSET UTF-8 SUBJECT {7}\r\nGrüße TEXT "what?" LARGER 5\r\n'.encode(),
        b"UID SEARCH BODY {10}\r\ntwo\r\nlines\r\n",
        b'FETCH 1 (BODY[HEADER.FIELDS ("X-Spam")])\r\n',
        b'UID SEARCH HEADER "X-A" {1}\r\n\xff\r\n',
        "THREAD REFERENCES UTF-8 TEXT {2}\r\nä\r\n".encode(),
        b"SEARCH KEYWORD $Junk UID 1,3:5,8:* SUBJECT why?\r\n",
        b"UID STORE 1:3 +FLAGS (\\Seen a)\r\n",
        b'FETCH 1 (BODY[HEADER.FIELDS ("From" "To")])\r\n',
        b'FETCH 1 (BODY[HEADER.FIELDS ("From" "To")])\r\n',
        b"UID FETCH 7 (BODY[1])\r\n",
    ]
    client.search(None, "BODY ?", params=['"\n{5}'])  # a literal may end in anything
    assert server.heard[-1] == b'SEARCH BODY {5}\r\n"\n{5}\r\n'
    with pytest.raises(imaplib.IMAP4.error, match="announces"):
        client.search(None, 'BODY ? SUBJECT x"{5}', params=['"\n'])
    client.search(None, "SUBJECT why?")
    assert server.heard[-1] == b"SEARCH SUBJECT why?\r\n"


@pytest.mark.parametrize(
    ("criteria", "params", "kind"),
    [
        ("FROM ?", [], TypeError),
        ("FROM ?", ["a", "b"], TypeError),
        ("FROM ?", [True], TypeError),
        ("FROM ?", [1.5], TypeError),
        ("FROM ?", [None], TypeError),
        ("FROM ?", ["a\0"], ValueError),
        ("KEYWORD ?f", ["a b"], ValueError),
        ("KEYWORD ?f", [1], TypeError),
        ("UID ?s", [["7"]], TypeError),
        ("UID ?s", [[(1, "a")]], TypeError),
    ],
)
def test_parameters_that_cannot_be_sent(
    talk: Any, criteria: str, params: list[Any], kind: type[Exception]
) -> None:
    client, server = talk()
    with pytest.raises(imaplib.IMAP4.error) as caught:
        client.search(None, criteria, params=params)
    assert isinstance(caught.value, kind)
    assert server.heard == []
    with pytest.raises(kind):
        imaplib._substitute(criteria, params)


def test_parameters_without_a_session() -> None:
    assert imaplib._substitute("FROM ?", ['say "hi"']) == 'FROM "say \\"hi\\""'
    assert imaplib._substitute("?s", [[1, (3, 5), (8, "*")]]) == "1,3:5,8:*"
    assert imaplib._substitute("a?? b", []) == "a? b"
    assert imaplib._substitute("KEYWORD ?f ?", ["$a", 7]) == "KEYWORD $a 7"
    with pytest.raises(ValueError, match="line breaks"):
        imaplib._substitute("?", ["a\r\nb"])


def test_identity_and_logins(talk: Any) -> None:
    client, server = talk(b'* ID ("name" "Dovecot")', state="NONAUTH")
    assert client.id({"name": 'my "app"', "version": None}) == ("OK", [b'("name" "Dovecot")'])
    assert client.id() == ("OK", [None])
    client.login("Ann Bee", 'pass "word"')
    client.state = "NONAUTH"
    client.login_plain("änn", "pässword")
    client.state = "NONAUTH"
    client.login(b"a b", b'pass "word"')
    client.state = "NONAUTH"
    client.login_plain(b"\xff", b"x")
    with pytest.raises(imaplib.IMAP4.error, match="NUL"):
        client.login_plain("a\0b", "c")
    assert [command for command in server.heard if command != b"CAPABILITY\r\n"] == [
        b'ID ("name" "my \\"app\\"" "version" NIL)\r\n',
        b"ID NIL\r\n",
        b'LOGIN "Ann Bee" "pass \\"word\\""\r\n',
        b"AUTHENTICATE PLAIN\r\nAMOkbm4AcMOkc3N3b3Jk\r\n",
        b'LOGIN "a b" "pass \\"word\\""\r\n',
        b"AUTHENTICATE PLAIN\r\nAP8AeA==\r\n",
    ]


def test_the_codec() -> None:
    assert "Entwürfe & mehr".encode("utf-7-imap") == b"Entw&APw-rfe &- mehr"
    assert b"Entw&APw-rfe &- mehr".decode("UTF-7-IMAP") == "Entwürfe & mehr"
    assert b"&AGE-&-".decode("utf-7-imap") == "a&"
    for alias in ("mutf-7", "mUTF-7", "csUTF7IMAP"):
        assert codecs.lookup(alias).name == "utf-7-imap"
    for wrong in (b"&AA-", b"a\tb", b"&", b"\xff", b"&AG-"):
        with pytest.raises(UnicodeDecodeError):
            wrong.decode("utf-7-imap")
    with pytest.raises(UnicodeDecodeError):
        b"a & b".decode("utf-7-imap")
    with pytest.raises(UnicodeEncodeError):
        "\ud800".encode("utf-7-imap")
    with pytest.raises(UnicodeError):
        "a".encode("utf-7-imap", "replace")


def test_quoting_by_hand(talk: Any) -> None:
    client, _ = talk()
    assert client._quote('a"b\\') == b'"a\\"b\\\\"'
    assert client._quote(b'a"b') == b'"a\\"b"'
    assert client._checkquote("a b") == b'"a b"'
    assert client._checkquote(b"(a b)") == b"(a b)"
    assert client._checkquote('"a b"') == '"a b"'
    assert client._checkquote("a.b") == "a.b"
    assert client._checkquote("") == b'""'
    assert client._astring("me@host") == b"me@host"
    assert client._astring('"a" SELECT evil "') == b'"\\"a\\" SELECT evil \\""'
    assert client._list_mailbox("a/%") == b"a/%"
    assert client._set_quote("a") == client._set_quote("(a)") == "(a)"
    assert client._fetch_parts("full") == "full"
    assert client._atom("x") == "x"
    assert client._encode_criteria("UTF-8", ["ä", b"\xff"]) == [b"\xc3\xa4", b"\xff"]
    assert imaplib._paren_depth(b'(a "(" b', 1) == 2
    assert imaplib._quoted.fullmatch(b'"a"')
    assert imaplib._control_chars.search(b"\r")
    assert imaplib._non_astring_char.search(b"*")
    assert not imaplib._non_list_char.search(b"*")
    assert imaplib._SAFE_BUF_SIZE == 1 << 20


@pytest.mark.parametrize(
    "wrong", [0, 5, 10**12, True, 1.5, [], [1, 2], range(3), ["a"], {"a": "b"}, object], ids=repr
)
def test_what_is_no_argument(talk: Any, wrong: Any) -> None:
    """Difference: types. `bytes` would make a terabyte of NULs of 10**12, and a name of [1, 2]."""
    client, server = talk()
    calls: list[tuple[str, tuple[Any, ...]]] = [
        *((name, (wrong,)) for name in ("create", "delete", "select", "getquota", "proxyauth")),
        *((name, ("1", wrong)) for name in ("copy", "move", "rename", "list", "deleteacl")),
        ("search", (wrong, "ALL")),
        ("search", (None, wrong)),
        ("thread", (wrong, "UTF-8", "ALL")),
        ("getannotation", ("a", wrong, "b")),
        ("partial", ("1", wrong, 0, 10)),
        ("login", (wrong, "a")),
        ("login", ("a", wrong)),
        ("login_plain", ("a", wrong)),
        ("enable", (wrong,)),
        ("xatom", ("X-A", wrong)),
    ]
    for name, args in calls:
        client.state = {"login": "NONAUTH", "login_plain": "NONAUTH"}.get(name, "SELECTED")
        client.state = "AUTH" if name in ("enable", "proxyauth") else client.state
        with pytest.raises(imaplib.IMAP4.error, match="must be a str") as caught:
            getattr(client, name)(*args)
        assert isinstance(caught.value, TypeError)
    assert server.heard == []
    assert client._new_tag().endswith(b"1")  # none of the calls has used a tag


def test_names_that_are_no_list(talk: Any) -> None:
    client, server = talk()
    for wrong in (None, 5, 1.5, object()):
        for call in (client._set_quote, client._fetch_parts, client._flags):
            with pytest.raises(TypeError, match=r"str or a list"):
                call(wrong)
    for wrong in ([5], [None]):
        with pytest.raises(TypeError, match=r"must be a str"):
            client.status("a", wrong)
    assert server.heard == []


def test_partial_takes_numbers(talk: Any) -> None:
    client, server = talk(answers=[])
    client.partial(1, "RFC822", 0, 10)
    client.partial("1", "RFC822", "0", b"10")
    assert server.heard == [b"PARTIAL 1 RFC822 0 10\r\n"] * 2

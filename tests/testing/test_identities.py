"""OBJECTID (RFC 8474) and Gmail's labels (X-GM-EXT-1) of the embedded server."""

from __future__ import annotations

import re

import pytest

ALL_MAIL = '"[Gmail]/All Mail"'
TRASH = "[Gmail]/Trash"


def ids(talk, name, numbers="1:*"):
    """The values of an item, in the order of the messages."""
    return re.findall(rb"%b \(?([^ )]*)" % name, talk.ok(f"FETCH {numbers} {name.decode()}"))


# -- OBJECTID ---------------------------------------------------------------------------------


def test_an_emailid_survives_copy_and_move(server, dial, letter):
    server.add_mailbox("Other")
    for number in (1, 2):
        server.add_message("INBOX", letter(str(number)))
    talk = dial(server, select="INBOX")
    before = ids(talk, b"EMAILID")
    assert len(set(before)) == 2
    talk.ok("COPY 1 Other")
    talk.ok("MOVE 2 Other")
    talk.ok("SELECT Other")
    assert ids(talk, b"EMAILID") == before
    server.rename_mailbox("Other", "New")
    server.mailbox("New").recreate()
    talk = dial(server, select="New")
    assert ids(talk, b"EMAILID") == before


def test_messages_that_are_added_have_identities_of_their_own(server, dial, letter):
    server.mailbox().add_many([letter()] * 3)
    assert len(set(ids(dial(server, select="INBOX"), b"EMAILID"))) == 3


def test_a_thread_has_one_id(server, dial):
    for header in (
        b"Message-ID: <a@x>",
        b"Message-ID: <b@x>\r\nIn-Reply-To: <a@x>",
        b"Message-ID: <c@x>\r\nReferences: <a@x> <b@x>\r\nIn-Reply-To: <b@x>",
        b"Message-ID: <d@x>",
        b"Subject: nobody knows",
    ):
        server.add_message("INBOX", header + b"\r\n\r\n")
    talk = dial(server, select="INBOX")
    threads = ids(talk, b"THREADID")
    assert threads[0] == threads[1] == threads[2]
    assert len(set(threads)) == 3
    assert b"* SEARCH 1 2 3\r\n" in talk.ok(f"SEARCH THREADID {threads[0].decode()}")
    email = ids(talk, b"EMAILID")[3].decode()
    assert b"* SEARCH 4\r\n" in talk.ok(f"SEARCH EMAILID {email}")


def test_a_mailboxid_survives_a_rename_and_no_deletion(server, dial):
    talk = dial(server)
    made = re.search(rb"OK \[MAILBOXID \((F\w+)\)\]", talk.ok("CREATE Old"))[1]
    assert b"MAILBOXID (%b)" % made in talk.ok("STATUS Old (MAILBOXID)")
    assert b"* OK [MAILBOXID (%b)]" % made in talk.ok("SELECT Old")
    talk.ok("RENAME Old New")
    assert b"(MAILBOXID (%b) MESSAGES 0)" % made in talk.ok("STATUS New (MAILBOXID MESSAGES)")
    talk.ok("UNSELECT")
    talk.ok("DELETE New")
    again = re.search(rb"OK \[MAILBOXID \((F\w+)\)\]", talk.ok("CREATE New"))[1]
    assert again != made


@pytest.mark.parametrize(
    "command", ["FETCH 1 EMAILID", "FETCH 1 THREADID", "SEARCH EMAILID M1", "SEARCH THREADID T1"]
)
def test_nothing_of_objectid_without_the_capability(start, dial, letter, command):
    server = start(personality="rev1-basic")
    server.add_message("INBOX", letter())
    talk = dial(server)
    assert b"MAILBOXID" not in talk.ok("CREATE Other") + talk.ok("SELECT INBOX")
    assert b" BAD " in talk("STATUS INBOX (MAILBOXID)")
    assert b" BAD " in talk(command)


# -- Gmail ------------------------------------------------------------------------------------


@pytest.fixture
def gmail(start, letter):
    """INBOX with two messages, the second of which has the label Work, too."""
    server = start(personality="gmail")
    server.add_mailbox("Work")
    server.add_mailbox("Äpfel & Birnen")
    for number in (1, 2):
        server.add_message("INBOX", letter(f"number {number}"))
    server.copy_message("INBOX", 2, "Work")
    return server


def labels(talk, number=1):
    answer = talk.ok(f"FETCH {number} X-GM-LABELS")
    return re.search(rb"X-GM-LABELS \((.*)\)\)\r\n", answer)[1]


def held(server, name):
    return len(server.mailbox(name).uids)


def test_the_mailboxes_of_an_account(gmail, dial):
    answer = dial(gmail).ok('LIST "" *')
    assert b'* LIST (\\All \\HasNoChildren) "/" "[Gmail]/All Mail"' in answer
    assert b'* LIST (\\HasChildren \\Noselect) "/" "[Gmail]"\r\n' in answer
    assert b"NO [NONEXISTENT]" in dial(gmail)("SELECT [Gmail]")


def test_one_message_in_several_mailboxes(gmail, dial):
    talk = dial(gmail, select="INBOX")
    numbers = ids(talk, b"X-GM-MSGID")
    assert all(int(number) > 1 << 53 for number in numbers)
    assert labels(talk, 2) == b"Work"  # and not that of the mailbox that is selected
    talk.ok("SELECT Work")
    assert ids(talk, b"X-GM-MSGID") == numbers[1:]
    assert labels(talk) == b"\\Inbox"
    talk.ok(f"SELECT {ALL_MAIL}")
    assert ids(talk, b"X-GM-MSGID") == numbers
    assert (labels(talk, 1), labels(talk, 2)) == (b"\\Inbox", b"Work \\Inbox")


def test_copying_adds_a_label_once(gmail, dial):
    talk = dial(gmail, select="INBOX")
    for _ in range(2):
        talk.ok("COPY 1:2 Work")
    assert held(gmail, "Work") == held(gmail, "[Gmail]/All Mail") == 2


def test_moving_changes_a_label(gmail, dial):
    dial(gmail, select="INBOX").ok('MOVE 1 "&AMQ-pfel &- Birnen"')
    assert held(gmail, "INBOX") == 1
    talk = dial(gmail, select=ALL_MAIL)
    assert labels(talk) == b'"&AMQ-pfel &- Birnen"'
    talk = dial(gmail, enable="UTF8=ACCEPT", select=ALL_MAIL)
    assert labels(talk).decode() == '"Äpfel & Birnen"'


def test_an_expunge_takes_a_label_away(gmail, dial):
    talk = dial(gmail, select="INBOX")
    talk.ok("STORE 2 +FLAGS (\\Deleted)")
    talk.ok("EXPUNGE")
    assert (held(gmail, "INBOX"), held(gmail, "Work"), held(gmail, "[Gmail]/All Mail")) == (1, 1, 2)
    assert gmail.mailbox("Work").flags(1) == frozenset()


def test_what_goes_to_trash_is_nowhere_else(gmail, dial):
    talk = dial(gmail, select="INBOX")
    answer = talk.ok(f"COPY 2 {TRASH}")
    assert b"* 2 EXPUNGE" in answer + talk.ok("NOOP")
    assert (held(gmail, "Work"), held(gmail, "[Gmail]/All Mail"), held(gmail, TRASH)) == (0, 1, 1)
    talk.ok(f"SELECT {TRASH}")
    talk.ok("MOVE 1 INBOX")  # and back
    assert (held(gmail, "INBOX"), held(gmail, "[Gmail]/All Mail"), held(gmail, TRASH)) == (2, 2, 0)


def test_what_is_expunged_from_all_mail_is_gone(gmail):
    gmail.mailbox("[Gmail]/All Mail").expunge([2])
    assert (held(gmail, "INBOX"), held(gmail, "Work"), held(gmail, "[Gmail]/All Mail")) == (1, 0, 1)


def test_flags_are_shared(gmail, dial):
    dial(gmail, select="INBOX").ok("STORE 2 +FLAGS (\\Seen \\Flagged)")
    flags = {"\\Seen", "\\Flagged"}
    for name, uid in (("Work", 1), ("[Gmail]/All Mail", 2), ("[Gmail]/Starred", 1)):
        assert gmail.mailbox(name).flags(uid) == flags
    gmail.mailbox("[Gmail]/Starred").expunge([1])
    assert gmail.mailbox("INBOX").flags(2) == {"\\Seen"}
    gmail.mailbox("INBOX").set_flags(2, ["\\Flagged"])
    gmail.mailbox("Work").set_flags(1, [])
    assert held(gmail, "[Gmail]/Starred") == 0


def test_a_flagged_message_is_starred(gmail, letter):
    gmail.add_message("Work", letter(), ["\\Flagged"])
    assert held(gmail, "[Gmail]/Starred") == 1
    gmail.copy_message("INBOX", 1, "[Gmail]/Starred")
    assert gmail.mailbox("INBOX").flags(1) == {"\\Flagged"}


def test_store_of_labels(gmail, dial):
    talk = dial(gmail, select=ALL_MAIL)
    answer = talk.ok('UID STORE 1 +X-GM-LABELS ("New one" \\Starred)')
    assert b'* 1 FETCH (UID 1 X-GM-LABELS ("New one" \\Inbox \\Starred))\r\n' in answer
    assert held(gmail, "New one") == held(gmail, "[Gmail]/Starred") == 1
    assert b"X-GM-LABELS" not in talk.ok("STORE 1 -X-GM-LABELS.SILENT (\\Inbox)")
    assert labels(talk) == b'"New one" \\Starred'
    talk.ok("STORE 1 X-GM-LABELS (Work)")
    assert labels(talk) == b"Work"
    assert held(gmail, "New one") == held(gmail, "[Gmail]/Starred") == 0
    assert b" BAD " in talk("STORE 1 +X-GM-LABELS (\\Nonsense)")


def test_the_label_of_the_selected_mailbox_stays(gmail, dial):
    talk = dial(gmail, select="INBOX")
    talk.ok("STORE 1 -X-GM-LABELS (\\Inbox)")
    talk.ok("STORE 1 X-GM-LABELS ()")
    assert held(gmail, "INBOX") == 2


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("X-GM-LABELS Work", b"2"),
        ("X-GM-LABELS \\Inbox", b"1 2"),
        ("X-GM-LABELS nonsense", b""),
        ("X-GM-RAW \"subject:'number 1' in:inbox\"", b"1"),
        ('X-GM-RAW "label:Work -is:read"', b"2"),
        ("X-GM-RAW from:ANN@example", b"1 2"),
        ("X-GM-RAW in:anywhere", b"1 2"),
        ("X-GM-RAW rfc822msgid:nobody", b""),
        ("X-GM-RAW world", b"1 2"),
        ("NOT X-GM-LABELS Work", b"1"),
    ],
)
def test_search_as_gmail_does(gmail, dial, keys, found):
    answer = dial(gmail, select=ALL_MAIL).ok(f"SEARCH {keys}")
    assert answer.splitlines()[0].removeprefix(b"* SEARCH").strip() == found


def test_search_by_number(gmail, dial):
    talk = dial(gmail, select="INBOX")
    message, thread = ids(talk, b"X-GM-MSGID")[1], ids(talk, b"X-GM-THRID")[0]
    assert b"* SEARCH 2\r\n" in talk.ok(b"SEARCH X-GM-MSGID " + message)
    assert b"* SEARCH 1\r\n" in talk.ok(b"SEARCH X-GM-THRID " + thread)


def test_labels_come_back_from_a_snapshot(gmail, dial):
    snapshot = gmail.snapshot()
    gmail.mailbox("[Gmail]/All Mail").expunge([1, 2])
    gmail.restore(snapshot)
    assert labels(dial(gmail, select=ALL_MAIL), 2) == b"Work \\Inbox"
    gmail.mailbox("Work").recreate()
    gmail.mailbox("[Gmail]/All Mail").recreate()
    assert labels(dial(gmail, select=ALL_MAIL), 2) == b"Work \\Inbox"


@pytest.mark.parametrize(
    "command",
    ["FETCH 1 X-GM-MSGID", "FETCH 1 X-GM-LABELS", "SEARCH X-GM-RAW x", "STORE 1 +X-GM-LABELS (x)"],
)
def test_nothing_of_gmail_without_the_capability(server, dial, letter, command):
    server.add_message("INBOX", letter())
    assert b" BAD " in dial(server, select="INBOX")(command)

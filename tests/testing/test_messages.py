"""APPEND, STORE, COPY, MOVE, EXPUNGE, CLOSE: what they change and what they answer."""

from __future__ import annotations

import pytest

from imaplus.testing import PERSONALITIES, Quirk

SYSTEM = b"\\Answered \\Deleted \\Draft \\Flagged \\Seen"


@pytest.fixture
def talk(server, dial, letter):
    for number in range(1, 6):
        server.add_message("INBOX", letter(str(number)))
    server.add_mailbox("Other")
    return dial(server, select="INBOX")


def test_select(server, dial, letter):
    server.add_message("INBOX", letter(), ["\\Seen", "$label"])
    server.add_message("INBOX", letter())
    box = server.mailbox()
    assert dial(server)("SELECT inbox").splitlines() == [
        b"* 2 EXISTS",
        b"* FLAGS ($label %b)" % SYSTEM,
        b"* OK [PERMANENTFLAGS ($label \\* %b)] Flags that are kept" % SYSTEM,
        b"* 2 RECENT",
        b"* OK [UNSEEN 2] First unseen message",
        b"* OK [UIDVALIDITY %d] UIDs are valid" % box.uidvalidity,
        b"* OK [UIDNEXT 3] Predicted next UID",
        b"* OK [MAILBOXID (%b)] Its name for good" % box.mailboxid.encode(),
        b"* OK [HIGHESTMODSEQ 3] Highest",
        b"t2 OK [READ-WRITE] SELECT completed",
    ]


def test_rev2_select_has_no_recent_and_lists(start, dial, letter):
    server = start(personality="rev2")
    server.add_message("INBOX", letter())
    talk = dial(server, enable="IMAP4rev2")
    answer = talk.ok("SELECT INBOX")
    assert b"RECENT" not in answer
    assert b"UNSEEN" not in answer
    assert b'* LIST () "/" INBOX\r\n' in answer
    assert b"* OK [CLOSED]" in talk.ok("EXAMINE INBOX")


def test_recent_belongs_to_the_first(server, dial, letter):
    server.add_message("INBOX", letter())
    reader = dial(server)
    assert b"* 1 RECENT" in reader.ok("EXAMINE INBOX")
    first = dial(server)
    assert b"* 1 RECENT" in first.ok("SELECT INBOX")
    second = dial(server)
    assert b"* 0 RECENT" in second.ok("SELECT INBOX")
    server.add_message("INBOX", letter())
    assert b"* 2 RECENT" in first.ok("NOOP")
    assert b"* 0 RECENT" in second.ok("NOOP")
    assert b"\\Recent" in first.ok("FETCH 2 FLAGS")
    assert b"\\Recent" not in second.ok("FETCH 2 FLAGS")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("FLAGS (\\Seen a)", {"\\Seen", "a"}),
        ("+FLAGS \\Seen \\Draft", {"\\Seen", "\\Draft", "\\Flagged"}),
        ("-FLAGS (\\FLAGGED)", set()),
        ("FLAGS ()", set()),
        ("+flags (\\seen)", {"\\Flagged", "\\Seen"}),
    ],
)
def test_store(server, talk, change, expected):
    server.mailbox().set_flags(2, ["\\Flagged"])
    talk.ok("NOOP")
    answer = talk.ok(f"STORE 2 {change}")
    assert answer.startswith(b"* 2 FETCH (FLAGS (")
    assert server.mailbox().flags(2) == expected


def test_store_silently(server, talk):
    assert talk("UID STORE 1:* +FLAGS.SILENT (x)") == b"t3 OK UID STORE completed\r\n"
    assert all(server.mailbox().flags(uid) == {"x"} for uid in server.mailbox().uids)


def test_store_by_uid_names_the_uid(talk):
    assert b"* 2 FETCH (UID 2 FLAGS (" in talk.ok("UID STORE 2 +FLAGS (x)")


def test_read_only(server, talk):
    talk.ok("EXAMINE INBOX")
    assert b"NO [READ-ONLY]" in talk("STORE 1 FLAGS (x)")
    assert b"NO [READ-ONLY]" in talk("EXPUNGE")
    assert b"NO [READ-ONLY]" in talk("MOVE 1 Other")
    server.mailbox().set_flags(1, ["\\Deleted"])
    talk.ok("CLOSE")
    assert server.mailbox().uids == [1, 2, 3, 4, 5]


def test_recent_cannot_be_stored(talk):
    assert b" BAD " in talk("STORE 1 +FLAGS (\\Recent)")
    assert b" BAD " in talk("STORE 1 WHATEVER (\\Seen)")


def test_expunge(server, talk):
    talk.ok("STORE 1,3,4 +FLAGS.SILENT (\\Deleted)")
    assert talk.ok("UID EXPUNGE 4:9").startswith(b"* 4 EXPUNGE\r\nt")
    assert talk.ok("EXPUNGE").startswith(b"* 1 EXPUNGE\r\n* 2 EXPUNGE\r\nt")
    assert server.mailbox().uids == [2, 5]
    assert b"UID 5" in talk.ok("FETCH 2 UID")


def test_close_expunges_without_responses(server, talk):
    talk.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    assert talk("CLOSE") == b"t4 OK CLOSE completed\r\n"
    assert server.mailbox().uids == [1, 3, 4, 5]
    assert b" BAD " in talk("FETCH 1 FLAGS")


def test_unselect_does_not(server, talk):
    talk.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    talk.ok("UNSELECT")
    assert server.mailbox().uids == [1, 2, 3, 4, 5]


def test_copy(server, talk):
    talk.ok("STORE 2 FLAGS.SILENT (\\Seen)")
    other = server.mailbox("Other")
    assert b"t4 OK [COPYUID %d 2,4 1:2]" % other.uidvalidity in talk.ok("UID COPY 4,2 Other")
    assert other.flags(1) == {"\\Seen"}
    assert other.messages[1].data == server.mailbox().messages[2].data
    assert b"NO [TRYCREATE]" in talk("COPY 1 Nowhere")
    assert b" BAD " in talk("COPY 9 Other")
    assert talk("UID COPY 9 Other") == b"t7 OK UID COPY completed\r\n"


def test_move(server, talk):
    uidvalidity = server.mailbox("Other").uidvalidity
    assert talk.ok("MOVE 2:3 Other") == (
        b"* OK [COPYUID %d 2:3 1:2] Moved\r\n* 2 EXPUNGE\r\n* 2 EXPUNGE\r\nt3 OK MOVE completed\r\n"
        % uidvalidity
    )
    assert (server.mailbox().uids, server.mailbox("Other").uids) == ([1, 4, 5], [1, 2])


def test_append(server, talk):
    uidvalidity = server.mailbox().uidvalidity
    answer = talk.ok(b"APPEND INBOX (\\Seen x) {3+}\r\nabc")
    assert answer.startswith(b"* 6 EXISTS\r\n* 6 RECENT\r\n")
    assert b"OK [APPENDUID %d 6]" % uidvalidity in answer
    assert server.mailbox().messages[6].data == b"abc"
    assert server.mailbox().flags(6) == {"\\Seen", "x"}
    assert b"NO [TRYCREATE]" in talk(b"APPEND Nowhere {3+}\r\nabc")
    assert b" BAD " in talk(b'APPEND INBOX "yesterday" {3+}\r\nabc')
    assert b" BAD " in talk(b'APPEND INBOX "text"')
    assert b" BAD " in talk(b"APPEND INBOX")


def test_multiappend(server, talk):
    box = server.mailbox("Other")
    answer = talk.ok(
        b'APPEND Other {1+}\r\na (\\Seen) {1+}\r\nb "01-Jan-2020 00:00:00 +0000" {1+}\r\nc'
    )
    assert b"[APPENDUID %d 1:3]" % box.uidvalidity in answer
    assert [message.data for message in box.messages.values()] == [b"a", b"b", b"c"]


def test_append_of_bytes_of_every_value(server, talk):
    data = bytes(range(256))
    talk.ok(b"APPEND Other ~{256+}\r\n" + data)
    assert server.mailbox("Other").messages[1].data == data


def test_append_in_utf8(server, dial):
    talk = dial(server, enable="UTF8=ACCEPT")
    talk.ok(b"APPEND INBOX UTF8 (~{3+}\r\nabc)")
    assert server.mailbox().messages[1].data == b"abc"


def test_large_append_goes_to_disk(server, talk):
    data = bytes(range(256)) * 8192
    assert talk(b"APPEND Other {%d}" % len(data)) == b"+ go ahead\r\n"
    talk.send(data + b"\r\n")
    assert b" OK " in talk.answer(b"t3")
    assert server.mailbox("Other").messages[1].data == data
    talk.ok("SELECT Other")
    assert b"RFC822.SIZE %d" % len(data) in talk.ok("FETCH 1 RFC822.SIZE")


def test_message_that_is_too_large(start, dial):
    server = start(personality="gmail")
    talk = dial(server)
    assert b"NO [TOOBIG]" in talk(b"APPEND INBOX {35651585}")
    assert server.mailbox().uids == []
    talk.ok("NOOP")


def test_unsolicited_flags_of_others_and_own_order(server, talk):
    server.mailbox().set_flags(3, ["\\Seen"])
    answer = talk.ok("STORE 1 +FLAGS (x)")
    assert answer.index(b"* 1 FETCH") < answer.index(b"* 3 FETCH (FLAGS (\\Recent \\Seen))")


def test_quirks(start, dial, letter):
    who = PERSONALITIES["rev1"].but(
        Quirk.EMPTY_COPYUID,
        Quirk.FINAL_CRLF,
        Quirk.NO_NUL,
        Quirk.NO_DESCENDING_SETS,
        Quirk.NO_EXISTS_AFTER_APPEND,
    )
    server = start(personality=who)
    server.add_message("INBOX", letter())
    talk = dial(server, select="INBOX")
    assert b"[COPYUID %d  ]" % server.mailbox().uidvalidity in talk.ok("COPY 1 INBOX")
    assert b"BAD [CLIENTBUG]" in talk(b"APPEND INBOX {1+}\r\nx")
    assert b"NO Message contains NUL" in talk(b"APPEND INBOX {3+}\r\n\0\r\n")
    assert b" BAD " in talk("FETCH 2:1 FLAGS")
    assert b"EXISTS" not in talk.ok(b"APPEND INBOX {3+}\r\nx\r\n")
    assert b"* 3 EXISTS" in talk.ok("NOOP")

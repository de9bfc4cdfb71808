"""CONDSTORE and QRESYNC (RFC 7162)."""

from __future__ import annotations

import pytest


@pytest.fixture
def box(server, letter):
    for number in range(1, 11):
        server.add_message("INBOX", letter(str(number)))
    return server.mailbox()


@pytest.fixture
def talk(server, dial, box):
    return dial(server, enable="QRESYNC")


def test_resync_reports_missed_changes(box, talk):
    modseq = box.highestmodseq
    box.expunge([2, 3, 7])
    box.set_flags(5, ["\\Seen"])
    answer = talk.ok(f"SELECT INBOX (QRESYNC ({box.uidvalidity} {modseq}))")
    assert b"* VANISHED (EARLIER) 2:3,7\r\n" in answer
    assert b"* 3 FETCH (UID 5 FLAGS (\\Recent \\Seen) MODSEQ (%d))" % box.highestmodseq in answer
    assert answer.count(b" FETCH ") == 1
    assert b"[HIGHESTMODSEQ %d]" % box.highestmodseq in answer


def test_resync_of_known_uids(box, talk):
    modseq = box.highestmodseq
    box.expunge([2, 3, 7])
    box.set_flags(5, ["\\Seen"])
    box.set_flags(9, ["\\Seen"])
    command = f"SELECT INBOX (QRESYNC ({box.uidvalidity} {modseq} 1:5 (1,3 1,4)))"
    answer = talk.ok(command)
    assert b"* VANISHED (EARLIER) 2:3\r\n" in answer
    assert b"UID 5" in answer
    assert b"UID 9" not in answer


def test_another_uidvalidity_is_a_plain_select(box, talk):
    answer = talk.ok("SELECT INBOX (QRESYNC (1 1))")
    assert b"VANISHED" not in answer
    assert b"FETCH" not in answer


def test_qresync_must_be_enabled(server, dial, box):
    talk = dial(server)
    assert b" BAD " in talk("SELECT INBOX (QRESYNC (1 1))")
    talk.ok("SELECT INBOX")
    assert b" BAD " in talk("UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)")


@pytest.mark.parametrize("arguments", ["()", "(0 1)", "(1 0)", "(1 1 1:3 (1:2 1))", "(1 1 *:1 x)"])
def test_bad_arguments(talk, arguments):
    assert b" BAD " in talk(f"SELECT INBOX (QRESYNC {arguments})")


def test_vanished_replaces_expunge(server, dial, box, talk):
    talk.ok("SELECT INBOX")
    other = dial(server, select="INBOX")
    other.ok("STORE 2,3 +FLAGS.SILENT (\\Deleted)")
    assert b"* VANISHED" not in other.ok("EXPUNGE")
    assert talk.ok("NOOP").startswith(b"* VANISHED 2:3\r\nt")
    assert talk.ok("UID MOVE 5 INBOX").count(b"* VANISHED 5\r\n") == 1
    talk.ok("UID STORE 6 +FLAGS.SILENT (\\Deleted)")
    assert b"* VANISHED 6\r\n" in talk("EXPUNGE")
    talk.ok("UID STORE 8 +FLAGS.SILENT (\\Deleted)")
    assert b"OK [HIGHESTMODSEQ %d]" % (box.highestmodseq + 1) in talk("CLOSE")


def test_changes_of_others_come_with_uid_and_modseq(server, box, talk):
    talk.ok("SELECT INBOX")
    box.set_flags(4, ["x"])
    assert b"* 4 FETCH (UID 4 FLAGS (\\Recent x) MODSEQ (%d))" % box.highestmodseq in talk.ok(
        "NOOP"
    )


def test_changedsince(server, dial, box):
    talk = dial(server, select="INBOX")
    modseq = box.highestmodseq
    box.set_flags(4, ["x"])
    talk.ok("NOOP")
    answer = talk.ok(f"FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq})")
    assert answer.startswith(b"* 4 FETCH (FLAGS (\\Recent x) MODSEQ (%d))\r\nt" % (modseq + 1))


def test_changedsince_vanished(box, talk):
    talk.ok("SELECT INBOX")
    modseq = box.highestmodseq
    box.expunge([3])
    talk.ok("NOOP")
    answer = talk.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq} VANISHED)")
    assert answer.startswith(b"* VANISHED (EARLIER) 3\r\nt")
    assert b" BAD " in talk("UID FETCH 1:* (FLAGS) (VANISHED)")


def test_unchangedsince(server, dial, box):
    talk = dial(server, select="INBOX")
    modseq = box.highestmodseq
    box.set_flags(2, ["x"])
    answer = talk(f"STORE 1:3 (UNCHANGEDSINCE {modseq}) +FLAGS.SILENT (\\Seen)")
    assert b"OK [MODIFIED 2] STORE completed" in answer
    assert b"* 1 FETCH (MODSEQ (%d))" % (modseq + 2) in answer
    assert box.flags(2) == {"x"}
    answer = talk(f"UID STORE 2 (UNCHANGEDSINCE {modseq}) FLAGS ()")
    assert b"[MODIFIED 2]" in answer


def test_fetch_of_modseq_enables_condstore(server, dial, box):
    talk = dial(server, select="INBOX")
    assert b"MODSEQ (2)" in talk.ok("FETCH 1 MODSEQ")
    assert b"MODSEQ" in talk.ok("STORE 1 +FLAGS (x)")


def test_select_condstore(server, dial, box):
    talk = dial(server)
    talk.ok("SELECT INBOX (CONDSTORE)")
    assert b"MODSEQ" in talk.ok("STORE 1 +FLAGS (x)")
    assert b" BAD " in talk("SELECT INBOX (WHATEVER)")


def test_recreated_mailbox(server, box, talk):
    talk.ok("SELECT INBOX")
    before = box.uidvalidity
    box.recreate()
    assert box.uidvalidity != before
    assert box.uids == list(range(1, 11))
    talk.send(b"x NOOP\r\n")
    assert b"* BYE" in talk.rest()

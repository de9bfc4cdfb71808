"""Several connections: changes are reported to others when the protocol allows it."""

from __future__ import annotations

import pytest


@pytest.fixture
def talks(server, dial, letter):
    for number in range(1, 6):
        server.add_message("INBOX", letter(str(number)))
    return dial(server, select="INBOX"), dial(server, select="INBOX")


def test_flags(talks):
    one, other = talks
    one.ok("STORE 2 +FLAGS (\\Seen)")
    assert b"* 2 FETCH (FLAGS (\\Seen))" in other.ok("NOOP")
    assert b"FETCH" not in other.ok("NOOP")
    assert b"FETCH" not in one.ok("NOOP")


def test_silent_stores_are_reported_to_other_sessions(talks):
    one, other = talks
    one.ok("STORE 2 +FLAGS.SILENT (\\Seen)")
    assert b"* 2 FETCH (FLAGS (\\Seen))" in other.ok("NOOP")


def test_new_messages(talks):
    one, other = talks
    one.ok(b"APPEND INBOX {1+}\r\nx")
    assert b"* 6 EXISTS" in other.ok("NOOP")
    assert b"UID 6" in other.ok("FETCH 6 UID")


@pytest.mark.parametrize("command", ["FETCH 1 UID", "STORE 1 FLAGS (x)", "SEARCH ALL"])
def test_no_expunge_while_numbers_are_in_use(talks, command):
    one, other = talks
    one.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    one.ok("EXPUNGE")
    assert b"EXPUNGE\r\n" not in other.ok(command)
    assert b"UID 5" in other.ok("FETCH 5 UID")  # the old numbers still hold
    assert b"* 2 EXPUNGE" in other.ok("NOOP")
    assert b"UID 5" in other.ok("FETCH 4 UID")


@pytest.mark.parametrize("command", ["UID FETCH 1 FLAGS", "UID SEARCH ALL", "CHECK", 'LIST "" x'])
def test_expunge_otherwise(talks, command):
    one, other = talks
    one.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    one.ok("EXPUNGE")
    assert b"* 2 EXPUNGE" in other.ok(command)


def test_expunged_messages_before_they_are_reported(talks):
    one, other = talks
    one.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    one.ok("EXPUNGE")
    answer = other("FETCH 1:3 UID")
    assert b"NO [EXPUNGEISSUED]" in answer
    assert b"* 1 FETCH" in answer
    assert b"* 2 FETCH" not in answer
    assert b"* 3 FETCH (UID 3)" in answer
    assert b"* SEARCH 1 3 4 5\r\n" in other.ok("SEARCH ALL")


def test_expunge_and_arrival_together(talks, server, letter):
    _, other = talks
    server.mailbox().expunge([1, 3])
    server.add_message("INBOX", letter())
    assert other.ok("NOOP").startswith(b"* 1 EXPUNGE\r\n* 2 EXPUNGE\r\n* 4 EXISTS\r\n")
    assert b"* 4 FETCH (UID 6)" in other.ok("FETCH 4 UID")


def test_arrivals_are_numbered_when_they_are_reported(talks, server, letter):
    _, other = talks
    server.add_message("INBOX", letter())
    assert b" BAD " in other("FETCH 6 UID")
    server.add_message("INBOX", letter())
    answer = other.ok("UID FETCH 1:* UID")
    assert b"* 7 FETCH" not in answer
    assert b"* 7 EXISTS" in answer


def test_arrivals_expunged_before_they_are_reported(talks, server, letter):
    _, other = talks
    uid = server.add_message("INBOX", letter())
    server.add_message("INBOX", letter())
    server.mailbox().expunge([uid, 1])
    assert other.ok("NOOP").startswith(b"* 1 EXPUNGE\r\n* 5 EXISTS\r\n")
    assert b"UID 7" in other.ok("FETCH 5 UID")


def test_idle_reports_changes_immediately(talks, server, letter):
    one, other = talks
    other.send(b"i IDLE\r\n")
    assert other.line() == b"+ idling\r\n"
    server.add_message("INBOX", letter())
    assert other.line() == b"* 6 EXISTS\r\n"
    assert other.line() == b"* 0 RECENT\r\n"
    one.ok("STORE 1 +FLAGS (x)")
    assert other.line() == b"* 1 FETCH (FLAGS (x))\r\n"
    server.mailbox().expunge([2])
    assert other.line() == b"* 2 EXPUNGE\r\n"
    other.send(b"DONE\r\n")
    assert other.line() == b"i OK IDLE completed\r\n"


def test_idle_reports_earlier_changes_first(talks, server, letter):
    _, other = talks
    server.add_message("INBOX", letter())
    other.send(b"i IDLE\r\nDONE\r\n")
    lines = [other.line() for _ in range(4)]
    assert lines[:2] == [b"+ idling\r\n", b"* 6 EXISTS\r\n"]
    assert lines[3] == b"i OK IDLE completed\r\n"


def test_idle_ends_with_done_only(talks):
    _, other = talks
    other.send(b"i IDLE\r\nx NOOP\r\n")
    assert b"i BAD " in b"".join(other.line() for _ in range(2))


def test_idle_without_a_mailbox(server, dial):
    talk = dial(server)
    assert talk("IDLE") == b"+ idling\r\n"
    talk.send(b"done\r\n")
    assert talk.line() == b"t2 OK IDLE completed\r\n"


def test_client_that_leaves_while_idle(talks, server, letter):
    one, other = talks
    assert other("IDLE") == b"+ idling\r\n"
    other.sock.close()
    server.add_message("INBOX", letter())
    assert b"* 6 EXISTS" in one.ok("NOOP")


def test_mailbox_deleted_while_idle(server, dial):
    server.add_mailbox("x")
    talk = dial(server, select="x")
    talk("IDLE")
    server.account().delete("x")
    assert b"* BYE Selected mailbox was deleted" in talk.rest()


def test_gmail_reports_changes_at_noop(start, dial, letter):
    server = start(personality="gmail")
    talk = dial(server, select="INBOX")
    server.add_message("INBOX", letter())
    assert b"EXISTS" not in talk.ok("UID SEARCH ALL")
    assert b"* 1 EXISTS" in talk.ok("NOOP")

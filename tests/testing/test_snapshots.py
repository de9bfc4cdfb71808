"""A server that goes back to an earlier state, and changes that no client makes."""

from __future__ import annotations

from datetime import UTC, datetime


def numbers(talk, mailbox="INBOX"):
    answer = talk.ok(f"STATUS {mailbox} (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)")
    words = answer.partition(b"(")[2].partition(b")")[0].split()
    return {key.decode(): int(value) for key, value in zip(words[::2], words[1::2], strict=True)}


def test_numbers_go_back(server, dial, letter):
    server.add_message("INBOX", letter("old"))
    talk = dial(server)
    before = numbers(talk)
    snapshot = server.snapshot()
    server.add_message("INBOX", letter("new"))
    server.mailbox().set_flags(1, ["\\Seen"])
    assert numbers(talk)["UIDNEXT"] == before["UIDNEXT"] + 1
    server.restore(snapshot)
    assert numbers(talk) == before
    assert server.mailbox().flags(1) == frozenset()
    server.add_message("INBOX", letter("another"))  # the same UID, another message
    assert b"Subject: another" in dial(server, select="INBOX").ok("UID FETCH 2 BODY[HEADER]")


def test_a_snapshot_can_be_restored_again(server, letter):
    server.add_message("INBOX", letter())
    snapshot = server.snapshot()
    for _ in range(2):
        server.mailbox().set_flags(1, ["\\Seen"])
        server.mailbox().add(letter())
        server.restore(snapshot)
        assert server.mailbox().uids == [1]
        assert server.mailbox().flags(1) == frozenset()


def test_expunged_messages_come_back(server, dial, letter):
    server.add_message("INBOX", letter())
    snapshot = server.snapshot()
    server.mailbox().expunge([1])
    server.restore(snapshot)
    talk = dial(server, enable="QRESYNC", select="INBOX")
    answer = talk.ok("UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)")
    assert b"VANISHED" not in answer
    assert b"UID 1" in answer


def test_mailboxes_come_back_and_go(server, dial):
    old = server.add_mailbox("Old", subscribed=True)
    snapshot = server.snapshot()
    server.delete_mailbox("Old")
    server.add_mailbox("New")
    server.account().subscriptions.discard("Old")
    server.restore(snapshot)
    assert server.mailbox("Old") is old
    assert server.account().find("New") is None
    assert b"Old" in dial(server).ok('LSUB "" *')


def test_renamed_mailboxes_get_their_name_back(server):
    server.add_mailbox("Old/Child")
    snapshot = server.snapshot()
    server.rename_mailbox("Old", "New")
    assert server.mailbox("New/Child").name == "New/Child"
    server.restore(snapshot)
    assert server.mailbox("Old/Child").name == "Old/Child"
    assert server.account().find("New") is None


def test_sessions_lose_their_mailbox(server, dial):
    snapshot = server.snapshot()
    talk = dial(server, select="INBOX")
    server.restore(snapshot)
    assert b"* BYE " in talk("NOOP")


def test_mailboxes_deleted_and_renamed_on_the_running_server(server, dial):
    server.add_mailbox("Old")
    talk = dial(server)
    before = numbers(talk, "Old")
    server.rename_mailbox("Old", "New")
    assert numbers(talk, "New") == before
    server.delete_mailbox("New")
    assert b"New" not in talk.ok('LIST "" *')


def test_another_date_under_a_known_uid(server, dial, letter):
    server.add_message("INBOX", letter(), internaldate=datetime(2025, 1, 6, tzinfo=UTC))
    server.mailbox().set_internaldate(1, datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC))
    answer = dial(server, select="INBOX").ok("UID FETCH 1 INTERNALDATE")
    assert b'INTERNALDATE " 3-Feb-2024 04:05:06 +0000"' in answer


def test_another_message_under_a_known_uid(server, dial, letter):
    server.add_message("INBOX", letter())
    server.mailbox().set_content(1, b"other")
    answer = dial(server, select="INBOX").ok("UID FETCH 1 (RFC822.SIZE BODY[])")
    assert b"RFC822.SIZE 5 BODY[] {5}\r\nother" in answer


def test_another_uidvalidity_and_nothing_else(server, dial, letter):
    server.add_message("INBOX", letter())
    talk = dial(server)
    before = numbers(talk)
    server.mailbox().set_uidvalidity(99)
    assert numbers(talk) == before | {"UIDVALIDITY": 99}

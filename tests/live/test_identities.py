"""OBJECTID (RFC 8474) on the servers that have it: Cyrus 3.6 and 3.10."""

from __future__ import annotations

import secrets

import pytest

from imaplus import Client, MailboxStatus
from imaplus.errors import CapabilityMissing
from imaplus.search import EmailId, ThreadId

from .lab import LabServer
from .sessions import letter, log_in


@pytest.fixture(params=["cyrus", "cyrus_bpo"])
def cyrus_of_each_kind(request: pytest.FixtureRequest) -> LabServer:
    found: LabServer = request.getfixturevalue(request.param)
    return found


def test_identities_outlive_names_and_places(cyrus_of_each_kind: LabServer) -> None:
    old, new, other = (f"id{secrets.token_hex(4)}" for _ in range(3))
    with log_in(cyrus_of_each_kind) as client:
        assert client.can("OBJECTID")
        made = client.create(old)
        client.create(other)
        assert made
        client.append_many(old, [letter("one"), letter("two"), letter("three")])
        before = emailids(client, old)
        assert len(set(before.values())) == 3
        assert client.mailbox.mailboxid == made
        assert client.status(old, ("MESSAGES", "MAILBOXID")) == MailboxStatus(
            old, 3, mailboxid=made
        )
        mailbox = client.select(old)
        assert list(mailbox.search(EmailId(before[2]))) == [2]
        threads = [message["THREADID"] for message in mailbox.fetch("1:*", "THREADID")]
        assert len(threads) == 3
        for uid, thread in enumerate(threads, 1):
            if thread is not None:  # conversations are switched on
                assert list(mailbox.search(ThreadId(thread))) == [uid]
        mailbox.copy(1, other)
        mailbox.move(2, other)
        mailbox.close()
        client.rename(old, new)
        assert client.examine(new).mailboxid == made
        assert emailids(client, new) == {1: before[1], 3: before[3]}
        assert emailids(client, other) == {1: before[1], 2: before[2]}


def test_what_others_do_not_have(dovecot: LabServer, courier: LabServer) -> None:
    for server in (dovecot, courier):
        with log_in(server) as client:
            inbox = client.select("INBOX")
            assert inbox.mailboxid is None
            with pytest.raises(CapabilityMissing, match="OBJECTID"):
                list(inbox.fetch(1, "EMAILID"))
            with pytest.raises(CapabilityMissing, match="X-GM-EXT-1"):
                list(inbox.fetch(1, "X-GM-MSGID"))


def emailids(client: Client, mailbox: str) -> dict[int, str]:
    box = client.select(mailbox)
    return {message.uid: message["EMAILID"] for message in box.fetch("1:*", "EMAILID")}

"""The standard library's client, as an independent check of the server."""

from __future__ import annotations

import imaplib
from datetime import UTC, datetime

import pytest

from imaplus.testing import sample_mailbox


@pytest.fixture
def client(server):
    with imaplib.IMAP4(server.host, server.port) as client:
        client.login(server.user, server.password)
        yield client


def test_a_session(server, client, letter):
    server.add_message("INBOX", letter("first"))
    assert client.select() == ("OK", [b"1"])
    date = datetime(2025, 3, 1, tzinfo=UTC)
    assert client.append("INBOX", "(\\Flagged)", date, letter("second"))[0] == "OK"
    assert client.search(None, "FLAGGED") == ("OK", [b"2"])
    kind, data = client.fetch("2", "(BODY[] INTERNALDATE)")
    assert (kind, data[0][1]) == ("OK", letter("second"))
    assert b'INTERNALDATE " 1-Mar-2025 00:00:00 +0000"' in data[1]
    assert client.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
    assert client.expunge() == ("OK", [b"1"])
    assert client.status("INBOX", "(MESSAGES)") == ("OK", [b"INBOX (MESSAGES 1)"])
    assert client.uid("MOVE", "2", "INBOX")[0] == "OK"
    assert client.namespace()[1] == [b'(("" "/")) NIL NIL']


def test_mechanisms(server):
    for mechanism in ("cram-md5", "plain"):
        with imaplib.IMAP4(server.host, server.port) as client:
            if mechanism == "plain":
                message = f"\0ada\0{server.password}".encode()
                assert client.authenticate("PLAIN", lambda _, message=message: message)[0] == "OK"
            else:
                assert client.login_cram_md5(server.user, server.password)[0] == "OK"


def test_the_sample(server, client):
    sample_mailbox(server)
    _, listed = client.list()
    assert b'(\\HasNoChildren \\Sent) "/" Sent' in listed
    assert b'(\\HasNoChildren) "/" "Wichtig &- &ANw-bersicht"' in listed
    client.select("Archive/2025", readonly=True)
    count = len(client.search(None, "ALL")[1][0].split())
    assert count == len(server.mailbox("Archive/2025").uids)
    _, data = client.fetch("1:*", "(BODY.PEEK[] BODYSTRUCTURE ENVELOPE)")
    bodies = [each[1] for each in data if isinstance(each, tuple) and each[0].endswith(b"}")]
    stored = [message.data for message in server.mailbox("Archive/2025").messages.values()]
    assert [body for body in bodies if body in stored] == stored

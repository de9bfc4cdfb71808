"""`IMAP4.typed`: a typed client on the same connection, used in turn with the old methods."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

import imaplus
from imaplus import imaplib
from imaplus.core.session import Noop
from imaplus.extensions.id import Id
from imaplus.testing import Server

from .scripted import Answer


class Counting(imaplib.IMAP4):
    """Counts what goes through its hooks."""

    lines = 0
    bytes_read = 0
    sent = b""

    def readline(self) -> bytes:
        self.lines += 1
        return super().readline()

    def read(self, size: int) -> bytes:
        self.bytes_read += size
        return super().read(size)

    def send(self, data: Any) -> None:
        self.sent += bytes(data)
        super().send(data)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        for number in range(1, 6):
            server.add_message("INBOX", f"Subject: letter {number}\r\n\r\nhello\r\n".encode())
        server.add_mailbox("Entwürfe")
        yield server


@pytest.fixture
def imap(server: Server) -> Iterator[Counting]:
    with Counting(server.host, server.port) as imap:
        imap.login(server.user, server.password)
        yield imap


def test_in_the_middle_of_a_session(imap: Counting) -> None:
    imap.select("INBOX")
    client = imap.typed
    assert isinstance(client, imaplus.Client)
    assert imap.typed is client
    mailbox = client.connection.mailbox
    assert mailbox is not None
    assert (mailbox.name, mailbox.exists, mailbox.read_only) == ("INBOX", 5, False)
    assert mailbox.uidvalidity == 1700000000
    assert "\\Seen" in mailbox.flags
    assert client.can("MOVE")
    assert "MOVE" in imap.capabilities


def test_everything_goes_through_the_hooks(imap: Counting) -> None:
    inbox = imap.typed.select("INBOX")
    before = imap.lines
    found = {message.uid: message.body() for message in inbox.fetch("1:*", imaplus.BodySection())}
    assert found[3] == b"Subject: letter 3\r\n\r\nhello\r\n"
    assert imap.lines >= before + 10
    assert imap.bytes_read == sum(map(len, found.values()))
    assert b"UID FETCH" in imap.sent


def test_both_in_turn_message_by_message(imap: Counting) -> None:
    inbox = imap.typed.select("INBOX")
    assert imap.state == "SELECTED"
    for message in inbox.fetch("1:*", "ENVELOPE"):
        assert message.envelope.subject == f"letter {message.uid}"
        assert imap.store(str(message.uid), "+FLAGS", "\\Seen")[0] == "OK"
    assert len(inbox.search(imaplus.search.Seen)) == 5
    assert imap.search(None, "SEEN") == ("OK", [b"1 2 3 4 5"])


def test_messages_that_come_and_go(imap: Counting) -> None:
    inbox = imap.typed.select("INBOX")
    assert list(inbox.uids()) == [1, 2, 3, 4, 5]
    imap.store("2", "+FLAGS", "\\Deleted")
    assert imap.expunge() == ("OK", [b"2"])
    assert list(inbox.uids()) == [1, 3, 4, 5]
    imap.append("INBOX", None, None, b"Subject: new\n\nx")
    assert list(inbox.uids()) == [1, 3, 4, 5, 6]
    assert [message.uid for message in inbox.fetch("3:*", "FLAGS")] == [3, 4, 5, 6]
    inbox.delete(3)
    assert imap.search(None, "ALL") == ("OK", [b"1 2 3 4"])


def test_another_mailbox_opened_by_either(imap: Counting) -> None:
    client = imap.typed
    inbox = client.select("INBOX")
    imap.select("Entwürfe", readonly=True)
    assert not inbox.is_open
    with pytest.raises(imaplus.StateError):
        inbox.search()
    mailbox = client.connection.mailbox
    assert mailbox is not None
    assert (mailbox.name, mailbox.read_only, mailbox.exists) == ("Entwürfe", True, 0)
    opened = client.examine("INBOX")
    assert imap.is_readonly
    assert imap.response("EXISTS") == ("EXISTS", [b"5"])
    assert imap.search(None, "ALL") == ("OK", [b"1 2 3 4 5"])
    imap.unselect()
    assert not opened.is_open
    with pytest.raises(imaplib.IMAP4.error, match="illegal in state AUTH"):
        imap.search(None, "ALL")
    client.select("INBOX").close()
    assert imap.state == "AUTH"


def test_what_the_server_says_unasked_is_for_both(imap: Counting, server: Server) -> None:
    inbox = imap.typed.select("INBOX")
    imap.untagged_responses = {}
    server.add_message("INBOX", b"Subject: new\r\n\r\n")
    events = inbox.idle(timeout=5)
    assert next(iter(events)) == imaplus.Exists(6)
    assert imap.noop()[0] == "OK"  # while it idles: that ends first
    assert imap.response("EXISTS") == ("EXISTS", [b"6"])
    assert inbox.exists == 6


def test_utf8_is_carried_over(imap: Counting) -> None:
    imap.enable("UTF8=ACCEPT")
    client = imap.typed
    assert client.connection.utf8
    client.create("Übung")
    assert 'CREATE "Übung"'.encode() in imap.sent
    assert imap.select("Übung")[0] == "OK"
    assert client.connection.mailbox is not None
    assert client.connection.mailbox.name == "Übung"


def test_uidonly_is_not_carried_over(imap: Counting) -> None:
    """FETCH would be answered by UIDFETCH, and no message would be there."""
    imap.select()
    client = imap.typed
    client.noop()
    imap._uidonly = True
    with pytest.raises(imaplus.StateError, match="UIDONLY"):
        client.noop()
    client.logout()
    assert imap.state == "LOGOUT"


@pytest.mark.parametrize("granted", [b"* ENABLED UIDONLY", b"* ENABLED x uidonly", b"* ENABLED x"])
def test_what_is_enabled_is_noted(talk: Any, granted: bytes) -> None:
    client, _ = talk(state="AUTH", answers=[Answer((granted,)), Answer(())])
    client.enable("UIDONLY")
    client.enable("X")
    assert client._uidonly is (b"uidonly" in granted.lower())


@pytest.mark.parametrize("end", ["close", "logout"])
def test_closing_while_an_idler_is_at_work(server: Server, end: str) -> None:
    imap = imaplib.IMAP4(server.host, server.port)
    imap.login(server.user, server.password)
    imap.select()
    client = imap.typed
    idler = imap.idle()
    idler.__enter__()
    getattr(client, end)()
    assert imap.state == "LOGOUT"


def test_before_login(server: Server) -> None:
    with imaplib.IMAP4(server.host, server.port) as imap:
        client = imap.typed
        assert client.run(Id((("name", "test"),)))
        with pytest.raises(imaplus.StateError):
            client.list()
        imap.login(server.user, server.password)
        assert {entry.name for entry in client.list()} == {"INBOX", "Entwürfe"}


def test_not_while_an_idler_is_at_work(imap: Counting) -> None:
    client = imap.typed
    imap.select()
    with imap.idle(), pytest.raises(imaplus.StateError):
        client.noop()
    client.noop()


def test_an_end_for_both(server: Server) -> None:
    imap = imaplib.IMAP4(server.host, server.port)
    imap.login(server.user, server.password)
    with imap.typed as client:
        client.noop()
    assert imap.state == "LOGOUT"
    with pytest.raises(imaplib.IMAP4.error):
        imap.select()
    other = imaplib.IMAP4(server.host, server.port)
    other.login(server.user, server.password)
    client = other.typed
    server.disconnect("going down")
    with pytest.raises(imaplus.ConnectionLost, match="going down"):
        client.noop()
    assert other.state == "LOGOUT"


def test_a_timeout_of_one_call() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        imap = imaplib.IMAP4.__new__(imaplib.IMAP4)
        imap._reset()
        imap.sock, imap.state, imap.capabilities, imap.host = ours, "AUTH", ("IMAP4REV1",), "h"
        with pytest.raises(imaplus.TimedOut, match="NOOP was not over within the deadline"):
            imap.typed.run(Noop(), timeout=0.05)
        assert imap.state == "LOGOUT"


def test_the_time_out_of_the_socket() -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(0.05)
    with theirs:
        imap = imaplib.IMAP4.__new__(imaplib.IMAP4)
        imap._reset()
        imap.sock, imap.state, imap.capabilities, imap.host = ours, "AUTH", ("IMAP4REV1",), "h"
        with pytest.raises(imaplus.TimedOut, match=r"the server sent nothing for 0\.05 seconds"):
            imap.typed.noop()

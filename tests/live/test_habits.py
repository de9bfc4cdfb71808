"""Deviations of real servers that the clients compensate for."""

from __future__ import annotations

import pytest

from imaplus import BodySection, Client, InvalidArgument, OverQuota, SequenceSet
from imaplus.core.mailboxes import GetStatus
from imaplus.errors import MessageRefused
from imaplus.protocol.command import Reply
from imaplus.records import record
from imaplus.sansio import Command
from imaplus.wire.writer import Writer

from .lab import LabServer
from .sessions import letter, log_in, prefix

SMALL = b"Subject: small\r\n\r\nsmall\r\n"


def test_status_of_the_selected_mailbox(server: LabServer, client: Client, fresh: str) -> None:
    client.select(fresh)
    with log_in(server) as other:
        other.append(fresh, SMALL)
        at_once = client.run(GetStatus(fresh, ("MESSAGES",)))
        if server.name in ("dovecot", "dovecot-next", "courier"):
            assert at_once.messages == 0, "quirk 101 is no more"
        assert client.status(fresh, ["MESSAGES"]).messages == 1
        other.append(fresh, SMALL)
        with client.pipeline() as pipe:
            told = pipe.status(fresh, ["MESSAGES"])
        assert told.result().messages == 2
        other.append(fresh, SMALL)
        (listed,) = client.list(pattern=fresh, status=["MESSAGES"])
        assert listed.status is not None
        assert listed.status.messages == 3


def test_one_part_that_cannot_be_decoded(client: Client, fresh: str) -> None:
    if not client.can("BINARY"):
        pytest.skip("no BINARY")
    for number in range(1, 6):
        encoding = "x-unheard-of" if number == 3 else "base64"
        head = f"MIME-Version: 1.0\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        client.append(fresh, f"Subject: {number}\r\n{head}aGVsbG8=\r\n".encode())
    item = BodySection("1", binary=True)
    for number in range(2):  # the second time the UIDs are known
        mailbox = client.select(fresh) if number == 0 else client.mailbox
        found = {message.uid: message.get(item.key) for message in mailbox.fetch("1:*", item)}
        assert found == {1: b"hello", 2: b"hello", 3: None, 4: b"hello", 5: b"hello"}
    with client.pipeline() as pipe:
        answer = pipe.mailbox.fetch("1:*", item, "RFC822.SIZE")
    assert {message.uid: message.get(item.key) for message in answer.result()} == found
    assert all(message["RFC822.SIZE"] > 50 for message in answer.result())


def test_a_message_of_no_octets_is_refused(server: LabServer, client: Client, fresh: str) -> None:
    if server.name == "courier":
        pytest.skip("Courier takes it")
    with pytest.raises(MessageRefused):
        client.append(fresh, b"")


@pytest.mark.parametrize("name", ["cyrus", "cyrus_bpo"])
def test_bare_newlines_are_refused_by_cyrus(request: pytest.FixtureRequest, name: str) -> None:
    with log_in(request.getfixturevalue(name)) as client, pytest.raises(MessageRefused):
        client.append("INBOX", b"Subject: bare\n\nnewlines\n")


@record
class SetQuota(Command[None]):
    """SETQUOTA root (STORAGE units), as an administrator."""

    name = b"SETQUOTA"
    root: str
    units: int

    def encode(self, out: Writer) -> None:
        out.sp()
        out.astring(self.root)
        out.raw(b" (STORAGE ")
        out.number(self.units)
        out.raw(b")")

    def result(self, reply: Reply) -> None:
        return None


@pytest.mark.parametrize("name", ["cyrus", "cyrus_bpo"])
def test_over_quota_with_cyrus(request: pytest.FixtureRequest, name: str) -> None:
    server = request.getfixturevalue(name)
    with log_in(server, "admin") as admin, log_in(server, "bob") as bob:
        admin.run(SetQuota("user/bob", 1))
        try:
            with pytest.raises(OverQuota):
                bob.append("INBOX", letter("much", "x" * 70 + "\r\n") * 100)
        finally:
            admin.run(SetQuota("user/bob", 10_000_000))


def test_over_quota_with_dovecot(dovecot: LabServer) -> None:
    with log_in(dovecot, "quinn") as client, pytest.raises(OverQuota):
        client.append("INBOX", b"Subject: much\r\n\r\n" + b"much\r\n" * 50_000)


def test_what_is_left_behind_without_uidplus(server: LabServer, client: Client, fresh: str) -> None:
    there = f"{prefix(server)}There"
    client.create(there)
    try:
        client.append_many(fresh, [letter(str(number)) for number in range(4)])
        mailbox = client.select(fresh)
        client.connection.refuse("MOVE", "UIDPLUS")  # a server of 1998
        moved = mailbox.move("2:*", there)
        assert moved.left_behind == SequenceSet.parse("2:4")
        assert [uid for uid, flags in mailbox.flags().items() if "\\Deleted" in flags] == [2, 3, 4]
        assert client.status(there, ["MESSAGES"]).messages == 3
    finally:
        with log_in(server) as other:
            other.delete(there)


def test_leaving_a_mailbox_without_unselect(client: Client, fresh: str) -> None:
    client.append(fresh, SMALL)
    mailbox = client.select(fresh)
    mailbox.add_flags(1, "\\Deleted")
    client.connection.refuse("UNSELECT")
    mailbox.close()
    assert client.select(fresh).exists == 1
    client.examine(fresh).close()
    assert client.select(fresh).exists == 1


def test_compression_that_is_on_already(cyrus_bpo: LabServer) -> None:
    """NO [COMPRESSIONACTIVE]: the session continues."""
    from imaplus.flows.connect import compress

    with log_in(cyrus_bpo, compress=True) as client:
        client.run(compress(client.connection))
        assert client.select("INBOX").is_open


def test_uidonly_is_not_enabled_unread(cyrus_bpo: LabServer) -> None:
    with pytest.raises(InvalidArgument, match="UIDONLY"):
        log_in(cyrus_bpo, enable=["UIDONLY"])

"""Both clients on real servers: logins, and all methods of the clients, end to end."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import secrets
import subprocess
from datetime import UTC, date, datetime
from email.message import EmailMessage

import pytest

from imaplus import (
    AuthenticationFailed,
    BodySection,
    Client,
    Exists,
    Expunged,
    Flag,
    Keyword,
    Mailbox,
    Outgoing,
    Refused,
    Resync,
    Security,
    Tls,
    TlsFailed,
    Vanished,
)
from imaplus.core.session import Enable
from imaplus.credentials import BearerToken, External, Password
from imaplus.endpoints import Process, Tcp
from imaplus.errors import CapabilityMissing, UidValidityChanged
from imaplus.search import HasKeyword, Seen, Since, Subject
from imaplus.wire.sources import Octets

from .lab import LabServer
from .sessions import letter, log_in, log_in_async, prefix

WHEN = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)


# -- connecting and logging in ---------------------------------------------------------------------


def test_starttls(server: LabServer) -> None:
    with Client.connect(
        "localhost", server.port, user="alice", password=server.users["alice"],
        security=Security.STARTTLS, tls=Tls(ca_file=server.ca_file),
    ) as client:  # fmt: skip
        assert client.connection.secure
        assert client.select("INBOX").is_open


def test_an_unknown_authority(server: LabServer) -> None:
    with pytest.raises(TlsFailed):
        log_in(server, tls=Tls())


def test_client_certificate(cyrus: LabServer) -> None:
    files = cyrus.info["client_certificate"]
    tls = Tls(ca_file=cyrus.ca_file, client_certificate=files["cert"], client_key=files["key"])
    with log_in(cyrus, credentials=External(), tls=tls) as client:
        assert client.select("INBOX").is_open


@pytest.mark.parametrize("name", ["dovecot", "dovecot_next"])
def test_a_user_whom_scram_cannot_serve(request: pytest.FixtureRequest, name: str) -> None:
    """The server offers SCRAM to all users, but has only a crypt hash of hugo's password."""
    server: LabServer = request.getfixturevalue(name)
    with pytest.raises(AuthenticationFailed) as caught:
        log_in(server, "hugo")
    assert caught.value.mechanism == "SCRAM-SHA-256"
    assert {"PLAIN", "LOGIN"} <= set(caught.value.others)
    with log_in(server, "hugo", mechanisms=["PLAIN"]) as client:
        assert client.select("INBOX").is_open


def test_an_expired_token_is_renewed(dovecot: LabServer) -> None:
    token = subprocess.run(
        dovecot.info["oauth_token"], capture_output=True, text=True, check=True
    ).stdout.strip()
    tokens = [BearerToken("alice", "x.y.z"), BearerToken("alice", token)]
    with log_in(dovecot, credentials=lambda: tokens.pop(0)) as client:
        assert client.select("INBOX").is_open
    assert tokens == []


def test_login_disabled(cyrus: LabServer) -> None:
    """Without TLS the server allows no password, and none is sent."""
    lines: list[bytes] = []
    with pytest.raises((CapabilityMissing, AuthenticationFailed, TlsFailed)):
        Client.connect(
            Tcp("localhost", cyrus.info["imap_strict"], Security.PLAIN),
            user="alice", password=cyrus.users["alice"], mechanisms=["LOGIN"],
            trace=lambda _, line: lines.append(line),
        )  # fmt: skip
    assert not any(b" LOGIN " in line for line in lines)


@pytest.mark.parametrize("name", ["dovecot", "cyrus"])
def test_tunnel(request: pytest.FixtureRequest, name: str) -> None:
    """A child process with PREAUTH."""
    server: LabServer = request.getfixturevalue(name)
    if "tunnel" not in server.info:
        pytest.skip("no tunnel")
    with Client.connect(Process(server.info["tunnel"])) as client:
        assert client.connection.greeting is not None
        assert client.connection.greeting.kind == "PREAUTH"
        assert client.select("INBOX").is_open


async def test_blocks_close_and_expunge_nothing(server: LabServer) -> None:
    name = f"{prefix(server)}{secrets.token_hex(4)}"
    async with await log_in_async(server) as client:
        await client.create(name)
        await client.append_many(name, [letter(f"{n}") for n in range(5)])
        async with client.select(name) as box:
            uids = await box.uids()
            await box.add_flags(uids[:2], [Flag.DELETED, Keyword.FORWARDED])
            assert set(await box.search(HasKeyword(Keyword.FORWARDED))) == set(uids[:2])
        assert not box.is_open
        async with client.examine(name) as box:
            assert (await box.uids(), box.exists) == (uids, 5)
            assert {Flag.DELETED, Keyword.FORWARDED} <= (await box.flags(uids[0]))[uids[0]]
        await client.delete(name)


def test_imap4rev2(cyrus_bpo: LabServer) -> None:
    with log_in(cyrus_bpo) as client:
        assert "IMAP4REV2" in client.connection.enabled
        name = f"Grüße {secrets.token_hex(4)}"
        client.create(name)
        assert name in [entry.name for entry in client.list(status=("MESSAGES", "SIZE"))]
        client.append(name, letter("=?utf-8?q?K=C3=A4se?="))
        box = client.select(name)
        assert len(box.search(Subject("käse"))) == 1
        client.delete(name)


def test_compression(cyrus_bpo: LabServer) -> None:
    lines: list[bytes] = []
    with log_in(cyrus_bpo, compress=True, trace=lambda _, line: lines.append(line)) as client:
        assert any(b"COMPRESS DEFLATE" in line for line in lines)
        inbox = client.select("INBOX")
        data = letter("compressed", "x" * 76 + "\r\n" + "y" * 70 + "\r\n")
        client.append("INBOX", data)
        uid = list(inbox.uids())[-1]
        assert [each.body() for each in inbox.fetch(uid, BodySection())] == [data]
        inbox.delete(uid)


# -- the whole surface -----------------------------------------------------------------------------


def test_mailboxes(server: LabServer, client: Client, fresh: str) -> None:
    entries = {entry.name: entry for entry in client.list(status=("MESSAGES", "UIDVALIDITY"))}
    assert {"INBOX", fresh} <= entries.keys()
    status = entries[fresh].status
    assert status is not None
    assert status.messages == 0
    assert client.status(fresh).uidvalidity == status.uidvalidity
    client.subscribe(fresh)
    assert fresh in [entry.name for entry in client.list(subscribed=True)]
    client.unsubscribe(fresh)
    assert fresh not in [entry.name for entry in client.list(subscribed=True)]
    client.rename(fresh, f"{fresh} 2")
    assert f"{fresh} 2" in [entry.name for entry in client.list()]
    client.rename(f"{fresh} 2", fresh)
    assert client.namespaces().personal
    with pytest.raises(Refused):  # few say [NONEXISTENT]
        client.select(f"{prefix(server)}nowhere")


def test_messages(server: LabServer, client: Client, fresh: str) -> None:
    data = [letter(f"number {n}", f"body {n}\r\n" * n) for n in range(1, 6)]
    for each in data[:2]:
        client.append(fresh, each, flags=["\\Flagged"], date=WHEN)
    client.append_many(fresh, [Outgoing(Octets(each)) for each in data[2:]])
    box = client.select(fresh)
    assert box.exists == 5
    found = list(
        box.fetch("1:*", "FLAGS", "ENVELOPE", "INTERNALDATE", "RFC822.SIZE", BodySection())
    )
    assert [each.body() for each in found] == data
    assert [each.envelope.subject for each in found] == [f"number {n}" for n in range(1, 6)]
    assert [each.size for each in found] == [len(each) for each in data]
    assert found[0].internaldate == WHEN
    assert "\\Flagged" in found[0].flags
    uids = [each.uid for each in found]
    assert list(box.uids()) == uids
    assert list(box.search(Subject("number 3"))) == [uids[2]]
    assert len(box.search(Since(date(2022, 1, 1)))) == 3
    assert len(box.search(Subject("nothing") | ~Subject("number"))) == 0
    assert uids[0] is not None
    box.add_flags(uids[0], "\\Answered")
    box.remove_flags(uids[0], "\\Flagged")
    assert box.flags(uids[0])[uids[0]] >= {"\\Answered"}
    assert "\\Flagged" not in box.flags(uids[0])[uids[0]]
    box.set_flags(uids[0], "\\Seen")
    assert "\\Answered" not in box.flags(uids[0])[uids[0]]
    _copy_move_delete(client, box, f"{fresh} other")


def _copy_move_delete(client: Client, box: Mailbox, other: str) -> None:
    uids = list(box.uids())
    client.create(other)
    copied = box.copy(uids[:2], other)
    if client.can("UIDPLUS"):
        assert [source for source, _ in copied.pairs()] == uids[:2]
    moved = box.move(uids[2:4], other)
    if client.can("UIDPLUS"):
        assert [source for source, _ in moved.pairs()] == uids[2:4]
        assert list(box.uids()) == [*uids[:2], *uids[4:]]
        box.delete(uids[0])
        assert list(box.uids()) == [uids[1], uids[4]]
    assert client.status(other).messages == 4
    client.delete(other)


def test_an_email_message(client: Client, fresh: str) -> None:
    message = EmailMessage()
    message["From"] = "Zoë <zoe@example.org>"
    message["Subject"] = "Grüße aus Köln"
    message.set_content("Käse\n")
    message.add_attachment(b"\x00\xff" * 500, maintype="image", subtype="png", filename="ü.png")
    client.append(fresh, message)
    box = client.select(fresh)
    (found,) = box.fetch("1:*", "ENVELOPE", "BODYSTRUCTURE", BodySection())
    assert found.envelope.subject == "Grüße aus Köln"
    assert [part.filename for part in found.bodystructure.walk() if part.filename] == ["ü.png"]
    assert found.email()["Subject"] == "Grüße aus Köln"
    assert found.uid is not None
    if client.can("BINARY"):
        file = io.BytesIO()
        box.download(found.uid, file, section="2", binary=True)
        assert file.getvalue() == b"\x00\xff" * 500


def test_search_beyond_ascii(client: Client, fresh: str) -> None:
    client.append(fresh, b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nx\r\n")
    assert len(client.select(fresh).search(Subject("Grüße"))) == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_ten_megabytes(server: LabServer, fresh: str, kind: str) -> None:
    """An appended message is downloaded to a file byte for byte."""
    lines = b"".join(b"%08d %b\r\n" % (n, b"x" * 60) for n in range(145_000))
    data = letter("large") + lines
    assert len(data) > 10_000_000
    told: list[int] = []

    def there_and_back() -> bytes:
        with log_in(server) as client:
            client.append(fresh, io.BytesIO(data))
            box = client.select(fresh)
            file = io.BytesIO()
            size = box.download(box.uids().first, file, progress=lambda n, _: told.append(n))
            assert size == len(data)
            return file.getvalue()

    async def there_and_back_async() -> bytes:
        async with await log_in_async(server) as client:
            await client.append(fresh, io.BytesIO(data))
            box = await client.select(fresh)
            file = io.BytesIO()
            uid = (await box.uids()).first
            await box.download(uid, file, progress=lambda n, _: told.append(n))
            return file.getvalue()

    received = there_and_back() if kind == "sync" else asyncio.run(there_and_back_async())
    assert hashlib.sha256(received).digest() == hashlib.sha256(data).digest()
    assert told[-1] == len(data)
    assert len(told) > 10


def test_condstore(client: Client, server: LabServer, fresh: str) -> None:
    if not client.can("CONDSTORE"):
        pytest.skip("no CONDSTORE")
    client.append_many(fresh, [letter("1"), letter("2"), letter("3")])
    box = client.select(fresh)
    uids = list(box.uids())
    before = max(each.modseq for each in box.fetch("1:*", "MODSEQ"))
    with log_in(server) as other:
        other.select(fresh).add_flags(uids[1], "\\Flagged")
    changed = {each.uid for each in box.fetch("1:*", "FLAGS", changed_since=before)}
    assert changed == {uids[1]}
    stored = box.add_flags(uids, "\\Answered", unchanged_since=before)
    assert list(stored.modified) == [uids[1]]
    assert ["\\Answered" in flags for flags in box.flags().values()] == [True, False, True]


def test_qresync(client: Client, server: LabServer, fresh: str) -> None:
    if not client.can("QRESYNC"):
        pytest.skip("no QRESYNC")
    client.run(Enable(("QRESYNC",)))  # Dovecot numbers changes from here on, and not before
    client.append_many(fresh, [letter(str(n)) for n in range(6)])
    box = client.select(fresh)
    uids = list(box.uids())
    knew = Resync(box.uidvalidity, box.highestmodseq)
    box.close()
    with log_in(server) as other:
        theirs = other.select(fresh)
        theirs.add_flags(uids[0], "\\Flagged")
        theirs.delete(uids[2:4])
        other.append(fresh, letter("new"))
    box = client.select(fresh, uidvalidity=knew.uidvalidity, resync=knew)
    assert set(uids[2:4]) <= set(box.vanished)
    assert not {uids[0], uids[1], uids[4], uids[5]} & set(box.vanished)
    changed = {each.uid: each.flags for each in box.changes}
    assert "\\Flagged" in changed[uids[0]]
    assert uids[1] not in changed
    assert box.exists == 5
    with pytest.raises(UidValidityChanged):
        client.select(fresh, uidvalidity=knew.uidvalidity + 1)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_idle(server: LabServer, client: Client, fresh: str, kind: str) -> None:
    """Changes of another session are reported during IDLE, or by NOOP."""
    client.append(fresh, letter("first"))
    theirs = client.select(fresh)

    def deed(step: int) -> None:
        if step == 0:
            client.append(fresh, letter("second"))
        else:
            theirs.delete(theirs.uids().first)

    def listen() -> list[object]:
        with log_in(server) as listener:
            box = listener.select(fresh)
            events: list[object] = []
            deed(0)
            for event in box.idle(20, poll=0.2):
                events.append(event)
                if isinstance(event, Exists) and event.count == 2:
                    deed(1)
                if isinstance(event, Expunged | Vanished):
                    break
            assert box.exists == 1
            assert len(box.uids()) == 1
            return events

    async def listen_async() -> list[object]:
        async with await log_in_async(server) as listener:
            box = await listener.select(fresh)
            events: list[object] = []
            deed(0)
            async for event in box.idle(20, poll=0.2):
                events.append(event)
                if isinstance(event, Exists) and event.count == 2:
                    deed(1)
                if isinstance(event, Expunged | Vanished):
                    break
            assert len(await box.uids()) == 1
            return events

    events = listen() if kind == "sync" else asyncio.run(listen_async())
    assert Exists(2) in events
    assert isinstance(events[-1], Expunged | Vanished)


async def test_tasks_share_a_connection(server: LabServer) -> None:
    async with await log_in_async(server) as client:
        names = [entry.name for entry in await client.list() if entry.selectable]
        found = await asyncio.gather(*(client.status(name) for name in names * 3))
        assert [each.mailbox for each in found] == names * 3
        inbox = await client.select("INBOX")
        await asyncio.gather(
            inbox.uids(),
            inbox.flags(),
            *(client.status(name) for name in names),
            client.append("INBOX", letter(f"by a task {os.getpid()}")),
            client.noop(),
        )
        found_uids = await inbox.search(Subject(f"by a task {os.getpid()}"))
        await inbox.delete(found_uids)


# -- few round trips -------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
def test_a_session_opens_its_mailbox_at_once(server: LabServer, mechanism: str) -> None:
    """Nothing is sent that the server, which may or may not read ahead, would not answer."""
    with log_in(server, mechanisms=[mechanism, "PLAIN"], mailbox="INBOX") as client:
        assert client.mailbox.name == "INBOX"
        assert client.status("INBOX").uidvalidity == client.mailbox.uidvalidity
    with pytest.raises(AuthenticationFailed):
        log_in(
            server,
            credentials=Password("alice", "wrong"),
            mechanisms=[mechanism, "PLAIN"],
            mailbox="INBOX",
        )
    with pytest.raises(Refused):
        log_in(server, mechanisms=[mechanism, "PLAIN"], mailbox=f"{prefix(server)}nowhere")


def test_a_pipeline(server: LabServer, client: Client, fresh: str) -> None:
    added = client.append_many(fresh, [letter(f"number {n}") for n in range(20)])
    box = client.select(fresh)
    uids = list(box.uids())
    if client.can("UIDPLUS"):
        assert [each.uid for each in added] == uids
    other = f"{fresh} too"
    with client.pipeline() as pipe:
        pipe.create(other)
        for uid in uids:
            pipe.mailbox.add_flags(uid, "\\Seen" if uid % 2 else "\\Flagged")
        found = [pipe.mailbox.fetch(uid, "FLAGS", "ENVELOPE") for uid in uids]
        odd = pipe.mailbox.search(Seen)
        statuses = [pipe.status(name) for name in ("INBOX", fresh)]
    for number, (uid, answer) in enumerate(zip(uids, found, strict=True)):
        (message,) = answer.result()
        assert message.envelope.subject == f"number {number}"
        assert ("\\Seen" if uid % 2 else "\\Flagged") in message.flags
    assert list(odd.result()) == [uid for uid in uids if uid % 2]
    assert statuses[1].result().messages == 20
    with client.pipeline() as pipe:
        moved = [pipe.mailbox.move(uid, other) for uid in uids[:5]]
        new = pipe.append(other, letter("new"))
    if client.can("UIDPLUS"):
        assert [[pair[0] for pair in each.result().pairs()] for each in moved] == [
            [uid] for uid in uids[:5]
        ]
        assert new.result().uid
    assert list(box.uids()) == uids[5:]
    assert client.status(other).messages == 6
    client.delete(other)


def test_names_in_another_form_than_c(cyrus_bpo: LabServer) -> None:
    """Cyrus 3.10 finds names created under IMAP4rev1 by their own bytes only, others by form C."""
    name = "cafe\u0301"
    with log_in(cyrus_bpo, "bob", enable=()) as client:
        client.create(name)
    with log_in(cyrus_bpo, "bob") as client:
        assert client.status(name).messages == 0  # not listed: form C first, then as it is
        client.create(name)  # which goes in form C
    with log_in(cyrus_bpo, "bob") as client:
        assert client.status(name).mailbox == "caf\u00e9"
        listed = [entry.name for entry in client.list(pattern="caf*")]
        assert sorted(listed) == sorted([name, "caf\u00e9"])
        for each in listed:
            assert client.examine(each).name == each
            assert client.status(each).mailbox == each
    with log_in(cyrus_bpo, "bob", enable=()) as client:
        for each in listed:  # under IMAP4rev2 its DELETE knows form C only
            client.delete(each)


def test_a_part_that_the_server_does_not_decode(client: Client, fresh: str) -> None:
    """Dovecot answers broken base64 with [PARSE]; Cyrus decodes it."""
    if not client.can("BINARY"):
        pytest.skip("no BINARY")
    message = (
        b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\naGVs!bG8=\r\n"
    )
    client.append(fresh, message)
    file = io.BytesIO()
    inbox = client.select(fresh)
    inbox.download(next(iter(inbox.uids())), file, section="1", binary=True)
    assert file.getvalue() == b"hello"

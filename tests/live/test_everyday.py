"""Everyday use on real servers: malformed messages, attachments, drafts, the manual's programs."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from imaplus import Client, CommandError, ConnectionLost, Mailbox, Outgoing, Security, Tls
from imaplus.client.saving import Landing, Target
from imaplus.search import Raw, Seen

from ..examples.finding import ROOT, fenced
from ..reading.weird import HOPELESS, SOUND, TEXT, WEIRD, multipart, part
from .lab import LabServer
from .sessions import log_in

PDF = part(
    'Content-Type: application/pdf; name="a.pdf"\nContent-Transfer-Encoding: base64', b"UERG\r\n"
)


def filled(client: Client, name: str, messages: dict[str, bytes]) -> tuple[Mailbox, dict[str, int]]:
    """Add messages; return the mailbox, and the UIDs by name of those that the server accepted."""
    outcomes = [
        client.append_many(name, [Outgoing(message)], check=False)[0]
        for message in messages.values()
    ]
    names = [
        name
        for name, outcome in zip(messages, outcomes, strict=True)
        if not isinstance(outcome, CommandError)
    ]
    mailbox = client.select(name)
    return mailbox, dict(zip(names, mailbox.uids(), strict=True))


def test_sound_messages_read_as_python_reads_them(client: Client, fresh: str) -> None:
    mailbox, uids = filled(client, fresh, SOUND)
    assert len(uids) == len(SOUND)
    for name, uid in uids.items():
        message = mailbox.message(uid)
        body = message_from_bytes(SOUND[name], policy=policy.default).get_body(("plain", "html"))
        assert body is not None
        assert message.text() == body.get_content().replace("\r\n", "\n"), name
        assert message.problems == (), name


def test_weird_messages(client: Client, fresh: str) -> None:
    mailbox, uids = filled(client, fresh, {name: each.message for name, each in WEIRD.items()})
    assert len(uids) == len(WEIRD)
    for message in mailbox.messages(newest_first=True):
        name = next(name for name, uid in uids.items() if uid == message.uid)
        weird = WEIRD[name]
        assert message.text().rstrip() == weird.text.rstrip(), name
        assert bool(message.problems) == bool(weird.problems), name
        assert tuple(each.safe_name for each in message.attachments) == weird.attachments, name


def test_hopeless_messages(client: Client, fresh: str, tmp_path: Path) -> None:
    mailbox, uids = filled(client, fresh, HOPELESS)
    assert uids
    for message in mailbox.messages():
        assert isinstance(message.text() + message.html(), str)
        for attachment in (*message.attachments, *message.inline):
            assert attachment.save(tmp_path).read_bytes() == attachment.read()
        message.reply("x", sender="ada@example.org")


def test_attachments_in_files(client: Client, fresh: str, tmp_path: Path) -> None:
    mailbox, _ = filled(client, fresh, {"mixed": multipart("mixed", TEXT, PDF)})
    (message,) = mailbox.messages(newest_first=True, limit=1)
    (attachment,) = message.attachments
    assert [attachment.save(tmp_path).name for _ in range(2)] == ["a.pdf", "a (2).pdf"]
    assert (tmp_path / "a.pdf").read_bytes() == attachment.read() == b"PDF"
    assert message.save(tmp_path).read_bytes() == message.raw()


def test_a_download_goes_on_where_it_was_cut(client: Client, fresh: str, tmp_path: Path) -> None:
    data = b"Subject: large\r\n\r\n" + b"0123456789abcdef" * 4 * 2000 + b"\r\n"
    mailbox, _ = filled(client, fresh, {"large": data})
    uid = mailbox.uids().last
    identity = mailbox._identity_of(uid, "", False)
    left = Landing(Target(tmp_path, "x.eml", replaces=True), identity)
    left.file.write(data[:50_000])
    left.leave(ConnectionLost("as if"))
    told: list[int] = []
    size = mailbox.download(uid, tmp_path / "x.eml", progress=lambda done, _: told.append(done))
    assert (tmp_path / "x.eml").read_bytes() == data
    assert (size, told[-1]) == (len(data), len(data))
    assert told[0] > 50_000
    assert [path.name for path in tmp_path.iterdir()] == ["x.eml"]


def test_which_messages(client: Client, fresh: str) -> None:
    mailbox, _ = filled(client, fresh, {str(n): b"Subject: %d\r\n\r\nx\r\n" % n for n in range(60)})
    assert [each.subject for each in mailbox.messages(newest_first=True, limit=2)] == ["59", "58"]
    assert [each.subject for each in mailbox.messages(limit=2)] == ["0", "1"]
    assert len(list(mailbox.messages())) == 60
    assert (mailbox.count(), mailbox.count(Seen), mailbox.count(Raw("NOT SEEN"))) == (60, 0, 60)
    first = next(iter(mailbox.messages(limit=1)))
    first.mark(["\\Seen", "\\Deleted"])
    assert first.flags >= {"\\Seen", "\\Deleted"}
    assert len(mailbox.expunge()) == 1
    assert mailbox.count() == 59


def test_mailboxes_and_drafts(server: LabServer, client: Client, fresh: str) -> None:
    assert client.exists(fresh)
    assert not client.exists(f"{fresh}-not")
    assert client.create(fresh, exist_ok=True) is None
    mailbox, _ = filled(client, fresh, {"text": SOUND["utf-8"]})
    draft = next(iter(mailbox.messages())).reply("Grüße", sender="ada@example.org")
    uid = client.save_draft(draft).uid
    found = client.find("\\Drafts")
    assert found is not None
    drafts = client.select(found.name)
    kept = drafts.message(uid)
    assert kept.flags >= {"\\Draft", "\\Seen"}
    assert kept.text() == draft.get_content()
    kept.delete()


def test_the_programs_of_the_page(
    dovecot_next: LabServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    server = dovecot_next
    connect: Any = Client.connect.__func__

    def there(cls: type[Client], where: str, **options: Any) -> Client:
        options |= {"user": "bob", "password": server.users["bob"]}
        tls = Tls(ca_file=server.ca_file)
        found: Client = connect(
            cls, "localhost", server.tls_port, tls=tls, security=Security.TLS, **options
        )
        return found

    def request_code() -> None:
        other.append("INBOX", b"From: login@example.com\r\n\r\nYour code is 271828.\r\n")

    newest, filed, code = fenced(ROOT / "docs" / "everyday.md")[1:4]
    with log_in(server, "bob") as other, mock.patch.object(Client, "connect", classmethod(there)):
        letters = [
            multipart("mixed", TEXT, PDF),
            b"From: alan@bletchley.example\r\nSubject: x\r\n\r\nx\r\n",
            b"From: login@example.com\r\n\r\nYour code is 999999.\r\n",
        ]
        other.append_many("INBOX", letters)
        exec(newest, {})
        assert (tmp_path / "attachments" / "a.pdf").read_bytes() == b"PDF"
        exec(filed, {})
        assert other.status("Bletchley").messages == 1
        exec(code, {"request_code": request_code})
        assert "the code is 271828" in capsys.readouterr().out
        other.delete("Bletchley")
        other.delete("Orbit")

"""Mirrors of real servers that hang up, rename, move and go back in time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imaplus import Client, Security
from imaplus.mirror import BackupReport, Choice, Link, Store, VerifyReport, backup, verify

from .lab import LabServer
from .test_backup import USER, imap

NAMES = ("Doubt", "Doubts", "Doubt2")


def home(server: LabServer, user: str) -> Path | None:
    """The Maildir of a user of Dovecot, whose files we may touch."""
    found = Path(server.info["dir"], "home", user, "Maildir")
    return found if found.is_dir() else None


class Mirror:
    """Some mailboxes of a server, and their mirror."""

    def __init__(self, server: LabServer, root: Path) -> None:
        self.server = server
        self.root = root
        self.prefix = "INBOX." if server.name == "courier" else ""
        self.choice = Choice(tuple(f"{self.prefix}{name}" for name in ("Doubt*",)))
        for name in NAMES:
            self.delete(name)

    def name(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def delete(self, name: str) -> None:
        with imap(self.server) as other:
            other.delete(self.name(name))

    def fill(self, name: str, number: int, start: int = 0) -> None:
        with imap(self.server) as other:
            other.create(self.name(name))
            for n in range(start, start + number):
                text = f"From: a@example.org\r\nSubject: {n}\r\n\r\n" + f"line of {n}\r\n" * 20
                assert other.append(self.name(name), "", None, text.encode())[0] == "OK"

    def link(self) -> Link:
        def connect() -> Client:
            return Client.connect(
                self.server.host,
                self.server.port,
                user=USER,
                password=self.server.users[USER],
                security=Security.PLAIN,
            )

        return Link(connect)

    def backup(self) -> BackupReport:
        with self.link() as link, Store.open(self.root, create=True, sync=False) as store:
            return backup(link, store, choice=self.choice)

    def verify(self) -> VerifyReport:
        with self.link() as link, Store.open(self.root, readonly=True) as store:
            return verify(store, link, choice=self.choice, deep=True)


@pytest.fixture
def mirror(server: LabServer, tmp_path: Path) -> Iterator[Mirror]:
    found = Mirror(server, tmp_path / "mail")
    found.fill("Doubt", 30)
    yield found
    for name in NAMES:
        found.delete(name)


def test_a_renamed_mailbox_is_recognised(mirror: Mirror) -> None:
    assert mirror.backup().fetched == 30
    with imap(mirror.server) as other:
        assert other.rename(mirror.name("Doubt"), mirror.name("Doubts"))[0] == "OK"
    report = mirror.backup()
    if mirror.server.name == "courier":  # it gives a renamed mailbox another UIDVALIDITY
        assert (report.gone, report.fetched) == ((mirror.name("Doubt"),), 30)
        return
    assert report.renamed == ((mirror.name("Doubt"), mirror.name("Doubts")),)
    assert (report.fetched, report.failures) == (0, ())
    assert mirror.verify().clean


def test_a_mailbox_that_is_gone(mirror: Mirror) -> None:
    mirror.fill("Doubt2", 3)
    mirror.backup()
    mirror.delete("Doubt2")
    assert not mirror.verify().clean
    assert mirror.backup().gone == (mirror.name("Doubt2"),)
    assert mirror.verify().clean


def test_moved_mail_travels_once_where_the_server_knows_it_again(mirror: Mirror) -> None:
    mirror.fill("Doubt2", 1, 1000)
    mirror.backup()
    with mirror.link() as link:
        client = link.client
        identified = client.can("OBJECTID")
        client.select(mirror.name("Doubt")).move("1:10", mirror.name("Doubt2"))
    report = mirror.backup()
    assert (report.fetched, report.spared) == ((0, 10) if identified else (10, 0))
    assert mirror.verify().clean


@pytest.mark.parametrize("name", ["dovecot", "dovecot_next"])
def test_a_message_that_cannot_be_read(
    request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    """Dovecot says BYE in the middle of the answer."""
    server: LabServer = request.getfixturevalue(name)
    mirror = Mirror(server, tmp_path / "mail")
    mirror.fill("Doubt", 30)
    mirror.fill("Doubt2", 3)
    folder = home(server, USER)
    assert folder is not None
    files = (*folder.glob(".Doubt/cur/*"), *folder.glob(".Doubt/new/*"))
    text = b"Subject: 14\n"
    [unreadable] = [path for path in files if text in path.read_bytes().replace(b"\r", b"")]
    unreadable.chmod(0)
    report = mirror.backup()
    assert [(each.mailbox, each.uid) for each in report.failures] == [("Doubt", 15)]
    assert (report.fetched, report.messages) == (32, 32)
    assert report.reconnects == 2
    again = mirror.backup()
    assert (again.fetched, len(again.failures), again.reconnects) == (0, 1, 1)
    unreadable.chmod(0o600)
    assert mirror.backup().fetched == 1
    assert mirror.verify().clean


def test_a_server_that_was_restored_from_its_backup(dovecot: LabServer, tmp_path: Path) -> None:
    mirror = Mirror(dovecot, tmp_path / "mail")
    mirror.fill("Doubt", 5)
    folder = home(dovecot, USER)
    assert folder is not None
    shutil.copytree(folder / ".Doubt", tmp_path / "copy", copy_function=shutil.copy2)
    mirror.fill("Doubt", 4, 100)
    assert mirror.backup().fetched == 9
    owner = folder.stat()
    shutil.rmtree(folder / ".Doubt")
    shutil.copytree(tmp_path / "copy", folder / ".Doubt", copy_function=shutil.copy2)
    for path in (folder / ".Doubt", *(folder / ".Doubt").rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    mirror.fill("Doubt", 2, 700)  # of the same size; the time may be the same second
    report = mirror.backup()
    assert (report.replaced, report.vanished, report.failures) == (2, 2, ())
    assert any("UIDNEXT went back" in each.text for each in report.notices)
    assert mirror.verify().clean

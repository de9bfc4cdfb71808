"""Backups of real servers: what the store has is, octet by octet, what another client fetches."""

from __future__ import annotations

import hashlib
import imaplib
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imaplus import Client, Security
from imaplus.mirror import BackupReport, Store, backup, list_mailboxes, verify

from .lab import LabServer

MAILGEN = Path(__file__).parents[2] / "lab" / "mailgen.py"
MESSAGES = 300
USER = "bob"
HIDDEN = {
    "qresync": set[str](),
    "condstore": {"QRESYNC"},
    "plain": {"QRESYNC", "CONDSTORE", "ESEARCH", "LIST-STATUS"},
}


@contextmanager
def imap(server: LabServer) -> Iterator[imaplib.IMAP4]:
    """Another client than ours."""
    other = imaplib.IMAP4(server.host, server.port, timeout=30)
    try:
        other.login(USER, server.users[USER])
        yield other
    finally:
        other.logout()


@pytest.fixture
def mailbox(server: LabServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """A mailbox full of generated messages, for one test."""
    prefix = "INBOX." if server.name == "courier" else ""
    if server.name.startswith("cyrus"):
        prefix = "" if "/" in _delimiter(server) else "INBOX."
    name = f"{prefix}Backup{abs(hash(request.node.name)) % 10**8}"
    _append(server, name, MESSAGES, 0)
    yield name
    with imap(server) as other:
        other.delete(name)


def _delimiter(server: LabServer) -> str:
    with imap(server) as other:
        _, [line, *_] = other.list('""', '""')
    assert isinstance(line, bytes)
    return line.decode()


def _append(server: LabServer, mailbox: str, number: int, start: int) -> None:
    words = ["append", "-n", number, "--start", start, "--attachments", 1, "--mailbox", mailbox]
    where = ["--host", server.host, "--port", server.port, "--user", USER]
    argv = [sys.executable, str(MAILGEN), *map(str, words), *map(str, where)]
    subprocess.run(argv, check=True, capture_output=True)


def held(server: LabServer, mailbox: str) -> dict[int, tuple[str, frozenset[str]]]:
    """The SHA-256 and the flags of each message, as imaplib fetches them."""
    found: dict[int, tuple[str, frozenset[str]]] = {}
    with imap(server) as other:
        other.select(mailbox, readonly=True)
        _, data = other.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
    for (head, body), rest in zip(data[::2], data[1::2], strict=True):
        words = head + rest
        uid = int(re.search(rb"UID (\d+)", words)[1])
        flags = re.search(rb"FLAGS \(([^)]*)\)", words)[1].decode()
        found[uid] = (hashlib.sha256(body).hexdigest(), frozenset(flags.split()) - {"\\Recent"})
    return found


class Runs:
    """Backups of one mailbox into one store, by a client that knows only so much."""

    def __init__(self, server: LabServer, mailbox: str, root: Path, hidden: set[str]) -> None:
        self.server, self.mailbox, self.root, self.hidden = server, mailbox, root, hidden

    @contextmanager
    def client(self) -> Iterator[Client]:
        with Client.connect(
            self.server.host,
            self.server.port,
            user=USER,
            password=self.server.users[USER],
            security=Security.PLAIN,
        ) as client:
            client.connection.capabilities -= self.hidden
            yield client

    def __call__(self) -> BackupReport:
        with self.client() as client, Store.open(self.root, create=True, sync=False) as store:
            chosen = [each for each in list_mailboxes(client) if each.name == self.mailbox]
            assert len(chosen) == 1
            report = backup(client, store, mailboxes=chosen)
            found = verify(store, client, mailboxes=chosen)
        assert found.clean, found.problems
        assert report.failures == ()
        return report

    def stored(self) -> dict[int, tuple[str, frozenset[str]]]:
        with Store.open(self.root, readonly=True) as store:
            [info] = store.mailboxes()
            entries = store.mailbox(info.name, info.generations[-1]).entries
            return {uid: (entry.sha256, entry.flags) for uid, entry in entries.items()}


@pytest.mark.parametrize("way", HIDDEN)
def test_backup_and_changes(server: LabServer, mailbox: str, way: str, tmp_path: Path) -> None:
    run = Runs(server, mailbox, tmp_path / "mail", HIDDEN[way])
    assert run().fetched == MESSAGES
    before = held(server, mailbox)
    assert run.stored() == before
    again = run()
    assert (again.fetched, again.flags_changed, again.vanished) == (0, 0, 0)
    assert held(server, mailbox) == before  # not even \Seen was set

    with imap(server) as other:
        other.select(mailbox)
        one, two, three, four, *_ = map(str, before)
        other.uid("STORE", two, "FLAGS", "(\\Flagged $Later)")
        other.uid("STORE", four, "FLAGS", "(\\Answered)")
        other.uid("STORE", f"{one},{three}", "+FLAGS", "(\\Deleted)")
        other.expunge()
    _append(server, mailbox, 3, MESSAGES)
    report = run()
    assert (report.fetched, report.flags_changed, report.vanished) == (3, 2, 2)
    assert run.stored() == held(server, mailbox)
    again = run()
    assert (again.fetched, again.flags_changed, again.vanished) == (0, 0, 0)


def test_a_mailbox_made_anew(server: LabServer, mailbox: str, tmp_path: Path) -> None:
    run = Runs(server, mailbox, tmp_path / "mail", set())
    assert run().fetched == MESSAGES
    with imap(server) as other:
        assert other.delete(mailbox)[0] == "OK"
    _append(server, mailbox, 5, 7)
    report = run()
    assert report.fetched + report.spared == 5  # Cyrus knows the same octets again
    assert run.stored() == held(server, mailbox)

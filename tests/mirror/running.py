"""Backups of the embedded server, in a connection that is made again when it is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imaplus import Client, Security
from imaplus.mirror import BackupReport, Link, Store, VerifyReport, backup, verify
from imaplus.testing import Server


def connect(server: Server) -> Client:
    return Client.connect(
        server.host,
        server.port,
        user=server.user,
        password=server.password,
        security=Security.PLAIN,
    )


def link(server: Server) -> Link:
    """A link that does not wait."""
    return Link(lambda: connect(server), pause=lambda seconds: None)


def run(server: Server, root: Path, **options: Any) -> BackupReport:
    """One backup."""
    with link(server) as found, Store.open(root, create=True, sync=False) as store:
        return backup(found, store, **options)


def compared(server: Server, root: Path, **options: Any) -> VerifyReport:
    """One verification against the server."""
    with link(server) as found, Store.open(root, readonly=True) as store:
        return verify(store, found, **options)


def held(root: Path, name: str = "INBOX") -> dict[int, bytes]:
    """What the mirror has of a mailbox, by UID."""
    with Store.open(root, readonly=True) as store:
        entries = store.mailbox(name, store.generations(name)[-1]).entries
        found = {}
        for uid, entry in entries.items():
            with store.open_body(entry.sha256) as file:
                found[uid] = file.read() or b""
        return found


def on_server(server: Server, name: str = "INBOX") -> dict[int, bytes]:
    """What the server has of it."""
    return {uid: each.data for uid, each in server.mailbox(name).messages.items()}


def told(server: Server, words: str) -> list[str]:
    """The commands of all sessions that have these words in them."""
    return [line for session in server.commands for line in session if words in line]

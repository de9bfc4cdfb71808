"""Sessions with the servers of the lab, and what the live tests put there."""

from __future__ import annotations

import secrets
from typing import Any

from imaplus import AsyncClient, Client, Tls

from .lab import LabServer


def letter(subject: str, body: str = "world\r\n") -> bytes:
    return (
        f"From: Ann <ann@example.org>\r\nSubject: {subject}\r\n"
        f"Message-ID: <{secrets.token_hex(8)}@example.org>\r\n\r\n{body}"
    ).encode()


def log_in(server: LabServer, user: str = "alice", **options: Any) -> Client:
    """A sync client under TLS."""
    options.setdefault("tls", Tls(ca_file=server.ca_file))
    if "credentials" not in options:
        options.update(user=user, password=server.users.get(user, "secret"))
    return Client.connect("localhost", server.tls_port, **options)


async def log_in_async(server: LabServer, user: str = "alice", **options: Any) -> AsyncClient:
    return await AsyncClient.connect(
        "localhost",
        server.tls_port,
        user=user,
        password=server.users[user],
        tls=Tls(ca_file=server.ca_file),
        **options,
    )


def prefix(server: LabServer) -> str:
    """Where a user's own mailboxes are: Courier has them below INBOX."""
    return "INBOX." if server.name == "courier" else ""

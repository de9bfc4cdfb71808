"""An embedded IMAP server, for tests and demonstrations: in memory, offline, in this process.

    with imaplus.testing.Server() as server:
        server.add_message("INBOX", b"Subject: hello\\r\\n\\r\\nworld\\r\\n")
        client = Client.connect(server.host, server.port, ...)

It speaks IMAP4rev1 and IMAP4rev2 with the extensions of `REV1`, pretends to be other servers
(`PERSONALITIES`) and fails on request (`Fault`). It keeps nothing and protects nobody: the
passwords it is sent stay in its memory for tests to see. Not for real mail.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from imaplus.testing.content import Content, Generated, InMemory
    from imaplus.testing.faults import Fault, Refusal
    from imaplus.testing.mishaps import COURIER, MICROSOFT_365, Mishap
    from imaplus.testing.personality import BASIC, PERSONALITIES, REV1, Personality, Quirk
    from imaplus.testing.sample import sample_mailbox
    from imaplus.testing.server import AsyncServer
    from imaplus.testing.snapshots import Snapshot
    from imaplus.testing.stdio import serve_stdio
    from imaplus.testing.store import Account, Mailbox, Message
    from imaplus.testing.threaded import Server
    from imaplus.testing.tls import Authority
    from imaplus.testing.transcript import ScriptServer, Transcript

__all__ = [
    "BASIC",
    "COURIER",
    "MICROSOFT_365",
    "PERSONALITIES",
    "REV1",
    "Account",
    "AsyncServer",
    "Authority",
    "Content",
    "Fault",
    "Generated",
    "InMemory",
    "Mailbox",
    "Message",
    "Mishap",
    "Personality",
    "Quirk",
    "Refusal",
    "ScriptServer",
    "Server",
    "Snapshot",
    "Transcript",
    "sample_mailbox",
    "serve_stdio",
]

_HOMES: Final = {
    "content": ("Content", "Generated", "InMemory"),
    "faults": ("Fault", "Refusal"),
    "mishaps": ("COURIER", "MICROSOFT_365", "Mishap"),
    "personality": ("BASIC", "PERSONALITIES", "REV1", "Personality", "Quirk"),
    "sample": ("sample_mailbox",),
    "server": ("AsyncServer",),
    "snapshots": ("Snapshot",),
    "stdio": ("serve_stdio",),
    "store": ("Account", "Mailbox", "Message"),
    "threaded": ("Server",),
    "tls": ("Authority",),
    "transcript": ("ScriptServer", "Transcript"),
}


def __getattr__(name: str) -> object:
    """Import on first use: pytest imports this package to find the plugin, in every project."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"imaplus.testing.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

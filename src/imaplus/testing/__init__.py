"""An embedded IMAP server, for tests and demonstrations: in memory, offline, in this process::

    with imaplus.testing.Server() as server:
        server.add_message("INBOX", b"Subject: hello\\r\\n\\r\\nworld\\r\\n")
        endpoint = imaplus.endpoints.Tcp(server.host, server.port, imaplus.Security.PLAIN)
        with imaplus.Client.connect(
            endpoint, user=server.user, password=server.password, security=imaplus.Security.PLAIN
        ) as client:
            assert client.select("INBOX").exists == 1

It supports IMAP4rev1 and IMAP4rev2 with the extensions of `REV1`, imitates other servers
(`PERSONALITIES`) and fails on request (`Fault`). Do not use it for real mail: it stores nothing on
disk, and tests can read the passwords that clients send.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from imaplus.testing.command_log import CommandLog
    from imaplus.testing.content import Content, Generated, InMemory
    from imaplus.testing.faults import Fault, Refusal
    from imaplus.testing.faulty import Faulty
    from imaplus.testing.incoming import Incoming, LiteralRules
    from imaplus.testing.mishaps import COURIER, MICROSOFT_365, HangUp, Mishap, ReportedSize
    from imaplus.testing.outgoing import Outgoing, Piece
    from imaplus.testing.personality import BASIC, PERSONALITIES, REV1, Personality, Quirk, Rewrite
    from imaplus.testing.registry import State
    from imaplus.testing.sample import sample_mailbox
    from imaplus.testing.server import AsyncServer, BaseServer, Hub, Security
    from imaplus.testing.session import Session
    from imaplus.testing.snapshots import MailboxState, Snapshot
    from imaplus.testing.stdio import serve_stdio
    from imaplus.testing.store import Account, Home, Mailbox, Message, Watcher
    from imaplus.testing.streams import Stream
    from imaplus.testing.threaded import Server
    from imaplus.testing.tls import Authority
    from imaplus.testing.transcript import Cut, Peer, ScriptServer, Step, Tags, Transcript
    from imaplus.testing.view import Numbered, View

__all__ = [
    "BASIC",
    "COURIER",
    "MICROSOFT_365",
    "PERSONALITIES",
    "REV1",
    "Account",
    "AsyncServer",
    "Authority",
    "BaseServer",
    "CommandLog",
    "Content",
    "Cut",
    "Fault",
    "Faulty",
    "Generated",
    "HangUp",
    "Home",
    "Hub",
    "InMemory",
    "Incoming",
    "LiteralRules",
    "Mailbox",
    "MailboxState",
    "Message",
    "Mishap",
    "Numbered",
    "Outgoing",
    "Peer",
    "Personality",
    "Piece",
    "Quirk",
    "Refusal",
    "ReportedSize",
    "Rewrite",
    "ScriptServer",
    "Security",
    "Server",
    "Session",
    "Snapshot",
    "State",
    "Step",
    "Stream",
    "Tags",
    "Transcript",
    "View",
    "Watcher",
    "sample_mailbox",
    "serve_stdio",
]

_HOMES: Final = {
    "command_log": ("CommandLog",),
    "content": ("Content", "Generated", "InMemory"),
    "faults": ("Fault", "Refusal"),
    "faulty": ("Faulty",),
    "incoming": ("Incoming", "LiteralRules"),
    "mishaps": ("COURIER", "MICROSOFT_365", "HangUp", "Mishap", "ReportedSize"),
    "outgoing": ("Outgoing", "Piece"),
    "personality": ("BASIC", "PERSONALITIES", "REV1", "Personality", "Quirk", "Rewrite"),
    "registry": ("State",),
    "sample": ("sample_mailbox",),
    "server": ("AsyncServer", "BaseServer", "Hub", "Security"),
    "session": ("Session",),
    "snapshots": ("MailboxState", "Snapshot"),
    "stdio": ("serve_stdio",),
    "store": ("Account", "Home", "Mailbox", "Message", "Watcher"),
    "streams": ("Stream",),
    "threaded": ("Server",),
    "tls": ("Authority",),
    "transcript": ("Cut", "Peer", "ScriptServer", "Step", "Tags", "Transcript"),
    "view": ("Numbered", "View"),
}


def __getattr__(name: str) -> object:
    """Import a name on first use, so that a test loads only what it needs."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"imaplus.testing.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""IMAP for Python, done right: typed sync and async clients on one sans-IO core::

    with imaplus.Client.connect(
        "imap.example.org", user="ada", password="correct horse"
    ) as client:
        for message in client.select("INBOX").messages(newest_first=True, limit=20):
            print(message.date, message.sender, message.subject)

This module has the common names; `imaplus.search` has all search keys, `imaplus.errors` all errors,
and the manual lists the other public modules. Names are loaded at first use, with the modules that
they need: a program that connects needs no search keys, and asyncio takes longer to load than the
rest of imaplus.

PYTEST_DONT_REWRITE: there are no assertions for pytest to rewrite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imaplus.version import __version__ as __version__

if TYPE_CHECKING:
    from imaplus import credentials as credentials
    from imaplus import endpoints as endpoints
    from imaplus import errors as errors
    from imaplus import sansio as sansio
    from imaplus import search as search
    from imaplus import types as types
    from imaplus.client._async import AsyncClient
    from imaplus.client._async_attachment import AsyncAttachment
    from imaplus.client._async_mailbox import AsyncMailbox
    from imaplus.client._async_message import AsyncMessage
    from imaplus.client._async_pipeline import AsyncPipeline
    from imaplus.client._sync import Client
    from imaplus.client._sync_attachment import Attachment
    from imaplus.client._sync_mailbox import Mailbox
    from imaplus.client._sync_message import Message
    from imaplus.client._sync_pipeline import Pipeline
    from imaplus.client.answers import Answer
    from imaplus.client.endpoints import Security, Timeouts, Tls
    from imaplus.client.events import Event
    from imaplus.core.append import Appended, Outgoing
    from imaplus.core.envelope import Address, Envelope
    from imaplus.core.fetch_items import BodySection
    from imaplus.core.fetched import Fetched
    from imaplus.core.listing import ListEntry
    from imaplus.core.mailboxes import MailboxStatus
    from imaplus.core.messages import Copied, Stored
    from imaplus.core.search_keys import Seen, Unseen
    from imaplus.errors import (
        AlreadyExists,
        AuthenticationFailed,
        CapabilityMissing,
        CommandError,
        ConnectionLost,
        ImapError,
        InvalidArgument,
        NoSuchMailbox,
        NoSuchMessage,
        OverQuota,
        ProtocolError,
        Refused,
        Rejected,
        StateError,
        Throttled,
        TimedOut,
        TlsFailed,
        UidValidityChanged,
        UsageError,
    )
    from imaplus.extensions.qresync import Resync
    from imaplus.protocol.data import Exists, Expunged, Vanished
    from imaplus.sasl.credentials import BearerToken, Password
    from imaplus.wire.frames import Limits
    from imaplus.wire.registered import Flag, Keyword, SpecialUse
    from imaplus.wire.sets import SequenceSet

_HOMES = {
    "imaplus.client._async": "AsyncClient",
    "imaplus.client._async_mailbox": "AsyncMailbox",
    "imaplus.client._async_attachment": "AsyncAttachment",
    "imaplus.client._async_message": "AsyncMessage",
    "imaplus.client._async_pipeline": "AsyncPipeline",
    "imaplus.client._sync": "Client",
    "imaplus.client._sync_mailbox": "Mailbox",
    "imaplus.client._sync_attachment": "Attachment",
    "imaplus.client._sync_message": "Message",
    "imaplus.client._sync_pipeline": "Pipeline",
    "imaplus.client.answers": "Answer",
    "imaplus.client.events": "Event",
    "imaplus.client.endpoints": "Security Timeouts Tls",
    "imaplus.core.append": "Appended Outgoing",
    "imaplus.core.envelope": "Address Envelope",
    "imaplus.core.fetch": "BodySection",
    "imaplus.core.fetched": "Fetched",
    "imaplus.core.listing": "ListEntry",
    "imaplus.core.mailboxes": "MailboxStatus",
    "imaplus.core.messages": "Copied Stored",
    "imaplus.core.search_keys": "Seen Unseen",
    "imaplus.errors": (
        "AlreadyExists AuthenticationFailed CapabilityMissing CommandError ConnectionLost "
        "ImapError InvalidArgument NoSuchMailbox NoSuchMessage OverQuota ProtocolError Refused "
        "Rejected StateError Throttled TimedOut TlsFailed UidValidityChanged UsageError"
    ),
    "imaplus.extensions.qresync": "Resync",
    "imaplus.protocol.data": "Exists Expunged Vanished",
    "imaplus.sasl.credentials": "BearerToken Password",
    "imaplus.wire.frames": "Limits",
    "imaplus.wire.registered": "Flag Keyword SpecialUse",
    "imaplus.wire.sets": "SequenceSet",
}
"""The names by defining module, as imported above; a test compares the two."""
_MODULES = frozenset({"credentials", "endpoints", "errors", "sansio", "search", "types"})
"""The public modules available as attributes. Import the others by name."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"imaplus.{name}")
    for module, names in _HOMES.items():
        if name in names.split():
            value = globals()[name] = getattr(import_module(module), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})


__all__ = [
    "Address",
    "AlreadyExists",
    "Answer",
    "Appended",
    "AsyncAttachment",
    "AsyncClient",
    "AsyncMailbox",
    "AsyncMessage",
    "AsyncPipeline",
    "Attachment",
    "AuthenticationFailed",
    "BearerToken",
    "BodySection",
    "CapabilityMissing",
    "Client",
    "CommandError",
    "ConnectionLost",
    "Copied",
    "Envelope",
    "Event",
    "Exists",
    "Expunged",
    "Fetched",
    "Flag",
    "ImapError",
    "InvalidArgument",
    "Keyword",
    "Limits",
    "ListEntry",
    "Mailbox",
    "MailboxStatus",
    "Message",
    "NoSuchMailbox",
    "NoSuchMessage",
    "Outgoing",
    "OverQuota",
    "Password",
    "Pipeline",
    "ProtocolError",
    "Refused",
    "Rejected",
    "Resync",
    "Security",
    "Seen",
    "SequenceSet",
    "SpecialUse",
    "StateError",
    "Stored",
    "Throttled",
    "TimedOut",
    "Timeouts",
    "Tls",
    "TlsFailed",
    "UidValidityChanged",
    "Unseen",
    "UsageError",
    "Vanished",
]

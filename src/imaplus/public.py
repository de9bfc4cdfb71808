"""The public names, and where each is defined; `imaplus` shows them as its own.

A name is loaded when it is first used, with what it needs and no more: who connects needs no search
keys, and asyncio takes longer to load than all the rest. What is not listed here may change without
notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imaplus.client._async import AsyncClient
    from imaplus.client._async_mailbox import AsyncMailbox
    from imaplus.client._async_pipeline import AsyncPipeline
    from imaplus.client._sync import Client
    from imaplus.client._sync_mailbox import Mailbox
    from imaplus.client._sync_pipeline import Pipeline
    from imaplus.client.answers import Answer
    from imaplus.client.endpoints import (
        Connected,
        Endpoint,
        Process,
        Security,
        Tcp,
        Timeouts,
        Tls,
        UnixSocket,
    )
    from imaplus.core.append import Appended, MessageRefused, Outgoing
    from imaplus.core.envelope import Address, Envelope
    from imaplus.core.fetch import Body
    from imaplus.core.fetched import Fetched
    from imaplus.core.listing import ListEntry, Namespace, Namespaces
    from imaplus.core.mailboxes import MailboxStatus
    from imaplus.core.messages import Copied, Stored
    from imaplus.core.parts import Disposition, MessagePart, Multipart, Part, TextPart
    from imaplus.core.search_keys import (
        Answered,
        Bcc,
        Before,
        Cc,
        Deleted,
        Draft,
        Flagged,
        From,
        Header,
        Keyword,
        Larger,
        ModSeq,
        New,
        Old,
        On,
        Recent,
        Seen,
        SentBefore,
        SentOn,
        SentSince,
        Since,
        Smaller,
        Subject,
        Text,
        To,
        Uid,
        Unanswered,
        Undeleted,
        Undraft,
        Unflagged,
        Unkeyword,
        Unseen,
    )
    from imaplus.core.search_keys import Body as BodyText
    from imaplus.core.search_query import All, And, Not, Or, Query
    from imaplus.errors import (
        AlreadyExists,
        AuthenticationFailed,
        CapabilityMissing,
        CommandError,
        ConnectionLost,
        ImapError,
        InvalidArgument,
        NoMechanism,
        NoSuchMailbox,
        NoSuchMessage,
        NotPermitted,
        OutcomeUnknown,
        OverQuota,
        PartlyDone,
        ProtocolError,
        ProxyFailed,
        Refused,
        Rejected,
        StateError,
        Throttled,
        TimedOut,
        TlsFailed,
        TooLarge,
        UidValidityChanged,
        UsageError,
    )
    from imaplus.extensions.gmail import GmailLabel, GmailMessage, GmailSearch, GmailThread
    from imaplus.extensions.objectid import EmailId, ThreadId
    from imaplus.extensions.qresync import Resync
    from imaplus.protocol.command import Command, Flow, Together
    from imaplus.protocol.data import Exists, Expunged, Vanished
    from imaplus.sasl import Anonymous, BearerToken, Credentials, External, Password
    from imaplus.wire.frames import Limits
    from imaplus.wire.secret import Secret
    from imaplus.wire.sets import SequenceSet

_MODULES = {
    "imaplus.client._async": "AsyncClient",
    "imaplus.client._async_mailbox": "AsyncMailbox",
    "imaplus.client._async_pipeline": "AsyncPipeline",
    "imaplus.client._sync": "Client",
    "imaplus.client._sync_mailbox": "Mailbox",
    "imaplus.client._sync_pipeline": "Pipeline",
    "imaplus.client.answers": "Answer",
    "imaplus.client.endpoints": "Connected Endpoint Process Security Tcp Timeouts Tls UnixSocket",
    "imaplus.core.append": "Appended MessageRefused Outgoing",
    "imaplus.core.envelope": "Address Envelope",
    "imaplus.core.fetch": "Body",
    "imaplus.core.fetched": "Fetched",
    "imaplus.core.listing": "ListEntry Namespace Namespaces",
    "imaplus.core.mailboxes": "MailboxStatus",
    "imaplus.core.messages": "Copied Stored",
    "imaplus.core.parts": "Disposition MessagePart Multipart Part TextPart",
    "imaplus.core.search_keys": (
        "Answered Bcc Before BodyText Cc Deleted Draft Flagged From Header Keyword Larger ModSeq "
        "New Old On Recent Seen SentBefore SentOn SentSince Since Smaller Subject Text To Uid "
        "Unanswered Undeleted Undraft Unflagged Unkeyword Unseen"
    ),
    "imaplus.core.search_query": "All And Not Or Query",
    "imaplus.errors": (
        "AlreadyExists AuthenticationFailed CapabilityMissing CommandError ConnectionLost "
        "ImapError InvalidArgument NoMechanism NoSuchMailbox NoSuchMessage NotPermitted "
        "OutcomeUnknown OverQuota PartlyDone ProtocolError ProxyFailed Refused "
        "Rejected StateError Throttled TimedOut TlsFailed TooLarge UidValidityChanged UsageError"
    ),
    "imaplus.extensions.gmail": "GmailLabel GmailMessage GmailSearch GmailThread",
    "imaplus.extensions.objectid": "EmailId ThreadId",
    "imaplus.extensions.qresync": "Resync",
    "imaplus.protocol.command": "Command Flow Together",
    "imaplus.protocol.data": "Exists Expunged Vanished",
    "imaplus.sasl": "Anonymous BearerToken Credentials External Password",
    "imaplus.wire.frames": "Limits",
    "imaplus.wire.secret": "Secret",
    "imaplus.wire.sets": "SequenceSet",
}
"""The names by module, as above; a test holds the two against each other."""
_RENAMED = {"BodyText": "Body"}
"""Those that have another name where they are defined."""


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names.split():
            from importlib import import_module

            return getattr(import_module(module), _RENAMED.get(name, name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Address",
    "All",
    "AlreadyExists",
    "And",
    "Anonymous",
    "Answer",
    "Answered",
    "Appended",
    "AsyncClient",
    "AsyncMailbox",
    "AsyncPipeline",
    "AuthenticationFailed",
    "Bcc",
    "BearerToken",
    "Before",
    "Body",
    "BodyText",
    "CapabilityMissing",
    "Cc",
    "Client",
    "Command",
    "CommandError",
    "Connected",
    "ConnectionLost",
    "Copied",
    "Credentials",
    "Deleted",
    "Disposition",
    "Draft",
    "EmailId",
    "Endpoint",
    "Envelope",
    "Exists",
    "Expunged",
    "External",
    "Fetched",
    "Flagged",
    "Flow",
    "From",
    "GmailLabel",
    "GmailMessage",
    "GmailSearch",
    "GmailThread",
    "Header",
    "ImapError",
    "InvalidArgument",
    "Keyword",
    "Larger",
    "Limits",
    "ListEntry",
    "Mailbox",
    "MailboxStatus",
    "MessagePart",
    "MessageRefused",
    "ModSeq",
    "Multipart",
    "Namespace",
    "Namespaces",
    "New",
    "NoMechanism",
    "NoSuchMailbox",
    "NoSuchMessage",
    "Not",
    "NotPermitted",
    "Old",
    "On",
    "Or",
    "OutcomeUnknown",
    "Outgoing",
    "OverQuota",
    "Part",
    "PartlyDone",
    "Password",
    "Pipeline",
    "Process",
    "ProtocolError",
    "ProxyFailed",
    "Query",
    "Recent",
    "Refused",
    "Rejected",
    "Resync",
    "Secret",
    "Security",
    "Seen",
    "SentBefore",
    "SentOn",
    "SentSince",
    "SequenceSet",
    "Since",
    "Smaller",
    "StateError",
    "Stored",
    "Subject",
    "Tcp",
    "Text",
    "TextPart",
    "ThreadId",
    "Throttled",
    "TimedOut",
    "Timeouts",
    "Tls",
    "TlsFailed",
    "To",
    "Together",
    "TooLarge",
    "Uid",
    "UidValidityChanged",
    "Unanswered",
    "Undeleted",
    "Undraft",
    "Unflagged",
    "UnixSocket",
    "Unkeyword",
    "Unseen",
    "UsageError",
    "Vanished",
]

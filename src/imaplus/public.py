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
    from imaplus.core.envelope import Address, Addresses, Envelope
    from imaplus.core.fetch import Body, BodySink, Item
    from imaplus.core.fetched import Fetched
    from imaplus.core.listing import ListEntry, Namespace, Namespaces
    from imaplus.core.mailboxes import MailboxStatus
    from imaplus.core.message_source import MessageLike
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
    from imaplus.flows.download import Progress
    from imaplus.flows.outgoing import OutgoingMessage
    from imaplus.logs import ConnectionLog
    from imaplus.protocol.answering import Answering
    from imaplus.protocol.command import (
        Ask,
        Command,
        Flow,
        Handshake,
        Pending,
        Reply,
        State,
        Step,
        Together,
    )
    from imaplus.protocol.connection import Connection
    from imaplus.protocol.data import Exists, Expunged, MessageData, MessageRun, RunShape, Vanished
    from imaplus.protocol.mailbox import Mailbox as MailboxState
    from imaplus.protocol.progress import Progress as ConnectionProgress
    from imaplus.protocol.response import Continuation, Malformed, Status, Unknown
    from imaplus.protocol.telling import Trace
    from imaplus.sasl import (
        Anonymous,
        AsyncCredentialsSource,
        BearerToken,
        Credentials,
        CredentialsSource,
        External,
        Password,
    )
    from imaplus.wire.cursor import Cursor, Mark
    from imaplus.wire.flags import FlagsLike
    from imaplus.wire.frames import Frame, Limits
    from imaplus.wire.framing import Framer, Rows
    from imaplus.wire.secret import Secret
    from imaplus.wire.sets import Range, SequenceSet, SequenceSetLike
    from imaplus.wire.sinks import Sink, SinkChooser
    from imaplus.wire.sources import Source
    from imaplus.wire.writer import Piece, Rules, Segment, Writer
    from imaplus.wire.writer import Text as TextLike

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
    "imaplus.core.envelope": "Address Addresses Envelope",
    "imaplus.core.fetch": "Body BodySink Item",
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
    "imaplus.core.message_source": "MessageLike",
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
    "imaplus.flows.download": "Progress",
    "imaplus.flows.outgoing": "OutgoingMessage",
    "imaplus.logs": "ConnectionLog",
    "imaplus.protocol.answering": "Answering",
    "imaplus.protocol.command": "Ask Command Flow Handshake Pending Reply State Step Together",
    "imaplus.protocol.connection": "Connection",
    "imaplus.protocol.data": "Exists Expunged MessageData MessageRun RunShape Vanished",
    "imaplus.protocol.mailbox": "MailboxState",
    "imaplus.protocol.progress": "ConnectionProgress",
    "imaplus.protocol.response": "Continuation Malformed Status Unknown",
    "imaplus.protocol.telling": "Trace",
    "imaplus.sasl": (
        "Anonymous AsyncCredentialsSource BearerToken Credentials CredentialsSource External "
        "Password"
    ),
    "imaplus.wire.cursor": "Cursor Mark",
    "imaplus.wire.flags": "FlagsLike",
    "imaplus.wire.frames": "Frame Limits",
    "imaplus.wire.framing": "Framer Rows",
    "imaplus.wire.secret": "Secret",
    "imaplus.wire.sets": "Range SequenceSet SequenceSetLike",
    "imaplus.wire.sinks": "Sink SinkChooser",
    "imaplus.wire.sources": "Source",
    "imaplus.wire.writer": "Piece Rules Segment TextLike Writer",
}
"""The names by module, as above; a test holds the two against each other."""
_RENAMED = {
    "BodyText": "Body",
    "ConnectionProgress": "Progress",
    "MailboxState": "Mailbox",
    "TextLike": "Text",
}
"""Those that have another name where they are defined."""


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names.split():
            from importlib import import_module

            return getattr(import_module(module), _RENAMED.get(name, name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "Address",
    "Addresses",
    "All",
    "AlreadyExists",
    "And",
    "Anonymous",
    "Answer",
    "Answered",
    "Answering",
    "Appended",
    "Ask",
    "AsyncClient",
    "AsyncCredentialsSource",
    "AsyncMailbox",
    "AsyncPipeline",
    "AuthenticationFailed",
    "Bcc",
    "BearerToken",
    "Before",
    "Body",
    "BodySink",
    "BodyText",
    "CapabilityMissing",
    "Cc",
    "Client",
    "Command",
    "CommandError",
    "Connected",
    "Connection",
    "ConnectionLog",
    "ConnectionLost",
    "ConnectionProgress",
    "Continuation",
    "Copied",
    "Credentials",
    "CredentialsSource",
    "Cursor",
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
    "FlagsLike",
    "Flow",
    "Frame",
    "Framer",
    "From",
    "GmailLabel",
    "GmailMessage",
    "GmailSearch",
    "GmailThread",
    "Handshake",
    "Header",
    "ImapError",
    "InvalidArgument",
    "Item",
    "Keyword",
    "Larger",
    "Limits",
    "ListEntry",
    "Mailbox",
    "MailboxState",
    "MailboxStatus",
    "Malformed",
    "Mark",
    "MessageData",
    "MessageLike",
    "MessagePart",
    "MessageRefused",
    "MessageRun",
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
    "OutgoingMessage",
    "OverQuota",
    "Part",
    "PartlyDone",
    "Password",
    "Pending",
    "Piece",
    "Pipeline",
    "Process",
    "Progress",
    "ProtocolError",
    "ProxyFailed",
    "Query",
    "Range",
    "Recent",
    "Refused",
    "Rejected",
    "Reply",
    "Resync",
    "Rows",
    "Rules",
    "RunShape",
    "Secret",
    "Security",
    "Seen",
    "Segment",
    "SentBefore",
    "SentOn",
    "SentSince",
    "SequenceSet",
    "SequenceSetLike",
    "Since",
    "Sink",
    "SinkChooser",
    "Smaller",
    "Source",
    "State",
    "StateError",
    "Status",
    "Step",
    "Stored",
    "Subject",
    "Tcp",
    "Text",
    "TextLike",
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
    "Trace",
    "Uid",
    "UidValidityChanged",
    "Unanswered",
    "Undeleted",
    "Undraft",
    "Unflagged",
    "UnixSocket",
    "Unkeyword",
    "Unknown",
    "Unseen",
    "UsageError",
    "Vanished",
    "Writer",
]

"""The public names, gathered from where they are defined; `imaplus` shows them as its own.

`import imaplus` costs nothing until one of them is used, and asyncio is loaded only for the async
client. What is not listed here may change without notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    NoSuchMailbox,
    NoSuchMessage,
    NotPermitted,
    OutcomeUnknown,
    OverQuota,
    ProtocolError,
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
from imaplus.extensions.qresync import Resync
from imaplus.protocol.command import Command, Flow, Together
from imaplus.protocol.data import Exists, Expunged, Vanished
from imaplus.sasl import Anonymous, BearerToken, Credentials, External, Password
from imaplus.wire.framing import Limits
from imaplus.wire.secret import Secret
from imaplus.wire.sets import SequenceSet

if TYPE_CHECKING:
    from imaplus.client._async import AsyncClient
    from imaplus.client._async_mailbox import AsyncMailbox
    from imaplus.client._async_pipeline import AsyncPipeline

_ASYNC = {
    "AsyncClient": "imaplus.client._async",
    "AsyncMailbox": "imaplus.client._async_mailbox",
    "AsyncPipeline": "imaplus.client._async_pipeline",
}


def __getattr__(name: str) -> Any:
    """Import the async client when it is used: asyncio takes longer to load than all the rest."""
    if name not in _ASYNC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ASYNC[name]), name)


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
    "Endpoint",
    "Envelope",
    "Exists",
    "Expunged",
    "External",
    "Fetched",
    "Flagged",
    "Flow",
    "From",
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
    "Password",
    "Pipeline",
    "Process",
    "ProtocolError",
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

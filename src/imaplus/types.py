"""Types of the clients' signatures that programs seldom name, for annotations.

What is named every day stands in `imaplus` itself.
"""

from __future__ import annotations

from imaplus.client.async_opening import AsyncOpening
from imaplus.client.pipelined import PipelineMailbox
from imaplus.core.envelope import Addresses
from imaplus.core.fetch import BodySink
from imaplus.core.fetch_items import FetchItem
from imaplus.core.fetched import FetchData
from imaplus.core.listing import Namespace, Namespaces
from imaplus.core.message_source import MessageLike
from imaplus.core.parts import Disposition, MessagePart, Multipart, Part, TextPart
from imaplus.flows.download import Progress
from imaplus.flows.outgoing import OutgoingMessage
from imaplus.protocol.telling import Trace
from imaplus.reading.composing import ReplyTo
from imaplus.reading.problems import Problem
from imaplus.wire.flags import FlagsLike
from imaplus.wire.sets import NumberRange, SequenceSetLike
from imaplus.wire.sinks import Sink
from imaplus.wire.sources import Source

__all__ = [
    "Addresses",
    "AsyncOpening",
    "BodySink",
    "Disposition",
    "FetchData",
    "FetchItem",
    "FlagsLike",
    "MessageLike",
    "MessagePart",
    "Multipart",
    "Namespace",
    "Namespaces",
    "NumberRange",
    "OutgoingMessage",
    "Part",
    "PipelineMailbox",
    "Problem",
    "Progress",
    "ReplyTo",
    "SequenceSetLike",
    "Sink",
    "Source",
    "TextPart",
    "Trace",
]

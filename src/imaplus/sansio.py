"""The core without I/O, and what a command of one's own is made of.

A `Connection` takes commands and gives the bytes to send; it takes the bytes that come and gives
values. `client.run()` takes a `Command` or a `Flow`.
"""

from __future__ import annotations

from imaplus.logs import ConnectionLog
from imaplus.protocol.answering import Answering
from imaplus.protocol.bulk import Bulk, BulkReader, MessageRun, Taken
from imaplus.protocol.command import Command, Effect, Reply
from imaplus.protocol.connection import Connection
from imaplus.protocol.data import MessageData
from imaplus.protocol.flow import Ask, Flow, Handshake, Step, Together
from imaplus.protocol.mailbox import Mailbox as MailboxState
from imaplus.protocol.pending import Pending
from imaplus.protocol.progress import Progress as ConnectionProgress
from imaplus.protocol.response import Continuation, Malformed, Unknown
from imaplus.protocol.state import ConnectionState, State
from imaplus.protocol.status import Status
from imaplus.wire.cursor import Cursor, Mark
from imaplus.wire.frames import Frame
from imaplus.wire.framing import Window
from imaplus.wire.sinks import SinkChooser
from imaplus.wire.writer import Piece, Rules, Segment, Writer
from imaplus.wire.writer import Text as TextLike

__all__ = [
    "Answering",
    "Ask",
    "Bulk",
    "BulkReader",
    "Command",
    "Connection",
    "ConnectionLog",
    "ConnectionProgress",
    "ConnectionState",
    "Continuation",
    "Cursor",
    "Effect",
    "Flow",
    "Frame",
    "Handshake",
    "MailboxState",
    "Malformed",
    "Mark",
    "MessageData",
    "MessageRun",
    "Pending",
    "Piece",
    "Reply",
    "Rules",
    "Segment",
    "SinkChooser",
    "State",
    "Status",
    "Step",
    "Taken",
    "TextLike",
    "Together",
    "Unknown",
    "Window",
    "Writer",
]

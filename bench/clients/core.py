"""The core of imaplus alone: a captured answer, fed to a connection in pieces, and no I/O."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imaplus_sync import ITEMS
from touch import touch_envelope, touch_structure
from worker import Job, serve

from imaplus import SequenceSet
from imaplus.core.bulk import bulk_reader
from imaplus.core.fetch import Fetch
from imaplus.core.fetched import Fetched
from imaplus.core.mailboxes import Select
from imaplus.protocol.bulk import MessageRun
from imaplus.protocol.connection import Connection
from imaplus.protocol.pending import Pending

PIECE = 64 * 1024


class Core:
    """A connection with a mailbox selected, and the pieces that it will be given."""

    def __init__(self, job: Job) -> None:
        data = Path(job.folder).read_bytes()
        self.pieces = [data[i : i + PIECE] for i in range(0, len(data), PIECE)]
        self.connection = Connection(secure=True, bulk=bulk_reader)
        self.connection.receive_data(b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
        selecting = self.connection.send(Select(job.mailbox))
        self.connection.data_to_send()
        self.connection.receive_data(b"* %d EXISTS\r\n" % job.total)
        self.end(selecting)

    def end(self, pending: Pending[Any]) -> None:
        self.connection.receive_data(pending.tag.encode() + b" OK done\r\n")
        pending.result()

    def fetch(self, *items: str) -> list[Any]:
        """The values that the captured answer is parsed into: messages, or runs of many."""
        pending = self.connection.send(Fetch(SequenceSet.of("1:*"), ("UID", *items)))
        self.connection.data_to_send()
        found: list[Any] = []
        for piece in self.pieces:
            self.connection.receive_data(piece)
            found += pending.take()
        self.end(pending)
        return found


def flags(core: Core, job: Job) -> Any:
    found: dict[int, frozenset[str]] = {}
    for value in core.fetch("FLAGS"):
        if isinstance(value, MessageRun):
            found.update(zip(value.uids, value.column("FLAGS"), strict=True))
        else:
            found[value.uid] = value.flags
    return lambda: len(found)


def messages(core: Core) -> list[Fetched]:
    found: list[Fetched] = []
    for value in core.fetch(*ITEMS):
        found += value if isinstance(value, MessageRun) else [value]
    return found


def listed(core: Core, job: Job) -> Any:
    found = messages(core)
    for message in found:
        message.uid, message.flags, message.size  # noqa: B018 - touched
    return lambda: len(found)


def everything(core: Core, job: Job) -> Any:
    found = messages(core)
    for message in found:
        touch_envelope(message.envelope)
        touch_structure(message.bodystructure)
    return lambda: len(found)


serve(Core, {"flags": flags, "listed": listed, "everything": everything})

"""Streaming one message, or a part of it, into a file, in constant memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from imaplus.core.fetch import Body, Fetch
from imaplus.core.fetched import Fetched
from imaplus.errors import NoSuchMessage
from imaplus.protocol.command import Flow
from imaplus.records import record
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sinks import File, Sink, Spool
from imaplus.wire.sources import CHUNK

Progress = Callable[[int, int], object]
"""Called with (octets so far, octets in all)."""


@record
class _IntoFile:
    """Sends a body to the file, if it is known to be the one that was asked for."""

    file: IO[bytes]
    progress: Progress | None

    def __call__(self, uid: int | None, size: int) -> Sink:
        if uid is None:  # the server tells whose it is afterwards: it may be another's
            return Spool()
        return File(self.file, size, self.progress)


def download(
    uid: int,
    file: IO[bytes],
    *,
    section: str = "",
    binary: bool = False,
    progress: Progress | None = None,
) -> Flow[int]:
    """Write a section of a message to a binary file; the octets written.

    After an error the file holds what had come by then.

    Raises:
        NoSuchMessage: the mailbox has no message with this UID, or the message no such section.
    """
    item = Body(section, binary=binary)
    found: list[Fetched] = yield from Fetch(
        SequenceSet.of(uid), ("UID", item), into=_IntoFile(file, progress)
    )
    value = next((each[item.key] for each in found if item.key in each), None)
    if value is None:
        raise NoSuchMessage(f"there is no section {section!r} of a message with UID {uid}")
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):  # a quoted string is no literal
        file.write(value)
        return len(value)
    with value:
        while chunk := value.read(CHUNK):
            file.write(chunk)
        size: int = value.tell()
    return size

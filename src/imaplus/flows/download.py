"""Streaming one message, or a part of it, into a file, in constant memory."""

from __future__ import annotations

from collections.abc import Callable
from io import TextIOBase
from typing import IO, TYPE_CHECKING

from imaplus.core.fetch import BodySection, Fetch
from imaplus.core.fetched import Fetched
from imaplus.errors import InvalidArgument, NoSuchMessage, Refused
from imaplus.flows.fetching import UNDECODABLE
from imaplus.protocol.command import Flow
from imaplus.records import record
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sinks import File, Sink, Spool, Writable
from imaplus.wire.sources import CHUNK

if TYPE_CHECKING:
    from imaplus.core.transfer_encodings import Decoder

Progress = Callable[[int, int], object]
"""Called with (octets so far, octets in all)."""


@record
class _IntoFile:
    """Sends a body to the file, if it is known to be the one that was asked for."""

    file: Writable
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

    With `binary` it is decoded: by the server, or here, where the server declines because of what
    the part is like. After an error the file holds what had come by then.

    Raises:
        NoSuchMessage: the mailbox has no message with this UID, or the message no such section.
        InvalidArgument: it is no file that octets can be written to.
    """
    _insist_on_octets(file)
    into = _IntoFile(file, progress)
    if not binary:
        return (yield from _download(uid, BodySection(section), into))
    try:
        return (yield from _download(uid, BodySection(section, binary=True), into))
    except Refused as error:
        if error.code not in UNDECODABLE:
            raise
        decoder = yield from _decoder(uid, section)
        if decoder is None:  # nobody knows this encoding
            raise
    from imaplus.core.transfer_encodings import Decoded

    decoded = Decoded(file, decoder)
    yield from _download(uid, BodySection(section), _IntoFile(decoded, progress))
    decoded.finish()
    return decoded.written


def _insist_on_octets(file: object) -> None:
    if not callable(getattr(file, "write", None)):
        raise InvalidArgument(f"expected a file to write to, found {type(file).__name__}")
    if isinstance(file, TextIOBase):
        raise InvalidArgument("expected a file opened in binary mode, found a text file")


def _download(uid: int, item: BodySection, into: _IntoFile) -> Flow[int]:
    found: list[Fetched] = yield from Fetch(SequenceSet.of(uid), ("UID", item), into=into)
    value = next((each[item.key] for each in found if item.key in each), None)
    if value is None:
        raise NoSuchMessage(f"there is no section {item.section!r} of a message with UID {uid}")
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):  # a quoted string is no literal
        into.file.write(value)
        return len(value)
    with value:
        while chunk := value.read(CHUNK):
            into.file.write(chunk)
        size: int = value.tell()
    return size


def _decoder(uid: int, section: str) -> Flow[Decoder | None]:
    """What undoes the encoding of a part, by the header of the part; of the message, none has."""
    from imaplus.core.transfer_encodings import Identity, decoder_for, encoding_of

    if not section:
        return Identity()
    encoding = encoding_of((yield from _header(uid, BodySection(f"{section}.MIME"))))
    if encoding is None and section == "1":  # the only one, of which some tell no MIME header
        encoding = encoding_of((yield from _header(uid, BodySection("HEADER"))))
    return Identity() if encoding is None else decoder_for(encoding)


def _header(uid: int, item: BodySection) -> Flow[bytes]:
    found: list[Fetched] = yield from Fetch(SequenceSet.of(uid), ("UID", item))
    value = next((each[item.key] for each in found if item.key in each), None)
    return value if isinstance(value, bytes) else b""

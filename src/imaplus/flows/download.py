"""Streaming one message, or a part of it, into a file, in constant memory."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO, TextIOBase
from typing import IO, TYPE_CHECKING, Final

from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.core.fetched import Fetched
from imaplus.errors import InvalidArgument, NoSuchMessage, Refused, Rejected
from imaplus.flows.fetching import UNDECODABLE
from imaplus.protocol.flow import Flow
from imaplus.records import record
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sinks import File, Sink, Spool, Writable
from imaplus.wire.sources import CHUNK

if TYPE_CHECKING:
    from imaplus.core.transfer_encodings import Decoder
    from imaplus.protocol.connection import Connection

LAST: Final = (1 << 31) - 1
"""The rest of a section is asked for up to here: servers may add what they are given in 32 bits."""
OVERLAP: Final = 4096
"""Bytes at the end of what has come before that are compared."""

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
    connection: Connection | None = None,
) -> Flow[int]:
    """Write a section of a message to a binary file; the octets written.

    With `binary` it is decoded: by the server, or here, where the server has no BINARY or declines
    because of what the part is like. After an error the file holds what had come by then.

    Raises:
        NoSuchMessage: the mailbox has no message with this UID, or the message no such section.
        InvalidArgument: it is no file that octets can be written to.
    """
    _insist_on_octets(file)
    into = _IntoFile(file, progress)
    if not binary:
        return (yield from _download(uid, BodySection(section), into))
    if connection is not None and not connection.can("BINARY"):
        decoder = yield from find_decoder(uid, section)
        if decoder is None:
            words = f"the transfer encoding of part {section} is unknown"
            raise Refused("FETCH", "NO", "UNKNOWN-CTE", words)
    else:
        try:
            return (yield from _download(uid, BodySection(section, binary=True), into))
        except Refused as error:
            if error.code not in UNDECODABLE:
                raise
            decoder = yield from find_decoder(uid, section)
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


def resume(
    uid: int,
    file: IO[bytes],
    *,
    section: str = "",
    binary: bool = False,
    progress: Progress | None = None,
) -> Flow[int]:
    """Write a section behind what an earlier download has left of it in the file; all its bytes.

    The end of what is there is compared with what the server has in that place: if they differ, or
    the server knows no partial fetches, the file is emptied and the section fetched whole.
    """
    offset = file.seek(0, 2)
    if offset:
        overlap = min(offset, OVERLAP)
        file.seek(-overlap, 2)
        before, compared = file.read(overlap), BytesIO()
        item = BodySection(section, partial=(offset - overlap, overlap), binary=binary)
        try:
            yield from _download(uid, item, _IntoFile(compared, None))
        except (Refused, Rejected, NoSuchMessage):
            compared.truncate(0)
        if compared.getvalue() != before:
            file.seek(0)
            offset = file.truncate(0)
        file.seek(offset)
    if not offset:
        return (
            yield from _download(
                uid, BodySection(section, binary=binary), _IntoFile(file, progress)
            )
        )
    while True:
        told = None if progress is None else _behind(offset, progress)
        count = LAST - offset if offset < LAST else LAST
        item = BodySection(section, partial=(offset, count), binary=binary)
        try:
            got = yield from _download(uid, item, _IntoFile(file, told))
        except NoSuchMessage:  # some tell nothing of what begins at the end
            got = 0
        offset += got
        if got < count:
            return offset


def _behind(offset: int, progress: Progress) -> Progress:
    """Tells of what comes as a part of the whole."""
    return lambda done, total: progress(offset + done, offset + total)


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


def find_decoder(uid: int, section: str) -> Flow[Decoder | None]:
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

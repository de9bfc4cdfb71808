"""Fetch large messages in pieces, for connections that break before a message is complete.

A piece is `BODY.PEEK[]<offset.bytes>` (RFC 9051, 6.4.5). A part that was kept earlier is used only
if its beginning and end are still the same on the server. The body is complete when it has
RFC822.SIZE bytes and the server has no more. If the pieces do not match each other or the size, the
message is fetched with one command.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from imaplus import BodySection, Fetched
from imaplus.errors import CommandError, ImapError
from imaplus.mirror.arrivals import BODY, KEY
from imaplus.mirror.comparison import value_of
from imaplus.mirror.fetch import Sink

if TYPE_CHECKING:
    from imaplus import Mailbox
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.link import Link
    from imaplus.mirror.partial import PartialWriter
    from imaplus.mirror.progress import Progress
    from imaplus.mirror.store import Store

LARGE = 32 * 1024
"""Messages below this size in bytes are fetched with one command."""
PIECE = 4 << 20
"""Bytes of one piece; halved if the connection breaks before it arrives."""
LEAST = 16 * 1024
"""Bytes of the smallest piece."""
OVERLAP = 4096
"""Bytes at the beginning and end of a kept part that are fetched again for comparison."""


class Disagreement(Exception):
    """The pieces do not match, or the server sends none."""


class Large:
    """Fetches single large messages of one mailbox."""

    def __init__(
        self,
        link: Link,
        mailbox: Mailbox,
        store: Store,
        journal: Journal,
        progress: Progress,
        items: tuple[str, ...],
    ) -> None:
        self._link = link
        self._name = mailbox.name
        self._store = store
        self._journal = journal
        self._progress = progress
        self._items = items

    def size_of(self, uid: int) -> int | None:
        """Return RFC822.SIZE of a message that is large enough for pieces; None otherwise.

        Raises:
            ImapError: the connection was lost.
        """
        try:
            for message in self._mailbox().fetch(uid, "RFC822.SIZE"):
                size = value_of(message, "RFC822.SIZE")
                return size if size is not None and size >= LARGE else None
        except CommandError:
            pass
        return None

    def fetch(self, uid: int, size: int) -> Iterator[Fetched]:
        """Fetch a message and yield it, with a `StoredObject` as body; nothing if it is gone.

        Raises:
            ImapError: the connection was lost and cannot be made again. The received part is kept
                for the next run.
        """
        writer = self._store.partial(self._journal, uid, size)
        try:
            try:
                self._complete(writer, uid)
                stored: object = writer.close()
            except Disagreement:
                writer.restart()
                stored = self._whole(writer, uid)
        finally:
            writer.abort()
        found = self._link.attempt(lambda client: list(self._mailbox().fetch(uid, *self._items)))
        for message in found:
            if message.uid == uid:
                yield Fetched(message.seq, uid, {**message.items, KEY: stored})

    def _mailbox(self) -> Mailbox:
        return self._link.open_mailbox(self._name, self._journal.uidvalidity or None)

    def _complete(self, writer: PartialWriter, uid: int) -> None:
        """Fetch pieces until the body is complete.

        Raises:
            Disagreement: the pieces do not match.
        """
        piece = PIECE
        if writer.octets:
            if writer.octets > writer.size:
                raise Disagreement
            for offset in (0, max(0, writer.octets - OVERLAP)):
                self._compare(writer, uid, offset)
        while writer.octets < writer.size:
            before = writer.octets
            try:
                self._ask(uid, before, min(piece, writer.size - before), writer)
            except ImapError as error:
                if not self._link.is_lost:
                    raise Disagreement from error  # the server does not support partial FETCH
                if writer.octets > before:
                    self._link.record_progress()
                    self._link.lose(error)
                    continue
                if piece <= LEAST:
                    raise
                piece //= 2
                self._link.lose(error, narrowed=True)
                continue
            if writer.octets == before:
                raise Disagreement
        if self._again(uid, writer.size, 1):
            raise Disagreement  # the message has more bytes than its size

    def _compare(self, writer: PartialWriter, uid: int, offset: int) -> None:
        octets = min(OVERLAP, writer.octets - offset)
        if octets > 0 and self._again(uid, offset, octets) != writer.read(offset, octets):
            writer.restart()

    def _again(self, uid: int, offset: int, octets: int) -> bytes:
        """Fetch a few bytes of the message; b"" if the server has none at `offset`."""
        piece = _Piece()

        def ask(client: object) -> None:
            piece.octets.clear()
            self._ask(uid, offset, octets, piece)

        try:
            self._link.attempt(ask)
        except CommandError:
            return b""
        return bytes(piece.octets)

    def _ask(self, uid: int, offset: int, octets: int, into: Any) -> None:
        """Fetch one piece and write it to `into`."""
        body = BodySection(partial=(offset, octets))
        sink = _Bounded(into, octets, self._progress)
        for message in self._mailbox().fetch(uid, body, into=lambda uid, size: sink):
            value = message.get(body.key) if message.uid == uid else None
            if isinstance(value, bytes):
                sink.write(value)

    def _whole(self, writer: PartialWriter, uid: int) -> object:
        """Fetch the message with one command, into the file of its parts."""
        sink = Sink(writer, self._progress.advance)
        for message in self._mailbox().fetch(uid, BODY, into=lambda uid, size: sink):
            if message.uid == uid and KEY in message:
                return message[KEY]
        return None


class _Piece:
    """A sink that collects bytes in memory."""

    def __init__(self) -> None:
        self.octets = bytearray()

    def write(self, data: Any, /) -> None:
        self.octets += data


class _Bounded:
    """A sink that passes a piece on, and raises Disagreement if it is too long."""

    def __init__(self, into: Any, octets: int, progress: Progress) -> None:
        self._into = into
        self._left = octets
        self._progress = progress

    def write(self, data: Any, /) -> None:
        """Pass the next bytes on."""
        if len(data) > self._left:
            raise Disagreement
        self._left -= len(data)
        self._into.write(data)
        self._progress.advance(0, len(data))

    def close(self) -> None:
        """Do nothing: the next piece follows."""

    def abort(self) -> None:
        """Do nothing: the received bytes are kept."""

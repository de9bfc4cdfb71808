"""Messages that no connection can carry whole: fetched in pieces, one after the other.

A piece is asked for as `BODY.PEEK[]<offset.bytes>` (RFC 9051, 6.4.5). What has come before counts
only if the server still sends the same there: beginning and end of it are compared. The body is
complete when it has as many bytes as RFC822.SIZE says, and the server has no more. Where pieces
disagree with each other or with the size, the message is fetched whole.
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
"""Bytes below which a message is asked for whole."""
PIECE = 4 << 20
"""Bytes of one piece; halved when not even that comes."""
LEAST = 16 * 1024
"""Bytes of the smallest piece."""
OVERLAP = 4096
"""Bytes at the beginning and at the end of what has come that are fetched once more to compare."""


class Disagreement(Exception):
    """The pieces do not fit together, or the server sends none."""


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
        """The message's RFC822.SIZE if it is worth to be fetched in pieces.

        Raises:
            ImapError: the connection was lost by the question.
        """
        try:
            for message in self._mailbox().fetch(uid, "RFC822.SIZE"):
                size = value_of(message, "RFC822.SIZE")
                return size if size is not None and size >= LARGE else None
        except CommandError:
            pass
        return None

    def fetch(self, uid: int, size: int) -> Iterator[Fetched]:
        """The message, its body in the store; nothing if it is gone.

        Raises:
            ImapError: the connection was lost, and no way was found to go on. What has come is
                kept for the next run.
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
        """Ask for pieces until all have come.

        Raises:
            Disagreement: they do not fit together.
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
                    raise Disagreement from error  # it does not know partial fetches
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
        """Few bytes of the message, b"" if the server has none there."""
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
        """Have one piece written to `into`, and no more than that."""
        body = BodySection(partial=(offset, octets))
        sink = _Bounded(into, octets, self._progress)
        for message in self._mailbox().fetch(uid, body, into=lambda uid, size: sink):
            value = message.get(body.key) if message.uid == uid else None
            if isinstance(value, bytes):
                sink.write(value)

    def _whole(self, writer: PartialWriter, uid: int) -> object:
        """The message in one piece, into the file that had its parts."""
        sink = Sink(writer, self._progress.advance)
        for message in self._mailbox().fetch(uid, BODY, into=lambda uid, size: sink):
            if message.uid == uid and KEY in message:
                return message[KEY]
        return None


class _Piece:
    """A sink for few bytes."""

    def __init__(self) -> None:
        self.octets = bytearray()

    def write(self, data: Any, /) -> None:
        self.octets += data


class _Bounded:
    """A sink that hands on what belongs to a piece; what is more is a disagreement."""

    def __init__(self, into: Any, octets: int, progress: Progress) -> None:
        self._into = into
        self._left = octets
        self._progress = progress

    def write(self, data: Any, /) -> None:
        """Take the next bytes."""
        if len(data) > self._left:
            raise Disagreement
        self._left -= len(data)
        self._into.write(data)
        self._progress.advance(0, len(data))

    def close(self) -> None:
        """All bytes of the piece have come."""

    def abort(self) -> None:
        """The rest of the piece will not come; what has come is kept."""

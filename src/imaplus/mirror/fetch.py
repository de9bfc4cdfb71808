"""Fetch messages of one mailbox into the store: streamed, each stored at most once.

A message that cannot be fetched does not affect the others. If the server refuses a FETCH, smaller
ones are sent until the message that causes it is found. If the connection is lost, the message that
was due next is set aside, the link reconnects, and the others are fetched; messages set aside are
fetched one by one at the end (`fetch_last`). Errors that end the run are raised: the link cannot
reconnect, the disk is full. The caller chooses the messages and commits.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from imaplus import SequenceSet
from imaplus.errors import CommandError, ImapError
from imaplus.mirror.arrivals import BODY, KEY, Arrivals, Failed
from imaplus.mirror.comparison import flags_of, value_of
from imaplus.mirror.enumeration import by_fetch, by_search
from imaplus.mirror.errors import asks_for_patience
from imaplus.mirror.objects import ObjectWriter, StoredObject

if TYPE_CHECKING:
    from imaplus import Fetched, Mailbox
    from imaplus.mirror.identity import Identities, IdentityItems
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.link import Link
    from imaplus.mirror.partial import PartialWriter
    from imaplus.mirror.progress import Progress
    from imaplus.mirror.store import Store

ITEMS = ("FLAGS", "INTERNALDATE", "RFC822.SIZE")
HOPELESS = 50
"""After so many refused commands in a row the rest of the mailbox is not requested."""
BARREN = 5
"""After so many lost connections in a row without a message the mailbox is given up."""

PART = 200_000
"""Messages that are removed from a set in one step."""
SMALL = 128 * 1024
"""Bodies below this size in bytes are returned as `bytes`: most arrive with one read."""
LARGE = 256 * 1024
"""From this size in bytes on, progress is reported while a body arrives, and a part is kept if the
connection is lost."""
NOTHING = SequenceSet()


class Sink:
    """Writes one large body to the store and reports progress."""

    __slots__ = ("_advance", "_writer")

    def __init__(
        self, writer: ObjectWriter | PartialWriter, advance: Callable[[int, int], None]
    ) -> None:
        self._writer = writer
        self._advance = advance

    def write(self, data: Any, /) -> None:
        """Write the next bytes."""
        self._writer.write(data)
        self._advance(0, len(data))

    def close(self) -> StoredObject:
        """Complete the body."""
        return self._writer.close()

    def abort(self) -> None:
        """Give up the body."""
        self._writer.abort()


class Fetching:
    """Fetches messages of one mailbox into its journal.

    `deferred` are the messages set aside: pass them to `fetch_last` at the end. The generators may
    be closed early; the rest is left for another run. If UIDs do not persist, `number` maps a UID
    to the number of the message in the journal.
    """

    def __init__(
        self,
        link: Link,
        mailbox: Mailbox,
        store: Store,
        journal: Journal,
        *,
        progress: Progress,
        failed: Failed,
        items: IdentityItems | None = None,
        identities: Identities | None = None,
        replace: bool = False,
        number: Callable[[int], int] | None = None,
    ) -> None:
        self.deferred: SequenceSet = NOTHING
        self.spared: int = 0
        self._link = link
        self._mailbox = mailbox
        self._store = store
        self._journal = journal
        self._progress = progress
        self._on_failure = failed
        self._named: set[int] = set()
        self._identity_items = items
        self._identities = identities
        self._replace = replace
        self._number = number
        also = () if items is None else (*items.identity, *items.labels)
        modseq = ("MODSEQ",) if mailbox.highestmodseq else ()
        self._items = (*ITEMS, *modseq, *also)
        self._had = array("I")
        self._most: int | None = None  # messages per FETCH; None: all
        self._guessed = False
        self._refused = self._barren = 0
        self._arrivals = Arrivals(
            store,
            journal,
            self._fail,
            items=items,
            identities=identities,
            replace=replace,
            number=number,
        )

    # -- all that is wanted -------------------------------------------------------------------

    def fetch(self, uids: SequenceSet) -> Generator[int, None, None]:
        """Fetch messages; yield the size in bytes of each when it is stored."""
        yield from self._fetch(self._without_suspects(uids))
        missing = self._missing(uids)
        if missing and self._barren < BARREN and self._refused < HOPELESS:
            yield from self._ask_again(missing)
        yield from self._arrivals.confirm(self._link, self._reopen)

    def fetch_last(self, uids: SequenceSet) -> Generator[int, None, None]:
        """Fetch messages that were set aside one by one, small ones first; yield their sizes."""
        from imaplus.mirror.large import Large  # seldom needed

        large = Large(
            self._link, self._mailbox, self._store, self._journal, self._progress, self._items
        )
        for uid in self._smallest_first(uids):
            if self._barren >= BARREN:
                self._fail(uid, "not tried again in this run: the connection was lost too often")
                continue
            try:
                size = None if self._number is not None else large.size_of(uid)
                if size is None or self._replace:
                    yield from self._fetch(SequenceSet.of(uid), alone=True)
                else:
                    yield from self._take(large.fetch(uid, size), uid)
            except CommandError as error:
                if asks_for_patience(error) or not self._link.is_connected:
                    raise
                self._fail(uid, str(error))
            except ImapError as error:
                if not self._link.is_recoverable(error):
                    raise
                self._lose(error, uid, alone=True)
        yield from self._arrivals.confirm(self._link, self._reopen)

    def _without_suspects(self, uids: SequenceSet) -> SequenceSet:
        """Set aside the messages on which earlier runs lost the connection; return the others."""
        if self._number is not None:
            return uids
        suspects = self._journal.suspects | {part.uid for part in self._store.parts(self._journal)}
        if not suspects:
            return uids
        self.deferred |= uids & SequenceSet.of(suspects)
        return uids - self.deferred

    def _fetch(self, uids: SequenceSet, *, alone: bool = False) -> Generator[int, None, None]:
        left = uids
        while left:
            asked = left if self._most is None else next(iter(left.chunks(self._most)))
            before = len(self._had)
            try:
                yield from self._stream(asked)
                left -= asked
                self._most = None if self._most is None else self._most * 2
            except ImapError as error:
                left -= SequenceSet.of(self._had[before:])
                asked &= left
                came = len(self._had) > before
                if self._link.is_lost:
                    left -= self._set_aside(asked, error, came, alone)
                elif isinstance(error, CommandError) and not asks_for_patience(error):
                    left -= self._ask_for_less(asked, error, left)
                else:
                    raise
                if self._barren >= BARREN and left:
                    self._give_up(left, error)
                    return

    def _stream(self, uids: SequenceSet) -> Iterator[int]:
        messages = self._mailbox.fetch(uids, *self._items, BODY, into=self._sink, into_from=SMALL)
        for message in messages:
            uid = message.uid
            if KEY in message:
                self._refused = self._barren = 0
                self._had.append(uid)
                if (size := self._arrivals.keep(message, uid)) is not None:
                    self._progress.advance(1, size if size < LARGE else 0)
                    yield size
            elif self._number is None:
                self._note_flags(message, uid)

    def _note_flags(self, message: Fetched, uid: int) -> None:
        """Record flags that changed after the message was fetched."""
        flags = flags_of(message)
        if flags is not None and uid in self._journal.entries:
            self._journal.set_flags(uid, flags)

    def _sink(self, uid: int | None, size: int) -> Any:
        """Return a sink that writes a body of `size` bytes to the store."""
        if size < LARGE:
            return self._store.writer(replace=self._replace)
        if uid is None or self._replace or self._number is not None:
            return Sink(self._store.writer(replace=self._replace), self._progress.advance)
        writer = self._store.partial(self._journal, uid, size)
        writer.restart()  # the complete body was requested
        return Sink(writer, self._progress.advance)

    def _fail(self, uid: int | None, problem: str) -> None:
        if uid is not None:
            self._named.add(uid)
        self._on_failure(uid, problem)

    # -- what goes wrong ----------------------------------------------------------------------

    def _set_aside(
        self, left: SequenceSet, error: ImapError, came: bool, alone: bool
    ) -> SequenceSet:
        """Reconnect after a lost connection; return the message to fetch alone at the end, if any.

        Messages arrive in the requested order, so the first one missing is the suspect. If nothing
        arrives without it either, fewer messages are requested until one is found.
        """
        suspect = NOTHING
        narrowed = False
        if came:
            self._guessed = False
            self._link.record_progress()
        if left and (came or not self._guessed or len(left) == 1):
            self._guessed = not came
            suspect = SequenceSet.of(left.first)
            self._lose(error, left.first, alone=alone, narrowed=came)
            return suspect
        if left:
            self._most = max(1, min(len(left), self._most or len(left)) // 2)
            narrowed = True
        self._lose(error, None, narrowed=narrowed)
        return suspect

    def _lose(
        self, error: ImapError, uid: int | None, *, alone: bool = False, narrowed: bool = False
    ) -> None:
        """Reopen the mailbox after a lost connection; `uid` is the suspected message, if any."""
        if uid is not None:
            if self._number is None:
                self._journal.suspect(uid)
            if alone:
                self._fail(uid, f"cannot be fetched; the connection ends each time: {error}")
            else:
                self.deferred |= SequenceSet.of(uid)
        self._barren += not narrowed
        self._link.lose(error, narrowed=narrowed)
        self._mailbox = self._link.examine(self._mailbox.name, uidvalidity=self._uidvalidity)

    @property
    def _uidvalidity(self) -> int | None:
        return self._journal.uidvalidity or None

    def _ask_for_less(
        self, asked: SequenceSet, error: CommandError, left: SequenceSet
    ) -> SequenceSet:
        """Request fewer messages after a refusal; return those that are given up."""
        self._refused += 1
        if len(asked) > 1 and self._refused < HOPELESS:
            self._most = (len(asked) + 1) // 2
            return NOTHING
        if len(asked) > 1:
            self._fail(None, f"the server refuses to send {len(left):,} messages: {error}")
            return left
        for uid in asked:
            self._fail(uid, str(error))
        self._most = None
        return asked

    def _give_up(self, left: SequenceSet, error: ImapError) -> None:
        what = f"the connection is lost each time its messages are fetched: {error}"
        self._fail(None, f"{what}; {len(left):,} messages are not tried again in this run")
        self.deferred = NOTHING

    def _missing(self, uids: SequenceSet) -> SequenceSet:
        """The messages that were neither fetched nor set aside nor reported as failures."""
        left = uids - self.deferred - SequenceSet.of(self._named)
        for start in range(0, len(self._had), PART):  # all at once would take 70 MB for a million
            left -= SequenceSet.of(self._had[start : start + PART])
        return left

    def _ask_again(self, missing: SequenceSet) -> Generator[int, None, None]:
        """Fetch again messages that the server did not send, unless they are gone by now."""
        here = missing & self._link.attempt(lambda client: self._uids())
        if not here:
            return
        yield from self._fetch(here)
        for uid in self._missing(here):
            self._fail(uid, "the server did not send it, or its response cannot be parsed")

    def _smallest_first(self, uids: SequenceSet) -> list[int]:
        """Sort messages by size, or by UID if the sizes are unknown."""
        sizes: dict[int, int] = {}
        if len(uids) > 1:
            try:
                for message in self._mailbox.fetch(uids, "RFC822.SIZE"):
                    sizes[message.uid] = value_of(message, "RFC822.SIZE") or 0
            except ImapError as error:
                if self._link.is_lost:
                    self._lose(error, None)
                elif not isinstance(error, CommandError):
                    raise
        return sorted(uids, key=lambda uid: (sizes.get(uid, 0), uid))

    # -- what has come ------------------------------------------------------------------------

    def _take(self, found: Iterable[Fetched], uid: int) -> Iterator[int]:
        for message in found:
            self._had.append(uid)
            if (size := self._arrivals.keep(message, uid)) is not None:
                self._progress.advance(1, 0)
                yield size

    def _uids(self) -> SequenceSet:
        return by_search(self._reopen()) or by_fetch(self._reopen())

    def _reopen(self) -> Mailbox:
        self._mailbox = self._link.open_mailbox(self._mailbox.name, self._uidvalidity)
        return self._mailbox

    # -- what need not be fetched -------------------------------------------------------------

    def spare(self, uids: SequenceSet) -> SequenceSet:
        """Record messages whose body the store has already, by identity; return the others."""
        if self._identity_items is None or not self._identities:
            return uids
        known = array("I")
        left = uids
        while left:
            seen = array("I")
            try:
                for message in self._reopen().fetch(left, *self._items):
                    seen.append(message.uid)
                    if self._record_known(message, message.uid):
                        known.append(message.uid)
            except CommandError as error:
                if asks_for_patience(error) or not self._link.is_connected:
                    raise
                break  # their bodies are fetched instead
            except ImapError as error:
                if not self._link.is_lost:
                    raise
                self._lose(error, None, narrowed=bool(seen))
                if not seen:
                    break
                left -= SequenceSet.of(seen)
            else:
                break
        return uids - SequenceSet.of(known)

    def _record_known(self, message: Fetched, uid: int) -> bool:
        assert self._identity_items is not None
        assert self._identities is not None
        identity = self._identity_items.identity_of(message)
        body = self._identities.body_of(identity, value_of(message, "RFC822.SIZE"))
        if body is None:
            return False
        self._arrivals.record(message, uid, body)
        self._progress.advance(1, 0)
        self.spared += 1
        return True

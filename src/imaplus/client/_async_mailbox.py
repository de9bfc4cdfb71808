"""The selected mailbox: search, fetch, change, move and wait, by UID.

A mailbox object is valid while its mailbox is selected. After that its methods raise StateError,
since UIDs would mean messages of another mailbox. Flows know how each server does what is asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from imaplus.client._async_messages import AsyncMessages
from imaplus.core.append import Appended
from imaplus.core.fetch import BodySink
from imaplus.core.fetch_items import BodySection, FetchItem, keys_of
from imaplus.core.fetched import Fetched
from imaplus.core.mailboxes import Opened
from imaplus.core.merging import Merger
from imaplus.core.messages import Change, Copied, Stored
from imaplus.core.search_query import ALL, Query
from imaplus.errors import InvalidArgument, StateError
from imaplus.extensions.condstore import ChangedSince
from imaplus.flows import mailboxes, messages
from imaplus.flows.fetching import Fetching
from imaplus.flows.finding import uids_by_sequence
from imaplus.flows.outgoing import OutgoingMessage
from imaplus.protocol.bulk import MessageRun
from imaplus.wire.flags import FlagsLike
from imaplus.wire.names import names_of
from imaplus.wire.sets import SequenceSet, SequenceSetLike

if TYPE_CHECKING:
    from imaplus.client._async import AsyncClient

WINDOW = 500
"""Messages with bodies asked for in one command: what comes while nobody takes it is bounded."""
RENEW = 25 * 60.0
"""Seconds after which IDLE is begun anew: servers log out after 30 minutes (RFC 9051, 6.3.13)."""
POLL = 30.0
"""Seconds between two NOOPs where the server has no IDLE."""


class AsyncMailbox(AsyncMessages):
    """The selected mailbox. UIDs are given as a number, a range, many numbers, or `"1:*"`."""

    def __init__(self, client: AsyncClient, opened: Opened) -> None:
        self._client = client
        self._state = opened.mailbox
        self.changes: list[Fetched] = [each for each in opened.changes if isinstance(each, Fetched)]
        """With `select(resync=...)`: messages changed since then, with flags and MODSEQ."""
        self.vanished: SequenceSet = opened.mailbox.vanished_earlier
        """With `select(resync=...)`: UIDs of messages expunged since then."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, {self.exists} messages>"

    # -- what the server says of it ---------------------------------------------------------

    @property
    def name(self) -> str:
        """The name given to `select()`."""
        return self._state.name

    @property
    def is_open(self) -> bool:
        """Whether this mailbox is still selected."""
        return self.is_open_in(self._client)

    def is_open_in(self, client: AsyncClient) -> bool:
        """Whether `client` has this mailbox selected."""
        return client.connection.mailbox is self._state

    @property
    def read_only(self) -> bool:
        """Whether it is read-only: opened by EXAMINE, or by the server's decision."""
        return self._state.read_only

    @property
    def exists(self) -> int:
        """Number of messages, as the server last reported it."""
        return self._state.exists

    @property
    def uidvalidity(self) -> int:
        """UIDVALIDITY: cached UIDs are valid only if it is unchanged; 0 if not reported."""
        return self._state.uidvalidity

    @property
    def mailboxid(self) -> str | None:
        """MAILBOXID, which renaming does not change; None without OBJECTID (RFC 8474)."""
        return self._state.mailboxid

    @property
    def uids_persist(self) -> bool:
        """False if the server reported UIDNOTSTICKY: UIDs change between sessions (RFC 4315)."""
        return self._state.uids_persist

    @property
    def uidnext(self) -> int:
        """Next UID, as predicted by SELECT (UIDNEXT); 0 if not reported."""
        return self._state.uidnext

    @property
    def highestmodseq(self) -> int:
        """Highest MODSEQ in the mailbox; 0 without CONDSTORE (RFC 7162)."""
        return self._state.highestmodseq

    @property
    def applicable_flags(self) -> frozenset[str]:
        """Flags and keywords defined in the mailbox (FLAGS; RFC 9051, 7.3.5)."""
        return self._state.flags

    @property
    def permanent_flags(self) -> frozenset[str]:
        """Flags that can be changed permanently; "\\\\*": new keywords can be created."""
        permanent = self._state.permanent_flags
        return self._state.flags if permanent is None else permanent  # RFC 9051, 7.1

    # -- finding and fetching ---------------------------------------------------------------

    async def search(self, query: Query = ALL) -> SequenceSet:
        """Return the UIDs of matching messages: `search(From("ann") & Since(day) & ~Seen)`.

        The set can be iterated, or passed to other methods as it is, where ranges stay ranges.

        Raises:
            InvalidArgument: this is not a query of `imaplus.search`, but a text, say.
        """
        self._insist()
        return await self._client.run(messages.uids_of(self._client.connection, query))

    async def uids(self, *, by_sequence: bool = False) -> SequenceSet:
        """Return the UIDs of all messages, by SEARCH.

        With `by_sequence`, by FETCH of sequence numbers: for servers whose SEARCH finds fewer
        messages than `exists`.
        """
        self._insist()
        connection = self._client.connection
        if by_sequence:
            return await self._client.run(uids_by_sequence(connection))
        return await self._client.run(messages.all_uids(connection))

    async def fetch(
        self,
        uids: SequenceSetLike,
        *items: FetchItem,
        changed_since: int | None = None,
        into: BodySink | None = None,
        into_from: int = 0,
    ) -> AsyncIterator[Fetched]:
        """Iterate over data of messages as it arrives: `fetch("1:*", "FLAGS", "ENVELOPE")`.

        Items are names or `BodySection(...)`; FLAGS by default. UIDs without a message are skipped.
        If the server does not send all items of a message, that one comes at the end, and the
        missing item raises KeyError. `changed_since` restricts the result to messages with a larger
        MODSEQ (CONDSTORE). Bodies of `into_from` bytes and more go to the sinks that `into` gives,
        all others to memory.

        If the server limits the messages of one command (MESSAGELIMIT, RFC 9738), the others are
        fetched by more commands, and come after those with higher UIDs. A part that the server
        cannot decode, asked for with `BodySection(..., binary=True)`, is missing from its message.

        Raises:
            PartlyDone: the server does not say which messages it has left out.
        """
        async for values in self._fetched(uids, items, changed_since, into, into_from):
            for value in values:
                yield value

    async def flags(self, uids: SequenceSetLike = "1:*") -> dict[int, frozenset[str]]:
        """Return the flags of messages by UID: like `fetch(uids, "FLAGS")`, but faster.

        Messages whose flags the server does not send are left out.
        """
        uids_: list[Iterable[int]] = []
        flags: list[Iterable[frozenset[str]]] = []
        async for values in self._fetched(uids, ("FLAGS",), None, None):
            if isinstance(values, MessageRun):
                uids_.append(values.uids)
                flags.append(values.column("FLAGS"))
            else:
                known = [value for value in values if "FLAGS" in value]
                uids_.append([value.uid for value in known])
                flags.append([value.flags for value in known])
        return dict(zip(chain.from_iterable(uids_), chain.from_iterable(flags), strict=True))

    async def _fetched(
        self,
        uids: SequenceSetLike,
        items: tuple[FetchItem, ...],
        changed_since: int | None,
        into: BodySink | None,
        into_from: int = 0,
    ) -> AsyncIterator[Iterable[Fetched]]:
        """Like `fetch()`, but in groups: all that has arrived at a time."""
        self._insist()
        numbers = SequenceSet.of(uids)
        connection = self._client.connection
        if numbers.open_ended and await self._client.run(messages.nothing_there(connection)):
            return
        wanted = items or ("FLAGS",)
        modifiers = () if changed_since is None else (ChangedSince(changed_since),)
        has_bodies = any(isinstance(item, BodySection) for item in wanted)
        commands = Fetching(
            connection,
            numbers,
            ("UID", *(item for item in wanted if item != "UID")),
            modifiers=modifiers,
            into=into,
            into_from=into_from,
            window=WINDOW if has_bodies else None,
        )
        merger = Merger(keys_of(wanted))
        async for values in self._client.stream(commands, commands.settle):
            commands.note(values)
            for whole in merger.merge(values):
                yield whole
        yield merger.rest(self._state.has_lost)

    # -- changing ---------------------------------------------------------------------------

    async def add_flags(
        self, uids: SequenceSetLike, *flags: FlagsLike, unchanged_since: int | None = None
    ) -> Stored:
        """Add flags or keywords: `add_flags(uids, "\\\\Seen", "$Junk")`.

        Each argument is one flag or an iterable of flags. With `unchanged_since`, messages with a
        larger MODSEQ are not changed; the result's `modified` names them (CONDSTORE).
        """
        return await self._store(uids, Change.ADD, flags, unchanged_since)

    async def remove_flags(
        self, uids: SequenceSetLike, *flags: FlagsLike, unchanged_since: int | None = None
    ) -> Stored:
        """Remove flags or keywords: arguments as for `add_flags()`."""
        return await self._store(uids, Change.REMOVE, flags, unchanged_since)

    async def set_flags(
        self, uids: SequenceSetLike, *flags: FlagsLike, unchanged_since: int | None = None
    ) -> Stored:
        """Replace all flags and keywords by these, or by none."""
        return await self._store(uids, Change.REPLACE, flags, unchanged_since)

    async def _store(
        self,
        uids: SequenceSetLike,
        change: Change,
        flags: tuple[FlagsLike, ...],
        unchanged_since: int | None,
    ) -> Stored:
        self._insist()
        connection, numbers = self._client.connection, SequenceSet.of(uids)
        wanted = messages.flags_to(change, flags)
        return await self._client.run(
            messages.change_flags(connection, numbers, change, wanted, unchanged_since)
        )

    async def add_labels(self, uids: SequenceSetLike, *labels: str | Iterable[str]) -> Stored:
        """Add labels of Gmail (X-GM-EXT-1): names of mailboxes, or "\\\\Starred" and the like.

        An argument is one label or an iterable of labels.
        """
        return await self._store_labels(uids, Change.ADD, labels)

    async def remove_labels(self, uids: SequenceSetLike, *labels: str | Iterable[str]) -> Stored:
        """Remove Gmail labels. Gmail keeps the label of the selected mailbox."""
        return await self._store_labels(uids, Change.REMOVE, labels)

    async def set_labels(self, uids: SequenceSetLike, *labels: str | Iterable[str]) -> Stored:
        """Replace all Gmail labels by these, or by none."""
        return await self._store_labels(uids, Change.REPLACE, labels)

    async def _store_labels(
        self, uids: SequenceSetLike, change: Change, labels: tuple[str | Iterable[str], ...]
    ) -> Stored:
        from imaplus.flows.gmail import change_labels

        self._insist()
        connection, numbers = self._client.connection, SequenceSet.of(uids)
        wanted = names_of("a label", *labels)
        return await self._client.run(change_labels(connection, numbers, change, wanted))

    async def copy(self, uids: SequenceSetLike, mailbox: str) -> Copied:
        """Copy messages to another mailbox. The result maps old UIDs to new ones (UIDPLUS)."""
        self._insist()
        connection = self._client.connection
        return await self._client.run(messages.copy(connection, SequenceSet.of(uids), mailbox))

    async def move(self, uids: SequenceSetLike, mailbox: str) -> Copied:
        """Move messages to another mailbox.

        On servers without MOVE they are copied, then removed by UID EXPUNGE. Without UIDPLUS too,
        the originals stay with \\\\Deleted, since a plain EXPUNGE would remove other messages as
        well; the result's `left_behind` names them. It is empty if all have moved.
        """
        self._insist()
        connection = self._client.connection
        return await self._client.run(messages.move(connection, SequenceSet.of(uids), mailbox))

    async def delete(self, uids: SequenceSetLike) -> None:
        """Expunge these messages, and no others.

        Raises:
            CapabilityMissing: the server has no UIDPLUS; nothing has been changed.
        """
        self._insist()
        await self._client.run(messages.delete(self._client.connection, SequenceSet.of(uids)))

    async def append(
        self, message: OutgoingMessage, *, flags: FlagsLike = (), date: datetime | None = None
    ) -> Appended:
        """Append a message to this mailbox, like `AsyncClient.append()`."""
        self._insist()
        return await self._client.append(self.name, message, flags=flags, date=date)

    # -- waiting and leaving ----------------------------------------------------------------

    def idle(
        self, timeout: float | None = None, *, renew: float = RENEW, poll: float = POLL
    ) -> AsyncIterator[object]:
        """Iterate over changes as they happen: `Exists`, `Expunged`, `Vanished`, `Fetched`.

        It ends after `timeout` seconds; other commands may be sent meanwhile. IDLE is renewed every
        `renew` seconds. A server without IDLE is polled by NOOP every `poll` seconds, and for a
        while so is a server that ends or refuses IDLE at once.

        Raises:
            InvalidArgument: `renew` or `poll` is not positive.
        """
        self._insist()
        if renew <= 0 or poll <= 0:
            raise InvalidArgument(f"expected seconds to wait, found renew={renew}, poll={poll}")
        return self._client.events(timeout, renew, poll)

    async def close(self) -> None:
        """Leave the mailbox without expunging anything (UNSELECT, or a safe substitute)."""
        if self.is_open:
            await self._client.run(mailboxes.leave_mailbox(self._client.connection))

    @property
    def _mailbox(self) -> AsyncMailbox:
        return self

    def _insist(self) -> None:
        if not self.is_open:
            self._client.check_alive()
            raise StateError(f"{self.name!r} is no longer selected: call select() again")
        if self._state.made_anew is not None:
            raise self._state.made_anew.with_traceback(None)

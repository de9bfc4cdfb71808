"""An open mailbox: search, fetch, change, move and wait, by UID.

The object is valid while its mailbox is selected. Once another mailbox is opened, its methods raise
StateError instead of acting on other messages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import chain
from types import TracebackType
from typing import Self, TypeVar

from imaplus.client._async_messages import AsyncMessages
from imaplus.client._async_runner import AsyncRunner
from imaplus.client.events import EVENTS, Event
from imaplus.core.fetch import BodySink
from imaplus.core.fetch_items import BodySection, FetchItem, keys_of
from imaplus.core.fetched import Fetched
from imaplus.core.mailboxes import Opened
from imaplus.core.merging import Merger
from imaplus.errors import ImapError, InvalidArgument, StateError
from imaplus.extensions.condstore import ChangedSince
from imaplus.flows import mailboxes, messages
from imaplus.flows.fetching import Fetching
from imaplus.protocol.bulk import MessageRun
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.wire.sets import SequenceSet, SequenceSetLike

T = TypeVar("T")

WINDOW = 500
"""Messages with bodies per FETCH: bounds the memory for data that has not been consumed."""
RENEW = 25 * 60.0
"""Seconds until IDLE is renewed: servers end it after 30 minutes (RFC 9051, 6.3.13)."""
POLL = 30.0
"""Seconds between two NOOPs, for servers without IDLE."""


class AsyncMailbox(AsyncMessages):
    """An open mailbox, as `select()` and `examine()` of a client return it.

    It is valid until it is closed or another mailbox is opened; after that its methods raise
    StateError. A `with` statement closes it at the end of the block, without expunging::

        async with client.select("INBOX") as inbox:
            unread = await inbox.search(~Seen)

    Methods identify messages by UID: a number, a `range`, any iterable of numbers, a `SequenceSet`,
    or a text in IMAP syntax (`"1:*"`). `timeout` limits the seconds that a method waits for the
    server in all; without it, `Timeouts.command` limits the seconds without progress. In both cases
    TimedOut closes the connection.
    """

    def __init__(self, runner: AsyncRunner, opened: Opened) -> None:
        self._runner = runner
        self._state = opened.mailbox
        self.changes: list[Fetched] = [each for each in opened.changes if isinstance(each, Fetched)]
        """With `resync`: the messages that have changed, with their flags and MODSEQ (RFC 7162)."""
        self.vanished: SequenceSet = opened.mailbox.vanished_earlier
        """With `resync`: the UIDs of messages that have been removed (VANISHED, RFC 7162)."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, {self.exists} messages>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection.error is not None:  # the calls that waited have raised it
            return
        try:
            await self.close()
        except ImapError:
            if kind is None:
                raise

    # -- properties -------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name, as passed to `select()` or `examine()`."""
        return self._state.name

    @property
    def is_open(self) -> bool:
        """Whether this is the selected mailbox."""
        return self._connection.mailbox is self._state

    @property
    def read_only(self) -> bool:
        """Whether it was opened read-only, by `examine()` or by the server (READ-ONLY)."""
        return self._state.read_only

    @property
    def exists(self) -> int:
        """The number of messages, as last reported by the server (RFC 9051, 7.4.1)."""
        return self._state.exists

    @property
    def uidvalidity(self) -> int | None:
        """The UIDVALIDITY that your cached UIDs belong to; None if the server did not send it.

        UIDs cached under another value are invalid (RFC 9051, 2.3.1.1).
        """
        return self._state.uidvalidity

    @property
    def mailboxid(self) -> str | None:
        """The MAILBOXID, which survives renaming (RFC 8474); None without OBJECTID."""
        return self._state.mailboxid

    @property
    def uids_persist(self) -> bool:
        """False if the server sent UIDNOTSTICKY: UIDs change with every session (RFC 4315)."""
        return self._state.uids_persist

    @property
    def uidnext(self) -> int | None:
        """The next UID, predicted when the mailbox was opened; None if the server did not send it.

        Messages added since have this UID or higher ones (RFC 9051, 2.3.1.1).
        """
        return self._state.uidnext

    @property
    def highestmodseq(self) -> int | None:
        """The highest MODSEQ in the mailbox (RFC 7162); None without CONDSTORE."""
        return self._state.highestmodseq

    @property
    def applicable_flags(self) -> frozenset[str]:
        """The flags and keywords defined in this mailbox (FLAGS, RFC 9051, 7.3.5)."""
        return self._state.flags

    @property
    def permanent_flags(self) -> frozenset[str]:
        """The flags that can be changed permanently (PERMANENTFLAGS, RFC 9051, 7.1).

        `Flag.WILDCARD` among them means that new keywords can be created. Equal to
        `applicable_flags` if the server did not send PERMANENTFLAGS.
        """
        permanent = self._state.permanent_flags
        return self._state.flags if permanent is None else permanent

    # -- fetching ---------------------------------------------------------------------------

    async def fetch(
        self,
        uids: SequenceSetLike,
        *items: FetchItem,
        changed_since: int | None = None,
        into: BodySink | None = None,
        into_from: int = 0,
        timeout: float | None = None,
    ) -> AsyncIterator[Fetched]:
        """Fetch data of messages, and iterate over them as they arrive (RFC 9051, 6.4.5)::

            async for message in inbox.fetch("1:*", "FLAGS", "ENVELOPE"):
                print(message.uid, message.flags, message.envelope.subject)

        UIDs without a message are skipped. Nothing is collected in memory. A message whose items
        are incomplete is yielded last; accessing a missing item raises KeyError. If the server
        limits the number of messages (MESSAGELIMIT, RFC 9738), the remaining ones are requested
        again; they follow those with higher UIDs.

        Args:
            uids: the messages.
            items: names such as "FLAGS", "ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE",
                "RFC822.SIZE" and "MODSEQ", and `BodySection(...)` for content; FLAGS by default.
                The UID is always included. With `BodySection(..., binary=True)`, a part that the
                server cannot decode is missing.
            changed_since: only messages with a higher MODSEQ (CONDSTORE, RFC 7162).
            into: called with the UID (None if not known yet) and the size of each body in bytes;
                returns the sink to write it to. By default bodies are kept in memory.
            into_from: bodies of fewer bytes are kept in memory nevertheless.
            timeout: seconds to wait for the server in all. The time between two iterations does not
                count.

        Yields:
            One `Fetched` per message, with `uid` and the items.

        Raises:
            PartlyDone: the server left messages out, and did not say which.
            CapabilityMissing: an item needs an extension that the server does not have.
        """
        async for values in self._fetch_many(uids, items, changed_since, into, into_from, timeout):
            for value in values:
                yield value

    async def flags(
        self, uids: SequenceSetLike = "1:*", *, timeout: float | None = None
    ) -> dict[int, frozenset[str]]:
        """Return the flags of messages, by UID. Faster than `fetch(uids, "FLAGS")`.

        Messages whose flags the server did not send are left out.
        """
        uids_: list[Iterable[int]] = []
        flags: list[Iterable[frozenset[str]]] = []
        async for values in self._fetch_many(uids, ("FLAGS",), timeout=timeout):
            if isinstance(values, MessageRun):
                uids_.append(values.uids)
                flags.append(values.column("FLAGS"))
            else:
                known = [value for value in values if "FLAGS" in value]
                uids_.append([value.uid for value in known])
                flags.append([value.flags for value in known])
        return dict(zip(chain.from_iterable(uids_), chain.from_iterable(flags), strict=True))

    async def _fetch_many(
        self,
        uids: SequenceSetLike,
        items: tuple[FetchItem, ...],
        changed_since: int | None = None,
        into: BodySink | None = None,
        into_from: int = 0,
        timeout: float | None = None,
    ) -> AsyncIterator[Iterable[Fetched]]:
        """Fetch as `fetch()` does, and yield the messages that have arrived, many at a time."""
        self._check_open()
        numbers = SequenceSet.of(uids)
        runner, connection = self._runner, self._connection
        if numbers.open_ended and await runner.run(messages.nothing_there(connection), timeout):
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
        async for values in runner.stream(commands, commands.settle, timeout):
            commands.note(values)
            for whole in merger.merge(values):
                yield whole
        yield merger.rest(self._state.has_lost)

    # -- waiting and leaving ----------------------------------------------------------------

    def idle(
        self, timeout: float | None = None, *, renew: float = RENEW, poll: float = POLL
    ) -> AsyncIterator[Event]:
        """Wait for changes of the mailbox, and iterate over them (IDLE, RFC 9051, 6.3.13)::

            async for event in inbox.idle(timeout=1.0):
                match event:
                    case Exists(count):
                        print("now", count, "messages")
                    case Expunged(uid=uid):
                        print("message", uid, "was removed")
                    case Vanished(uids):
                        print(len(uids), "messages were removed")
                    case Fetched():
                        print("message", event.uid, "has the flags", event.flags)
                    case FetchData():  # the server has not sent the UID
                        print("message number", event.seq, "has the flags", event.flags)
            print("a second has passed")

        Other commands may be sent during the iteration. Other unsolicited data goes to `on_event`
        of `connect()`.

        Args:
            timeout: seconds after which the iteration ends, without an error; None for no end.
            renew: seconds until IDLE is renewed, because servers log out idle clients.
            poll: seconds between two NOOPs, for servers without IDLE; also used for a while if the
                server ends or refuses IDLE at once.

        Yields:
            An `Event`: `Exists`, `Expunged`, `Vanished` or `Fetched`.

        Raises:
            InvalidArgument: `renew` or `poll` is not positive.
            ConnectionLost: the connection has ended.
        """
        self._check_open()
        if renew <= 0 or poll <= 0:
            raise InvalidArgument(f"expected positive seconds, found renew={renew}, poll={poll}")
        return self._runner.events(EVENTS, timeout, renew, poll)

    async def close(self, *, timeout: float | None = None) -> None:
        """Close the mailbox without expunging (UNSELECT, RFC 9051, 6.4.2; else EXAMINE and CLOSE).

        Does nothing if the mailbox is no longer open.
        """
        if self.is_open:
            await self._runner.run(mailboxes.leave_mailbox(self._connection), timeout)

    # -- inside -----------------------------------------------------------------------------

    @property
    def _mailbox(self) -> AsyncMailbox:
        return self

    @property
    def _connection(self) -> Connection:
        return self._runner.connection

    async def _give(self, flow: Flow[T], timeout: float | None) -> T:
        self._check_open()
        return await self._runner.run(flow, timeout)

    def _check_open(self) -> None:
        if not self.is_open:
            self._runner.check_alive()
            raise StateError(f"{self.name!r} is no longer selected: call select() again")
        if self._state.made_anew is not None:
            raise self._state.made_anew.with_traceback(None)

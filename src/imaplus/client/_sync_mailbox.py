# Generated from _async_mailbox.py by tools/gen_sync.py: edit that file instead.
"""An open mailbox: search, fetch, change, move and wait, by UID.

A handle is good as long as its mailbox stays open: when another one is opened, it raises rather
than act on the wrong messages. It names what it wants; flows know how each server does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from types import TracebackType
from typing import Self, TypeVar

from imaplus.client._sync_messages import Messages
from imaplus.client._sync_runner import Runner
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
"""Messages with bodies asked for in one command: what comes while nobody takes it is bounded."""
RENEW = 25 * 60.0
"""Seconds after which IDLE is begun anew: servers log out after 30 minutes (RFC 9051, 6.3.13)."""
POLL = 30.0
"""Seconds between two NOOPs where the server has no IDLE."""


class Mailbox(Messages):
    """An open mailbox: what `select()` and `examine()` of a client give.

    It is good until it is closed or another one is opened; then its methods raise StateError. In a
    `with` statement it is closed at the end of the block, and nothing in it is expunged::

        with client.select("INBOX") as inbox:
            unread = inbox.search(~Seen)

    Messages are named by UID: a number, a `range`, any iterable of numbers, a `SequenceSet`, or
    text as IMAP writes it (`"1:*"`). `timeout` is the seconds that a method may wait for the server
    in all; without it, `Timeouts.command` says how long a server may make no progress. Either way
    TimedOut closes the connection.
    """

    def __init__(self, runner: Runner, opened: Opened) -> None:
        self._runner = runner
        self._state = opened.mailbox
        self.changes: list[Fetched] = [each for each in opened.changes if isinstance(each, Fetched)]
        """With `resync`: the messages that changed since, with their flags and MODSEQ."""
        self.vanished: SequenceSet = opened.mailbox.vanished_earlier
        """With `resync`: the UIDs of messages that have gone since."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, {self.exists} messages>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection.error is not None:  # whoever used it has been told
            return
        try:
            self.close()
        except ImapError:
            if kind is None:
                raise

    # -- what the server says of it ---------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name, as it was opened."""
        return self._state.name

    @property
    def is_open(self) -> bool:
        """Whether it is the mailbox that is selected now."""
        return self._connection.mailbox is self._state

    @property
    def read_only(self) -> bool:
        """Whether nothing in it can be changed."""
        return self._state.read_only

    @property
    def exists(self) -> int:
        """How many messages it has, as of the last word from the server (RFC 9051, 7.4.1)."""
        return self._state.exists

    @property
    def uidvalidity(self) -> int | None:
        """The UIDVALIDITY that your cached UIDs belong to; None if the server does not say.

        UIDs kept under another one mean nothing (RFC 9051, 2.3.1.1).
        """
        return self._state.uidvalidity

    @property
    def mailboxid(self) -> str | None:
        """MAILBOXID, which survives a rename (OBJECTID, RFC 8474); None without that extension."""
        return self._state.mailboxid

    @property
    def uids_persist(self) -> bool:
        """Whether UIDs may be kept at all; not where the server says UIDNOTSTICKY (RFC 4315)."""
        return self._state.uids_persist

    @property
    def uidnext(self) -> int | None:
        """UIDNEXT when it was opened: messages that came later have this UID or larger ones.

        None if the server does not say (RFC 9051, 2.3.1.1).
        """
        return self._state.uidnext

    @property
    def highestmodseq(self) -> int | None:
        """The number of the latest change; None if the server does not number them (RFC 7162)."""
        return self._state.highestmodseq

    @property
    def applicable_flags(self) -> frozenset[str]:
        """The flags and keywords in use (RFC 9051, 7.3.5)."""
        return self._state.flags

    @property
    def permanent_flags(self) -> frozenset[str]:
        """The flags that can be changed for good; `Flag.WILDCARD` means that keywords can be made.

        All `applicable_flags`, if the server does not say (RFC 9051, 7.1).
        """
        permanent = self._state.permanent_flags
        return self._state.flags if permanent is None else permanent

    # -- fetching ---------------------------------------------------------------------------

    def fetch(
        self,
        uids: SequenceSetLike,
        *items: FetchItem,
        changed_since: int | None = None,
        into: BodySink | None = None,
        into_from: int = 0,
        timeout: float | None = None,
    ) -> Iterator[Fetched]:
        """Fetch data of messages, one by one as they come (RFC 9051, 6.4.5)::

            for message in inbox.fetch("1:*", "FLAGS", "ENVELOPE"):
                print(message.uid, message.flags, message.envelope.subject)

        Messages that do not exist are left out, and none is kept in memory. If the server does not
        send all that was asked for of a message, that comes at the end, and asking the `Fetched`
        for what is missing raises KeyError. A server that has MESSAGELIMIT (RFC 9738) is asked for
        the messages that it left out; these come after those with higher UIDs.

        Args:
            uids: the messages.
            items: names such as "FLAGS", "ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE",
                "RFC822.SIZE" and "MODSEQ", and `BodySection(...)` for content; FLAGS if there are
                none. UID always comes. With `BodySection(..., binary=True)` a message whose part
                the server cannot decode comes without that part.
            changed_since: fetch messages only whose MODSEQ is larger (CONDSTORE, RFC 7162).
            into: called with the UID, if it is known by then, and the size of a body; gives the
                sink that takes its bytes. Without it, bodies are kept in memory.
            into_from: bodies smaller than so many bytes are kept in memory in any case.
            timeout: seconds to wait for the server in all. The time that you take for a message
                does not count.

        Raises:
            PartlyDone: the server does not say which messages it has left out.
            CapabilityMissing: an item needs an extension that the server does not have.
        """
        for values in self._fetched(uids, items, changed_since, into, into_from, timeout):
            for value in values:
                yield value

    def flags(
        self, uids: SequenceSetLike = "1:*", *, timeout: float | None = None
    ) -> dict[int, frozenset[str]]:
        """Fetch the flags of messages, by UID: what `fetch(uids, "FLAGS")` tells, in less time.

        A message whose flags the server does not send is left out.
        """
        uids_: list[Iterable[int]] = []
        flags: list[Iterable[frozenset[str]]] = []
        for values in self._fetched(uids, ("FLAGS",), timeout=timeout):
            if isinstance(values, MessageRun):
                uids_.append(values.uids)
                flags.append(values.column("FLAGS"))
            else:
                known = [value for value in values if "FLAGS" in value]
                uids_.append([value.uid for value in known])
                flags.append([value.flags for value in known])
        return dict(zip(chain.from_iterable(uids_), chain.from_iterable(flags), strict=True))

    def _fetched(
        self,
        uids: SequenceSetLike,
        items: tuple[FetchItem, ...],
        changed_since: int | None = None,
        into: BodySink | None = None,
        into_from: int = 0,
        timeout: float | None = None,
    ) -> Iterator[Iterable[Fetched]]:
        """As `fetch()`, as many at once as have come."""
        self._insist()
        numbers = SequenceSet.of(uids)
        runner, connection = self._runner, self._connection
        if numbers.open_ended and runner.run(messages.nothing_there(connection), timeout):
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
        for values in runner.stream(commands, commands.settle, timeout):
            commands.note(values)
            for whole in merger.merge(values):
                yield whole
        yield merger.rest(self._state.has_lost)

    # -- waiting and leaving ----------------------------------------------------------------

    def idle(
        self, timeout: float | None = None, *, renew: float = RENEW, poll: float = POLL
    ) -> Iterator[Event]:
        """Wait for what happens in the mailbox, and tell it as it happens (RFC 9051, 6.3.13)::

            for event in inbox.idle(timeout=1.0):
                match event:
                    case Exists(count):
                        print("now", count, "messages")
                    case Expunged(uid=uid):
                        print("message", uid, "is gone")
                    case Vanished(uids):
                        print(len(uids), "messages are gone")
                    case Fetched():
                        print("message", event.uid, "has the flags", event.flags)
            print("a second is over")

        Commands may be sent meanwhile. Whatever else the server says goes to `on_event` of
        `connect()`.

        Args:
            timeout: seconds after which the iteration ends; without it, it goes on until the loop
                is left.
            renew: seconds after which IDLE is begun anew, because servers log idle clients out.
            poll: seconds between two NOOPs, for servers without IDLE, and for a while for those
                that end or refuse it at once.

        Raises:
            InvalidArgument: `renew` or `poll` is not positive.
            ConnectionLost: the connection has ended.
        """
        self._insist()
        if renew <= 0 or poll <= 0:
            raise InvalidArgument(f"expected seconds to wait, found renew={renew}, poll={poll}")
        return self._runner.events(EVENTS, timeout, renew, poll)

    def close(self, *, timeout: float | None = None) -> None:
        """Close the mailbox, by UNSELECT or what is as safe (RFC 9051, 6.4.2).

        Nothing is expunged: `delete()` does that. If it is not open any more, nothing happens.
        """
        if self.is_open:
            self._runner.run(mailboxes.leave_mailbox(self._connection), timeout)

    # -- inside -----------------------------------------------------------------------------

    @property
    def _mailbox(self) -> Mailbox:
        return self

    @property
    def _connection(self) -> Connection:
        return self._runner.connection

    def _give(self, flow: Flow[T], timeout: float | None) -> T:
        self._insist()
        return self._runner.run(flow, timeout)

    def _insist(self) -> None:
        if not self.is_open:
            self._runner.check_alive()
            raise StateError(f"{self.name!r} is no longer selected: call select() again")
        if self._state.made_anew is not None:
            raise self._state.made_anew.with_traceback(None)

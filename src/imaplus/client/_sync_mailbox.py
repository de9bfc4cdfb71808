# Generated from _async_mailbox.py by tools/gen_sync.py: edit that file instead.
"""An open mailbox: search, fetch, change, move and wait, by UID.

A handle is good as long as its mailbox stays open: when another one is opened, it raises rather
than act on the wrong messages. It names what it wants; flows know how each server does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import IO, TYPE_CHECKING

from imaplus.core.append import Appended
from imaplus.core.fetch import BodySection, BodySink, FetchItem, keys_of
from imaplus.core.fetched import Fetched
from imaplus.core.mailboxes import Opened
from imaplus.core.messages import Change, Copied, Stored
from imaplus.core.runs import FetchedRun, Merger
from imaplus.core.search_query import ALL, Query
from imaplus.errors import InvalidArgument, StateError
from imaplus.extensions.condstore import ChangedSince
from imaplus.flows import mailboxes, messages
from imaplus.flows.download import Progress, download
from imaplus.flows.fetching import Fetching
from imaplus.flows.finding import uids_by_sequence
from imaplus.flows.outgoing import OutgoingMessage
from imaplus.wire.flags import FlagsLike
from imaplus.wire.names import names_of
from imaplus.wire.sets import SequenceSet, SequenceSetLike

if TYPE_CHECKING:
    from imaplus.client._sync import Client

WINDOW = 500
"""Messages with bodies asked for in one command: what comes while nobody takes it is bounded."""
RENEW = 25 * 60.0
"""Seconds after which IDLE is begun anew: servers log out after 30 minutes (RFC 9051, 6.3.13)."""
POLL = 30.0
"""Seconds between two NOOPs where the server has no IDLE."""


class Mailbox:
    """The selected mailbox. UIDs are given as a number, a range, many numbers, or `"1:*"`."""

    def __init__(self, client: Client, opened: Opened) -> None:
        self._client = client
        self._state = opened.mailbox
        self.changes: list[Fetched] = [each for each in opened.changes if isinstance(each, Fetched)]
        """With `resync`: the messages that changed since, with their flags and MODSEQ."""
        self.vanished: SequenceSet = opened.mailbox.vanished_earlier
        """With `resync`: the UIDs of messages that have gone since."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, {self.exists} messages>"

    # -- what the server says of it ---------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name, as it was opened."""
        return self._state.name

    @property
    def is_open(self) -> bool:
        """Whether it is the mailbox that is selected now."""
        return self.is_open_in(self._client)

    def is_open_in(self, client: Client) -> bool:
        """Whether it is the mailbox that this client has selected now."""
        return client.connection.mailbox is self._state

    @property
    def read_only(self) -> bool:
        """Whether nothing in it can be changed."""
        return self._state.read_only

    @property
    def exists(self) -> int:
        """How many messages it has, as of the last word from the server."""
        return self._state.exists

    @property
    def uidvalidity(self) -> int:
        """UIDs kept from before are good only if this is the same; 0 if the server does not say."""
        return self._state.uidvalidity

    @property
    def mailboxid(self) -> str | None:
        """What the server calls it, under any name: MAILBOXID (OBJECTID, RFC 8474); else None."""
        return self._state.mailboxid

    @property
    def uids_persist(self) -> bool:
        """Whether UIDs may be kept at all; not where the server says UIDNOTSTICKY (RFC 4315)."""
        return self._state.uids_persist

    @property
    def uidnext(self) -> int:
        """No message has this UID or a larger one, or had when it was opened; 0 if unknown."""
        return self._state.uidnext

    @property
    def highestmodseq(self) -> int:
        """The number of the latest change; 0 if the server does not number changes (RFC 7162)."""
        return self._state.highestmodseq

    @property
    def applicable_flags(self) -> frozenset[str]:
        """The flags and keywords in use (RFC 9051, 7.3.5)."""
        return self._state.flags

    @property
    def permanent_flags(self) -> frozenset[str]:
        """The flags that can be changed for good; "\\\\*" means that keywords can be made."""
        permanent = self._state.permanent_flags
        return self._state.flags if permanent is None else permanent  # RFC 9051, 7.1

    # -- finding and fetching ---------------------------------------------------------------

    def search(self, query: Query = ALL) -> SequenceSet:
        """The UIDs of the messages that a query finds: `From("ann") & Since(day) & ~Seen`.

        Iterate it for the numbers, or pass it on as it is: ranges stay ranges.
        """
        self._insist()
        return self._client.run(messages.uids_of(self._client.connection, query))

    def uids(self, *, by_sequence: bool = False) -> SequenceSet:
        """The UIDs of all messages: by SEARCH, or by FETCH of sequence numbers.

        The second is for servers whose SEARCH tells fewer than `exists`.
        """
        self._insist()
        connection = self._client.connection
        if by_sequence:
            return self._client.run(uids_by_sequence(connection))
        return self._client.run(messages.all_uids(connection))

    def fetch(
        self,
        uids: SequenceSetLike,
        *items: FetchItem,
        changed_since: int | None = None,
        into: BodySink | None = None,
        into_from: int = 0,
    ) -> Iterator[Fetched]:
        """Data of messages, one by one as they come: `fetch("1:*", "FLAGS", "ENVELOPE")`.

        Items are names, or `BodySection(...)`; without any, FLAGS. Messages that are not there are
        left out; none is kept here. A message of which the server does not send all
        that was asked for comes at the end, without it: to ask the `Fetched` for an item that is
        missing raises KeyError. With `changed_since`, only messages whose MODSEQ is larger
        (CONDSTORE). Bodies go to the sinks that `into` gives, else to memory; smaller ones than
        `into_from` octets in any case.

        A server may look at so many messages in one command (MESSAGELIMIT, RFC 9738): the others
        are asked for then, and come after those with higher UIDs. A message of which it cannot
        decode a part, asked for with `BodySection(..., binary=True)`, comes without that part.

        Raises:
            PartlyDone: the server does not say which messages it has left out.
        """
        for values in self._fetched(uids, items, changed_since, into, into_from):
            for value in values:
                yield value

    def flags(self, uids: SequenceSetLike = "1:*") -> dict[int, frozenset[str]]:
        """The flags of messages, by UID: what `fetch(uids, "FLAGS")` tells, in less time.

        A message whose flags the server does not send is left out.
        """
        uids_: list[Iterable[int]] = []
        flags: list[Iterable[frozenset[str]]] = []
        for values in self._fetched(uids, ("FLAGS",), None, None):
            if isinstance(values, FetchedRun):
                uids_.append(values.uids)
                flags.append(values.column("FLAGS"))
            else:
                known = [value for value in values if value.uid and "FLAGS" in value]
                uids_.append([value.uid or 0 for value in known])
                flags.append([value.flags for value in known])
        return dict(zip(chain.from_iterable(uids_), chain.from_iterable(flags), strict=True))

    def _fetched(
        self,
        uids: SequenceSetLike,
        items: tuple[FetchItem, ...],
        changed_since: int | None,
        into: BodySink | None,
        into_from: int = 0,
    ) -> Iterator[Iterable[Fetched]]:
        """As `fetch()`, as many at once as have come."""
        self._insist()
        numbers = SequenceSet.of(uids)
        connection = self._client.connection
        if numbers.open_ended and self._client.run(messages.nothing_there(connection)):
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
        for values in self._client.stream(commands, commands.settle):
            commands.note(values)
            for whole in merger.merge(values):
                yield whole
        yield merger.rest(self._state.has_lost)

    def download(
        self,
        uid: int,
        file: IO[bytes],
        *,
        section: str = "",
        binary: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Write a message, or a section of it, to a binary file in constant memory.

        `section` is as for `BodySection`. `binary` has the server undo the transfer encoding;
        where it declines because of what the part is like ([UNKNOWN-CTE] or [PARSE], RFC 3516,
        4.3), the part is decoded here, and what is broken in it passed over. `progress` is called
        with the octets so far and the octets in all, as they travel. The result is the octets
        written.

        Raises:
            InvalidArgument: this is no binary file.
            NoSuchMessage: there is no such message, or section.
            Refused: neither the server nor this library knows the transfer encoding.
        """
        self._insist()
        flow = download(uid, file, section=section, binary=binary, progress=progress)
        return self._client.run(flow)

    # -- changing ---------------------------------------------------------------------------

    def add_flags(
        self, uids: SequenceSetLike, *flags: FlagsLike, unchanged_since: int | None = None
    ) -> Stored:
        """Set flags or keywords; the others stay: `add_flags(uids, "\\\\Seen", "$Junk")`.

        An argument is one flag or an iterable of flags.

        With `unchanged_since`, messages whose MODSEQ is larger are left alone, and named in the
        result's `modified` (CONDSTORE).
        """
        return self._store(uids, Change.ADD, flags, unchanged_since)

    def remove_flags(
        self, uids: SequenceSetLike, *flags: FlagsLike, unchanged_since: int | None = None
    ) -> Stored:
        """Take flags or keywords away; the others stay."""
        return self._store(uids, Change.REMOVE, flags, unchanged_since)

    def set_flags(
        self, uids: SequenceSetLike, *flags: FlagsLike, unchanged_since: int | None = None
    ) -> Stored:
        """Have exactly these flags and keywords, or none."""
        return self._store(uids, Change.REPLACE, flags, unchanged_since)

    def _store(
        self,
        uids: SequenceSetLike,
        change: Change,
        flags: tuple[FlagsLike, ...],
        unchanged_since: int | None,
    ) -> Stored:
        self._insist()
        connection, numbers = self._client.connection, SequenceSet.of(uids)
        wanted = messages.flags_to(change, flags)
        return self._client.run(
            messages.change_flags(connection, numbers, change, wanted, unchanged_since)
        )

    def add_labels(self, uids: SequenceSetLike, *labels: str | Iterable[str]) -> Stored:
        """Add labels of Gmail (X-GM-EXT-1): names of mailboxes, or "\\\\Starred" and the like.

        An argument is one label or an iterable of labels.
        """
        return self._store_labels(uids, Change.ADD, labels)

    def remove_labels(self, uids: SequenceSetLike, *labels: str | Iterable[str]) -> Stored:
        """Take labels of Gmail away; not that of this mailbox, which Gmail keeps in any case."""
        return self._store_labels(uids, Change.REMOVE, labels)

    def set_labels(self, uids: SequenceSetLike, *labels: str | Iterable[str]) -> Stored:
        """Have exactly these labels of Gmail, or none."""
        return self._store_labels(uids, Change.REPLACE, labels)

    def _store_labels(
        self, uids: SequenceSetLike, change: Change, labels: tuple[str | Iterable[str], ...]
    ) -> Stored:
        from imaplus.flows.gmail import change_labels

        self._insist()
        connection, numbers = self._client.connection, SequenceSet.of(uids)
        wanted = names_of("a label", *labels)
        return self._client.run(change_labels(connection, numbers, change, wanted))

    def copy(self, uids: SequenceSetLike, mailbox: str) -> Copied:
        """Copy messages to another mailbox; the result says which became which."""
        self._insist()
        connection = self._client.connection
        return self._client.run(messages.copy(connection, SequenceSet.of(uids), mailbox))

    def move(self, uids: SequenceSetLike, mailbox: str) -> Copied:
        """Move messages to another mailbox.

        Without MOVE they are copied, then removed by UID EXPUNGE; without UIDPLUS they stay here
        with \\\\Deleted, since expunging them would take other people's messages along. These
        are the result's `left_behind`, which is empty if all have moved.
        """
        self._insist()
        connection = self._client.connection
        return self._client.run(messages.move(connection, SequenceSet.of(uids), mailbox))

    def delete(self, uids: SequenceSetLike) -> None:
        """Remove messages for good: these, and no others.

        Raises:
            CapabilityMissing: the server has no UIDPLUS; nothing has been changed.
        """
        self._insist()
        self._client.run(messages.delete(self._client.connection, SequenceSet.of(uids)))

    def append(
        self, message: OutgoingMessage, *, flags: FlagsLike = (), date: datetime | None = None
    ) -> Appended:
        """Add a message to this mailbox: as `Client.append()`."""
        self._insist()
        return self._client.append(self.name, message, flags=flags, date=date)

    # -- waiting and leaving ----------------------------------------------------------------

    def idle(
        self, timeout: float | None = None, *, renew: float = RENEW, poll: float = POLL
    ) -> Iterator[object]:
        """What happens in the mailbox, as it happens: `Exists`, `Expunged`, `Vanished`, `Fetched`.

        It ends after `timeout` seconds, or when the loop is left. Commands may be sent meanwhile.
        IDLE is begun anew every `renew` seconds; a server without IDLE is asked every `poll`, and
        so for a while is one that ends or refuses IDLE at once.

        Raises:
            InvalidArgument: `renew` or `poll` is not positive.
        """
        self._insist()
        if renew <= 0 or poll <= 0:
            raise InvalidArgument(f"expected seconds to wait, found renew={renew}, poll={poll}")
        return self._client.events(timeout, renew, poll)

    def close(self) -> None:
        """Leave the mailbox. Nothing is expunged: `delete()` does that."""
        if self.is_open:
            self._client.run(mailboxes.leave_mailbox(self._client.connection))

    def _insist(self) -> None:
        if not self.is_open:
            self._client.check_alive()
            raise StateError(f"{self.name!r} is not open any more: UIDs would mean other messages")
        if self._state.made_anew is not None:
            raise self._state.made_anew.with_traceback(None)

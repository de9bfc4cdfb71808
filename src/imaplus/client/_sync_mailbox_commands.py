# Generated from _async_mailbox_commands.py by tools/gen_sync.py: edit that file instead.
"""The methods of an open mailbox that run one flow each.

tools/gen_sync.py derives those of the sync client and of pipelines from this file. Subclasses say
how a flow is run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from imaplus.core.append import Appended
from imaplus.core.messages import Change, Copied, Stored
from imaplus.core.search_query import ALL, Query
from imaplus.flows import messages
from imaplus.flows.finding import count, uids_by_sequence
from imaplus.flows.outgoing import OutgoingMessage, outgoing, takes_nul
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.wire.flags import FlagsLike
from imaplus.wire.sets import SequenceSet, SequenceSetLike

T = TypeVar("T")


class MailboxCommands(ABC):
    """Commands on the messages of an open mailbox."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name, as passed to `select()` or `examine()`."""

    @property
    @abstractmethod
    def _connection(self) -> Connection: ...

    @abstractmethod
    def _give(self, flow: Flow[T], timeout: float | None) -> T: ...

    # -- finding ----------------------------------------------------------------------------

    def search(self, query: Query = ALL, *, timeout: float | None = None) -> SequenceSet:
        """Search for messages: `search(From("ann") & ~Seen)` (RFC 9051, 6.4.4).

        Args:
            query: keys of `imaplus.search`, combined by `&`, `|` and `~`; by default all messages.

        Returns:
            The UIDs, ascending. Ranges are not expanded; iterate for the numbers.

        Raises:
            InvalidArgument: `query` is not a query of `imaplus.search`.
            CapabilityMissing: a key needs an extension that the server does not have.
        """
        return self._give(messages.uids_of(self._connection, query), timeout)

    def uids(self, *, by_sequence: bool = False, timeout: float | None = None) -> SequenceSet:
        """Return the UIDs of all messages, ascending.

        Args:
            by_sequence: use FETCH of sequence numbers instead of SEARCH, for servers whose SEARCH
                returns fewer messages than `exists`.
        """
        connection = self._connection
        if by_sequence:
            return self._give(uids_by_sequence(connection), timeout)
        return self._give(messages.all_uids(connection), timeout)

    def count(self, query: Query = ALL, *, timeout: float | None = None) -> int:
        """Return the number of messages that match a query.

        The server counts them if it has SEARCH RETURN (COUNT) (RFC 9051, 6.4.4).

        Raises:
            InvalidArgument: `query` is not a query of `imaplus.search`.
            CapabilityMissing: a key needs an extension that the server does not have.
        """
        return self._give(count(self._connection, query), timeout)

    # -- changing flags ---------------------------------------------------------------------

    def add_flags(
        self,
        uids: SequenceSetLike,
        flags: FlagsLike,
        *,
        unchanged_since: int | None = None,
        timeout: float | None = None,
    ) -> Stored:
        """Add flags or keywords: `add_flags(uids, [Flag.SEEN, "$Work"])` (RFC 9051, 6.4.6).

        Args:
            uids: the messages.
            flags: one or several flags: of `Flag`, of `Keyword`, or any keyword.
            unchanged_since: skip messages with a higher MODSEQ (CONDSTORE, RFC 7162).

        Returns:
            The new flags that the server reported, and the UIDs of skipped messages as `modified`.

        Raises:
            InvalidArgument: `flags` is empty, or contains an invalid flag (RFC 9051, 9).
            CapabilityMissing: `unchanged_since` without CONDSTORE.
            Refused: the server did not change the flags, for example in a read-only mailbox.
        """
        return self._store(uids, Change.ADD, flags, unchanged_since, timeout)

    def remove_flags(
        self,
        uids: SequenceSetLike,
        flags: FlagsLike,
        *,
        unchanged_since: int | None = None,
        timeout: float | None = None,
    ) -> Stored:
        """Remove flags or keywords. Arguments, result and errors are those of `add_flags()`."""
        return self._store(uids, Change.REMOVE, flags, unchanged_since, timeout)

    def set_flags(
        self,
        uids: SequenceSetLike,
        flags: FlagsLike,
        *,
        unchanged_since: int | None = None,
        timeout: float | None = None,
    ) -> Stored:
        """Replace all flags and keywords of messages by these; `()` removes them all.

        Arguments, result and errors are those of `add_flags()`.
        """
        return self._store(uids, Change.REPLACE, flags, unchanged_since, timeout)

    def _store(
        self,
        uids: SequenceSetLike,
        change: Change,
        flags: FlagsLike,
        unchanged_since: int | None,
        timeout: float | None,
    ) -> Stored:
        numbers, wanted = SequenceSet.of(uids), messages.flags_to(change, flags)
        flow = messages.change_flags(self._connection, numbers, change, wanted, unchanged_since)
        return self._give(flow, timeout)

    # -- changing Gmail's labels ------------------------------------------------------------

    def add_labels(
        self, uids: SequenceSetLike, labels: str | Iterable[str], *, timeout: float | None = None
    ) -> Stored:
        """Add one or several Gmail labels to messages (X-GM-EXT-1).

        A label is the name of a mailbox, or a system label such as "\\\\Starred".

        Raises:
            InvalidArgument: `labels` is empty, or contains an invalid label.
            CapabilityMissing: the server has no X-GM-EXT-1.
        """
        return self._store_labels(uids, Change.ADD, labels, timeout)

    def remove_labels(
        self, uids: SequenceSetLike, labels: str | Iterable[str], *, timeout: float | None = None
    ) -> Stored:
        """Remove Gmail labels from messages. The label of this mailbox cannot be removed."""
        return self._store_labels(uids, Change.REMOVE, labels, timeout)

    def set_labels(
        self, uids: SequenceSetLike, labels: str | Iterable[str], *, timeout: float | None = None
    ) -> Stored:
        """Replace all Gmail labels of messages by these; `()` removes them all."""
        return self._store_labels(uids, Change.REPLACE, labels, timeout)

    def _store_labels(
        self,
        uids: SequenceSetLike,
        change: Change,
        labels: str | Iterable[str],
        timeout: float | None,
    ) -> Stored:
        from imaplus.flows.gmail import change_labels

        flow = change_labels(self._connection, SequenceSet.of(uids), change, labels)
        return self._give(flow, timeout)

    # -- copying, moving, removing, adding --------------------------------------------------

    def copy(self, uids: SequenceSetLike, mailbox: str, *, timeout: float | None = None) -> Copied:
        """Copy messages to another mailbox (RFC 9051, 6.4.7).

        Returns:
            The UIDs of the copies, if the server has UIDPLUS (RFC 4315).

        Raises:
            NoSuchMailbox, OverQuota, Refused: the server refused; nothing was copied.
        """
        flow = messages.copy(self._connection, SequenceSet.of(uids), mailbox)
        return self._give(flow, timeout)

    def move(self, uids: SequenceSetLike, mailbox: str, *, timeout: float | None = None) -> Copied:
        """Move messages to another mailbox (RFC 9051, 6.4.8).

        Without MOVE, they are copied, then removed by UID EXPUNGE (RFC 6851, 3.3). Without UIDPLUS,
        the originals stay in this mailbox with \\\\Deleted, because EXPUNGE would also remove
        messages that others have marked.

        Returns:
            The new UIDs, if the server sends them; and `left_behind`, the UIDs of messages that
            stayed with \\\\Deleted.

        Raises:
            NoSuchMailbox, OverQuota, Refused: the server refused; nothing was moved.
        """
        flow = messages.move(self._connection, SequenceSet.of(uids), mailbox)
        return self._give(flow, timeout)

    def delete(self, uids: SequenceSetLike, *, timeout: float | None = None) -> None:
        """Remove messages permanently, by \\\\Deleted and UID EXPUNGE (RFC 9051, 6.4.9).

        Other messages with \\\\Deleted are not removed.

        Raises:
            CapabilityMissing: the server has no UIDPLUS (RFC 4315); nothing was changed.
        """
        return self._give(messages.delete(self._connection, SequenceSet.of(uids)), timeout)

    def expunge(self, *, timeout: float | None = None) -> SequenceSet:
        """Remove permanently the messages that this session has marked as \\Deleted.

        These are the messages that `add_flags()`, `set_flags()` and `mark()` have marked since the
        mailbox was opened, if they are still marked. They are removed by UID EXPUNGE (RFC 9051,
        6.4.9).

        Returns:
            The UIDs of the removed messages.

        Raises:
            CapabilityMissing: the server has no UIDPLUS, and EXPUNGE would also remove messages
                that others have marked. Nothing was changed.
        """
        return self._give(messages.expunge_marked(self._connection), timeout)

    def append(
        self,
        message: OutgoingMessage,
        *,
        flags: FlagsLike = (),
        date: datetime | None = None,
        timeout: float | None = None,
    ) -> Appended:
        """Add a message to this mailbox: see `append()` of the client."""
        connection = self._connection
        prepared = outgoing(message, flags, date, binary=takes_nul(connection))
        return self._give(messages.append_one(connection, self.name, prepared), timeout)

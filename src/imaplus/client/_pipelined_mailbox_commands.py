# Generated from _async_mailbox_commands.py by tools/gen_sync.py: edit that file instead.
"""The methods of an open mailbox that come to one flow each, for the mailbox and for pipelines.

The mailboxes of both clients and of pipelines have them from one definition, by tools/gen_sync.py.
How a flow is run is for the class that inherits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from imaplus.client.answers import Answer
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


class PipelinedMailboxCommands:
    """Commands on the messages of an open mailbox."""

    @property
    def name(self) -> str:
        """The name of the mailbox, as it was opened."""
        raise NotImplementedError

    @property
    def _connection(self) -> Connection:
        raise NotImplementedError

    def _give(self, flow: Flow[T]) -> Answer[T]:
        raise NotImplementedError

    # -- finding ----------------------------------------------------------------------------

    def search(self, query: Query = ALL) -> Answer[SequenceSet]:
        """Find messages: `search(From("ann") & ~Seen)` (RFC 9051, 6.4.4).

        Args:
            query: keys of `imaplus.search`, combined by `&`, `|` and `~`; all messages without.

        Returns:
            Their UIDs, ascending. Iterate it for the numbers, or pass it on: ranges stay ranges.

        Raises:
            InvalidArgument: this is not a query of `imaplus.search`, but a text, say.
            CapabilityMissing: a key needs an extension that the server does not have.
        """
        return self._give(messages.uids_of(self._connection, query))

    def uids(self, *, by_sequence: bool = False) -> Answer[SequenceSet]:
        """Ask for the UIDs of all messages.

        Args:
            by_sequence: ask by FETCH of sequence numbers instead of SEARCH, for servers whose
                SEARCH tells fewer than `exists`.
        """
        connection = self._connection
        if by_sequence:
            return self._give(uids_by_sequence(connection))
        return self._give(messages.all_uids(connection))

    def count(self, query: Query = ALL) -> Answer[int]:
        """Count the messages that a query finds: by SEARCH RETURN (COUNT), where the server has it.

        Raises:
            InvalidArgument: this is not a query of `imaplus.search`, but a text, say.
        """
        return self._give(count(self._connection, query))

    # -- changing flags ---------------------------------------------------------------------

    def add_flags(
        self,
        uids: SequenceSetLike,
        flags: FlagsLike,
        *,
        unchanged_since: int | None = None,
    ) -> Answer[Stored]:
        """Add flags or keywords to messages: `add_flags(uids, [Flag.SEEN, "$Work"])`.

        Args:
            uids: the messages.
            flags: one flag or several, of `Flag`, of `Keyword` or any other.
            unchanged_since: leave messages alone whose MODSEQ is larger (CONDSTORE, RFC 7162).

        Returns:
            The flags that the server reported, and as `modified` the UIDs of messages left alone.

        Raises:
            InvalidArgument: no flag is given, or what is none (RFC 9051, 9).
            CapabilityMissing: `unchanged_since` without CONDSTORE.
        """
        return self._store(uids, Change.ADD, flags, unchanged_since)

    def remove_flags(
        self,
        uids: SequenceSetLike,
        flags: FlagsLike,
        *,
        unchanged_since: int | None = None,
    ) -> Answer[Stored]:
        """Remove flags or keywords from messages. Arguments and result are as for `add_flags()`."""
        return self._store(uids, Change.REMOVE, flags, unchanged_since)

    def set_flags(
        self,
        uids: SequenceSetLike,
        flags: FlagsLike,
        *,
        unchanged_since: int | None = None,
    ) -> Answer[Stored]:
        """Give messages exactly these flags and keywords; `()` for none.

        Arguments and result are as for `add_flags()`.
        """
        return self._store(uids, Change.REPLACE, flags, unchanged_since)

    def _store(
        self,
        uids: SequenceSetLike,
        change: Change,
        flags: FlagsLike,
        unchanged_since: int | None,
    ) -> Answer[Stored]:
        numbers, wanted = SequenceSet.of(uids), messages.flags_to(change, flags)
        flow = messages.change_flags(self._connection, numbers, change, wanted, unchanged_since)
        return self._give(flow)

    # -- changing Gmail's labels ------------------------------------------------------------

    def add_labels(self, uids: SequenceSetLike, labels: str | Iterable[str]) -> Answer[Stored]:
        """Add labels of Gmail (X-GM-EXT-1): one or several.

        A label is the name of a mailbox, or one such as "\\\\Starred".

        Raises:
            InvalidArgument: no label is given, or what cannot be one.
            CapabilityMissing: the server is not Gmail.
        """
        return self._store_labels(uids, Change.ADD, labels)

    def remove_labels(self, uids: SequenceSetLike, labels: str | Iterable[str]) -> Answer[Stored]:
        """Remove labels of Gmail. That of this mailbox stays in any case."""
        return self._store_labels(uids, Change.REMOVE, labels)

    def set_labels(self, uids: SequenceSetLike, labels: str | Iterable[str]) -> Answer[Stored]:
        """Give messages exactly these labels of Gmail; `()` for none."""
        return self._store_labels(uids, Change.REPLACE, labels)

    def _store_labels(
        self,
        uids: SequenceSetLike,
        change: Change,
        labels: str | Iterable[str],
    ) -> Answer[Stored]:
        from imaplus.flows.gmail import change_labels

        flow = change_labels(self._connection, SequenceSet.of(uids), change, labels)
        return self._give(flow)

    # -- copying, moving, removing, adding --------------------------------------------------

    def copy(self, uids: SequenceSetLike, mailbox: str) -> Answer[Copied]:
        """Copy messages to another mailbox (RFC 9051, 6.4.7).

        Returns:
            Which UID became which, where the server has UIDPLUS.

        Raises:
            NoSuchMailbox, OverQuota, Refused: none of them has been copied.
        """
        flow = messages.copy(self._connection, SequenceSet.of(uids), mailbox)
        return self._give(flow)

    def move(self, uids: SequenceSetLike, mailbox: str) -> Answer[Copied]:
        """Move messages to another mailbox (RFC 9051, 6.4.8).

        Without MOVE they are copied, then removed by UID EXPUNGE. Without UIDPLUS they stay here
        with \\\\Deleted, because EXPUNGE would remove other people's messages as well; the result's
        `left_behind` names them, and is empty if all have moved.

        Returns:
            Which UID became which, where the server tells.

        Raises:
            NoSuchMailbox, OverQuota, Refused: none of them has been moved.
        """
        flow = messages.move(self._connection, SequenceSet.of(uids), mailbox)
        return self._give(flow)

    def delete(self, uids: SequenceSetLike) -> Answer[None]:
        """Remove messages for good: these, and no others (RFC 9051, 6.4.9).

        Raises:
            CapabilityMissing: the server has no UIDPLUS; nothing has been changed.
        """
        return self._give(messages.delete(self._connection, SequenceSet.of(uids)))

    def expunge(self) -> Answer[SequenceSet]:
        """Remove for good the messages that this session has given \\Deleted, and no others.

        These are the ones of `add_flags()`, `set_flags()` and `mark()` of messages since the
        mailbox was opened, as far as they still have it: UID EXPUNGE (RFC 9051, 6.4.9).

        Returns:
            Their UIDs.

        Raises:
            CapabilityMissing: the server has no UIDPLUS: EXPUNGE would remove messages as well that
                others have marked. Nothing has been changed.
        """
        return self._give(messages.expunge_marked(self._connection))

    def append(
        self,
        message: OutgoingMessage,
        *,
        flags: FlagsLike = (),
        date: datetime | None = None,
    ) -> Answer[Appended]:
        """Add a message to this mailbox: as `append()` of the client."""
        connection = self._connection
        prepared = outgoing(message, flags, date, binary=takes_nul(connection))
        return self._give(messages.append_one(connection, self.name, prepared))

"""Many commands given together: they go out at once, and share a few round trips::

    async with client.pipeline() as pipe:
        answers = [pipe.status(name) for name in names]
    messages = sum(answer.result().messages or 0 for answer in answers)

The methods are those of the client and of the mailbox that make sense together. What may be on the
wire at the same time is the connection's concern.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from imaplus.client.answers import Answer
from imaplus.core.append import Appended
from imaplus.core.fetch_items import FetchItem
from imaplus.core.fetched import Fetched
from imaplus.core.mailboxes import (
    STATUS_ITEMS,
    Delete,
    MailboxStatus,
    Rename,
    Subscribe,
    Unsubscribe,
)
from imaplus.core.messages import Change, Copied, Stored
from imaplus.core.search_query import ALL, Query
from imaplus.errors import StateError
from imaplus.flows import mailboxes, messages
from imaplus.flows.outgoing import OutgoingMessage, outgoing
from imaplus.protocol.command import Command
from imaplus.protocol.flow import Flow
from imaplus.wire.flags import FlagsLike
from imaplus.wire.sets import SequenceSet, SequenceSetLike

if TYPE_CHECKING:
    from imaplus.client._async import AsyncClient
    from imaplus.client._async_mailbox import AsyncMailbox

T = TypeVar("T")


class AsyncPipeline:
    """The methods of a client and of its open mailbox, each of which gives an `Answer` to come.

    Nothing is sent before the block ends, and nothing at all if an exception ends it. Commands are
    then sent in order, without waiting for answers where RFC 9051 (5.5) allows that: only commands
    that read or change the same messages wait for each other. A method that takes several commands
    sends each as soon as the one before is answered. A call that depends on another one's result
    belongs in the next pipeline.
    """

    def __init__(self, client: AsyncClient, *, check: bool, timeout: float | None) -> None:
        self._client = client
        self._check = check
        self._timeout = timeout
        self._answers: list[Answer[Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        answers, self._answers = self._answers, []
        if kind is not None:
            return
        await self._client.run_at_once(answers, timeout=self._timeout)
        for answer in answers if self._check else ():
            answer.result()

    def run(self, what: Command[T] | Flow[T]) -> Answer[T]:
        """Run any command or flow, except those that log in.

        Raises:
            InvalidArgument: it is neither a command nor a flow.
        """
        answer = Answer(what)
        self._answers.append(answer)
        return answer

    # -- mailboxes --------------------------------------------------------------------------

    def status(
        self, mailbox: str, items: str | Iterable[str] = STATUS_ITEMS
    ) -> Answer[MailboxStatus]:
        """Return counts of any mailbox, like `AsyncClient.status()`.

        For the selected mailbox a NOOP is sent first, so STATUS follows after all other commands.
        """
        return self.run(mailboxes.status(self._client.connection, mailbox, items))

    def create(self, mailbox: str) -> Answer[str | None]:
        """Create a mailbox, like `AsyncClient.create()`."""
        return self.run(mailboxes.create(self._client.connection, mailbox))

    def delete(self, mailbox: str) -> Answer[None]:
        """Delete a mailbox and all its messages."""
        return self.run(Delete(mailbox))

    def rename(self, mailbox: str, new_name: str) -> Answer[None]:
        """Rename a mailbox."""
        return self.run(Rename(mailbox, new_name))

    def subscribe(self, mailbox: str) -> Answer[None]:
        """Subscribe to a mailbox."""
        return self.run(Subscribe(mailbox))

    def unsubscribe(self, mailbox: str) -> Answer[None]:
        """Unsubscribe from a mailbox."""
        return self.run(Unsubscribe(mailbox))

    def append(
        self,
        mailbox: str,
        message: OutgoingMessage,
        *,
        flags: FlagsLike = (),
        date: datetime | None = None,
    ) -> Answer[Appended]:
        """Append a message, like `AsyncClient.append()`. For many messages use `append_many()`."""
        prepared = outgoing(message, flags, date, binary=self._client.takes_nul)
        return self.run(messages.append_one(self._client.connection, mailbox, prepared))

    # -- messages of the open mailbox -------------------------------------------------------

    def search(self, mailbox: AsyncMailbox, query: Query = ALL) -> Answer[SequenceSet]:
        """Return the UIDs of matching messages. Searches wait for each other."""
        return self._on(mailbox, messages.uids_of(self._client.connection, query))

    def fetch(
        self,
        mailbox: AsyncMailbox,
        uids: SequenceSetLike,
        *items: FetchItem,
        changed_since: int | None = None,
    ) -> Answer[list[Fetched]]:
        """Fetch data of messages, like `AsyncMailbox.fetch()`, but all of it in memory."""
        numbers = SequenceSet.of(uids)
        connection = self._client.connection
        return self._on(mailbox, messages.fetch(connection, numbers, items, changed_since))

    def add_flags(
        self,
        mailbox: AsyncMailbox,
        uids: SequenceSetLike,
        *flags: FlagsLike,
        unchanged_since: int | None = None,
    ) -> Answer[Stored]:
        """Add flags or keywords, like `AsyncMailbox.add_flags()`."""
        return self._store(mailbox, uids, Change.ADD, flags, unchanged_since)

    def remove_flags(
        self,
        mailbox: AsyncMailbox,
        uids: SequenceSetLike,
        *flags: FlagsLike,
        unchanged_since: int | None = None,
    ) -> Answer[Stored]:
        """Remove flags or keywords."""
        return self._store(mailbox, uids, Change.REMOVE, flags, unchanged_since)

    def set_flags(
        self,
        mailbox: AsyncMailbox,
        uids: SequenceSetLike,
        *flags: FlagsLike,
        unchanged_since: int | None = None,
    ) -> Answer[Stored]:
        """Replace all flags and keywords by these, or by none."""
        return self._store(mailbox, uids, Change.REPLACE, flags, unchanged_since)

    def _store(
        self,
        mailbox: AsyncMailbox,
        uids: SequenceSetLike,
        change: Change,
        flags: tuple[FlagsLike, ...],
        unchanged_since: int | None,
    ) -> Answer[Stored]:
        numbers, wanted = SequenceSet.of(uids), messages.flags_to(change, flags)
        connection = self._client.connection
        flow = messages.change_flags(connection, numbers, change, wanted, unchanged_since)
        return self._on(mailbox, flow)

    def copy(self, mailbox: AsyncMailbox, uids: SequenceSetLike, other: str) -> Answer[Copied]:
        """Copy messages to another mailbox. The result maps old UIDs to new ones (UIDPLUS)."""
        numbers = SequenceSet.of(uids)
        return self._on(mailbox, messages.copy(self._client.connection, numbers, other))

    def move(self, mailbox: AsyncMailbox, uids: SequenceSetLike, other: str) -> Answer[Copied]:
        """Move messages to another mailbox, like `AsyncMailbox.move()`."""
        numbers = SequenceSet.of(uids)
        return self._on(mailbox, messages.move(self._client.connection, numbers, other))

    def _on(self, mailbox: AsyncMailbox, flow: Flow[T]) -> Answer[T]:
        self._insist(mailbox)

        def still_open() -> Flow[T]:
            self._insist(mailbox)
            return (yield from flow)

        return self.run(still_open())

    def _insist(self, mailbox: AsyncMailbox) -> None:
        if not mailbox.is_open_in(self._client):
            self._client.check_alive()
            raise StateError(f"{mailbox.name!r} is not the mailbox that this client has selected")

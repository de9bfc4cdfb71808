"""The methods of an open mailbox, for pipelines: each gives an `Answer` to come.

Sync and async pipelines share it, because nothing in here waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any, TypeVar

from imaplus.client._pipelined_mailbox_commands import PipelinedMailboxCommands
from imaplus.client.answers import Answer
from imaplus.core.fetch_items import FetchItem
from imaplus.core.fetched import Fetched
from imaplus.flows import messages
from imaplus.flows.download import Progress, download
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.wire.sets import SequenceSet, SequenceSetLike

T = TypeVar("T")


class PipelineMailbox(PipelinedMailboxCommands):
    """The open mailbox of a client, as its pipelines have it: `pipe.mailbox`.

    The methods are those of `Mailbox`. Each gives an `Answer`, whose `result()` is what the method
    of the mailbox returns, and whose `error` is what it raises.
    """

    def __init__(
        self,
        connection: Connection,
        name: str,
        insist: Callable[[], None],
        add: Callable[[Flow[Any]], Answer[Any]],
    ) -> None:
        self._given = connection
        self._name = name
        self._insist = insist
        self._add = add

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}>"

    @property
    def name(self) -> str:
        """The name of the mailbox, as it was opened."""
        return self._name

    @property
    def _connection(self) -> Connection:
        return self._given

    def _give(self, flow: Flow[T]) -> Answer[T]:
        self._insist()

        def still_open() -> Flow[T]:
            self._insist()
            return (yield from flow)

        return self._add(still_open())

    def fetch(
        self, uids: SequenceSetLike, *items: FetchItem, changed_since: int | None = None
    ) -> Answer[list[Fetched]]:
        """Fetch data of messages: as `Mailbox.fetch()`, but all of it is kept in memory."""
        numbers = SequenceSet.of(uids)
        return self._give(messages.fetch(self._connection, numbers, items, changed_since))

    def download(
        self,
        uid: int,
        file: IO[bytes],
        *,
        section: str = "",
        binary: bool = False,
        progress: Progress | None = None,
    ) -> Answer[int]:
        """Write a message, or a section of it, to a binary file: as `Mailbox.download()`."""
        connection = self._connection
        return self._give(
            download(
                uid, file, section=section, binary=binary, progress=progress, connection=connection
            )
        )

    def flags(self, uids: SequenceSetLike = "1:*") -> Answer[dict[int, frozenset[str]]]:
        """Fetch the flags of messages, by UID: as `Mailbox.flags()`."""
        return self._give(messages.flags_by_uid(self._connection, SequenceSet.of(uids)))

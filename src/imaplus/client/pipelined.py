"""The methods of an open mailbox, for pipelines. Each returns an `Answer`.

Sync and async pipelines share this module, because nothing in it waits.
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
    """The open mailbox in a pipeline: `pipe.mailbox`.

    The methods are those of `Mailbox` that run one flow each. Each returns an `Answer`: its
    `result()` is what the method of `Mailbox` returns, and its `error` what that method raises.
    """

    def __init__(
        self,
        connection: Connection,
        name: str,
        check_open: Callable[[], None],
        add: Callable[[Flow[Any]], Answer[Any]],
    ) -> None:
        self._shared = connection
        self._name = name
        self._check_open = check_open
        self._add = add

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}>"

    @property
    def name(self) -> str:
        """The name, as passed to `select()` or `examine()`."""
        return self._name

    @property
    def _connection(self) -> Connection:
        return self._shared

    def _give(self, flow: Flow[T]) -> Answer[T]:
        self._check_open()

        def check_and_run() -> Flow[T]:
            self._check_open()
            return (yield from flow)

        return self._add(check_and_run())

    def fetch(
        self, uids: SequenceSetLike, *items: FetchItem, changed_since: int | None = None
    ) -> Answer[list[Fetched]]:
        """Fetch data of messages: see `Mailbox.fetch()`. The result is a list, in memory."""
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
        """Download a message, or a section of it, to a binary file: see `Mailbox.download()`."""
        connection = self._connection
        return self._give(
            download(
                uid, file, section=section, binary=binary, progress=progress, connection=connection
            )
        )

    def flags(self, uids: SequenceSetLike = "1:*") -> Answer[dict[int, frozenset[str]]]:
        """Return the flags of messages, by UID: see `Mailbox.flags()`."""
        return self._give(messages.flags_by_uid(self._connection, SequenceSet.of(uids)))

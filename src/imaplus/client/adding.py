"""Adding many messages to a mailbox, in batches, with an outcome for each message.

A flow adds a batch; the client decides how many batches run at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from imaplus.client.answers import Answer
from imaplus.core.append import Appended, Outgoing
from imaplus.errors import CommandError, ImapError, UsageError
from imaplus.flows.messages import append_each, batches
from imaplus.protocol.connection import Connection

Batch = Answer[list[Appended | CommandError]]


class Adding:
    """Run the answers that `begin()` yields, then call `outcomes()`."""

    def __init__(self, connection: Connection, mailbox: str, *, check: bool) -> None:
        self._connection = connection
        self._mailbox = mailbox
        self._check = check
        self._running: deque[tuple[int, Batch]] = deque()
        self._outcomes: list[Appended | ImapError] = []
        self._error: ImapError | None = None
        """The error after which no more batches are started."""

    def begin(self, messages: Iterable[Outgoing]) -> Iterator[Batch]:
        """Yield a flow for each batch, until one fails."""
        for batch in batches(messages):
            self._take_over()
            if self._error is not None:
                return
            answer = Answer(append_each(self._connection, self._mailbox, batch))
            self._running.append((len(batch), answer))
            yield answer

    def outcomes(self) -> list[Appended | ImapError]:
        """Return the outcome of each message; with `check`, raise the first error."""
        self._take_over()
        if self._error is not None and (self._check or isinstance(self._error, UsageError)):
            raise self._error
        return self._outcomes

    def _take_over(self) -> None:
        """Collect the outcomes of completed batches, oldest first."""
        while self._running and self._running[0][1].done:
            count, batch = self._running.popleft()
            if isinstance(batch.error, ImapError):
                self._error = self._error or batch.error
                self._outcomes += [batch.error] * count
                continue
            refused = (each for each in batch.result() if isinstance(each, CommandError))
            if self._check and self._error is None:
                self._error = next(refused, None)
            self._outcomes += batch.result()

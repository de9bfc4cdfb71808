# Generated from _async_pipeline.py by tools/gen_sync.py: edit that file instead.
"""Many commands, sent together in few round trips::

    with client.pipeline() as pipe:
        answers = [pipe.status(name) for name in names]
    messages = sum(answer.result().messages or 0 for answer in answers)

The connection decides which commands may be in progress at the same time.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from imaplus.client._pipelined_client_commands import PipelinedClientCommands
from imaplus.client._sync_runner import Runner
from imaplus.client.answers import Answer
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from imaplus.client._sync_mailbox import Mailbox
    from imaplus.client.pipelined import PipelineMailbox

T = TypeVar("T")


class Pipeline(PipelinedClientCommands):
    """Commands that are sent together at the end of the block. Each method returns an `Answer`.

    The methods are those of the client, and at `mailbox` those of the open mailbox. Nothing is sent
    before the end of the block, or if it ends by an exception. The commands are sent in the order
    of the calls, without waiting for answers, except where RFC 9051 (5.5) forbids that: a change of
    a message and a request for it wait for each other, and so do searches. Methods that take
    several commands proceed independently of each other. Put a call that needs the result of
    another one into the next pipeline.
    """

    def __init__(
        self,
        runner: Runner,
        opened: Callable[[], Mailbox],
        *,
        check: bool,
        timeout: float | None,
    ) -> None:
        self._runner = runner
        self._opened = opened
        self._check = check
        self._timeout = timeout
        self._answers: list[Answer[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        answers, self._answers = self._answers, []
        if kind is not None:
            return
        self._runner.run_at_once(answers, timeout=self._timeout)
        for answer in answers if self._check else ():
            answer.result()

    def run(self, what: Command[T] | Flow[T]) -> Answer[T]:
        """Add a command or a flow (`imaplus.sansio`), except flows that connect or log in."""
        answer = Answer(what)
        self._answers.append(answer)
        return answer

    @property
    def mailbox(self) -> PipelineMailbox:
        """The open mailbox: `pipe.mailbox.add_flags(uids, Flag.SEEN)`.

        Raises:
            StateError: no mailbox is open.
            ConnectionLost: the connection has ended.
        """
        from imaplus.client.pipelined import PipelineMailbox

        opened = self._opened()
        return PipelineMailbox(self._connection, opened.name, opened._check_open, self.run)

    @property
    def _connection(self) -> Connection:
        return self._runner.connection

    def _give(self, what: Command[T] | Flow[T]) -> Answer[T]:
        return self.run(what)

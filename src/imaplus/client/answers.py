"""The answer of a pipeline: a flow that runs beside others, its state and its result.

The runner sends and reads; an answer advances its flow as replies arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, Generic, TypeVar, cast

from imaplus.errors import CommandError, ImapError, InvalidArgument, StateError
from imaplus.protocol.command import Command
from imaplus.protocol.flow import Ahead, Ask, Flow, Handshake, Step, Together
from imaplus.protocol.pending import Pending

T = TypeVar("T")


def check_runnable(what: object) -> None:
    """Check that an argument is a command or a flow.

    Raises:
        InvalidArgument: it is neither, but for example the class of a command.
    """
    if not isinstance(what, Command | Generator):
        name = what.__name__ if isinstance(what, type) else type(what).__name__
        raise InvalidArgument(f"expected a command or a flow, such as Noop(), found {name}")


class Answer(Generic[T]):
    """The result of a call in a pipeline, available from `result()` after the block."""

    __slots__ = ("_flow", "_left", "_pendings", "_ready", "_step", "_value", "done", "error")

    def __init__(self, what: Command[T] | Flow[T]) -> None:
        check_runnable(what)
        self._flow: Flow[T] = iter(what)
        self._step: Step | None = None
        self._pendings: list[Pending[Any]] = []
        self._left: Iterator[Pending[Any]] = iter(())  # not yet checked for completion
        self._ready: Callable[[Answer[Any]], object] | None = None
        self._value: T | None = None
        self.done: bool = False
        """Whether there is a result or an error."""
        self.error: Exception | None = None
        """The error; None if there is none."""

    def result(self) -> T:
        """Return the result of the call.

        Raises:
            ImapError: the call failed.
            StateError: the pipeline's block has not ended, or it ended by an exception.
        """
        if self.error is not None:
            raise self.error
        if not self.done:
            raise StateError("there is no result before the end of the pipeline's block")
        return cast(T, self._value)

    # -- for the runner ---------------------------------------------------------------------

    @property
    def pendings(self) -> list[Pending[Any]]:
        """The commands in progress."""
        return self._pendings

    def watch(self, ready: Callable[[Answer[Any]], object]) -> None:
        """Call a function once all commands in progress are complete."""
        self._left = iter(self._pendings)
        self._ready = ready
        self._look_on()

    def _look_on(self) -> None:
        """Wait for one command after the other, so that each is looked at once."""
        for pending in self._left:
            if not pending.done:
                pending.watch(self._look_on)
                return
        if self._ready is not None:
            self._ready(self)

    def advance(self, send: Callable[[Command[Any]], Pending[Any]]) -> None:
        """Run the flow up to its next commands, and send these."""
        try:
            step = self._resume(self._outcome)
            while True:
                try:
                    self._pendings = [send(command) for command in _commands(step)]
                except ImapError as error:  # the flow may handle it
                    step = self._flow.throw(error)
                else:
                    self._step = step
                    return
        except StopIteration as stop:
            self._value = stop.value
        except Exception as error:
            self.error = error
        self.done = True
        self._pendings = []

    def _resume(self, outcome: Callable[[], Any]) -> Step:
        """Pass the outcome of a step to the flow, and return the next step."""
        try:
            value = outcome()
        except ImapError as error:
            return self._flow.throw(error)
        return self._flow.send(value)

    def _outcome(self) -> Any:
        if not isinstance(self._step, Together):
            return self._pendings[0].result() if self._pendings else None
        return results(self._pendings)

    def drop(self) -> None:
        """Close the flow of a block that was interrupted."""
        self._flow.close()


def results(pendings: Iterable[Pending[Any]]) -> list[Any]:
    """Return the results of commands; of refused ones, the errors."""
    found: list[Any] = []
    for pending in pendings:
        try:
            found.append(pending.result())
        except CommandError as error:
            found.append(error)
    return found


def _commands(step: Step) -> tuple[Command[Any], ...]:
    match step:
        case Handshake() | Ahead() | Ask():
            raise StateError("what begins a session cannot be part of a pipeline")
        case Together():
            return step.commands
        case _:
            return (step,)

"""One of several flows that run at once: the step it has come to, and what it comes to.

It takes a flow from step to step as answers arrive. The runner knows when to send and to read.
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
    """Insist on a command or a flow.

    Raises:
        InvalidArgument: it is neither, but the class of a command, say, or a line of IMAP.
    """
    if not isinstance(what, Command | Generator):
        name = what.__name__ if isinstance(what, type) else type(what).__name__
        raise InvalidArgument(f"expected a command or a flow, such as Noop(), found {name}")


class Answer(Generic[T]):
    """What comes of something that was given to a pipeline: ask `result()` after the block."""

    __slots__ = ("_flow", "_left", "_pendings", "_ready", "_step", "_value", "done", "error")

    def __init__(self, what: Command[T] | Flow[T]) -> None:
        check_runnable(what)
        self._flow: Flow[T] = iter(what)
        self._step: Step | None = None
        self._pendings: list[Pending[Any]] = []
        self._left: Iterator[Pending[Any]] = iter(())  # those not yet known to be over
        self._ready: Callable[[Answer[Any]], object] | None = None
        self._value: T | None = None
        self.done: bool = False
        """Whether it is over: there is a result or an error."""
        self.error: Exception | None = None
        """What went wrong, or None."""

    def result(self) -> T:
        """The result.

        Raises:
            ImapError: what went wrong; StateError, if the pipeline has not run, or not to its end.
        """
        if self.error is not None:
            raise self.error
        if not self.done:
            raise StateError("there is no result before the end of the pipeline's block")
        return cast(T, self._value)

    # -- for the runner ---------------------------------------------------------------------

    @property
    def pendings(self) -> list[Pending[Any]]:
        """The commands that it waits for."""
        return self._pendings

    def watch(self, ready: Callable[[Answer[Any]], object]) -> None:
        """Have a function called when all that it waits for has come: now, if it has."""
        self._left = iter(self._pendings)
        self._ready = ready
        self._look_on()

    def _look_on(self) -> None:
        """Wait for one after the other: however many there are, each is looked at once."""
        for pending in self._left:
            if not pending.done:
                pending.watch(self._look_on)
                return
        if self._ready is not None:
            self._ready(self)

    def advance(self, send: Callable[[Command[Any]], Pending[Any]]) -> None:
        """Send the first step, or what follows from the answers that have come."""
        try:
            step = self._resume(self._outcome)
            while True:
                try:
                    self._pendings = [send(command) for command in _commands(step)]
                except ImapError as error:  # the flow may know another way
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
        """The next step, after what the last one came to."""
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
        """It will not be finished: the block was cut short."""
        self._flow.close()


def results(pendings: Iterable[Pending[Any]]) -> list[Any]:
    """The results of commands that were given together; of those refused, their errors."""
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

# Generated from _async_runner.py by tools/gen_sync.py: edit that file instead.
"""Runs commands and flows: one, several together, many at once, or as a stream.

The base class, `Exchange`, moves the bytes. Nothing here depends on IMAP's grammar.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from time import monotonic as now
from typing import Any, TypeVar

from imaplus.client._sync_exchange import Exchange
from imaplus.client.answers import Answer, check_runnable, results
from imaplus.client.deadlines import Deadline, deadline_in, least
from imaplus.client.listening import Listener, Pace
from imaplus.core.session import Noop
from imaplus.errors import CommandError, ImapError
from imaplus.protocol.command import Command
from imaplus.protocol.flow import Ahead, Ask, Flow, Handshake, Step, Together
from imaplus.protocol.pending import Pending

T = TypeVar("T")
E = TypeVar("E")

AHEAD = 2
"""Commands of a stream that are in progress at once, so that the server is never idle."""
AT_ONCE = 1000
"""Flows that run at once: as many as there may be commands in progress."""
EARLY = 250
"""Flows to start before their commands are written, so that the server can begin."""


class Runner(Exchange):
    """Runs commands and flows over a connection. Threads may share it."""

    # -- commands and flows -----------------------------------------------------------------

    def run(self, what: Command[T] | Flow[T], timeout: float | None = None) -> T:
        """Run a command or a flow, and return its result.

        Raises:
            InvalidArgument: `what` is neither.
            TimedOut: it took longer than `timeout` seconds; or, without it, the server made no
                progress for `Timeouts.command` seconds. The connection is closed.
        """
        self._begin_log()
        deadline = deadline_in(timeout, now())
        if isinstance(what, Command):
            result: T = self._command(what, deadline)
            return result
        check_runnable(what)
        return self._flow(what, deadline)

    def _flow(self, flow: Flow[T], deadline: Deadline | None) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    result = self._step(step, deadline)
                except ImapError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            flow.close()

    def _step(self, step: Step, deadline: Deadline | None) -> Any:
        match step:
            case Ahead():
                return self._ahead(step, deadline)
            case Together():
                return self._together(step, deadline)
            case Handshake():
                return self._shake_hands()
            case Ask():
                from imaplus.client.turns import result_of

                return result_of(step.function)
            case _:
                return self._command(step, deadline)

    def _command(self, command: Command[T], deadline: Deadline | None) -> T:
        pending = self.send(command)
        self._settle([pending], deadline)
        return pending.result()

    def _together(self, step: Together, deadline: Deadline | None) -> list[Any]:
        pendings = self._send_all(step.commands)
        self._settle(pendings, deadline)
        return results(pendings)

    def _ahead(self, step: Ahead, deadline: Deadline | None) -> list[Any]:
        pendings = self._send_all(step.commands)
        try:
            self._until(pendings[0].is_over, deadline)
            pendings[0].check()
        except BaseException:
            self._give_up(pendings)
            raise
        self._settle(pendings, deadline)
        return results(pendings)

    def _send_all(self, commands: Iterable[Command[Any]]) -> list[Pending[Any]]:
        pendings: list[Pending[Any]] = []
        try:
            pendings.extend(map(self.send, commands))
        except ImapError:
            self._give_up(pendings)
            raise
        return pendings

    def run_at_once(
        self, answers: Iterable[Answer[Any]], *, most: int = AT_ONCE, timeout: float | None = None
    ) -> None:
        """Run flows concurrently until all are complete. Their errors are kept in the answers.

        At most `most` flows run at once; the iterable is consumed as flows complete.
        """
        self._begin_log()
        deadline = deadline_in(timeout, now())
        remaining = iter(answers)
        running: dict[Answer[Any], None] = {}  # in order
        ready: deque[Answer[Any]] = deque()

        def go_on(answer: Answer[Any]) -> None:
            answer.advance(self.send)
            if answer.done:
                del running[answer]
                return
            with self._mutex:  # no other thread may complete its commands meanwhile
                answer.watch(ready.append)

        try:
            while True:
                while len(running) < most and (answer := next(remaining, None)) is not None:
                    running[answer] = None
                    go_on(answer)
                    if len(running) % EARLY == 0:
                        self._until(lambda: True, deadline)  # write the commands so far
                if not running:
                    return
                self._until(lambda: ready, deadline)
                while ready:
                    go_on(ready.popleft())
        finally:
            for answer in running:
                self._give_up(answer.pendings)
                answer.drop()

    def settle(self, pendings: list[Pending[Any]]) -> None:
        """Wait until commands are complete. An interrupted wait drops their answers."""
        self._settle(pendings)

    def _settle(self, pendings: list[Pending[Any]], deadline: Deadline | None = None) -> None:
        try:
            for pending in pendings:
                self._until(pending.is_over, deadline)
        except BaseException:
            self._give_up(pendings)
            raise

    def stream(
        self,
        commands: Iterator[Command[Any]],
        settle: Callable[[Command[Any], CommandError | None], bool],
        timeout: float | None = None,
    ) -> Iterator[list[object]]:
        """Run commands one after the other, and yield their values as they arrive.

        `settle` is called with each completed command and its error, and returns whether the error
        is handled; `commands` may yield further commands afterwards. `timeout` is the seconds to
        wait in all; the time between two iterations does not count.
        """
        self._begin_log()
        began, deadline = now(), deadline_in(timeout, now())
        pendings: deque[Pending[Any]] = deque()
        try:
            while True:
                while len(pendings) < AHEAD and (command := next(commands, None)) is not None:
                    pendings.append(self.send(command))
                if not pendings:
                    return
                first = pendings[0]
                if deadline is not None:
                    deadline.at += now() - began
                self._until(first.has_news, deadline)
                began = now()
                done = first.done
                if values := first.take():
                    yield values
                if done:
                    pendings.popleft()
                    try:
                        first.check()
                    except CommandError as error:
                        if not settle(first.command, error):
                            raise
                    else:
                        settle(first.command, None)
        finally:
            self._give_up(list(pendings))

    # -- events -----------------------------------------------------------------------------

    def greeting(self, timeout: float | None = None) -> None:
        """Wait for the greeting, at most `timeout` seconds."""
        self._begin_log()
        deadline = deadline_in(least(self._timeouts.greeting, timeout), now())
        connection = self.connection
        self._until(lambda: connection.greeting or connection.error, deadline)
        self.check_alive()

    def events(
        self, kinds: tuple[type[E], ...], timeout: float | None, renew: float, poll: float
    ) -> Iterator[E]:
        """Yield unsolicited values of some classes for `timeout` seconds, by IDLE or by NOOP.

        `Pace` decides between IDLE and NOOP if the server ends or refuses IDLE.
        """
        from imaplus.core.idle import Idle

        self._begin_log()
        listener = Listener()
        pace = Pace(poll, renew)
        self._listeners.append(listener)
        ends = None if timeout is None else now() + timeout
        pending: Pending[None] | None = None
        try:
            while ends is None or now() < ends:
                began = now()
                idles = self.connection.can("IDLE") and pace.may_idle(began)
                pending = self.send(Idle()) if idles else self.send(Noop())
                listener.pending = pending if idles else None
                again = began + (renew if idles else poll)
                until = again if ends is None else min(ends, again)
                while now() < until and not (pending.done and idles):
                    self._listen(listener, until)
                    for event in self._take_events(listener):
                        if isinstance(event, kinds):
                            yield event
                with self._mutex:
                    self.connection.interrupt(pending)
                self._settle([pending])
                for event in self._take_events(listener):
                    if isinstance(event, kinds):
                        yield event
                if not idles or pending.error is not None:
                    pending.check()
                elif pending.refused or not pending.interrupted:
                    pace.note_end(began, now())
        finally:
            self._listeners.remove(listener)
            if pending is not None and not pending.done:
                self._give_up([pending])
                self._flush()

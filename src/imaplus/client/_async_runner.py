"""Runs commands and flows over a stream: moves octets between it and the connection.

There is no background task: whoever waits for an answer reads, whoever reads takes in everybody's
answers, and hands the stream on. A wait that is cancelled leaves the others whole. What IMAP means
is not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Self, TypeVar

from imaplus.client.answers import Answer, results
from imaplus.client.async_streams import AsyncMutex, AsyncStream, AsyncTurn, now
from imaplus.client.endpoints import Timeouts, Tls
from imaplus.core.idle import Idle
from imaplus.core.session import Noop
from imaplus.errors import ConnectionLost, ImapError, TimedOut
from imaplus.protocol.command import Ahead, Command, Flow, Handshake, Pending, Step, Together
from imaplus.protocol.connection import Connection

T = TypeVar("T")

AHEAD = 2
"""Commands of a stream of commands that are on the wire at once: the server is never idle."""
AT_ONCE = 1000
"""Flows that run at once: as many as there may be commands on the wire."""
LAST_WORDS = 1.0
"""Seconds that another reader has to take in what came before the connection was closed."""
MOST_EVENTS = 100_000
"""Events kept for a listener that does not take them; then the oldest are dropped."""


class AsyncRunner:
    """A connection and the stream under it. Tasks may share it."""

    def __init__(
        self,
        stream: AsyncStream,
        connection: Connection,
        *,
        tls: Tls,
        host: str,
        timeouts: Timeouts,
        on_event: Callable[[object], object] | None,
    ) -> None:
        self.connection = connection
        self._stream = stream
        self._tls = tls
        self._host = host
        self._timeouts = timeouts
        self._on_event = on_event
        self._mutex = AsyncMutex()  # over the connection, which is not made for two at a time
        self._reading = AsyncTurn()
        self._writing = AsyncTurn()
        self._unsent = memoryview(b"")
        self._heard = now()
        self._response_began: float | None = None
        self._response_octets = 0
        self._listeners: list[deque[object]] = []

    # -- commands and flows -----------------------------------------------------------------

    async def run(self, what: Command[T] | Flow[T], timeout: float | None = None) -> T:
        """The result of a command or of a flow.

        Raises:
            TimedOut: it took longer than `timeout` seconds; the connection is closed.
        """
        seconds = self._timeouts.command if timeout is None else timeout
        deadline = None if seconds is None else now() + seconds
        if isinstance(what, Command):
            result: T = await self._command(what, deadline)
            return result
        return await self._flow(what, deadline)

    async def _flow(self, flow: Flow[T], deadline: float | None) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    result = await self._step(step, deadline)
                except ImapError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            flow.close()

    async def _step(self, step: Step, deadline: float | None) -> Any:
        match step:
            case Ahead():
                return await self._ahead(step, deadline)
            case Together():
                return await self._together(step, deadline)
            case Handshake():
                return await self._shake_hands()
            case _:
                return await self._command(step, deadline)

    async def _command(self, command: Command[T], deadline: float | None) -> T:
        pending = self.send(command)
        await self.settle([pending], deadline)
        return pending.result()

    async def _together(self, step: Together, deadline: float | None) -> list[Any]:
        pendings = self._send_all(step.commands)
        await self.settle(pendings, deadline)
        return results(pendings)

    async def _ahead(self, step: Ahead, deadline: float | None) -> list[Any]:
        pendings = self._send_all(step.commands)
        try:
            await self._until(pendings[0].is_over, deadline)
            pendings[0].check()
        except BaseException:
            self._give_up(pendings)
            raise
        await self.settle(pendings, deadline)
        return results(pendings)

    def _send_all(self, commands: Iterable[Command[Any]]) -> list[Pending[Any]]:
        pendings: list[Pending[Any]] = []
        try:
            pendings.extend(map(self.send, commands))
        except ImapError:
            self._give_up(pendings)
            raise
        return pendings

    async def run_at_once(
        self, answers: Iterable[Answer[Any]], *, most: int = AT_ONCE, timeout: float | None = None
    ) -> None:
        """Run flows at once, each step as soon as the one before it has been answered, until all
        are over. What goes wrong with one is kept in its answer.

        `most` of them are begun before the first of these is over; the others are not even asked
        for until then.
        """
        seconds = self._timeouts.command if timeout is None else timeout
        deadline = None if seconds is None else now() + seconds
        coming = iter(answers)
        running: list[Answer[Any]] = []

        def news() -> bool:
            return any(answer.may_go_on() for answer in running)

        try:
            while True:
                for answer in islice(coming, most - len(running)):
                    running.append(answer)
                    answer.advance(self.send)
                if not running:
                    return
                await self._until(news, deadline)
                for answer in running:
                    if answer.may_go_on() and not answer.done:
                        answer.advance(self.send)
                running[:] = [answer for answer in running if not answer.done]
        finally:
            for answer in running:
                self._give_up(answer.pendings)
                answer.drop()

    def send(self, command: Command[T]) -> Pending[T]:
        """Give a command to the connection; it is written by whoever next waits."""
        with self._mutex:
            return self.connection.send(command)

    async def settle(self, pendings: list[Pending[Any]], deadline: float | None = None) -> None:
        """Wait until commands are over. If the wait is cut short, their answers are dropped."""
        try:
            for pending in pendings:
                await self._until(pending.is_over, deadline)
        except BaseException:
            self._give_up(pendings)
            raise

    def _give_up(self, pendings: list[Pending[Any]]) -> None:
        with self._mutex:
            for pending in pendings:
                if not pending.done:
                    self.connection.give_up(pending)

    async def stream(self, commands: Iterator[Command[Any]]) -> AsyncIterator[list[object]]:
        """The values that answer commands, as many at once as have come; none is kept."""
        pendings: deque[Pending[Any]] = deque()
        try:
            while True:
                while len(pendings) < AHEAD and (command := next(commands, None)) is not None:
                    pendings.append(self.send(command))
                if not pendings:
                    return
                first = pendings[0]
                await self._until(first.has_news, None)
                done = first.done
                if values := first.take():
                    yield values
                if done:
                    first.check()
                    pendings.popleft()
        finally:
            self._give_up(list(pendings))

    # -- moving octets ----------------------------------------------------------------------

    async def _until(self, done: Callable[[], object], deadline: float | None) -> None:
        """Write what there is to write and read what comes, until something has happened."""
        try:
            await self._flush(deadline)  # also where a cancelled task left something to write
            while not done():
                patience = self._patience(deadline)
                if not await self._reading.acquire(patience, done):
                    if not done() and now() - self._heard >= (patience or 0):
                        raise TimedOut(f"nothing came for {patience:.0f} seconds")
                    continue
                try:
                    # What another reader has taken in may have set a command free to go.
                    if not done() and not self._has_unsent:
                        await self._receive(self._patience(deadline))
                finally:
                    self._reading.release()
                await self._flush(deadline)
        except ConnectionLost as error:
            if isinstance(error, TimedOut) and deadline is not None and now() >= deadline:
                error = TimedOut("the command was not over in time")
            await self._fail(error)
            if not done():
                raise error

    def _patience(self, deadline: float | None) -> float | None:
        """Seconds that may pass without an octet."""
        silence = self._timeouts.silence
        if deadline is None:
            return silence
        left = deadline - now()
        if left <= 0:
            raise TimedOut("the command was not over in time")
        return left if silence is None else min(left, silence)

    async def _receive(self, patience: float | None) -> None:
        """Read once, waiting if nothing has come. Only who has the turn may."""
        data = self._stream.read()
        if data is None:
            await self._stream.wait(read=True, write=False, timeout=patience)
            data = self._stream.read()
        if data is not None:
            await self._take_in(data)

    async def _take_in(self, data: bytes) -> None:
        """Give the connection what has come; nothing (b"") is the end of the stream."""
        self._heard = now()
        events: list[object] = []
        with self._mutex:
            if data:
                events = self.connection.receive_data(data)
            else:
                self.connection.receive_eof()
        self._check_pace(len(data))
        for event in events:
            for listener in self._listeners:
                listener.append(event)
            if self._on_event is not None:
                self._on_event(event)
        if self.connection.error is not None:
            await self._stream.close()

    def _check_pace(self, octets: int) -> None:
        """Refuse a response that trickles in for ever."""
        if not self.connection.inside_response or self._timeouts.silence is None:
            self._response_began = None
            return
        if self._response_began is None:
            self._response_began, self._response_octets = self._heard, 0
        self._response_octets += octets
        seconds = self._heard - self._response_began
        if seconds > self._timeouts.silence and (
            self._response_octets < seconds * self._timeouts.slowest
        ):
            raise TimedOut(f"{self._response_octets} octets of a response in {seconds:.0f} seconds")

    async def _flush(self, deadline: float | None = None) -> None:
        """Write all there is. While the other side does not read, read what it says: it may be
        waiting for that."""
        while self._has_unsent:
            if not await self._writing.acquire(self._patience(deadline)):
                raise TimedOut("nothing could be written")
            try:
                await self._write(deadline)
            finally:
                self._writing.release()

    @property
    def _has_unsent(self) -> bool:
        return bool(self._unsent) or self.connection.has_data_to_send

    async def _write(self, deadline: float | None) -> None:
        """Only who has the turn may. What a cancelled writer leaves, the next one writes."""
        while True:
            if not self._unsent:
                with self._mutex:
                    self._unsent = memoryview(self.connection.data_to_send())
                if not self._unsent:
                    return
            try:
                taken = self._stream.write(self._unsent)
            except ConnectionLost:
                await self._hear_last_words()
                raise
            self._unsent = self._unsent[taken:]
            if not taken:
                await self._wait_to_write(self._patience(deadline))

    async def _hear_last_words(self) -> None:
        """A server that has hung up may have said why: that is a better error than ours."""
        if not await self._reading.acquire(LAST_WORDS):
            return
        try:
            while data := self._stream.read():
                await self._take_in(data)
        finally:
            self._reading.release()

    async def _wait_to_write(self, patience: float | None) -> None:
        if not self._reading.try_acquire():
            await self._stream.wait(read=False, write=True, timeout=patience)
            return
        try:
            await self._stream.wait(read=True, write=True, timeout=patience)
            data = self._stream.read()
            if data is not None:
                await self._take_in(data)
        finally:
            self._reading.release()

    async def _shake_hands(self) -> None:
        data = self._stream.read()
        if data is not None:  # it was sent in clear, and must not count as sent under TLS
            self.connection.receive_data(data)
            if self.connection.error is not None:
                raise self.connection.error
        await self._stream.start_tls(self._tls, self._host, self._timeouts.connect)
        self.connection.tls_established()

    # -- events -----------------------------------------------------------------------------

    async def greeting(self) -> None:
        """Wait for the server's first words."""
        seconds = self._timeouts.greeting
        deadline = None if seconds is None else now() + seconds
        connection = self.connection
        await self._until(lambda: connection.greeting or connection.error, deadline)
        if connection.error is not None:
            raise connection.error

    async def events(
        self, timeout: float | None, renew: float, poll: float
    ) -> AsyncIterator[object]:
        """What the server says unasked, for so many seconds: by IDLE, else by NOOP now and then."""
        heard: deque[object] = deque(maxlen=MOST_EVENTS)
        self._listeners.append(heard)
        ends = None if timeout is None else now() + timeout
        pending: Pending[None] | None = None
        try:
            while ends is None or now() < ends:
                idles = self.connection.can("IDLE")
                pending = self.send(Idle()) if idles else self.send(Noop())
                again = now() + (renew if idles else poll)
                until = again if ends is None else min(ends, again)
                while now() < until and not (pending.done and idles):
                    await self._listen(heard, pending if idles else None, until)
                    while heard:
                        yield heard.popleft()
                with self._mutex:
                    self.connection.interrupt(pending)
                await self.settle([pending])
                while heard:
                    yield heard.popleft()
                pending.check()
        finally:
            self._listeners.remove(heard)
            if pending is not None and not pending.done:
                self._give_up([pending])
                await self._flush()

    async def _listen(
        self, heard: deque[object], pending: Pending[None] | None, until: float
    ) -> None:
        """Wait for an event, or for the end of a command; nothing is amiss if none comes."""

        def enough() -> bool:
            return bool(heard) or (pending is not None and pending.done)

        try:
            await self._flush()
            if not await self._reading.acquire(max(0.0, until - now()), enough):
                return
            try:
                if not enough() and not self._has_unsent:
                    await self._receive_quietly(max(0.0, until - now()))
            finally:
                self._reading.release()
            await self._flush()
        except ConnectionLost as error:
            await self._fail(error)
            raise
        if self.connection.error is not None and not heard:
            raise self.connection.error

    async def _receive_quietly(self, seconds: float) -> None:
        try:
            await self._stream.wait(read=True, write=False, timeout=seconds)
        except TimedOut:
            return
        await self._receive(0)

    # -- the end ----------------------------------------------------------------------------

    async def _fail(self, error: ConnectionLost) -> None:
        with self._mutex:
            self.connection.fail(error)
        await self._stream.close()

    async def close(self) -> None:
        """Close the stream; what still waits for an answer gets ConnectionLost."""
        await self._fail(ConnectionLost("the connection has been closed"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

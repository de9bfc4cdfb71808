"""Moves bytes between a connection and a stream, on behalf of all callers that wait.

There is no background task. One of the waiting callers reads, and processes the answers to all;
when its own answer has arrived, another one reads. Cancelling one wait does not affect the others.
Nothing here depends on IMAP's grammar.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic as now
from typing import TYPE_CHECKING, Any, TypeVar

from imaplus.client.deadlines import Deadline
from imaplus.client.endpoints import Timeouts, Tls
from imaplus.client.listening import Listener
from imaplus.client.patience import Patience
from imaplus.errors import ConnectionLost, ImapError, TimedOut
from imaplus.logs import connection_log
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.pending import Pending

if TYPE_CHECKING:  # loaded when connecting
    from imaplus.client.async_streams import AsyncStream

T = TypeVar("T")

LAST_WORDS = 1.0
"""Seconds to wait for another reader to process what arrived before the connection closed."""


class AsyncExchange:
    """A connection and its stream. Tasks may share it."""

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
        from imaplus.client.async_turns import AsyncMutex, AsyncTurn

        connection.defers = True
        connection.channel_bindings = stream.channel_bindings
        self.connection = connection
        self._stream = stream
        self._tls = tls
        self.host = host
        self._timeouts = timeouts
        self._on_event = on_event
        self._mutex = AsyncMutex()  # guards the connection, which is not thread-safe
        self._reading = AsyncTurn()
        self._writing = AsyncTurn()
        self._unsent: memoryview | None = None
        self._heard = now()
        self._response_began: float | None = None
        self._response_bytes = 0
        self._listeners: list[Listener] = []

    # -- commands ---------------------------------------------------------------------------

    def send(self, command: Command[T]) -> Pending[T]:
        """Queue a command; the next caller that waits writes it."""
        self._stream.check_owner()
        with self._mutex:
            return self.connection.send(command)

    def _give_up(self, pendings: list[Pending[Any]]) -> None:
        with self._mutex:
            for pending in pendings:
                if not pending.done:
                    self.connection.give_up(pending)

    # -- moving bytes -----------------------------------------------------------------------

    async def _until(self, done: Callable[[], object], deadline: Deadline | None) -> None:
        """Write what is queued and read what arrives, until `done()`."""
        self._stream.check_owner()
        patience = self._patience(deadline)
        try:
            await self._flush(patience)  # may include what a cancelled task left
            while not done():
                left = patience.left(now())
                turn = self._reading
                if not (turn.try_acquire() or await turn.acquire(left, done)):
                    if not done() and now() - self._heard >= (left or 0):
                        raise patience.silence_error(left, now())
                    continue
                try:
                    # What another reader processed may allow queued commands to be written.
                    if not done() and not self._has_unsent:
                        await self._receive(patience)
                finally:
                    turn.release()
                if self._has_unsent:
                    await self._flush(patience)
        except ConnectionLost as error:
            if isinstance(error, TimedOut) and patience.is_over(now()):
                error = patience.make_error()
            lost = await self._fail(error)
            if not done():
                raise lost from lost.__cause__

    def _patience(self, deadline: Deadline | None) -> Patience:
        """Return the limits of a wait that begins now."""
        connection = self.connection
        return Patience(self._timeouts, connection.progress, deadline, now(), connection.waits_for)

    async def _wait(self, patience: Patience, *, read: bool, write: bool) -> None:
        seconds = patience.left(now())
        try:
            await self._stream.wait(read=read, write=write, timeout=seconds)
        except TimedOut:
            if seconds is None:  # the limit is the stream's own
                raise
            raise patience.silence_error(seconds, now()) from None

    async def _receive(self, patience: Patience) -> None:
        """Process received data, waiting for some if there is none. The caller holds `_reading`."""
        if (answering := self.connection.answering) is not None:
            from imaplus.client.async_turns import in_thread

            await in_thread(answering)
            with self._mutex:
                self.connection.send_answer(answering)
            return
        if not await self._process_received():
            await self._wait(patience, read=True, write=False)
            await self._process_received()

    async def _process_received(self) -> bool:
        """Process received data; return whether there was any.

        Compressed data is processed in steps, because it may inflate to a thousand times its size:
        deadlines are checked, and other tasks run, between steps.
        """
        if self.connection.has_more:
            await self._stream.breathe()
            await self._take_in(None)
            return True
        data = self._stream.read()
        if data is not None:
            await self._take_in(data)
        return data is not None

    async def _take_in(self, data: bytes | None) -> None:
        """Pass data to the connection: b"" at the end of the stream, None for the next step of
        compressed data."""
        self._heard = now()
        events: list[object] = []
        with self._mutex:
            before = self.connection.progress.received
            if data or data is None:
                events = self.connection.receive_data(data or b"")
            else:
                self.connection.receive_eof()
            for listener in self._listeners:
                listener.hear(events)
        self._check_pace(self.connection.progress.received - before)
        if self._on_event is not None:
            for event in events:
                self._on_event(event)
        if self.connection.error is not None:
            await self._stream.close()

    def _check_pace(self, received: int) -> None:
        """Raise TimedOut if a response arrives too slowly."""
        if not self.connection.inside_response or self._timeouts.silence is None:
            self._response_began = None
            return
        if self._response_began is None:
            self._response_began, self._response_bytes = self._heard, 0
        self._response_bytes += received
        seconds = self._heard - self._response_began
        if seconds > self._timeouts.silence and (
            self._response_bytes < seconds * self._timeouts.slowest
        ):
            raise TimedOut(f"{self._response_bytes} bytes of a response in {seconds:.3g} seconds")

    async def _flush(self, patience: Patience | None = None) -> None:
        """Write all that is queued. If the server does not read, read its data meanwhile: it may be
        waiting for that."""
        if not self._has_unsent:
            return
        patience = patience or self._patience(None)
        turn = self._writing
        while self._has_unsent:
            left = patience.left(now())
            if not (turn.try_acquire() or await turn.acquire(left)):
                raise patience.silence_error(left, now())
            try:
                await self._write(patience)
            finally:
                turn.release()

    @property
    def _has_unsent(self) -> bool:
        return bool(self._unsent) or self.connection.has_data_to_send

    async def _write(self, patience: Patience) -> None:
        """Write all that is queued, including what a cancelled writer left. The caller holds
        `_writing`."""
        while self._has_unsent:
            if not self._unsent:
                with self._mutex:
                    data = self.connection.data_to_send()
                if not data:
                    return
                self._unsent = memoryview(data)
            try:
                taken = self._stream.write(self._unsent)
            except ConnectionLost:
                await self._read_last_words()
                raise
            self._unsent = self._unsent[taken:] or None
            self.connection.progress.written += taken
            if not taken:
                await self._wait_to_write(patience)

    async def _read_last_words(self) -> None:
        """Process what the server sent before it closed the connection, such as BYE."""
        if not await self._reading.acquire(LAST_WORDS):
            return
        try:
            while self.connection.error is None and await self._process_received():
                pass
        finally:
            self._reading.release()

    async def _wait_to_write(self, patience: Patience) -> None:
        if not self._reading.try_acquire():
            await self._wait(patience, read=False, write=True)
            return
        try:
            if not self.connection.has_more:
                await self._wait(patience, read=True, write=True)
            await self._process_received()
        finally:
            self._reading.release()

    async def _shake_hands(self) -> None:
        data = self._stream.read()
        if data is not None:  # sent before TLS: the connection refuses it
            self.connection.receive_data(data)
            if self.connection.error is not None:
                raise self.connection.error
        await self._stream.start_tls(self._tls, self.host, self._timeouts.connect)
        self.connection.confirm_tls()

    # -- events -----------------------------------------------------------------------------

    async def _listen(self, listener: Listener, until: float) -> None:
        """Wait until `until` for events, or for the end of IDLE."""
        self._stream.check_owner()
        try:
            await self._flush()
            if not await self._reading.acquire(max(0.0, until - now()), listener.has_news):
                return
            try:
                if not listener.has_news() and not self._has_unsent:
                    left = max(0.0, until - now())
                    try:
                        if not self.connection.has_more:
                            await self._stream.wait(read=True, write=False, timeout=left)
                    except TimedOut:
                        return
                    await self._process_received()  # under TLS there may be no data yet
            finally:
                self._reading.release()
            await self._flush()
        except ConnectionLost as error:
            lost = await self._fail(error)
            raise lost from lost.__cause__
        if not listener.has_news():
            self.check_alive()

    def _take_events(self, listener: Listener) -> list[object]:
        """Return and forget the events of a listener."""
        with self._mutex:
            return listener.take()

    # -- the end ----------------------------------------------------------------------------

    def check_alive(self) -> None:
        """Raise the error that ended the connection, if it has ended."""
        if self.connection.error is not None:
            raise self.connection.error.with_traceback(None)  # it would grow with each raise

    async def _fail(self, error: ConnectionLost) -> ImapError:
        """End the connection; return the error that ended it first."""
        with self._mutex:
            self.connection.fail(error)
        await self._stream.close()
        return self.connection.error or error

    async def close(self) -> None:
        """Close the stream; calls that wait raise ConnectionLost. Never raises.

        In a forked process, close that process's copy only.
        """
        if self._stream.is_foreign:
            self._stream.let_go()
        else:
            await self._fail(ConnectionLost("the connection has been closed"))

    def _begin_log(self) -> None:
        """Check whether logging is on."""
        self.connection.log = connection_log(self.connection.log)

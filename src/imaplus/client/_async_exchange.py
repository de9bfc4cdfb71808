"""Moves octets between a connection and the stream under it, for all who wait.

There is no background task: whoever waits for an answer reads, whoever reads takes in everybody's
answers, and hands the stream on. A wait that is cancelled leaves the others whole. What IMAP means
is not known here.
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

if TYPE_CHECKING:  # streams are loaded, and sockets with them, when something is connected
    from imaplus.client.async_streams import AsyncStream

T = TypeVar("T")

LAST_WORDS = 1.0
"""Seconds that another reader has to take in what came before the connection was closed."""


class AsyncExchange:
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
        from imaplus.client.async_turns import AsyncMutex, AsyncTurn

        connection.defers = True
        connection.channel_bindings = stream.channel_bindings
        self.connection = connection
        self._stream = stream
        self._tls = tls
        self.host = host
        self._timeouts = timeouts
        self._on_event = on_event
        self._mutex = AsyncMutex()  # over the connection, which is not made for two at a time
        self._reading = AsyncTurn()
        self._writing = AsyncTurn()
        self._unsent: memoryview | None = None
        self._heard = now()
        self._response_began: float | None = None
        self._response_octets = 0
        self._listeners: list[Listener] = []

    # -- commands ---------------------------------------------------------------------------

    def send(self, command: Command[T]) -> Pending[T]:
        """Give a command to the connection; it is written by whoever next waits."""
        self._stream.check_owner()
        with self._mutex:
            return self.connection.send(command)

    def _give_up(self, pendings: list[Pending[Any]]) -> None:
        with self._mutex:
            for pending in pendings:
                if not pending.done:
                    self.connection.give_up(pending)

    # -- moving octets ----------------------------------------------------------------------

    async def _until(self, done: Callable[[], object], deadline: Deadline | None) -> None:
        """Write what there is to write and read what comes, until something has happened."""
        self._stream.check_owner()
        patience = self._patience(deadline)
        try:
            await self._flush(patience)  # also where a cancelled task left something to write
            while not done():
                left = patience.left(now())
                turn = self._reading
                if not (turn.try_acquire() or await turn.acquire(left, done)):
                    if not done() and now() - self._heard >= (left or 0):
                        raise patience.late(left, now())
                    continue
                try:
                    # What another reader has taken in may have set a command free to go.
                    if not done() and not self._has_unsent:
                        await self._receive(patience)
                finally:
                    turn.release()
                if self._has_unsent:
                    await self._flush(patience)
        except ConnectionLost as error:
            if isinstance(error, TimedOut) and patience.is_over(now()):
                error = patience.over()
            lost = await self._fail(error)
            if not done():
                raise lost from lost.__cause__

    def _patience(self, deadline: Deadline | None) -> Patience:
        """How long a wait may go on that begins now."""
        connection = self.connection
        return Patience(self._timeouts, connection.progress, deadline, now(), connection.waits_for)

    async def _wait(self, patience: Patience, *, read: bool, write: bool) -> None:
        seconds = patience.left(now())
        try:
            await self._stream.wait(read=read, write=write, timeout=seconds)
        except TimedOut:
            if seconds is None:  # the stream has a limit of its own
                raise
            raise patience.late(seconds, now()) from None

    async def _receive(self, patience: Patience) -> None:
        """Take in what has come, waiting if nothing has. Only who has the turn may."""
        if (answering := self.connection.answering) is not None:
            from imaplus.client.async_turns import in_thread

            await in_thread(answering)
            with self._mutex:
                self.connection.send_answer(answering)
            return
        if not await self._take_what_came():
            await self._wait(patience, read=True, write=False)
            await self._take_what_came()

    async def _take_what_came(self) -> bool:
        """Take in what has come; False if nothing has.

        Of what a server has compressed it is one step, for a read may inflate to a thousand times
        as much: whoever waits looks at the time after each step, and other tasks have their turn.
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
        """Give the connection what has come: nothing (b"") is the end of the stream, and None asks
        for the next step of what had come before."""
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
            raise TimedOut(f"{self._response_octets} octets of a response in {seconds:.3g} seconds")

    async def _flush(self, patience: Patience | None = None) -> None:
        """Write all there is. While the other side does not read, read what it says: it may be
        waiting for that."""
        if not self._has_unsent:
            return
        patience = patience or self._patience(None)
        turn = self._writing
        while self._has_unsent:
            left = patience.left(now())
            if not (turn.try_acquire() or await turn.acquire(left)):
                raise patience.late(left, now())
            try:
                await self._write(patience)
            finally:
                turn.release()

    @property
    def _has_unsent(self) -> bool:
        return bool(self._unsent) or self.connection.has_data_to_send

    async def _write(self, patience: Patience) -> None:
        """Only who has the turn may. What a cancelled writer leaves, the next one writes."""
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
                await self._hear_last_words()
                raise
            self._unsent = self._unsent[taken:] or None
            self.connection.progress.written += taken
            if not taken:
                await self._wait_to_write(patience)

    async def _hear_last_words(self) -> None:
        """A server that has hung up may have said why: that is a better error than ours."""
        if not await self._reading.acquire(LAST_WORDS):
            return
        try:
            while self.connection.error is None and await self._take_what_came():
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
            await self._take_what_came()
        finally:
            self._reading.release()

    async def _shake_hands(self) -> None:
        data = self._stream.read()
        if data is not None:  # it was sent in clear, and must not count as sent under TLS
            self.connection.receive_data(data)
            if self.connection.error is not None:
                raise self.connection.error
        await self._stream.start_tls(self._tls, self.host, self._timeouts.connect)
        self.connection.confirm_tls()

    # -- events -----------------------------------------------------------------------------

    async def _listen(self, listener: Listener, until: float) -> None:
        """Wait for an event, or for the end of a command; nothing is amiss if none comes."""
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
                    await self._take_what_came()  # under TLS, it may be none of the server's words
            finally:
                self._reading.release()
            await self._flush()
        except ConnectionLost as error:
            lost = await self._fail(error)
            raise lost from lost.__cause__
        if not listener.has_news():
            self.check_alive()

    def _told(self, listener: Listener) -> list[object]:
        """What a listener has heard. It is the caller's from here on."""
        with self._mutex:
            return listener.take()

    # -- the end ----------------------------------------------------------------------------

    def check_alive(self) -> None:
        """Raise what ended the connection, if something has."""
        if self.connection.error is not None:
            raise self.connection.error.with_traceback(None)  # it would grow each time

    async def _fail(self, error: ConnectionLost) -> ImapError:
        """End the connection for this reason; the result is the reason that it ended for first."""
        with self._mutex:
            self.connection.fail(error)
        await self._stream.close()
        return self.connection.error or error

    async def close(self) -> None:
        """Close the stream; what still waits for an answer gets ConnectionLost. It never fails.

        In a forked process it lets go of the connection, which stays open where it was made.
        """
        if self._stream.is_foreign:
            self._stream.let_go()
        else:
            await self._fail(ConnectionLost("the connection has been closed"))

    def _begin_log(self) -> None:
        """See whether anybody wants to have logged what happens next."""
        self.connection.log = connection_log(self.connection.log)

"""A connection that reconnects when it is lost. The mirror connects through `Link` only.

A run gets its client or an examined mailbox from a `Link`, and reports progress
(`record_progress`) and lost connections (`lose`). The link waits before it reconnects, longer each
time, and gives up after too many losses without progress.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, TypeVar

from imaplus.errors import (
    ConnectionLost,
    ImapError,
    ProtocolError,
    Rejected,
    Throttled,
    TlsFailed,
)
from imaplus.mirror.progress import ShouldStop, never

if TYPE_CHECKING:
    import imaplus
    from imaplus import Client, Resync

T = TypeVar("T")

Connect = Callable[[], "Client"]
"""A function that connects, logs in, and returns the client."""

PATIENCE = 5
"""A run ends after so many failed attempts in a row at the same step."""
LOSSES = 30
"""A run ends after so many lost connections in a row without progress between them."""
LONGEST_INTRODUCTION = 200
"""A longer greeting is cut to so many characters."""
WAITS = (0.25, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before the first, second, ... attempt to connect; times 0.5 to 1.5, at random."""
MOMENT = 0.1
"""Seconds between two checks of `should_stop` during a wait."""


class Link:
    """A connection to an account that is made again when it is lost.

    Use it in a `with` statement, or call `log_out` at the end.

    Args:
        connect: connects and logs in; None: the link cannot reconnect.
        client: the first connection, if there is one already.
        pause: waits for a number of seconds before a reconnection; it may raise to end the run.

    Example:
        >>> with Link(connect) as link, Store.open("mail", create=True) as store:  # doctest: +SKIP
        ...     backup(link, store)
    """

    def __init__(
        self,
        connect: Connect | None,
        client: Client | None = None,
        *,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._connect = connect
        self._client = client
        self._pause = pause or self._wait
        self._losses = 0  # since something was gained
        self._failures = 0  # since a mailbox was opened, or another question answered
        self._steps = 0  # that are being attempted, one within another
        self.reconnects: int = 0
        self._connected = client is not None  # at least once
        self._resyncs = True  # until the server shows that it does not understand QRESYNC
        self.is_reachable: bool = client is not None
        """Whether the last attempt to connect and log in succeeded."""
        self.on_wait: Callable[[], object] = never
        """Called every tenth of a second while the link waits to reconnect."""
        self.should_stop: ShouldStop = never
        """Returns true if the run is to stop; the link then does not reconnect."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.log_out()

    @classmethod
    def of(cls, where: Link | Client | Connect) -> Link:
        """Return a link for a `Link` (itself), a client, or a function that connects."""
        if isinstance(where, Link):
            return where
        return cls(where) if callable(where) else cls(None, where)

    @property
    def client(self) -> Client:
        """The connected client; reconnects after a wait if the connection was lost.

        Raises:
            ConnectionLost: the server cannot be reached, or the connection was lost too often.
            AuthenticationFailed, Throttled: the server refuses the login.
        """
        while self._client is None or self.is_lost:
            self._reconnect()
        return self._client

    @property
    def is_connected(self) -> bool:
        """Whether a connection was made, even if it has been lost since."""
        return self._client is not None

    @property
    def is_lost(self) -> bool:
        """Whether the connection has ended."""
        return self._client is not None and self._client.connection.error is not None

    @property
    def introduction(self) -> str | None:
        """The text of the server's greeting, cut to 200 characters; None if it has none."""
        greeting = self.client.connection.greeting
        return None if greeting is None else greeting.text[:LONGEST_INTRODUCTION] or None

    def is_recoverable(self, error: ImapError) -> bool:
        """Whether `error` means a lost connection, and the link can reconnect."""
        if self.is_lost:
            return True
        gone = self._client is None and isinstance(error, ConnectionLost | ProtocolError)
        return gone and self.is_reachable and self._connect is not None and not self.should_stop()

    def record_progress(self) -> None:
        """Reset the count of losses: the run has made progress."""
        self._losses = 0

    def lose(self, error: ImapError, *, narrowed: bool = False) -> None:
        """Record that `error` ended the connection during a FETCH, and close it.

        `narrowed` means that the next FETCH requests less; such a loss is not counted.

        Raises:
            ImapError: `error` itself, if the link cannot reconnect or lost too many connections.
        """
        self._drop()
        self._losses += not narrowed
        if self._connect is None or self._losses >= LOSSES:
            raise error

    def attempt(self, step: Callable[[Client], T]) -> T:
        """Call `step` with the client and return its result; repeat it if the connection is lost.

        Raises:
            ImapError: what `step` raised; ConnectionLost if the connection was lost too often.
        """
        self._steps += 1
        try:
            while True:
                try:
                    result = step(self.client)
                except ImapError as error:
                    if not self.is_lost:
                        raise
                    self._fail(error)
                else:
                    if self._steps == 1:  # a step within another is only a part of it
                        self._failures = 0
                    return result
        finally:
            self._steps -= 1

    def examine(
        self, name: str, *, resync: Resync | None = None, uidvalidity: int | None = None
    ) -> imaplus.Mailbox:
        """Open a mailbox read-only (EXAMINE; RFC 9051, 6.3.3). Repeated if the connection is lost.

        Args:
            name: the mailbox.
            resync: request the changes since a mod-sequence (QRESYNC, RFC 7162), if supported.
            uidvalidity: the expected UIDVALIDITY; None: any.

        Raises:
            UidValidityChanged: the mailbox has another UIDVALIDITY.
            CommandError: the server refuses to open it.
        """
        return self.attempt(lambda client: self._examine(client, name, resync, uidvalidity))

    def open_mailbox(self, name: str, uidvalidity: int | None) -> imaplus.Mailbox:
        """Return the open mailbox; examine it if it is not selected on this connection.

        Raises: as `examine`.
        """
        client = self.client
        try:
            mailbox = client.mailbox
        except ImapError:
            mailbox = None
        if mailbox is None or mailbox.name != name or not mailbox.is_open:
            return self.examine(name, uidvalidity=uidvalidity)
        return mailbox

    def _examine(
        self, client: Client, name: str, resync: Resync | None, uidvalidity: int | None
    ) -> imaplus.Mailbox:
        if resync is not None and self._resyncs:
            try:
                return client.examine(name, resync=resync, uidvalidity=uidvalidity)
            except Rejected:
                self._resyncs = False  # the server announces QRESYNC, but rejects its syntax
        return client.examine(name, uidvalidity=uidvalidity)

    @property
    def can_resync(self) -> bool:
        """Whether the server supports QRESYNC (RFC 7162) and has not rejected it."""
        return self._resyncs and self.client.can("QRESYNC")

    def close(self) -> None:
        """Close the connection without LOGOUT."""
        if self._client is not None:
            self._client.close()

    def log_out(self) -> None:
        """Log out and close the connection, if there is one."""
        if self._client is not None and not self.is_lost:
            self._client.logout()
        self._client = None

    def _fail(self, error: ImapError) -> None:
        self._drop()
        self._failures += 1
        if self._connect is None or self._failures >= PATIENCE or isinstance(error, TlsFailed):
            self._failures = 0  # a caller that goes on starts counting anew
            raise error

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _reconnect(self) -> None:
        self._drop()
        if self._connect is None:
            raise ConnectionLost("the connection was lost, and cannot be made again")
        if not self._connected:
            self._client = self._connect()
            self._connected = self.is_reachable = True
            return
        wait = WAITS[min(max(self._losses - 1, self._failures, 0), len(WAITS) - 1)]
        self._pause(wait * random.uniform(0.5, 1.5))
        if self.should_stop():
            raise ConnectionLost("the connection was lost, and the run was asked to stop")
        self.reconnects += 1
        try:
            self._client = self._connect()
            self.is_reachable = True
        except ImapError as error:
            self.is_reachable = False
            if not isinstance(error, ConnectionLost | Throttled):
                raise
            self._fail(error)

    def _wait(self, seconds: float) -> None:
        """Sleep until the time is over or the run is to stop."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.should_stop():
            self.on_wait()
            time.sleep(min(left, MOMENT))

"""The connection to an account, made again when it is lost. Nothing else in the mirror connects.

A run asks its `Link` for the client, or for an examined mailbox, and tells it when something has
been gained (`progressed`) and when the connection was lost (`lose`). The link waits before it
connects again, longer each time, and gives up when it makes no progress.
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
"""Gives a client that is logged in."""

PATIENCE = 5
"""Attempts in a row, to have a mailbox opened, after which a run ends."""
LOSSES = 30
"""Losses in a row, of connections that were good until then, after which a run ends, if nothing at
all was gained between them."""
LONGEST_INTRODUCTION = 200
"""Characters of a greeting that are kept."""
WAITS = (0.25, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before the first, second, ... attempt to connect; times 0.5 to 1.5, by chance."""
MOMENT = 0.1
"""Seconds after which a wait looks whether the run is to stop."""


class Link:
    """An account that can be reached by `connect`, again and again.

    With `client` the first connection is given. `pause` waits for so many seconds; it may raise to
    end the run. Use it in a `with` statement, or call `log_out` at the end.
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
        """Whether the last attempt to connect and log in went well."""
        self.on_wait: Callable[[], object] = never
        """Called every tenth of a second while the link waits before it connects again."""
        self.should_stop: ShouldStop = never
        """Whether the run is to stop: then no connection is made again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.log_out()

    @classmethod
    def of(cls, where: Link | Client | Connect) -> Link:
        """A link for whatever `backup` and `verify` were given."""
        if isinstance(where, Link):
            return where
        return cls(where) if callable(where) else cls(None, where)

    @property
    def client(self) -> Client:
        """A client that is connected; made anew, after a wait, if it is not.

        Raises:
            ConnectionLost: the account cannot be reached, or was lost too often.
            AuthenticationFailed, Throttled: it can be reached, but refuses the login.
        """
        while self._client is None or self.is_lost:
            self._reconnect()
        return self._client

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, even if it is lost; false if none could be made."""
        return self._client is not None

    @property
    def is_lost(self) -> bool:
        """Whether the connection has ended, so that no more answers come."""
        return self._client is not None and self._client.connection.error is not None

    @property
    def introduction(self) -> str | None:
        """The text of the server's greeting, shortened."""
        greeting = self.client.connection.greeting
        return None if greeting is None else greeting.text[:LONGEST_INTRODUCTION] or None

    def is_recoverable(self, error: ImapError) -> bool:
        """Whether `error` ended a connection, and another one can be had."""
        if self.is_lost:
            return True
        gone = self._client is None and isinstance(error, ConnectionLost | ProtocolError)
        return gone and self.is_reachable and self._connect is not None and not self.should_stop()

    def record_progress(self) -> None:
        """Forget the losses so far: something has been gained since."""
        self._losses = 0

    def lose(self, error: ImapError, *, narrowed: bool = False) -> None:
        """Record that the connection was lost by `error` while messages came, and close it.

        `narrowed` says that less will be asked for next time, which is a kind of progress.

        Raises:
            ImapError: `error` itself, if there is no way or no hope to connect again.
        """
        self._drop()
        self._losses += not narrowed
        if self._connect is None or self._losses >= LOSSES:
            raise error

    def attempt(self, step: Callable[[Client], T]) -> T:
        """The result of `step`, which is done again from its start if the connection is lost.

        Raises:
            ImapError: what `step` raised; a lost connection, if it was lost too often.
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
        """Open a mailbox for reading only: not even \\Recent changes, nor \\Seen.

        Raises:
            UidValidityChanged: it has another UIDVALIDITY than the one that is given.
            CommandError: it cannot be opened.
        """
        return self.attempt(lambda client: self._examine(client, name, resync, uidvalidity))

    def open_mailbox(self, name: str, uidvalidity: int | None) -> imaplus.Mailbox:
        """The mailbox as it is open; examined if another one is, or the connection is a new one.

        Raises: what `examine` raises.
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
                self._resyncs = False  # it offers what it does not understand
        return client.examine(name, uidvalidity=uidvalidity)

    @property
    def can_resync(self) -> bool:
        """Whether EXAMINE tells what changed since (QRESYNC), as far as we know."""
        return self._resyncs and self.client.can("QRESYNC")

    def close(self) -> None:
        """Close the connection without LOGOUT, after an interruption."""
        if self._client is not None:
            self._client.close()

    def log_out(self) -> None:
        """End the connection, if there is one."""
        if self._client is not None and not self.is_lost:
            self._client.logout()
        self._client = None

    def _fail(self, error: ImapError) -> None:
        self._drop()
        self._failures += 1
        if self._connect is None or self._failures >= PATIENCE or isinstance(error, TlsFailed):
            self._failures = 0  # for whatever is asked next, if that is not the end
            raise error

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _reconnect(self) -> None:
        self._drop()
        if self._connect is None:
            raise ConnectionLost("the connection was lost, and there is no way to make it again")
        if not self._connected:
            self._client = self._connect()
            self._connected = self.is_reachable = True
            return
        wait = WAITS[min(max(self._losses - 1, self._failures, 0), len(WAITS) - 1)]
        self._pause(wait * random.uniform(0.5, 1.5))
        if self.should_stop():
            raise ConnectionLost("the connection was lost, and not made again: the run is to stop")
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
        """Sleep; a signal that ends the run ends this too."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.should_stop():
            self.on_wait()
            time.sleep(min(left, MOMENT))

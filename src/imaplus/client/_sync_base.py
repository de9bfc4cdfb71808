# Generated from _async_base.py by tools/gen_sync.py: edit that file instead.
"""A session that has been connected: run commands and flows in it, and end it.

How it comes about, and what mailboxes are, is for `Client`, which inherits.
"""

from __future__ import annotations

from typing import Self, TypeVar

from imaplus.client._sync_client_commands import ClientCommands
from imaplus.client._sync_runner import Runner
from imaplus.core.session import Logout
from imaplus.errors import ImapError
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow

T = TypeVar("T")

FAREWELL = 5.0
"""Seconds that LOGOUT may take at the end of a block: the session is over in any case."""


class BaseClient(ClientCommands):
    """What holds a runner, and shows what may be called."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.logout()

    # -- the session ------------------------------------------------------------------------

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server offers, in capitals (RFC 9051, 7.2.2)."""
        return self.connection.capabilities

    @property
    def connection(self) -> Connection:
        """The state of the session, for flows of your own: `run(my_flow(client.connection))`."""
        return self._runner.connection

    def can(self, capability: str) -> bool:
        """Whether a capability can be counted on.

        The server offers it, by itself or as a part of an IMAP4rev2 that is in force, and has not
        refused it when it was used or enabled.
        """
        return self.connection.can(capability)

    def run(self, what: Command[T] | Flow[T], *, timeout: float | None = None) -> T:
        """Run a command or a flow of your own (`imaplus.sansio`), and return its result.

        Args:
            what: a `Command`, or a generator of commands.
            timeout: seconds that all of it may take.

        Raises:
            CommandError: the server did not carry out a command.
            StateError, CapabilityMissing: a command cannot be sent now, or to this server.
            TimedOut: it took longer than `timeout`; or, without that, the server made no progress
                for `Timeouts.command` seconds. The connection is closed.
        """
        return self._runner.run(what, timeout)

    def logout(self, *, timeout: float | None = FAREWELL) -> None:
        """Log out, and close the connection (RFC 9051, 6.1.3). It never fails.

        Args:
            timeout: seconds to wait for the server's answer, before the connection is closed
                without it.
        """
        try:
            if self.connection.error is None:
                self._runner.run(Logout(), timeout)
        except ImapError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection without logging out. It never fails.

        Whatever still waits for an answer raises ConnectionLost. In a forked process this lets go
        of the connection, which stays open in the process that made it.
        """
        self._runner.close()

    # -- inside -----------------------------------------------------------------------------

    @property
    def _connection(self) -> Connection:
        return self.connection

    def _give(self, what: Command[T] | Flow[T], timeout: float | None) -> T:
        return self._runner.run(what, timeout)

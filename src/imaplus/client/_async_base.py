"""A connected session: run commands and flows, and end it. `AsyncClient` adds the rest."""

from __future__ import annotations

from typing import Self, TypeVar

from imaplus.client._async_client_commands import AsyncClientCommands
from imaplus.client._async_runner import AsyncRunner
from imaplus.core.session import Logout
from imaplus.errors import ImapError
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow

T = TypeVar("T")

FAREWELL = 5.0
"""Seconds to wait for the answer to LOGOUT."""


class AsyncBaseClient(AsyncClientCommands):
    """The methods of a client that concern the session as a whole."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.logout()

    # -- the session ------------------------------------------------------------------------

    @property
    def capabilities(self) -> frozenset[str]:
        """The capabilities of the server, in upper case (RFC 9051, 7.2.2)."""
        return self.connection.capabilities

    @property
    def connection(self) -> Connection:
        """The state of the session, for flows of your own: `run(my_flow(client.connection))`."""
        return self._runner.connection

    def can(self, capability: str) -> bool:
        """Whether a capability can be used.

        True if the server offers it, by name or as a part of IMAP4rev2 in use, and has not refused
        it in this session.
        """
        return self.connection.can(capability)

    async def run(self, what: Command[T] | Flow[T], *, timeout: float | None = None) -> T:
        """Run a command or a flow (`imaplus.sansio`), and return its result.

        Args:
            what: a `Command`, or a generator of commands.
            timeout: seconds to wait for the server in all.

        Raises:
            CommandError: the server answered a command with NO or BAD.
            StateError: a command cannot be sent in this state.
            CapabilityMissing: a command needs an extension that the server does not have.
            InvalidArgument: `what` is neither a command nor a flow.
            TimedOut: the server took longer than `timeout`; or, without it, made no progress for
                `Timeouts.command` seconds. The connection is closed.
        """
        return await self._runner.run(what, timeout)

    async def logout(self, *, timeout: float | None = FAREWELL) -> None:
        """Log out, and close the connection (RFC 9051, 6.1.3). Never raises an ImapError.

        Args:
            timeout: seconds to wait for the server's answer. The connection is closed afterwards.
        """
        try:
            if self.connection.error is None:
                await self._runner.run(Logout(), timeout)
        except ImapError:
            pass
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the connection without logging out. Never raises an ImapError.

        Calls that wait for an answer raise ConnectionLost. In a forked process only the process's
        copy of the socket is closed; the session continues in the process that opened it.
        """
        await self._runner.close()

    # -- inside -----------------------------------------------------------------------------

    @property
    def _connection(self) -> Connection:
        return self.connection

    async def _give(self, what: Command[T] | Flow[T], timeout: float | None) -> T:
        return await self._runner.run(what, timeout)

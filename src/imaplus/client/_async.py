"""The client: connect, find and open mailboxes, run commands and flows::

    inbox = await client.select("INBOX")

Methods on an open mailbox are in `AsyncMailbox`. Each method here runs a flow; flows handle what a
server lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import monotonic as now
from typing import TYPE_CHECKING, Literal, Self, overload

from imaplus.client import targets
from imaplus.client._async_base import AsyncBaseClient
from imaplus.client._async_runner import AsyncRunner
from imaplus.client.async_opening import opening
from imaplus.client.deadlines import deadline_in, least, time_left
from imaplus.client.endpoints import (
    DEFAULT_TIMEOUTS,
    DEFAULT_TLS,
    Endpoint,
    Security,
    Timeouts,
    Tls,
)
from imaplus.core.bulk import bulk_reader
from imaplus.core.mailboxes import Examine, Select
from imaplus.core.session import DEFAULT_ENABLE
from imaplus.errors import ImapError, StateError, UidValidityChanged
from imaplus.flows import mailboxes
from imaplus.protocol.connection import Connection
from imaplus.protocol.telling import Trace
from imaplus.sasl.memory import PROCESS_MEMORY, LoginMemory
from imaplus.wire.frames import DEFAULT_LIMITS, Limits
from imaplus.wire.secret import Secret

if TYPE_CHECKING:  # loaded when first used
    from imaplus.client._async_mailbox import AsyncMailbox
    from imaplus.client._async_pipeline import AsyncPipeline
    from imaplus.core.append import Appended
    from imaplus.extensions.qresync import Resync
    from imaplus.flows.outgoing import OutgoingMessage
    from imaplus.sasl import AsyncCredentialsSource, Credentials

BATCHES = 4
"""Batches of messages sent ahead of the answers, so that the server is never idle."""


class AsyncClient(AsyncBaseClient):
    """A session with an IMAP server. Tasks may share it: their commands are pipelined.

    `connect()` makes one; a `with` statement logs out at the end of the block::

        async with AsyncClient.connect(
            "imap.example.org", user="ada", password="correct horse"
        ) as client:
            async with client.select("INBOX") as inbox:
                print(inbox.exists, "messages")

    Methods raise the errors of `imaplus.errors`, subclasses of ImapError. ConnectionLost ends the
    session: all commands in progress raise it, and so do later calls. `timeout` limits the seconds
    that a method waits for the server in all; without it, `Timeouts.command` limits the seconds
    without progress. In both cases TimedOut closes the connection.
    """

    _mailbox: AsyncMailbox | None = None

    @classmethod
    @opening
    async def connect(
        cls,
        where: str | Endpoint,
        port: int | None = None,
        *,
        user: str | None = None,
        password: str | Secret | None = None,
        credentials: Credentials | AsyncCredentialsSource | None = None,
        security: Security | None = None,
        tls: Tls = DEFAULT_TLS,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        limits: Limits = DEFAULT_LIMITS,
        mechanisms: str | Iterable[str] | None = None,
        enable: str | Iterable[str] = DEFAULT_ENABLE,
        identity: Mapping[str, str | None] | None = None,
        compress: bool = False,
        mailbox: str | None = None,
        read_only: bool = False,
        on_event: Callable[[object], object] | None = None,
        trace: Trace | None = None,
        proxy: str | Secret | None = None,
        login_memory: LoginMemory | None = PROCESS_MEMORY,
        timeout: float | None = None,
    ) -> Self:
        """Connect to a server, and log in as `user` with `password`, or with `credentials`.

        With neither, the session stays unauthenticated. Passwords are encrypted by TLS, unless
        `security` is PLAIN.

        Args:
            where: a host name, an imap:// or imaps:// URL (RFC 5092), or an endpoint of
                `imaplus.endpoints`.
            port: the port; by default the URL's, else 993 for TLS and 143 otherwise.
            user: the user name; a URL may contain it instead.
            password: the password of `user`.
            credentials: an object of `imaplus.credentials`, instead of a password; or a function
                that returns one (for the async client, also a coroutine function). The function is
                called before connecting, and again if the server refuses a token as expired.
            security: the protection; by default that of the URL or endpoint, else TLS.
            tls: how to verify the server, and the client's certificate.
            timeouts: time limits of connecting, waiting and commands.
            limits: limits of the memory that the server's data may take.
            mechanisms: the SASL mechanism or mechanisms to use, in order of preference; "LOGIN"
                also stands for the LOGIN command. By default those that do not expose the password
                come first.
            enable: extensions to ENABLE where the server has them (RFC 9051, 6.3.1).
            identity: the fields to send in ID (RFC 2971); None sends imaplus and its version.
            compress: use COMPRESS=DEFLATE where the server has it (RFC 4978).
            mailbox: open this mailbox, as `client.mailbox`. With servers known to read ahead, the
                login and SELECT share a round trip.
            read_only: open `mailbox` by EXAMINE.
            on_event: called with each value that the server sends unsolicited.
            trace: called with "C" or "S" and the bytes of each line of the dialogue; secrets are
                blanked.
            proxy: the URL of a SOCKS5 or HTTP proxy, such as "socks5://ada:secret@proxy:1080" or
                "http://proxy:3128". The proxy resolves the host name; TLS is between client and
                server. Proxies in environment variables are ignored.
            login_memory: remembers the mechanisms that servers offered. The login stops if a server
                no longer offers the mechanism to use. By default all connections of the process
                share one memory, which omits servers on this machine; None turns it off.
            timeout: seconds to wait in all, in addition to `timeouts`.

        Returns:
            The client. In a `with` statement, it logs out at the end of the block.

        Raises:
            InvalidArgument: an argument is invalid, or contradicts another one.
            ConnectionLost, TimedOut, TlsFailed, ProxyFailed: the connection failed.
            AuthenticationFailed: the server refused the credentials; `others` lists the remaining
                mechanisms.
            NoMechanism: the server offers no mechanism that can be used.
            MechanismWithdrawn: the server no longer offers a mechanism that it offered before.
            NoSuchMailbox, Refused: `mailbox` cannot be opened.
        """
        from imaplus.client.async_streams import AsyncStream
        from imaplus.client.async_turns import result_of
        from imaplus.client.identity import fields_of
        from imaplus.flows.connect import compress as compress_
        from imaplus.flows.connect import connect
        from imaplus.flows.login import LoginOptions

        ends = deadline_in(timeout, now())
        password = (
            None if password is None else Secret(password)
        )  # hidden in tracebacks that show variables
        proxy = None if proxy is None else Secret(proxy)
        selecting = Examine if read_only else Select
        target = targets.target(where, port, security, user, proxy)
        ask = credentials if callable(credentials) else None
        who = targets.password_of(target.user, password, credentials)
        if credentials is not None:
            who = targets.check_credentials(await result_of(ask) if ask else credentials)
        left = least(timeouts.connect, time_left(ends, now()))
        stream = await AsyncStream.connect(target.endpoint, tls, left, target.proxy)
        runner = AsyncRunner(
            stream,
            Connection(limits=limits, secure=stream.secure, trace=trace, bulk=bulk_reader),
            tls=tls,
            host=target.host,
            timeouts=timeouts,
            on_event=on_event,
        )
        client = cls(runner)
        try:
            if mailbox is not None:
                # Import while the greeting is on its way.
                import imaplus.client._async_mailbox  # noqa: F401
            await runner.greeting(time_left(ends, now()))
            opened = await runner.run(
                connect(
                    runner.connection,
                    who,
                    starttls=target.starttls,
                    login=LoginOptions(
                        mechanisms=mechanisms,
                        in_clear=target.in_clear,
                        host=target.host,
                        port=target.port,
                        memory=login_memory,
                    ),
                    identity=fields_of(identity),
                    enable=enable,
                    opening=None if mailbox is None else selecting(mailbox),
                    renew=ask,
                ),
                time_left(ends, now()),
            )
            if opened is not None:
                from imaplus.client._async_mailbox import AsyncMailbox

                client._mailbox = AsyncMailbox(runner, opened)
            if compress:
                await runner.run(compress_(runner.connection), time_left(ends, now()))
        except BaseException:
            await runner.close()
            raise
        return client

    # -- opening mailboxes ------------------------------------------------------------------

    @opening
    async def select(
        self,
        mailbox: str,
        *,
        uidvalidity: int | None = None,
        resync: Resync | None = None,
        timeout: float | None = None,
    ) -> AsyncMailbox:
        """Open a mailbox (RFC 9051, 6.3.2). The one open before is closed, without expunging.

        Args:
            mailbox: the name of the mailbox.
            uidvalidity: the UIDVALIDITY that your cached UIDs belong to.
            resync: the state that you cached. A server with QRESYNC (RFC 7162) then reports what
                has changed since, as `changes` and `vanished` of the result. For the next time,
                cache `highestmodseq` of the result, or that of `status()` if it is None.
            timeout: seconds to wait for the server in all.

        Returns:
            The mailbox. In a `with` statement, it is closed at the end of the block.

        Raises:
            NoSuchMailbox, Refused: it cannot be opened; no mailbox is open afterwards.
            UidValidityChanged: its UIDVALIDITY is not `uidvalidity`; it has been closed.
        """
        return await self._open(mailbox, False, uidvalidity, resync, timeout)

    @opening
    async def examine(
        self,
        mailbox: str,
        *,
        uidvalidity: int | None = None,
        resync: Resync | None = None,
        timeout: float | None = None,
    ) -> AsyncMailbox:
        """Open a mailbox read-only (RFC 9051, 6.3.3): see `select()`."""
        return await self._open(mailbox, True, uidvalidity, resync, timeout)

    async def _open(
        self,
        name: str,
        read_only: bool,
        uidvalidity: int | None,
        resync: Resync | None,
        timeout: float | None,
    ) -> AsyncMailbox:
        from imaplus.client._async_mailbox import AsyncMailbox

        runner, connection = self._runner, self.connection
        opened = await runner.run(
            mailboxes.open_mailbox(connection, name, read_only=read_only, resync=resync), timeout
        )
        found = opened.mailbox.uidvalidity
        if uidvalidity is not None and found != uidvalidity:
            await runner.run(mailboxes.leave_mailbox(connection))
            raise UidValidityChanged(name, uidvalidity, found)
        self._mailbox = AsyncMailbox(runner, opened)
        return self._mailbox

    @property
    def mailbox(self) -> AsyncMailbox:
        """The open mailbox, of `connect(mailbox=...)`, `select()` or `examine()`.

        Raises:
            StateError: no mailbox is open.
            ConnectionLost: the connection has ended.
        """
        if self._mailbox is None or not self._mailbox.is_open:
            self._runner.check_alive()
            raise StateError("no mailbox is selected: call select() first")
        return self._mailbox

    # -- many at once -----------------------------------------------------------------------

    async def save_draft(
        self,
        message: OutgoingMessage,
        *,
        mailbox: str | None = None,
        timeout: float | None = None,
    ) -> Appended:
        """Add a message to the drafts mailbox, with the flags \\Draft and \\Seen. Bcc is kept.

        Args:
            message: the message, as for `append()`.
            mailbox: the mailbox to add it to; by default that of `find(SpecialUse.DRAFTS)`, which
                is created if there is none.
            timeout: seconds to wait for the server in all.

        Returns:
            The UID of the draft, if the server has UIDPLUS (RFC 4315).

        Raises:
            MessageRefused, OverQuota, Refused: the server did not accept the message.
        """
        ends = deadline_in(timeout, now())
        if mailbox is None:
            from imaplus.flows.special_use import drafts

            mailbox = await self._runner.run(drafts(self.connection), timeout)
        left = time_left(ends, now())
        return await self.append(mailbox, message, flags=("\\Draft", "\\Seen"), timeout=left)

    @overload
    async def append_many(
        self,
        mailbox: str,
        messages: Iterable[OutgoingMessage],
        *,
        check: Literal[True] = True,
        timeout: float | None = None,
    ) -> tuple[Appended, ...]: ...
    @overload
    async def append_many(
        self,
        mailbox: str,
        messages: Iterable[OutgoingMessage],
        *,
        check: bool,
        timeout: float | None = None,
    ) -> tuple[Appended | ImapError, ...]: ...
    async def append_many(
        self,
        mailbox: str,
        messages: Iterable[OutgoingMessage],
        *,
        check: bool = True,
        timeout: float | None = None,
    ) -> tuple[Appended | ImapError, ...]:
        """Add many messages in few round trips.

        Messages are sent in batches, a few of them ahead of the answers; the iterable is consumed
        as answers arrive. With MULTIAPPEND (RFC 3502) a batch is added as a whole or not at all: a
        refused message may affect up to 499 others.

        Args:
            mailbox: the name of the mailbox.
            messages: the messages, as for `append()`; an `Outgoing(...)` has flags and a date.
            check: raise the first refusal. If False, refusals are entries of the result. If the
                connection is lost, messages that may have been added have OutcomeUnknown, and the
                result ends there.
            timeout: seconds to wait for the server in all.

        Returns:
            An entry for each message, in order: its UID if the server has UIDPLUS, or its error.

        Raises:
            NoSuchMailbox, MessageRefused, OverQuota, Refused: the first refusal. No more messages
                are sent; other messages may have been added.
        """
        from imaplus.client.adding import Adding
        from imaplus.flows.outgoing import outgoing, takes_nul

        connection = self.connection
        adding, binary = Adding(connection, mailbox, check=check), takes_nul(connection)
        prepared = (outgoing(message, binary=binary) for message in messages)
        await self._runner.run_at_once(adding.begin(prepared), most=BATCHES, timeout=timeout)
        return tuple(adding.outcomes())

    def pipeline(self, *, check: bool = True, timeout: float | None = None) -> AsyncPipeline:
        """Collect commands, and send them together at the end of the block (RFC 9051, 5.5)::

            async with client.pipeline() as pipe:
                answers = [pipe.status(name) for name in names]
            print([answer.result().messages for answer in answers])

        The pipeline has the methods of the client, and `pipe.mailbox` has those of the open
        mailbox. Each returns an `Answer`.

        Args:
            check: at the end of the block, raise the first error in the order of the calls. If
                False, only `Answer.result()` raises.
            timeout: seconds to wait for all answers.
        """
        from imaplus.client._async_pipeline import AsyncPipeline

        return AsyncPipeline(self._runner, lambda: self.mailbox, check=check, timeout=timeout)

# Generated from _async.py by tools/gen_sync.py: edit that file instead.
"""The client: connect, find and open mailboxes, run any command or flow::

    inbox = client.select("INBOX")

What is done with a mailbox stands in `Mailbox`. This class puts names to flows, and does no
more: what a server lacks, flows make up for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import monotonic as now
from typing import TYPE_CHECKING, Literal, Self, overload

from imaplus.client import targets
from imaplus.client._sync_base import BaseClient
from imaplus.client._sync_runner import Runner
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

if TYPE_CHECKING:  # what few sessions need is loaded when they do
    from imaplus.client._sync_mailbox import Mailbox
    from imaplus.client._sync_pipeline import Pipeline
    from imaplus.core.append import Appended
    from imaplus.extensions.qresync import Resync
    from imaplus.flows.outgoing import OutgoingMessage
    from imaplus.sasl import Credentials, CredentialsSource

BATCHES = 4
"""Batches of messages on their way at once: the server has the next while it answers for one."""


class Client(BaseClient):
    """A session with an IMAP server. Threads may share it: their commands are pipelined.

    `connect()` makes one; a `with` statement logs out at the end of the block::

        with Client.connect(
            "imap.example.org", user="ada", password="correct horse"
        ) as client:
            with client.select("INBOX") as inbox:
                print(inbox.exists, "messages")

    Errors are those of `imaplus.errors`, all of them ImapErrors. After a ConnectionLost the client
    is of no use any more, and every command that was under way has raised it. `timeout` is the
    seconds that a method may wait for the server in all; without it, `Timeouts.command` says how
    long a server may make no progress. Either way TimedOut closes the connection.
    """

    _mailbox: Mailbox | None = None

    @classmethod
    def connect(
        cls,
        where: str | Endpoint,
        port: int | None = None,
        *,
        user: str | None = None,
        password: str | Secret | None = None,
        credentials: Credentials | CredentialsSource | None = None,
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

        With neither, the session stays unauthenticated. No password is sent in a form that others
        can read, unless `security` is PLAIN.

        Args:
            where: a host name, an imap:// or imaps:// URL (RFC 5092), or an endpoint of
                `imaplus.endpoints`.
            port: 993, or 143 if `security` is not TLS, unless you or the URL say otherwise.
            user: who to log in as; a URL may name them, too.
            password: theirs.
            credentials: what to log in with instead, of `imaplus.credentials`; or a function that
                gives it (for the sync client, also one whose result is awaited). That is called
                before connecting, and once more if the server refuses a token as expired.
            security: TLS, unless you, the URL or the endpoint say otherwise.
            tls: how to verify the server.
            timeouts: how long to wait for what.
            limits: what a server may make us hold.
            mechanisms: the SASL mechanism or mechanisms that may be used, in order of preference;
                "LOGIN" stands for the command of that name, too. Without it, those that do not
                expose the password come first.
            enable: extensions to ENABLE where the server has them (RFC 9051, 6.3.1).
            identity: what to say in ID (RFC 2971); imaplus and its version if it is None.
            compress: use COMPRESS=DEFLATE where the server has it (RFC 4978).
            mailbox: open this mailbox at once; it is `client.mailbox` then. That saves round trips:
                where the server is known to read ahead, all is sent with the login.
            read_only: open it by EXAMINE.
            on_event: called with each value that the server sends unasked.
            trace: called with each line of the dialogue: "C" or "S", and the bytes of the line,
                secrets blanked.
            proxy: the URL of a SOCKS5 or HTTP proxy, such as "socks5://ada:secret@proxy:1080" or
                "http://proxy:3128". The proxy resolves the server's name; TLS is between client
                and server. Proxies named in the environment are ignored.
            login_memory: the mechanisms that servers have offered before. A server that stops
                offering the one to log in by is not logged in to. All connections of the process
                share one, in which this machine's own servers are not kept; None is for no memory.
            timeout: seconds that all of this may take, beside `timeouts`.

        Raises:
            InvalidArgument: an argument is of a wrong kind, or contradicts another one.
            ConnectionLost, TimedOut, TlsFailed, ProxyFailed: the server cannot be reached as asked.
            AuthenticationFailed: the server does not accept the credentials; its `others` are the
                mechanisms left to try.
            NoMechanism: there is no way to log in that both sides accept.
            MechanismWithdrawn: the server no longer offers what it offered before.
            NoSuchMailbox, Refused: the mailbox cannot be opened.
        """
        from imaplus.client.identity import fields_of
        from imaplus.client.streams import Stream
        from imaplus.client.turns import result_of
        from imaplus.flows.connect import compress as compress_
        from imaplus.flows.connect import connect
        from imaplus.flows.login import LoginOptions

        ends = deadline_in(timeout, now())
        password = None if password is None else Secret(password)  # tracebacks may show variables
        proxy = None if proxy is None else Secret(proxy)
        selecting = Examine if read_only else Select
        target = targets.target(where, port, security, user, proxy)
        ask = credentials if callable(credentials) else None
        who = targets.password_of(target.user, password, credentials)
        if credentials is not None:
            who = targets.checked(result_of(ask) if ask else credentials)
        left = least(timeouts.connect, time_left(ends, now()))
        stream = Stream.connect(target.endpoint, tls, left, target.proxy)
        runner = Runner(
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
                # The server may still be about to greet us: there is time to load what that takes.
                import imaplus.client._sync_mailbox  # noqa: F401
            runner.greeting(time_left(ends, now()))
            opened = runner.run(
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
                from imaplus.client._sync_mailbox import Mailbox

                client._mailbox = Mailbox(runner, opened)
            if compress:
                runner.run(compress_(runner.connection), time_left(ends, now()))
        except BaseException:
            runner.close()
            raise
        return client

    # -- opening mailboxes ------------------------------------------------------------------

    def select(
        self,
        mailbox: str,
        *,
        uidvalidity: int | None = None,
        resync: Resync | None = None,
        timeout: float | None = None,
    ) -> Mailbox:
        """Open a mailbox (RFC 9051, 6.3.2). What was open before is closed, without expunging.

        In a `with` statement the mailbox is closed at the end of the block.

        Args:
            mailbox: its name.
            uidvalidity: the UIDVALIDITY that your cached UIDs belong to.
            resync: what you know of the mailbox; the server tells what has changed since, if it has
                QRESYNC (RFC 7162): see `changes` and `vanished` of the result. Its `highestmodseq`
                is what to resync from next time, or that of `status()` where SELECT does not
                tell it.

        Raises:
            NoSuchMailbox, Refused: it cannot be opened; none is open then.
            UidValidityChanged: it has another UIDVALIDITY; it has been closed again.
        """
        return self._open(mailbox, False, uidvalidity, resync, timeout)

    def examine(
        self,
        mailbox: str,
        *,
        uidvalidity: int | None = None,
        resync: Resync | None = None,
        timeout: float | None = None,
    ) -> Mailbox:
        """Open a mailbox for reading only (RFC 9051, 6.3.3). Otherwise it is as `select()`."""
        return self._open(mailbox, True, uidvalidity, resync, timeout)

    def _open(
        self,
        name: str,
        read_only: bool,
        uidvalidity: int | None,
        resync: Resync | None,
        timeout: float | None,
    ) -> Mailbox:
        from imaplus.client._sync_mailbox import Mailbox

        runner, connection = self._runner, self.connection
        opened = runner.run(
            mailboxes.open_mailbox(connection, name, read_only=read_only, resync=resync), timeout
        )
        found = opened.mailbox.uidvalidity
        if uidvalidity is not None and found != uidvalidity:
            runner.run(mailboxes.leave_mailbox(connection))
            raise UidValidityChanged(name, uidvalidity, found)
        self._mailbox = Mailbox(runner, opened)
        return self._mailbox

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox that is open, by `connect(mailbox=...)`, `select()` or `examine()`.

        Raises:
            StateError: no mailbox is open.
            ConnectionLost: the connection has ended.
        """
        if self._mailbox is None or not self._mailbox.is_open:
            self._runner.check_alive()
            raise StateError("no mailbox is selected: call select() first")
        return self._mailbox

    # -- many at once -----------------------------------------------------------------------

    def save_draft(
        self,
        message: OutgoingMessage,
        *,
        mailbox: str | None = None,
        timeout: float | None = None,
    ) -> Appended:
        """Add a message, marked \\Draft and \\Seen, to the mailbox for drafts. Bcc stays in it.

        Args:
            message: as for `append()`.
            mailbox: where to put it; without it, what `find(SpecialUse.DRAFTS)` gives, which is
                created if there is none.

        Returns:
            The UID that it got, where the server tells.

        Raises:
            MessageRefused, Refused: the server does not take it.
        """
        ends = deadline_in(timeout, now())
        if mailbox is None:
            from imaplus.flows.special_use import drafts

            mailbox = self._runner.run(drafts(self.connection), timeout)
        left = time_left(ends, now())
        return self.append(mailbox, message, flags=("\\Draft", "\\Seen"), timeout=left)

    @overload
    def append_many(
        self,
        mailbox: str,
        messages: Iterable[OutgoingMessage],
        *,
        check: Literal[True] = True,
        timeout: float | None = None,
    ) -> tuple[Appended, ...]: ...
    @overload
    def append_many(
        self,
        mailbox: str,
        messages: Iterable[OutgoingMessage],
        *,
        check: bool,
        timeout: float | None = None,
    ) -> tuple[Appended | ImapError, ...]: ...
    def append_many(
        self,
        mailbox: str,
        messages: Iterable[OutgoingMessage],
        *,
        check: bool = True,
        timeout: float | None = None,
    ) -> tuple[Appended | ImapError, ...]:
        """Add many messages in few round trips.

        Messages go out by hundreds, a few batches ahead of the answers, and the iterable is asked
        for more as these come. With MULTIAPPEND (RFC 3502) a batch is added as a whole or not at
        all: one message that is refused takes up to 499 others with it.

        Args:
            mailbox: its name.
            messages: as for `append()`; an `Outgoing(...)` has flags and a date of its own.
            check: raise the first refusal. Without it nothing is raised for one: what was not added
                has its error in the result. If the connection is lost then, what may have been
                added has OutcomeUnknown, and the result ends there.

        Returns:
            An entry for each message, in order, with the UID that it got where the server tells.

        Raises:
            NoSuchMailbox, MessageRefused, OverQuota, Refused: what the server said first. No more
                messages are given to it then, but others than these may have been added.
        """
        from imaplus.client.adding import Adding
        from imaplus.flows.outgoing import outgoing, takes_nul

        connection = self.connection
        adding, binary = Adding(connection, mailbox, check=check), takes_nul(connection)
        prepared = (outgoing(message, binary=binary) for message in messages)
        self._runner.run_at_once(adding.begin(prepared), most=BATCHES, timeout=timeout)
        return tuple(adding.outcomes())

    def pipeline(self, *, check: bool = True, timeout: float | None = None) -> Pipeline:
        """Send many commands together, when the block ends (RFC 9051, 5.5)::

            with client.pipeline() as pipe:
                answers = [pipe.status(name) for name in names]
            print([answer.result().messages for answer in answers])

        The methods of the pipeline are those of the client, and those of `pipe.mailbox` are those
        of the open mailbox. Each gives an `Answer`.

        Args:
            check: raise the first error in the order given, when all are over. Without it errors
                show in the answers alone.
            timeout: seconds that all together may take.
        """
        from imaplus.client._sync_pipeline import Pipeline

        return Pipeline(self._runner, lambda: self.mailbox, check=check, timeout=timeout)

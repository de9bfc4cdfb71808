# Generated from _async.py by tools/gen_sync.py: edit that file instead.
"""The client: connect, find and open mailboxes, run any command or flow::

    inbox = client.select("INBOX")

What is done with a mailbox stands in `Mailbox`. This class puts names to flows, and does no
more: what a server lacks, flows make up for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, Self, overload

from imaplus.client import targets
from imaplus.client._sync_runner import Runner
from imaplus.client.endpoints import (
    DEFAULT_TIMEOUTS,
    DEFAULT_TLS,
    Endpoint,
    Security,
    Timeouts,
    Tls,
)
from imaplus.core.mailboxes import (
    STATUS_ITEMS,
    Delete,
    Examine,
    MailboxStatus,
    Rename,
    Select,
    Subscribe,
    Unsubscribe,
)
from imaplus.core.session import DEFAULT_ENABLE, Logout, Noop
from imaplus.errors import ImapError, StateError, UidValidityChanged
from imaplus.flows import mailboxes
from imaplus.protocol.connection import Connection
from imaplus.protocol.telling import Trace
from imaplus.version import __version__
from imaplus.wire.frames import DEFAULT_LIMITS, Limits
from imaplus.wire.secret import Secret

if TYPE_CHECKING:  # what few sessions need is loaded when they do
    from datetime import datetime

    from imaplus.client._sync_mailbox import Mailbox
    from imaplus.client._sync_pipeline import Pipeline
    from imaplus.core.append import Appended
    from imaplus.core.listing import ListEntry, Namespaces
    from imaplus.extensions.qresync import Resync
    from imaplus.flows.outgoing import OutgoingMessage
    from imaplus.sasl import Credentials, CredentialsSource
    from imaplus.wire.flags import FlagsLike

IDENTITY = (("name", "imaplus"), ("version", __version__))
"""What we say of ourselves to servers that ask (RFC 2971)."""
FAREWELL = 5.0
"""Seconds that LOGOUT may take: the session is over in any case."""
BATCHES = 4
"""Batches of messages on their way at once: the server has the next while it answers for one."""


class Client(Runner):
    """A session with an IMAP server. Threads may share it: their commands are pipelined.

    Its errors are those of `imaplus.errors`, all of them ImapErrors. After a ConnectionLost the
    client is of no use any more, and every command that was under way has raised it.
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
    ) -> Self:
        """Connect to a host, an imap(s) URL or any `Endpoint`, and log in.

        Log in as `user` with `password`, or with `credentials`. With neither, the session stays
        unauthenticated. `credentials` may be a function that gives them (for the sync client, also
        one whose result is awaited): it is called before connecting, and once more if the server
        refuses the token as expired.

        `security` is TLS unless you, the URL or the endpoint say otherwise. `mechanisms` are the
        SASL mechanisms that may be used, in order of preference; "LOGIN" stands for the command of
        that name, too. Whatever they are, no password is sent in a form that others can read,
        unless the security is PLAIN.

        `proxy` is the URL of a SOCKS5 or HTTP proxy, such as "socks5://ada:secret@proxy:1080" or
        "http://proxy:3128". It resolves the server's name, and sees TLS only. The environment is
        not looked at.

        `mailbox` is opened at once, by EXAMINE if it is to be `read_only`, and is `client.mailbox`
        then: that saves the round trips of `select()`, and where the server is known to read ahead
        all is sent with the login.
        `on_event` is called with each value that the server sends unasked, and `trace` with each
        line of the dialogue ("C" or "S", octets), secrets blanked.

        Raises:
            InvalidArgument: the arguments make no sense together.
            ConnectionLost, TimedOut, TlsFailed, ProxyFailed: the server cannot be reached as asked.
            AuthenticationFailed: the server does not accept the credentials; which mechanisms are
                left to try is in its attributes.
            NoMechanism: there is no way to log in that both sides accept.
            NoSuchMailbox, Refused: the mailbox cannot be opened.
        """
        from imaplus.client.streams import Stream, result_of
        from imaplus.flows.connect import compress as compress_
        from imaplus.flows.connect import connect

        password = None if password is None else Secret(password)  # tracebacks may show variables
        proxy = None if proxy is None else Secret(proxy)
        opening = Examine if read_only else Select
        target = targets.target(where, port, security, user, proxy)
        ask = credentials if callable(credentials) else None
        who = targets.password_of(target.user, password, credentials)
        if credentials is not None:
            who = targets.checked(result_of(ask) if ask else credentials)
        stream = Stream.connect(target.endpoint, tls, timeouts.connect, target.proxy)
        client = cls(
            stream,
            Connection(limits=limits, secure=stream.secure, trace=trace),
            tls=tls,
            host=target.host,
            timeouts=timeouts,
            on_event=on_event,
        )
        try:
            if mailbox is not None:
                # The server may still be about to greet us: there is time to load what that takes.
                import imaplus.client._sync_mailbox  # noqa: F401
            client.greeting()
            opened = client.run(
                connect(
                    client.connection,
                    who,
                    starttls=target.starttls,
                    mechanisms=mechanisms,
                    in_clear=target.in_clear,
                    identity=IDENTITY if identity is None else tuple(identity.items()),
                    enable=enable,
                    host=target.host,
                    port=target.port,
                    opening=None if mailbox is None else opening(mailbox),
                    renew=ask,
                )
            )
            if opened is not None:
                from imaplus.client._sync_mailbox import Mailbox

                client._mailbox = Mailbox(client, opened)
            if compress:
                client.run(compress_(client.connection))
        except BaseException:
            client.close()
            raise
        return client

    def __exit__(self, *exception: object) -> None:
        self.logout()

    # -- the session ------------------------------------------------------------------------

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server offers, in capitals."""
        return self.connection.capabilities

    def can(self, capability: str) -> bool:
        """Whether a capability can be counted on: the server offers it, by itself or as a part of
        an IMAP4rev2 that is in force, and has not refused it when it was used or enabled."""
        return self.connection.can(capability)

    def noop(self) -> None:
        """Do nothing, and hear what has changed."""
        self.run(Noop())

    def id(self, fields: Mapping[str, str | None] | None = None) -> dict[str, str | None]:
        """Tell the server who we are; what it says of itself, such as {"name": "Dovecot"}."""
        from imaplus.extensions.id import Id

        told = self.run(Id(IDENTITY if fields is None else tuple(fields.items())))
        return dict(told)

    def logout(self) -> None:
        """Say goodbye and close the connection. It never fails: the session is over."""
        try:
            if self.connection.error is None:
                self.run(Logout(), FAREWELL)
        except ImapError:
            pass
        finally:
            self.close()

    # -- mailboxes --------------------------------------------------------------------------

    def list(
        self,
        reference: str = "",
        pattern: str = "*",
        *,
        subscribed: bool = False,
        status: str | Iterable[str] = (),
    ) -> list[ListEntry]:
        """The mailboxes that match a pattern, with all that the server tells in one command.

        `*` matches anything, `%` anything within one level. `status` are items such as "MESSAGES"
        to have with each mailbox.
        """
        from imaplus.flows.listing import list_mailboxes

        return self.run(
            list_mailboxes(
                self.connection, reference, pattern, subscribed=subscribed, status=status
            )
        )

    def status(self, mailbox: str, items: str | Iterable[str] = STATUS_ITEMS) -> MailboxStatus:
        """Numbers of a mailbox that need not be open: messages, unseen, ..."""
        return self.run(mailboxes.status(self.connection, mailbox, items))

    def namespaces(self) -> Namespaces:
        """Where mailboxes live: one's own, other users', shared ones."""
        from imaplus.flows.listing import namespaces

        return self.run(namespaces(self.connection))

    def create(self, mailbox: str) -> str | None:
        """Make a mailbox. Returns its MAILBOXID; None if the server has no OBJECTID.

        Raises AlreadyExists, if the server says so in its code.
        """
        return self.run(mailboxes.create(self.connection, mailbox))

    def delete(self, mailbox: str) -> None:
        """Remove a mailbox with all its messages."""
        self.run(Delete(mailbox))

    def rename(self, mailbox: str, new_name: str) -> None:
        """Give a mailbox another name."""
        self.run(Rename(mailbox, new_name))

    def subscribe(self, mailbox: str) -> None:
        """Add a mailbox to the subscribed ones."""
        self.run(Subscribe(mailbox))

    def unsubscribe(self, mailbox: str) -> None:
        """Take a mailbox from the subscribed ones."""
        self.run(Unsubscribe(mailbox))

    def select(
        self, mailbox: str, *, uidvalidity: int | None = None, resync: Resync | None = None
    ) -> Mailbox:
        """Open a mailbox. What was open before is closed, and nothing in it expunged.

        `uidvalidity` is the one under which UIDs were kept. With `resync` the server tells what
        changed and what went since, if it has QRESYNC: see `Mailbox.changes`. What to resync
        from is its `highestmodseq`, or that of `status()` where SELECT does not tell it.

        Raises:
            NoSuchMailbox, Refused: it cannot be opened.
            UidValidityChanged: it is not the mailbox that it was; it is closed again.
        """
        return self._open(mailbox, False, uidvalidity, resync)

    def examine(
        self, mailbox: str, *, uidvalidity: int | None = None, resync: Resync | None = None
    ) -> Mailbox:
        """Open a mailbox for reading only: as `select()`, but nothing in it can change."""
        return self._open(mailbox, True, uidvalidity, resync)

    def _open(
        self, name: str, read_only: bool, uidvalidity: int | None, resync: Resync | None
    ) -> Mailbox:
        from imaplus.client._sync_mailbox import Mailbox

        opened = self.run(
            mailboxes.open_mailbox(self.connection, name, read_only=read_only, resync=resync)
        )
        found = opened.mailbox.uidvalidity
        if uidvalidity is not None and found != uidvalidity:
            self.run(mailboxes.leave_mailbox(self.connection))
            raise UidValidityChanged(name, uidvalidity, found)
        self._mailbox = Mailbox(self, opened)
        return self._mailbox

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox that is open: by `connect(mailbox=...)`, `select()` or `examine()`.

        Raises:
            StateError: none is.
            ConnectionLost: the connection has ended.
        """
        if self._mailbox is None or not self._mailbox.is_open:
            self.check_alive()
            raise StateError("no mailbox is open")
        return self._mailbox

    # -- adding messages --------------------------------------------------------------------

    def append(
        self,
        mailbox: str,
        message: OutgoingMessage,
        *,
        flags: FlagsLike = (),
        date: datetime | None = None,
    ) -> Appended:
        """Add a message: octets, a binary file (streamed), or an `email` message.

        Octets travel unchanged; lines should end in CRLF. `flags` is one flag or several, and
        `date` becomes its INTERNALDATE; an `Outgoing` keeps its own beside these. The result has
        the UID that it got, where the server tells.

        Raises:
            InvalidArgument: this is no message, or no flag; or an `Outgoing` has another date.
            NoSuchMailbox, MessageRefused, Refused: what the server said.
        """
        from imaplus.flows.messages import append_one
        from imaplus.flows.outgoing import outgoing

        prepared = outgoing(message, flags, date, binary=self.takes_nul)
        return self.run(append_one(self.connection, mailbox, prepared))

    @overload
    def append_many(
        self, mailbox: str, messages_: Iterable[OutgoingMessage], *, check: Literal[True] = True
    ) -> tuple[Appended, ...]: ...
    @overload
    def append_many(
        self, mailbox: str, messages_: Iterable[OutgoingMessage], *, check: bool
    ) -> tuple[Appended | ImapError, ...]: ...
    def append_many(
        self, mailbox: str, messages_: Iterable[OutgoingMessage], *, check: bool = True
    ) -> tuple[Appended | ImapError, ...]:
        """Add many messages in few round trips: `Outgoing(...)` gives each its flags and date.

        The result has an entry for each message, in order: what it is called there, where the
        server tells. Messages go out by hundreds, a few batches ahead of the answers, and the
        iterable is asked for more as these come. With MULTIAPPEND (RFC 3502) a batch is added as a
        whole or not at all: one message that is refused takes up to 499 others with it.

        Without `check` no refusal is raised: what was not added has the error in its place. If the
        connection is lost, what may have been added has OutcomeUnknown, and the result ends there.

        Raises:
            NoSuchMailbox, MessageRefused, Refused: what the server said first. No more messages
                are given to it then, but others than these may have been added.
        """
        from imaplus.client.adding import Adding
        from imaplus.flows.outgoing import outgoing

        adding = Adding(self.connection, mailbox, check=check)
        prepared = (outgoing(message, binary=self.takes_nul) for message in messages_)
        self.run_at_once(adding.begin(prepared), most=BATCHES)
        return tuple(adding.outcomes())

    # -- many at once -----------------------------------------------------------------------

    def pipeline(self, *, check: bool = True, timeout: float | None = None) -> Pipeline:
        """Give many commands at once, to be sent together when the block ends::

            with client.pipeline() as pipe:
                answers = [pipe.status(name) for name in names]
            print([answer.result().messages for answer in answers])

        With `check` the end of the block raises the first error in the order given, when all are
        over; without, errors show in the answers alone.

        Raises:
            TimedOut: all together took longer than `timeout` seconds; the connection is closed.
        """
        from imaplus.client._sync_pipeline import Pipeline

        return Pipeline(self, check=check, timeout=timeout)

    @property
    def takes_nul(self) -> bool:
        """Whether messages may have NUL octets: BINARY on its own, not as a part of IMAP4rev2."""
        return "BINARY" in self.capabilities

# Generated from _async.py by tools/gen_sync.py: edit that file instead.
"""The client: connect, list and select mailboxes, run any command or flow::

    inbox = client.select("INBOX")

Methods for messages are in `Mailbox`. Each method here runs one flow; flows know how to do
without what a server lacks.
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
from imaplus.core.bulk import bulk_reader
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
from imaplus.sasl.memory import PROCESS_MEMORY, LoginMemory
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
"""How the client identifies itself (ID, RFC 2971)."""
FAREWELL = 5.0
"""Seconds that LOGOUT may take."""
BATCHES = 4
"""Batches of messages on their way at once: the server has the next while it answers for one."""


class Client(Runner):
    """A session with an IMAP server. Threads may share it: their commands are pipelined.

    All its errors are in `imaplus.errors`, below ImapError. After ConnectionLost the client cannot
    be used again, and every command that was under way raises it too.
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

        `login_memory` has the mechanisms that servers have offered before: a server that stops
        offering the one we would log in by is not logged in to. All connections of the process
        share one, in which this machine's own servers are not kept; None is for no memory.

        `proxy` is the URL of a SOCKS5 or HTTP proxy, such as "socks5://ada:secret@proxy:1080" or
        "http://proxy:3128". The proxy resolves the server's name; TLS is between client and server.
        Proxies named in the environment are ignored.

        `mailbox` is selected right away (examined, if `read_only`) and is then `client.mailbox`.
        That saves the round trips of `select()`: servers known to read ahead get it with the login.
        `on_event` is called with each value that the server sends unasked, and `trace` with each
        line of the dialogue ("C" or "S", bytes), secrets blanked.

        Raises:
            InvalidArgument: an argument is of a wrong kind, or contradicts another one.
            ConnectionLost, TimedOut, TlsFailed, ProxyFailed: the server cannot be reached as asked.
            AuthenticationFailed: the server does not accept the credentials; its `others` are the
                mechanisms left to try.
            NoMechanism: there is no way to log in that both sides accept.
            MechanismWithdrawn: the server no longer offers what it offered before.
            NoSuchMailbox, Refused: the mailbox cannot be selected.
        """
        from imaplus.client.streams import Stream, result_of
        from imaplus.flows.connect import compress as compress_
        from imaplus.flows.connect import connect
        from imaplus.flows.login import LoginOptions

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
            Connection(limits=limits, secure=stream.secure, trace=trace, bulk=bulk_reader),
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
                    login=LoginOptions(
                        mechanisms=mechanisms,
                        in_clear=target.in_clear,
                        host=target.host,
                        port=target.port,
                        memory=login_memory,
                    ),
                    identity=IDENTITY if identity is None else tuple(identity.items()),
                    enable=enable,
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
        """Send NOOP, which lets the server report changes (RFC 9051, 6.1.2)."""
        self.run(Noop())

    def id(self, fields: Mapping[str, str | None] | None = None) -> dict[str, str | None]:
        """Identify to the server and return its own fields: {"name": "Dovecot"} (RFC 2971)."""
        from imaplus.extensions.id import Id

        told = self.run(Id(IDENTITY if fields is None else tuple(fields.items())))
        return dict(told)

    def logout(self) -> None:
        """Log out and close the connection. Errors of the server or the network are ignored."""
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
        """List the mailboxes that match a pattern, with their attributes (LIST).

        `*` matches anything, `%` anything within one level. `status` are STATUS items, such as
        "MESSAGES", to fetch with each mailbox.
        """
        from imaplus.flows.listing import list_mailboxes

        return self.run(
            list_mailboxes(
                self.connection, reference, pattern, subscribed=subscribed, status=status
            )
        )

    def status(self, mailbox: str, items: str | Iterable[str] = STATUS_ITEMS) -> MailboxStatus:
        """Return counts of any mailbox (STATUS); those that the server does not know are None."""
        return self.run(mailboxes.status(self.connection, mailbox, items))

    def namespaces(self) -> Namespaces:
        """Return the namespaces: personal, other users', shared (RFC 9051, 6.3.10)."""
        from imaplus.flows.listing import namespaces

        return self.run(namespaces(self.connection))

    def exists(self, mailbox: str) -> bool:
        """Whether there is a mailbox of this name that can be opened (LIST)."""
        from imaplus.flows.special_use import exists

        return self.run(exists(self.connection, mailbox))

    def find(self, special_use: str) -> ListEntry | None:
        """The mailbox for sent mail, drafts, trash and the like: `find("\\Sent")`; or None.

        By SPECIAL-USE (RFC 6154) or XLIST; else by well-known names in many languages, such as
        "Sent Items" and "Gesendete Elemente". Of several it is the one nearest to the top.

        Raises:
            InvalidArgument: there is no such special use.
        """
        from imaplus.flows.special_use import find

        return self.run(find(self.connection, special_use))

    def create(
        self, mailbox: str, *, special_use: str | None = None, exist_ok: bool = False
    ) -> str | None:
        """Create a mailbox. Returns its MAILBOXID; None if the server has no OBJECTID.

        `special_use` is what it is for, such as "\\Sent": the server is told, if it has
        CREATE-SPECIAL-USE (RFC 6154). With `exist_ok` it may be there already, and stays as it is.

        Raises:
            AlreadyExists: it is there, and the server's response code says so.
            InvalidArgument: there is no such special use.
        """
        from imaplus.flows.special_use import ensure

        flow = ensure(self.connection, mailbox, special_use, exist_ok=exist_ok)
        return self.run(flow)

    def delete(self, mailbox: str) -> None:
        """Delete a mailbox and all its messages."""
        self.run(Delete(mailbox))

    def rename(self, mailbox: str, new_name: str) -> None:
        """Rename a mailbox."""
        self.run(Rename(mailbox, new_name))

    def subscribe(self, mailbox: str) -> None:
        """Subscribe to a mailbox."""
        self.run(Subscribe(mailbox))

    def unsubscribe(self, mailbox: str) -> None:
        """Unsubscribe from a mailbox."""
        self.run(Unsubscribe(mailbox))

    def select(
        self, mailbox: str, *, uidvalidity: int | None = None, resync: Resync | None = None
    ) -> Mailbox:
        """Open a mailbox (SELECT). The one that was open is closed; nothing in it is expunged.

        `uidvalidity` is the UIDVALIDITY your cached UIDs belong to. With `resync` the server
        reports what has changed since, if it has QRESYNC: see `Mailbox.changes` and
        `.vanished`. The MODSEQ to start from is an earlier `highestmodseq`.

        Raises:
            NoSuchMailbox, Refused: the mailbox cannot be selected.
            UidValidityChanged: cached UIDs are invalid; the mailbox is closed again.
        """
        return self._open(mailbox, False, uidvalidity, resync)

    def examine(
        self, mailbox: str, *, uidvalidity: int | None = None, resync: Resync | None = None
    ) -> Mailbox:
        """Open a mailbox read-only (EXAMINE): as `select()`, but nothing in it can be changed."""
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
            StateError: no mailbox is selected.
            ConnectionLost: the connection has ended.
        """
        if self._mailbox is None or not self._mailbox.is_open:
            self.check_alive()
            raise StateError("no mailbox is selected: call select() first")
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
        """Append a message: bytes, a binary file (streamed), an `email` message or an `Outgoing`.

        Bytes are sent unchanged; lines should end in CRLF. `flags` is one flag or several, `date`
        the INTERNALDATE; the flags of an `Outgoing` are kept as well. The result has the new UID,
        if the server reports it (UIDPLUS).

        Raises:
            InvalidArgument: a wrong kind of message or flag; an `Outgoing` has another date.
            NoSuchMailbox, MessageRefused, Refused: the server does not take it.
        """
        from imaplus.flows.messages import append_one
        from imaplus.flows.outgoing import outgoing

        prepared = outgoing(message, flags, date, binary=self.takes_nul)
        return self.run(append_one(self.connection, mailbox, prepared))

    def save_draft(self, message: OutgoingMessage, *, mailbox: str | None = None) -> Appended:
        """Add a message, marked \\Draft and \\Seen, to the mailbox for drafts; its UID there.

        Without `mailbox` that is what `find("\\Drafts")` gives; if there is none, it is created.
        Bcc stays in it.

        Raises:
            MessageRefused, Refused: what the server said.
        """
        if mailbox is None:
            from imaplus.flows.special_use import drafts

            mailbox = self.run(drafts(self.connection))
        return self.append(mailbox, message, flags=("\\Draft", "\\Seen"))

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
        """Append many messages in few round trips: `Outgoing(...)` gives each its flags and date.

        Returns an entry for each message, in order, with its new UID if the server reports it.
        Messages are sent in batches of hundreds, a few batches ahead of the answers; the iterable
        is consumed as answers arrive. With MULTIAPPEND (RFC 3502) a batch is added as a whole or
        not at all: if one message is refused, up to 499 others of its batch are not added either.

        With `check=False` errors are returned, each in the place of its message. If the connection
        is lost, messages that may have been added have OutcomeUnknown, and the result ends there.

        Raises:
            NoSuchMailbox, MessageRefused, Refused: the first refusal. Nothing more is sent then;
                other messages, before and after the refused one, may have been added.
        """
        from imaplus.client.adding import Adding
        from imaplus.flows.outgoing import outgoing

        adding = Adding(self.connection, mailbox, check=check)
        prepared = (outgoing(message, binary=self.takes_nul) for message in messages_)
        self.run_at_once(adding.begin(prepared), most=BATCHES)
        return tuple(adding.outcomes())

    # -- many at once -----------------------------------------------------------------------

    def pipeline(self, *, check: bool = True, timeout: float | None = None) -> Pipeline:
        """Collect commands in a block, and send them together when it ends::

            with client.pipeline() as pipe:
                answers = [pipe.status(name) for name in names]
            print([answer.result().messages for answer in answers])

        When all are done, the end of the block raises the first error, in the order of the
        commands; with `check=False`, errors are only raised by `Answer.result()`.

        Raises:
            TimedOut: it took longer than `timeout` seconds; the connection is closed.
        """
        from imaplus.client._sync_pipeline import Pipeline

        return Pipeline(self, check=check, timeout=timeout)

    @property
    def takes_nul(self) -> bool:
        """Whether messages may contain NUL: with BINARY itself, not as a part of IMAP4rev2."""
        return "BINARY" in self.capabilities

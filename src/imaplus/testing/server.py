"""The server: accounts, listeners, connections, and the interface for tests.

`AsyncServer` runs in the caller's event loop, `Server` (in `threaded`) in a thread of its own. The
methods of `BaseServer` are common to both and may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

from imaplus.errors import InvalidArgument
from imaplus.testing import (
    commands_append,
    commands_fetch,
    commands_list,
    commands_mailboxes,
    commands_messages,
    commands_search,
    commands_select,
    commands_session,
)
from imaplus.testing import personality as personalities
from imaplus.testing.content import Content
from imaplus.testing.faults import Fault
from imaplus.testing.gmail import GmailAccount
from imaplus.testing.mishaps import Mishap
from imaplus.testing.personality import Personality
from imaplus.testing.session import Session
from imaplus.testing.snapshots import Snapshot
from imaplus.testing.store import Account, Home, Mailbox
from imaplus.testing.streams import Pipe, Tls
from imaplus.testing.tls import Authority

COMMAND_MODULES: Final = (
    commands_append,
    commands_fetch,
    commands_list,
    commands_mailboxes,
    commands_messages,
    commands_search,
    commands_select,
    commands_session,
)
"""Importing these modules fills the registry."""
KEPT_CONNECTIONS: Final = 1000
"""Number of connections whose commands are kept for tests."""
ACCEPTING: Final = 3
"""Iterations of the event loop until an accepted connection has been registered."""
HANDSHAKE: Final = 30.0
"""Maximum duration of a TLS handshake, in seconds."""

Security = Literal["plain", "starttls", "tls"]
"""Without TLS, with STARTTLS offered, or with TLS from the start."""


class Hub:
    """The state that all sessions share."""

    def __init__(self, who: Personality, *, require_tls: bool) -> None:
        self.personality = who
        self.require_tls = require_tls
        self.accounts: dict[str, Account] = {}
        self.present = 0
        """Number of sessions that are logged in."""
        self._happened: Counter[Mishap] = Counter()

    def may_happen(self, mishap: Mishap, *, counts: bool) -> bool:
        """Return whether a mishap happens now; with `counts`, count the occasion."""
        happened = self._happened[mishap] + 1
        if counts:
            self._happened[mishap] = happened
        happened -= mishap.spared
        return happened > 0 and (mishap.times is None or happened <= mishap.times)


class BaseServer:
    """The common part of `Server` and `AsyncServer`.

    Args:
        personality: the server to imitate; see `PERSONALITIES`.
        user, password: the first account, which has only an INBOX.
        security: "tls" from the start, "starttls" offered, or "plain".
        require_tls: with "starttls", announce LOGINDISABLED until TLS is active.
        context: for TLS; by default a new authority is made, which requires `trustme`.
        host, port: where to listen; port 0 chooses a free port.
        unix: path of a UNIX socket to listen on instead.
        preauth: greet with PREAUTH: each connection is authenticated from the start.

    Raises:
        InvalidArgument: the personality is unknown.
    """

    def __init__(
        self,
        *,
        personality: str | Personality = "rev1",
        user: str = "ada",
        password: str = "correct horse",
        security: Security = "plain",
        require_tls: bool = True,
        context: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        unix: str | Path | None = None,
        preauth: bool = False,
    ) -> None:
        who = personalities.named(personality)
        self.hub: Hub = Hub(who, require_tls=require_tls and security == "starttls")
        self.host: str = host
        self.port: int = port
        self.unix = unix
        self.user = user
        self.password = password
        self.security: Security = security
        self.authority: Authority | None = None
        self._preauth = preauth
        self._context = context
        self._ca_file: tempfile.TemporaryDirectory[str] | None = None
        self._home = Home()
        self._sessions: deque[Session] = deque(maxlen=KEPT_CONNECTIONS)
        self._open: dict[asyncio.Task[None], tuple[Pipe, Session | None]] = {}
        self._faults: deque[Fault] = deque()
        self._always = Fault()
        self._listener: asyncio.Server | None = None
        self.add_user(user, password)

    # -- accounts and mail ----------------------------------------------------------------------

    @property
    def personality(self) -> Personality:
        """The server that it imitates."""
        return self.hub.personality

    @property
    def url(self) -> str:
        """Its address as a URL with the first user's name, without a password."""
        scheme = "imaps" if self.security == "tls" else "imap"
        return f"{scheme}://{self.user}@{self.host}:{self.port}/"

    @property
    def ca_file(self) -> Path:
        """A file with the authority's certificate in PEM; it is deleted when the server stops.

        Raises:
            InvalidArgument: the server has no authority: it uses no TLS, or a given context.
        """
        if self.authority is None:
            raise InvalidArgument(
                "the server has no certificate authority: it uses a given context, or no TLS"
            )
        if self._ca_file is None:
            self._ca_file = tempfile.TemporaryDirectory(prefix="imaplus-testing-")
        return self.authority.write(Path(self._ca_file.name))

    def add_user(self, user: str, password: str) -> Account:
        """Add an account with an INBOX, and return it."""
        kind = GmailAccount if "X-GM-EXT-1" in self.personality.capabilities else Account
        account = kind(user, password, self._home, self.personality.delimiter)
        self.hub.accounts[user] = account
        return account

    def account(self, user: str | None = None) -> Account:
        """Return the account of a user (None: the first). Raises InvalidArgument if unknown."""
        try:
            return self.hub.accounts[self.user if user is None else user]
        except KeyError:
            raise InvalidArgument(f"unknown user {user!r}: add it with add_user()") from None

    def mailbox(self, name: str = "INBOX", *, user: str | None = None) -> Mailbox:
        """Return a mailbox; its methods change it and notify every session.

        Raises:
            InvalidArgument: there is no such user or mailbox.
        """
        return self.account(user).mailbox(name)

    def add_mailbox(
        self, name: str, *attributes: str, subscribed: bool = False, user: str | None = None
    ) -> Mailbox:
        """Create a mailbox and return it; `attributes` are special uses such as `\\Sent`."""
        return self.account(user).create(name, *attributes, subscribed=subscribed)

    def add_message(
        self,
        mailbox: str,
        content: bytes | Content,
        flags: Iterable[str] = (),
        internaldate: datetime | None = None,
        *,
        user: str | None = None,
    ) -> int:
        """Deliver a message and return its UID.

        Args:
            mailbox: name of an existing mailbox.
            content: the message with CRLF line ends, or a `Content` such as `Generated`.
            flags: such as `("\\Seen",)`.
            internaldate: default: now.
            user: user name; None for the first user.

        Raises:
            InvalidArgument: there is no such user or mailbox.
        """
        return self.mailbox(mailbox, user=user).add(content, flags, internaldate)

    def copy_message(self, mailbox: str, uid: int, target: str, *, user: str | None = None) -> int:
        """Copy a message and return its UID in `target`; with Gmail, add the label.

        The copy has the same EMAILID.
        """
        return self.mailbox(mailbox, user=user).copy_to(uid, self.mailbox(target, user=user))

    def delete_mailbox(self, name: str, *, user: str | None = None) -> None:
        """Delete a mailbox; sessions that have it selected are disconnected."""
        self.account(user).delete(name)

    def rename_mailbox(self, name: str, new: str, *, user: str | None = None) -> None:
        """Rename a mailbox and its children; UIDVALIDITY, UIDs and MAILBOXID stay the same."""
        self.account(user).rename(name, new)

    def snapshot(self) -> Snapshot:
        """Save the state of all accounts, for `restore`."""
        return self._home.run(lambda: Snapshot.of(self.hub.accounts.values()))

    def restore(self, snapshot: Snapshot) -> None:
        """Restore the accounts from a snapshot, like a server that is restored from a backup.

        UIDNEXT and HIGHESTMODSEQ are reset, so later UIDs are assigned again; mailboxes created
        since are removed, and deleted ones exist again. Sessions that have a mailbox selected are
        disconnected.
        """
        self._home.run(snapshot.restore)

    # -- sessions and faults ----------------------------------------------------------------------

    @property
    def sessions(self) -> list[Session]:
        """The latest 1,000 connections, oldest first."""
        return self._home.run(lambda: list(self._sessions))

    @property
    def commands(self) -> list[list[str]]:
        """The command lines of each connection, with tags, and with literals up to 4 kB.

        They include passwords.
        """
        return self._home.run(lambda: [list(session.commands) for session in self._sessions])

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """Apply faults to the next connections, one each; repeat the sequence `times` times."""
        self._home.run(lambda: self._faults.extend(faults * times))

    def fail_always(self, fault: Fault) -> None:
        """Apply a fault to every new connection, in addition to `fail_next`; `Fault()` ends it.

        Faults count per connection: `Fault.cut_after_sent(1000)` cuts each one after 1,000 bytes.
        Only the `times` of mishaps count over all connections.
        """
        self._always = fault

    def fail_now(self, fault: Fault) -> None:
        """Apply a fault to the open connections from now on, in addition to their other faults."""

        def change() -> None:
            for _, session in self._open.values():
                if session is not None:
                    session.add_fault(fault)

        self._home.run(change)

    def disconnect(self, text: str | None = "Server is shutting down") -> None:
        """Send BYE with this text to every client and close; with None, close without BYE."""
        self._home.run(lambda: self._disconnect(text))

    def _disconnect(self, text: str | None) -> None:
        for task, (pipe, session) in list(self._open.items()):
            if session is None or text is None:
                pipe.abort()
                task.cancel()
            else:
                session.last_word = text
                task.cancel()

    # -- connections ----------------------------------------------------------------------------

    async def _start(self) -> None:
        self._home.settle()
        if self.security != "plain" and self._context is None:
            self.authority = Authority.make()
            self._context = self.authority.server_context(ask_client=True)
        if self.unix is not None:
            if not hasattr(asyncio, "start_unix_server"):
                raise ValueError("`unix` needs UNIX sockets, which this system does not have")
            self._listener = await asyncio.start_unix_server(self._accept, self.unix)
            return
        self._listener = await asyncio.start_server(self._accept, self.host, self.port)
        self.host, self.port = self._listener.sockets[0].getsockname()[:2]

    async def _stop(self) -> None:
        assert self._listener is not None
        for sock in self._listener.sockets:  # accept no more; do not close yet
            asyncio.get_running_loop().remove_reader(sock)
        for _ in range(ACCEPTING):  # closing before this would drop the latest connection
            await asyncio.sleep(0)
        self._listener.close()
        for task, (pipe, _) in list(self._open.items()):
            pipe.abort()
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._listener.wait_closed()
        if self.unix is not None:
            Path(self.unix).unlink(missing_ok=True)
        if self._ca_file is not None:
            self._ca_file.cleanup()
        self._home.leave()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = Pipe(reader, writer)
        task = asyncio.get_running_loop().create_task(self._serve(pipe))
        self._open[task] = (pipe, None)
        task.add_done_callback(lambda task: self._forget(task, pipe))

    def _forget(self, task: asyncio.Task[None], pipe: Pipe) -> None:
        self._open.pop(task)
        pipe.abort()  # still open if the server was stopped before the task began

    async def _serve(self, pipe: Pipe) -> None:
        fault = self._always | (self._faults.popleft() if self._faults else Fault())
        stream: Pipe | Tls = pipe
        user = None
        if self.security == "tls":
            assert self._context is not None
            stream = Tls(pipe, self._context)
            try:
                async with asyncio.timeout(HANDSHAKE):
                    await stream.handshake()
            except OSError:  # including ssl.SSLError and TimeoutError
                await pipe.close()
                return
            user = stream.peer_name()
        session = Session(
            stream,
            self.hub,
            fault=fault,
            secure=self.security == "tls",
            context=self._context if self.security == "starttls" else None,
            certificate_user=user,
        )
        self._sessions.append(session)
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = (pipe, session)
        with contextlib.suppress(asyncio.CancelledError):
            await session.run(account=self.account() if self._preauth else None)


class AsyncServer(BaseServer):
    """An IMAP server in the running event loop: `async with AsyncServer() as server:`."""

    async def start(self) -> None:
        """Start listening; afterwards `host` and `port` are set. Raises OSError."""
        await self._start()

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        await self._stop()

    async def __aenter__(self) -> AsyncServer:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

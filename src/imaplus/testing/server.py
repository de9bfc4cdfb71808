"""The server itself: accounts, listeners, connections; and what tests ask of it.

`AsyncServer` runs in the caller's event loop, `Server` (in `threaded`) in a thread of its own; all
that is not about starting and stopping is here, is the same for both, and is safe in any thread.
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
"""Imported so that the registry is full."""
KEPT_CONNECTIONS: Final = 1000
"""Connections whose commands are kept for tests to look at."""
ACCEPTING: Final = 3
"""Turns of the event loop until a connection that was just accepted is known to us."""
HANDSHAKE: Final = 30.0
"""Seconds for a client's TLS handshake."""

Security = Literal["plain", "starttls", "tls"]
"""How a server is reached: in clear, in clear until STARTTLS, or by TLS from the start."""


class Hub:
    """What all sessions share."""

    def __init__(self, who: Personality, *, require_tls: bool) -> None:
        self.personality = who
        self.require_tls = require_tls
        self.accounts: dict[str, Account] = {}
        self.present = 0
        """Sessions that are logged in."""
        self._happened: Counter[Mishap] = Counter()

    def may_happen(self, mishap: Mishap, *, counts: bool) -> bool:
        """Whether a mishap happens once more; if it `counts`, that is one time of all."""
        happened = self._happened[mishap] + 1
        if counts:
            self._happened[mishap] = happened
        happened -= mishap.spared
        return happened > 0 and (mishap.times is None or happened <= mishap.times)


class BaseServer:
    """What both servers have.

    Args:
        personality: who to be; see `PERSONALITIES`.
        user, password: the first account, which has an INBOX and nothing else.
        security: "tls" from the first octet, "starttls" offered, or "plain".
        require_tls: with "starttls", LOGINDISABLED until TLS is active.
        context: for TLS; without it an authority is made on the spot, which needs `trustme`.
        host, port: where to listen; port 0 takes a free one.
        unix: listen on a UNIX socket of this path instead.
        preauth: each connection is logged in from the start.
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

    # -- what it holds --------------------------------------------------------------------------

    @property
    def personality(self) -> Personality:
        """Who it pretends to be."""
        return self.hub.personality

    @property
    def url(self) -> str:
        """Where it is, as an URL with the user's name and no password."""
        scheme = "imaps" if self.security == "tls" else "imap"
        return f"{scheme}://{self.user}@{self.host}:{self.port}/"

    @property
    def ca_file(self) -> Path:
        """The authority's certificate, a file that is there until the server stops."""
        if self.authority is None:
            raise InvalidArgument("the server has no authority of its own")
        if self._ca_file is None:
            self._ca_file = tempfile.TemporaryDirectory(prefix="imaplus-testing-")
        return self.authority.write(Path(self._ca_file.name))

    def add_user(self, user: str, password: str) -> Account:
        """One more account, with an INBOX."""
        kind = GmailAccount if "X-GM-EXT-1" in self.personality.capabilities else Account
        account = kind(user, password, self._home, self.personality.delimiter)
        self.hub.accounts[user] = account
        return account

    def account(self, user: str | None = None) -> Account:
        """The account of a user; of the first without a name."""
        try:
            return self.hub.accounts[self.user if user is None else user]
        except KeyError:
            raise InvalidArgument(f"there is no user {user!r}") from None

    def mailbox(self, name: str = "INBOX", *, user: str | None = None) -> Mailbox:
        """A mailbox, live: its methods change it, and tell every session."""
        return self.account(user).mailbox(name)

    def add_mailbox(
        self, name: str, *attributes: str, subscribed: bool = False, user: str | None = None
    ) -> Mailbox:
        """Make a mailbox; attributes are special uses such as `\\Sent`."""
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
        """Deliver a message. Returns its UID. The content may be `Generated`."""
        return self.mailbox(mailbox, user=user).add(content, flags, internaldate)

    def copy_message(self, mailbox: str, uid: int, target: str, *, user: str | None = None) -> int:
        """Copy a message, which keeps its identity; with Gmail, give it a label. Its UID there."""
        return self.mailbox(mailbox, user=user).copy_to(uid, self.mailbox(target, user=user))

    def delete_mailbox(self, name: str, *, user: str | None = None) -> None:
        """Delete a mailbox; sessions that have it selected lose it."""
        self.account(user).delete(name)

    def rename_mailbox(self, name: str, new: str, *, user: str | None = None) -> None:
        """Rename a mailbox and those below it; UIDVALIDITY, UIDs and MAILBOXID stay."""
        self.account(user).rename(name, new)

    def snapshot(self) -> Snapshot:
        """All accounts as they are now, for `restore`."""
        return self._home.run(lambda: Snapshot.of(self.hub.accounts.values()))

    def restore(self, snapshot: Snapshot) -> None:
        """Put the accounts back to a snapshot, as a server does that is restored from its backup.

        UIDNEXT and HIGHESTMODSEQ go back, UIDs that were given since are given again, mailboxes
        made since are gone, and deleted ones come back. Sessions lose their selected mailbox.
        """
        self._home.run(snapshot.restore)

    # -- what it has seen, and does to clients ----------------------------------------------------

    @property
    def sessions(self) -> list[Session]:
        """All connections so far, oldest first."""
        return self._home.run(lambda: list(self._sessions))

    @property
    def commands(self) -> list[list[str]]:
        """The command lines of each connection, with their tags, and literals up to 4 kB.

        Passwords are in them: they stay in this server's memory.
        """
        return self._home.run(lambda: [list(session.commands) for session in self._sessions])

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """What happens to the next connections, one fault each; the whole row so many `times`."""
        self._home.run(lambda: self._faults.extend(faults * times))

    def fail_always(self, fault: Fault) -> None:
        """What happens to every new connection, beside `fail_next`. `Fault()` ends it.

        What a fault counts it counts for each connection: `Fault.cut_after_sent(1000)` cuts each
        after 1,000 octets. Only the `times` of mishaps count over all connections.
        """
        self._always = fault

    def fail_now(self, fault: Fault) -> None:
        """What happens to the connections that are open, from now on, beside what they meet."""

        def change() -> None:
            for _, session in self._open.values():
                if session is not None:
                    session.add_fault(fault)

        self._home.run(change)

    def disconnect(self, text: str | None = "Server is shutting down") -> None:
        """Say BYE to every client, and close. With None: close without a word."""
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
            self._listener = await asyncio.start_unix_server(self._connected, self.unix)
            return
        self._listener = await asyncio.start_server(self._connected, self.host, self.port)
        self.host, self.port = self._listener.sockets[0].getsockname()[:2]

    async def _stop(self) -> None:
        assert self._listener is not None
        for sock in self._listener.sockets:  # accept no more; closing now would lose the latest
            asyncio.get_running_loop().remove_reader(sock)
        for _ in range(ACCEPTING):
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

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = Pipe(reader, writer)
        task = asyncio.get_running_loop().create_task(self._serve(pipe))
        self._open[task] = (pipe, None)
        task.add_done_callback(lambda task: self._over(task, pipe))

    def _over(self, task: asyncio.Task[None], pipe: Pipe) -> None:
        self._open.pop(task)
        pipe.abort()  # it is closed, unless the server was stopped before the task could begin

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
            except OSError:  # ssl.SSLError and TimeoutError are such
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
    """An IMAP server in this event loop: `async with AsyncServer() as server:`."""

    async def start(self) -> None:
        """Listen. `host` and `port` are known from here on."""
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

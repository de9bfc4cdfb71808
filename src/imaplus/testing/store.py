"""The accounts, mailboxes and messages of the test server, and notification of their changes.

The methods of `Mailbox` and `Account` that change something run in the server's event loop and may
be called from any thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Final, Protocol, TypeVar

from imaplus.errors import InvalidArgument
from imaplus.records import record
from imaplus.testing.content import Content, InMemory, read
from imaplus.wire import mailbox_names

T = TypeVar("T")

SYSTEM_FLAGS: Final = ("\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen")
_BY_CASE: Final = {flag.lower(): flag for flag in SYSTEM_FLAGS}
FIRST_UIDVALIDITY: Final = 1_700_000_000
"""Fixed, so that every run has the same dialogue."""


class Home:
    """The event loop that owns a store. Before it starts, functions run in the caller's thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: int | None = None
        self.identities: count[int] = count(1)
        """Numbers of messages and mailboxes, from which OBJECTID and Gmail identifiers are made."""

    def settle(self) -> None:
        """Make the running loop the owner of the store."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def leave(self) -> None:
        """Release the store before the loop ends."""
        self._loop = self._thread = None

    def run(self, change: Callable[[], T]) -> T:
        """Run a function in the loop's thread and return its result."""
        loop = self._loop
        if loop is None or self._thread == threading.get_ident():
            return change()

        async def in_loop() -> T:
            return change()

        return asyncio.run_coroutine_threadsafe(in_loop(), loop).result()


@record(frozen=False, eq=False)
class Message:
    """A message in a mailbox. Copies share their content and their identity."""

    uid: int
    content: Content
    flags: frozenset[str]
    internaldate: datetime
    modseq: int
    identity: int

    @property
    def data(self) -> bytes:
        """The whole message as bytes."""
        return read(self.content)

    @property
    def size(self) -> int:
        return self.content.size


class Watcher(Protocol):
    """A session that has the mailbox selected; it is notified of changes."""

    read_only: bool

    def on_added(self, message: Message, *, recent: bool) -> None: ...
    def on_expunged(self, uids: Collection[int]) -> None: ...
    def on_flags_changed(self, message: Message) -> None: ...
    def on_deleted(self) -> None: ...


class Mailbox:
    """A mailbox: its messages by UID, ascending, and the UIDs expunged from it."""

    def __init__(self, name: str, uidvalidity: int, home: Home) -> None:
        self.name = name
        self.mailboxid: str = f"F{next(home.identities):08x}"
        self.uidvalidity: int = uidvalidity
        self.uidnext: int = 1
        self.highestmodseq: int = 1
        self.messages: dict[int, Message] = {}
        self.expunged: list[tuple[int, int]] = []  # (modseq, uid), oldest first
        self.selectable = True
        self.attributes: frozenset[str] = frozenset()
        self.recent_from: int = 1  # the next SELECT has messages from this UID on as \Recent
        self.watchers: list[Watcher] = []
        self._home = home

    @property
    def uids(self) -> list[int]:
        """All UIDs, ascending."""
        return self._home.run(lambda: list(self.messages))

    def flags(self, uid: int) -> frozenset[str]:
        """Return the flags of a message, without `\\Recent`. Raises KeyError for an unknown UID."""
        return self.messages[uid].flags

    def add(
        self,
        content: bytes | Content,
        flags: Iterable[str] = (),
        internaldate: datetime | None = None,
    ) -> int:
        """Deliver a message, notify every session, and return its UID.

        Args:
            content: the message with CRLF line ends, or a `Content`.
            flags: such as `("\\Seen",)`.
            internaldate: default: now.
        """
        return self._home.run(lambda: self._add([content], flags, internaldate)[0])

    def copy_to(self, uid: int, target: Mailbox) -> int:
        """Copy a message, as COPY does, and return the UID of the copy in `target`.

        The copy has the same EMAILID.
        """
        return self._home.run(lambda: target._take(self.messages[uid]))

    def _take(self, message: Message) -> int:
        content, identity = message.content, message.identity
        return self._add([content], message.flags, message.internaldate, identity)[0]

    def add_many(
        self,
        contents: Iterable[bytes | Content],
        flags: Iterable[str] = (),
        internaldate: datetime | None = None,
    ) -> list[int]:
        """Deliver messages with one new mod-sequence and return their UIDs."""
        return self._home.run(lambda: self._add(contents, flags, internaldate))

    def _add(
        self,
        contents: Iterable[bytes | Content],
        flags: Iterable[str],
        internaldate: datetime | None,
        identity: int | None = None,
    ) -> list[int]:
        kept = frozenset(map(canonical_flag, flags))
        moment = internaldate or datetime.now(UTC).replace(microsecond=0)
        modseq = self._next_modseq()
        uids = []
        for each in contents:
            content = InMemory(each) if isinstance(each, bytes) else each
            known = next(self._home.identities) if identity is None else identity
            message = Message(self.uidnext, content, kept, moment, modseq, known)
            self.messages[message.uid] = message
            self.uidnext += 1
            uids.append(message.uid)
            self._tell_added(message)
        return uids

    def _tell_added(self, message: Message) -> None:
        taken = False
        for watcher in self.watchers:  # \Recent in the first writable session
            recent = not taken and not watcher.read_only
            watcher.on_added(message, recent=recent)
            taken = taken or recent
        if taken:
            self.recent_from = message.uid + 1

    def set_flags(
        self, uid: int, flags: Iterable[str], *, origin: Watcher | None = None
    ) -> frozenset[str]:
        """Replace and return the flags of a message; notify every session except `origin`."""
        return self._home.run(lambda: self._set_flags(uid, flags, origin))

    def _set_flags(self, uid: int, flags: Iterable[str], origin: Watcher | None) -> frozenset[str]:
        message = self.messages[uid]
        new = frozenset(map(canonical_flag, flags))
        if new != message.flags:
            message.flags = new
            message.modseq = self._next_modseq()
            for watcher in self.watchers:
                if watcher is not origin:
                    watcher.on_flags_changed(message)
        return new

    def expunge(self, uids: Iterable[int]) -> list[int]:
        """Remove messages, notify every session, and return the UIDs that existed."""
        return self._home.run(lambda: self._expunge(uids))

    def _expunge(self, uids: Iterable[int]) -> list[int]:
        gone = [uid for uid in uids if self.messages.pop(uid, None) is not None]
        if gone:
            modseq = self._next_modseq()
            self.expunged += [(modseq, uid) for uid in gone]
            for watcher in self.watchers:
                watcher.on_expunged(gone)
        return gone

    def set_internaldate(self, uid: int, moment: datetime) -> None:
        """Change the INTERNALDATE of a message without notification, which no server may do."""
        self._home.run(lambda: setattr(self.messages[uid], "internaldate", moment))

    def set_content(self, uid: int, content: bytes | Content) -> None:
        """Replace the content of a message without notification, which no server may do."""
        kept = InMemory(content) if isinstance(content, bytes) else content
        self._home.run(lambda: setattr(self.messages[uid], "content", kept))

    def set_uidvalidity(self, uidvalidity: int) -> None:
        """Change only UIDVALIDITY; sessions that have the mailbox selected are disconnected."""

        def change() -> None:
            for watcher in list(self.watchers):
                watcher.on_deleted()
            self.uidvalidity = uidvalidity

        self._home.run(change)

    def recreate(self) -> None:
        """Assign a new UIDVALIDITY and new UIDs, as after a restore from a backup."""
        self._home.run(self._recreate)

    def _recreate(self) -> None:
        messages = list(self.messages.values())
        for watcher in list(self.watchers):
            watcher.on_deleted()
        self._put([])
        self.expunged.clear()
        self.uidvalidity += 1_000_000
        self.uidnext = self.recent_from = 1
        for message in messages:
            self._take(message)

    def _put(self, messages: Iterable[Message]) -> None:
        """Replace all messages without notification."""
        self.messages = {message.uid: message for message in messages}

    def _next_modseq(self) -> int:
        self.highestmodseq += 1
        return self.highestmodseq


class Account:
    """A user: a name, a password, mailboxes and subscriptions."""

    def __init__(self, user: str, password: str, home: Home, delimiter: str = "/") -> None:
        self.user = user
        self.password = password
        self.delimiter = delimiter
        self.mailboxes: dict[str, Mailbox] = {}
        self.subscriptions: set[str] = {"INBOX"}
        self._home = home
        self._uidvalidities = count(FIRST_UIDVALIDITY)
        self._create("INBOX")

    def find(self, name: str) -> Mailbox | None:
        """Return the mailbox of this name, or None."""
        return self.mailboxes.get(_normalise(name))

    def mailbox(self, name: str) -> Mailbox:
        """Return the mailbox of this name. Raises InvalidArgument if there is none."""
        if (found := self.find(name)) is None:
            raise InvalidArgument(f"user {self.user!r} has no mailbox {name!r}")
        return found

    def create(self, name: str, *attributes: str, subscribed: bool = False) -> Mailbox:
        """Create a mailbox and its parents, and return it; return an existing one.

        Args:
            name: its name.
            attributes: special uses such as `\\Sent`; they replace those of an existing mailbox.
            subscribed: subscribe to it as well.
        """

        def change() -> Mailbox:
            mailbox = self.find(name) or self._create(name)
            mailbox.selectable = True
            if attributes:
                mailbox.attributes = frozenset(attributes)
            if subscribed:
                self.subscriptions.add(mailbox.name)
            return mailbox

        return self._home.run(change)

    def _create(self, name: str) -> Mailbox:
        name = _normalise(name)
        parent, delimiter, _ = name.rpartition(self.delimiter)
        if delimiter and parent and self.find(parent) is None:
            self._create(parent)
        mailbox = self._mailbox(name, next(self._uidvalidities))
        self.mailboxes[name] = mailbox
        return mailbox

    def _mailbox(self, name: str, uidvalidity: int) -> Mailbox:
        return Mailbox(name, uidvalidity, self._home)

    def children(self, name: str) -> list[Mailbox]:
        """Return all mailboxes below this name, at any depth."""
        prefix = name + self.delimiter
        return [box for key, box in self.mailboxes.items() if key.startswith(prefix)]

    def delete(self, name: str) -> None:
        """Delete a mailbox. If it has children, its name remains and cannot be selected."""
        self._home.run(lambda: self._delete(self.mailbox(name)))

    def _delete(self, mailbox: Mailbox) -> None:
        for watcher in list(mailbox.watchers):
            watcher.on_deleted()
        del self.mailboxes[mailbox.name]
        if self.children(mailbox.name):
            self._create(mailbox.name).selectable = False

    def rename(self, name: str, new: str) -> None:
        """Rename a mailbox and its children; INBOX is moved to `new` and stays, empty (6.3.6)."""
        self._home.run(lambda: self._rename(self.mailbox(name), _normalise(new)))

    def _rename(self, mailbox: Mailbox, new: str) -> None:
        if mailbox.name == "INBOX":
            target = self._create(new)
            for message in list(mailbox.messages.values()):
                target._take(message)
            mailbox._expunge(list(mailbox.messages))
            return
        old = mailbox.name
        for box in [mailbox, *self.children(old)]:
            del self.mailboxes[box.name]
            box.name = new + box.name[len(old) :]
            self._make_parents(box.name)
            self.mailboxes[box.name] = box

    def _make_parents(self, name: str) -> None:
        parent = name.rpartition(self.delimiter)[0]
        if parent and self.find(parent) is None:
            self._create(parent)


def canonical_flag(flag: str) -> str:
    """Return a system flag as the RFC spells it; a keyword unchanged."""
    return _BY_CASE.get(flag.lower(), flag)


def _normalise(name: str) -> str:
    """Return the name in the form in which it is read from the wire."""
    return mailbox_names.printable(mailbox_names.normalise(name))

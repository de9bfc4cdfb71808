"""The methods of a client that run one command or flow each.

tools/gen_sync.py derives those of the sync client and of pipelines from this file. Subclasses say
how a flow is run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from imaplus.core.mailboxes import (
    STATUS_ITEMS,
    Delete,
    MailboxStatus,
    Rename,
    Subscribe,
    Unsubscribe,
)
from imaplus.core.session import Noop
from imaplus.flows import mailboxes
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow

if TYPE_CHECKING:  # loaded when first used
    from datetime import datetime

    from imaplus.core.append import Appended
    from imaplus.core.listing import ListEntry, Namespaces
    from imaplus.flows.outgoing import OutgoingMessage
    from imaplus.wire.flags import FlagsLike

T = TypeVar("T")


class AsyncClientCommands(ABC):
    """Commands that do not need an open mailbox."""

    @property
    @abstractmethod
    def _connection(self) -> Connection: ...

    @abstractmethod
    async def _give(self, what: Command[T] | Flow[T], timeout: float | None) -> T: ...

    # -- the session ------------------------------------------------------------------------

    async def noop(self, *, timeout: float | None = None) -> None:
        """Give the server an opportunity to report changes (RFC 9051, 6.1.2)."""
        return await self._give(Noop(), timeout)

    async def id(
        self, fields: Mapping[str, str | None] | None = None, *, timeout: float | None = None
    ) -> dict[str, str | None]:
        """Exchange identification with the server (RFC 2971).

        Args:
            fields: the fields to send, such as {"name": "our program"}; None sends imaplus and its
                version.

        Returns:
            The server's fields, such as {"name": "Dovecot"}, names in lower case; may be empty.

        Raises:
            CapabilityMissing: the server has no ID.
            InvalidArgument: more fields, or longer ones, than the RFC allows.
        """
        from imaplus.client.identity import identify

        return await self._give(identify(fields), timeout)

    # -- finding mailboxes ------------------------------------------------------------------

    async def list(
        self,
        reference: str = "",
        pattern: str = "*",
        *,
        subscribed: bool = False,
        status: str | Iterable[str] = (),
        timeout: float | None = None,
    ) -> list[ListEntry]:
        """List mailboxes, with attributes and status (RFC 9051, 6.3.9).

        Args:
            reference: the context that the server resolves `pattern` in; usually "".
            pattern: `*` matches anything, `%` anything within one level of the hierarchy.
            subscribed: list subscribed mailboxes only, including those that no longer exist.
            status: items of `status()` to include for each mailbox, such as "MESSAGES" and
                "UNSEEN"; items that the server does not support are left out. With LIST-STATUS
                (RFC 5819) this takes no further round trip.

        Returns:
            An entry for each mailbox, in the server's order.
        """
        from imaplus.flows.listing import list_mailboxes

        return await self._give(
            list_mailboxes(
                self._connection, reference, pattern, subscribed=subscribed, status=status
            ),
            timeout,
        )

    async def status(
        self,
        mailbox: str,
        items: str | Iterable[str] = STATUS_ITEMS,
        *,
        timeout: float | None = None,
    ) -> MailboxStatus:
        """Return the status of a mailbox, without opening it (RFC 9051, 6.3.11).

        Args:
            mailbox: the name of the mailbox.
            items: "MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "RECENT", "DELETED", "SIZE"
                (bytes), "HIGHESTMODSEQ" or "MAILBOXID", one or several; items that the server does
                not support are left out.

        Returns:
            The values; None for those not requested or not sent. For the open mailbox, NOOP is sent
            first, because some servers return outdated values otherwise.

        Raises:
            NoSuchMailbox, Refused: the server refused.
        """
        return await self._give(mailboxes.status(self._connection, mailbox, items), timeout)

    async def namespaces(self, *, timeout: float | None = None) -> Namespaces:
        """Return the namespaces: personal, other users', shared (RFC 9051, 6.3.10).

        Without NAMESPACE, the personal namespace is derived from LIST.
        """
        from imaplus.flows.listing import namespaces

        return await self._give(namespaces(self._connection), timeout)

    async def exists(self, mailbox: str, *, timeout: float | None = None) -> bool:
        """Return whether there is a mailbox of this name that can be opened, according to LIST."""
        from imaplus.flows.special_use import exists

        return await self._give(exists(self._connection, mailbox), timeout)

    async def find(self, special_use: str, *, timeout: float | None = None) -> ListEntry | None:
        """Find the mailbox for sent mail, drafts, trash and the like: `find(SpecialUse.SENT)`.

        The search uses SPECIAL-USE (RFC 6154) or XLIST, else well-known names in many languages,
        such as "Sent Items" and "Gesendete Elemente".

        Returns:
            The mailbox; of several, the one nearest to the root; None if there is none.

        Raises:
            InvalidArgument: `special_use` is not a special use.
        """
        from imaplus.flows.special_use import find

        return await self._give(find(self._connection, special_use), timeout)

    # -- changing mailboxes -----------------------------------------------------------------

    async def create(
        self,
        mailbox: str,
        *,
        special_use: str | None = None,
        exist_ok: bool = False,
        timeout: float | None = None,
    ) -> str | None:
        """Create a mailbox (RFC 9051, 6.3.4).

        Args:
            mailbox: the name of the mailbox.
            special_use: its purpose, of `SpecialUse`; set on servers with CREATE-SPECIAL-USE (RFC
                6154).
            exist_ok: do not raise if the mailbox exists; it is left unchanged.

        Returns:
            The MAILBOXID; None if the server has no OBJECTID (RFC 8474).

        Raises:
            AlreadyExists: the mailbox exists, and the server says so by a response code.
            Refused: the mailbox cannot be created; some servers say so if it exists.
            InvalidArgument: `special_use` is not a special use.
        """
        from imaplus.flows.special_use import ensure

        flow = ensure(self._connection, mailbox, special_use, exist_ok=exist_ok)
        return await self._give(flow, timeout)

    async def delete(self, mailbox: str, *, timeout: float | None = None) -> None:
        """Delete a mailbox and all its messages (RFC 9051, 6.3.5).

        Raises:
            NoSuchMailbox, Refused: the mailbox cannot be deleted.
        """
        return await self._give(Delete(mailbox), timeout)

    async def rename(self, mailbox: str, new_name: str, *, timeout: float | None = None) -> None:
        """Rename a mailbox and those below it (RFC 9051, 6.3.6).

        Renaming INBOX moves its messages to the new mailbox, and leaves INBOX empty.

        Raises:
            NoSuchMailbox, AlreadyExists, Refused: the mailbox cannot be renamed.
        """
        return await self._give(Rename(mailbox, new_name), timeout)

    async def subscribe(self, mailbox: str, *, timeout: float | None = None) -> None:
        """Subscribe to a mailbox (RFC 9051, 6.3.7)."""
        return await self._give(Subscribe(mailbox), timeout)

    async def unsubscribe(self, mailbox: str, *, timeout: float | None = None) -> None:
        """Unsubscribe from a mailbox (RFC 9051, 6.3.8)."""
        return await self._give(Unsubscribe(mailbox), timeout)

    async def append(
        self,
        mailbox: str,
        message: OutgoingMessage,
        *,
        flags: FlagsLike = (),
        date: datetime | None = None,
        timeout: float | None = None,
    ) -> Appended:
        """Add a message to a mailbox (RFC 9051, 6.3.12).

        Args:
            mailbox: the name of the mailbox.
            message: bytes, sent unchanged, with lines that end in CRLF; a seekable binary file,
                which is streamed; a message of the `email` package; or an `Outgoing`.
            flags: one or several flags, in addition to those of an `Outgoing`.
            date: the INTERNALDATE of the message; None for the server's time.

        Returns:
            The UID of the message, if the server has UIDPLUS (RFC 4315).

        Raises:
            InvalidArgument: an argument is invalid, or `date` differs from that of the `Outgoing`.
            NoSuchMailbox, MessageRefused, OverQuota, Refused: the server did not accept the
                message.
            OutcomeUnknown: the connection was lost; the message may have been added.
        """
        from imaplus.flows.messages import append_one
        from imaplus.flows.outgoing import outgoing, takes_nul

        connection = self._connection
        prepared = outgoing(message, flags, date, binary=takes_nul(connection))
        return await self._give(append_one(connection, mailbox, prepared), timeout)

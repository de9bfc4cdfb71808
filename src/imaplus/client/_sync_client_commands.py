# Generated from _async_client_commands.py by tools/gen_sync.py: edit that file instead.
"""The methods of a client that come to one command or flow each, for the client and its pipelines.

Both clients and their pipelines have them from one definition, by tools/gen_sync.py. How a flow is
run is for the class that inherits.
"""

from __future__ import annotations

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

if TYPE_CHECKING:  # what few sessions need is loaded when they do
    from datetime import datetime

    from imaplus.core.append import Appended
    from imaplus.core.listing import ListEntry, Namespaces
    from imaplus.flows.outgoing import OutgoingMessage
    from imaplus.wire.flags import FlagsLike

T = TypeVar("T")


class ClientCommands:
    """Commands that need no open mailbox."""

    @property
    def _connection(self) -> Connection:
        raise NotImplementedError

    def _give(self, what: Command[T] | Flow[T], timeout: float | None) -> T:
        raise NotImplementedError

    # -- the session ------------------------------------------------------------------------

    def noop(self, *, timeout: float | None = None) -> None:
        """Do nothing, so that the server can tell what has changed (RFC 9051, 6.1.2)."""
        return self._give(Noop(), timeout)

    def id(
        self, fields: Mapping[str, str | None] | None = None, *, timeout: float | None = None
    ) -> dict[str, str | None]:
        """Tell the server what this client is, and ask what the server is (RFC 2971).

        Args:
            fields: what to say, such as {"name": "our program"}; imaplus and its version if it is
                None.

        Returns:
            What the server says, such as {"name": "Dovecot"}, names in lower case. May be empty.

        Raises:
            CapabilityMissing: the server has no ID.
            InvalidArgument: more or longer fields than the RFC allows.
        """
        from imaplus.client.identity import identify

        return self._give(identify(fields), timeout)

    # -- finding mailboxes ------------------------------------------------------------------

    def list(
        self,
        reference: str = "",
        pattern: str = "*",
        *,
        subscribed: bool = False,
        status: str | Iterable[str] = (),
        timeout: float | None = None,
    ) -> list[ListEntry]:
        """Find mailboxes, with all that the server can tell in one command (RFC 9051, 6.3.9).

        Args:
            reference: what the pattern is relative to; a server decides what that means.
            pattern: `*` matches anything, `%` anything within one level of the hierarchy.
            subscribed: list subscribed mailboxes only, also those that do not exist any more.
            status: items to have with each mailbox, such as "MESSAGES" and "UNSEEN"; those that
                the server does not know are left out.

        Returns:
            An entry for each mailbox, in the order of the server.
        """
        from imaplus.flows.listing import list_mailboxes

        return self._give(
            list_mailboxes(
                self._connection, reference, pattern, subscribed=subscribed, status=status
            ),
            timeout,
        )

    def status(
        self,
        mailbox: str,
        items: str | Iterable[str] = STATUS_ITEMS,
        *,
        timeout: float | None = None,
    ) -> MailboxStatus:
        """Ask for numbers of a mailbox that need not be open (RFC 9051, 6.3.11).

        Args:
            mailbox: its name.
            items: of "MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "RECENT", "DELETED", "SIZE",
                "HIGHESTMODSEQ" and "MAILBOXID"; those that the server does not know are not asked
                for.

        Returns:
            The numbers; what was not asked for or not told is None. Those of the mailbox that is
            open come after a NOOP, because servers would tell old ones.

        Raises:
            NoSuchMailbox, Refused: the server does not tell.
        """
        return self._give(mailboxes.status(self._connection, mailbox, items), timeout)

    def namespaces(self, *, timeout: float | None = None) -> Namespaces:
        """Ask where mailboxes live: the user's own, other users', shared ones (RFC 9051, 6.3.10).

        Without NAMESPACE the result has what LIST tells of the hierarchy.
        """
        from imaplus.flows.listing import namespaces

        return self._give(namespaces(self._connection), timeout)

    def exists(self, mailbox: str, *, timeout: float | None = None) -> bool:
        """Whether there is a mailbox of this name that can be opened (LIST)."""
        from imaplus.flows.special_use import exists

        return self._give(exists(self._connection, mailbox), timeout)

    def find(self, special_use: str, *, timeout: float | None = None) -> ListEntry | None:
        """Find the mailbox for sent mail, drafts, trash and the like: `find(SpecialUse.SENT)`.

        By SPECIAL-USE (RFC 6154) or XLIST; else by well-known names in many languages, such as
        "Sent Items" and "Gesendete Elemente".

        Returns:
            The mailbox; of several, the one nearest to the top; None if there is none.

        Raises:
            InvalidArgument: there is no such special use.
        """
        from imaplus.flows.special_use import find

        return self._give(find(self._connection, special_use), timeout)

    # -- changing mailboxes -----------------------------------------------------------------

    def create(
        self,
        mailbox: str,
        *,
        special_use: str | None = None,
        exist_ok: bool = False,
        timeout: float | None = None,
    ) -> str | None:
        """Create a mailbox (RFC 9051, 6.3.4).

        Args:
            mailbox: its name.
            special_use: what it is for, of `SpecialUse`. The server is told, if it has
                CREATE-SPECIAL-USE (RFC 6154).
            exist_ok: let it be there already; it stays as it is then.

        Returns:
            Its MAILBOXID; None if the server has no OBJECTID (RFC 8474).

        Raises:
            AlreadyExists: there is one, and the server says so in a response code.
            Refused: it cannot be created.
            InvalidArgument: there is no such special use.
        """
        from imaplus.flows.special_use import ensure

        flow = ensure(self._connection, mailbox, special_use, exist_ok=exist_ok)
        return self._give(flow, timeout)

    def delete(self, mailbox: str, *, timeout: float | None = None) -> None:
        """Delete a mailbox with all its messages (RFC 9051, 6.3.5).

        Raises:
            NoSuchMailbox, Refused: it cannot be deleted.
        """
        return self._give(Delete(mailbox), timeout)

    def rename(self, mailbox: str, new_name: str, *, timeout: float | None = None) -> None:
        """Rename a mailbox with the ones below it (RFC 9051, 6.3.6).

        Renaming INBOX moves its messages, and leaves it empty.

        Raises:
            NoSuchMailbox, AlreadyExists, Refused: it cannot be renamed.
        """
        return self._give(Rename(mailbox, new_name), timeout)

    def subscribe(self, mailbox: str, *, timeout: float | None = None) -> None:
        """Add a mailbox to the subscribed ones (RFC 9051, 6.3.7)."""
        return self._give(Subscribe(mailbox), timeout)

    def unsubscribe(self, mailbox: str, *, timeout: float | None = None) -> None:
        """Remove a mailbox from the subscribed ones (RFC 9051, 6.3.8)."""
        return self._give(Unsubscribe(mailbox), timeout)

    def append(
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
            mailbox: its name.
            message: bytes, which travel unchanged and should have lines that end in CRLF; a
                seekable binary file, which is streamed; an `email` message; or an `Outgoing`.
            flags: one flag or several, beside those of an `Outgoing`.
            date: what becomes its INTERNALDATE; the server's time if it is None.

        Returns:
            The UID that the message got, where the server has UIDPLUS.

        Raises:
            InvalidArgument: this is no message, no flag or no date, or an `Outgoing` has another
                date.
            NoSuchMailbox, MessageRefused, OverQuota, Refused: the server does not take it.
            OutcomeUnknown: the connection was lost; the message may have been added.
        """
        from imaplus.flows.messages import append_one
        from imaplus.flows.outgoing import outgoing, takes_nul

        connection = self._connection
        prepared = outgoing(message, flags, date, binary=takes_nul(connection))
        return self._give(append_one(connection, mailbox, prepared), timeout)

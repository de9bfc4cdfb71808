"""Store fetched messages and record them in a journal.

A text that the server sends in place of a message is rejected. A body whose size differs from
RFC822.SIZE is held back until a second fetch returns the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from imaplus import BodySection, SequenceSet
from imaplus.errors import CommandError, ImapError
from imaplus.mirror.comparison import date_of, flags_of, value_of
from imaplus.mirror.errors import asks_for_patience
from imaplus.mirror.objects import StoredObject
from imaplus.mirror.substitutes import substitute

if TYPE_CHECKING:
    from imaplus import Fetched, Mailbox
    from imaplus.mirror.identity import Identities, IdentityItems
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.link import Link
    from imaplus.mirror.store import Store

BODY = BodySection()
KEY = BODY.key
DOUBTS = 3
"""At most this many bodies whose size differs from RFC822.SIZE are fetched twice; after that the
server is assumed to count wrongly, and further bodies are accepted."""

Failed = Callable[[int | None, str], None]
"""Called with the UID of a message that could not be stored (None: the mailbox) and the reason."""


class Arrivals:
    """Stores the messages of one mailbox; for the arguments see `Fetching`."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        failed: Failed,
        *,
        items: IdentityItems | None,
        identities: Identities | None,
        replace: bool,
        number: Callable[[int], int] | None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._failed = failed
        self._items = items
        self._identities = identities
        self._replace = replace
        self._number = number
        self._doubts = DOUBTS
        self._doubted: dict[int, tuple[Fetched, StoredObject]] = {}

    def keep(self, message: Fetched, uid: int) -> int | None:
        """Store a message and record it in the journal.

        Returns its size in bytes; None if it was rejected or held back for `confirm`.
        """
        body = message[KEY]
        if isinstance(body, bytes):
            if (server := substitute(body)) is not None:
                self._failed(uid, f"the server sent an error text instead ({server})")
                return None
            body = self._store.put(body, replace=self._replace)
        size = value_of(message, "RFC822.SIZE")
        if not isinstance(body, StoredObject) or (not body.size and size):
            self._failed(uid, "the server sent the message without its body")
            return None
        if size not in (None, body.size) and self._doubts:
            self._doubts -= 1
            self._doubted[uid] = (message, body)
            return None
        self.record(message, uid, body)
        return body.size

    def record(self, message: Fetched, uid: int, body: StoredObject) -> None:
        """Write the message's line into the journal."""
        flags = flags_of(message)
        if flags is None:
            self._failed(uid, "cannot parse its flags")
        identity = labels = None
        if self._items is not None:
            identity = self._items.identity_of(message)
            labels = self._items.labels_of(message)
            if self._identities is not None:
                self._identities.note(identity, body)
        self._journal.add(
            uid if self._number is None else self._number(uid),
            body,
            flags=flags or (),
            internaldate=date_of(message),
            modseq=value_of(message, "MODSEQ"),
            identity=identity,
            labels=labels,
        )

    def confirm(self, link: Link, reopen: Callable[[], Mailbox]) -> Iterator[int]:
        """Fetch the bodies that were held back again, and record those that are unchanged.

        Yields the size in bytes of each recorded body. They are fetched one by one, because the
        connection may break on some of them.

        Raises:
            ImapError: the connection was lost and cannot be made again, or the server throttles.
        """
        doubted, self._doubted = self._doubted, {}
        if not doubted:
            return
        from imaplus.mirror.digests import digests  # seldom needed

        for uid, (message, body) in doubted.items():
            said = value_of(message, "RFC822.SIZE")
            what = f"RFC822.SIZE says {said:,} bytes, the server sent {body.size:,}"
            only = SequenceSet.of(uid)

            def ask(client: object, one: SequenceSet = only) -> dict[int, str]:
                return dict(digests(reopen(), one))

            try:
                again = link.attempt(ask)
            except CommandError as error:
                if asks_for_patience(error) or not link.is_connected:
                    raise
                self._failed(uid, f"{what}, and refused the second fetch: {error}")
                continue
            except ImapError as error:
                if not link.is_recoverable(error):
                    raise
                self._failed(uid, f"{what}, and the second fetch failed: {error}")
                continue
            if again.get(uid) == body.sha256:
                self.record(message, uid, body)
                yield body.size
            else:
                self._failed(uid, f"{what}, and other bytes in the second fetch")

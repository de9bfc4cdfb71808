"""Messages that a server recognises in every mailbox: EMAILID (RFC 8474) and X-GM-MSGID (Gmail).

Where it does, a body that another mailbox has need not travel again: moved mail, renamed mailboxes,
labels, All Mail. An identity is the server's word for "the same message"; Message-ID is not, for
anybody can write one. The index of identities is made from the journals when it is first needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaplus.errors import ProtocolError
from imaplus.mirror.objects import StoredObject
from imaplus.records import record

if TYPE_CHECKING:
    from imaplus import Client, Fetched
    from imaplus.mirror.entries import Entries
    from imaplus.mirror.store import Store


@record
class IdentityItems:
    """The FETCH items that tell identity and labels on this server."""

    identity: tuple[str, ...]
    labels: tuple[str, ...]

    def identity_of(self, message: Fetched) -> str | None:
        """What the server calls the message, in whatever mailbox."""
        return _text(message, self.identity[0])

    def labels_of(self, message: Fetched) -> frozenset[str] | None:
        """Gmail's labels of the message; None where there are none to be had."""
        if not self.labels:
            return None
        try:
            value: frozenset[str] | None = message.get(self.labels[0])
        except ProtocolError:
            return None
        return None if value is None else frozenset(value)


def identity_items(client: Client) -> IdentityItems | None:
    """What to ask this server for; None if it recognises no message."""
    if client.can("X-GM-EXT-1"):
        return IdentityItems(("X-GM-MSGID",), ("X-GM-LABELS",))
    if client.can("OBJECTID"):
        return IdentityItems(("EMAILID",), ())
    return None


class Identities:
    """The bodies that the store has, by the server's identity of each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[bytes, int]] | None = None

    def __bool__(self) -> bool:
        return bool(self._index())

    def note(self, identity: str | None, body: StoredObject) -> None:
        """A message of this identity has come."""
        if identity is not None and self._known is not None:
            self._known[identity] = (bytes.fromhex(body.sha256), body.size)

    def body_of(self, identity: str | None, size: int | None) -> StoredObject | None:
        """The body of this identity, if the store has it with this size (RFC822.SIZE)."""
        if identity is None or (found := self._index().get(identity)) is None:
            return None
        sha256 = found[0].hex()
        if size not in (None, found[1]) or not self._store.objects.knows(sha256, found[1]):
            return None
        return StoredObject(sha256, found[1], False)

    def _index(self) -> dict[str, tuple[bytes, int]]:
        if self._known is None:
            self._known = {}
            for info in self._store.others():
                for uidvalidity in info.generations:
                    journal = self._store.mailbox(info.name, uidvalidity)
                    # What is gone from one mailbox may have been moved to another.
                    for entries in (journal.gone, journal.entries):
                        self._known |= _collect_identities(entries)
        return self._known


def _collect_identities(entries: Entries) -> dict[str, tuple[bytes, int]]:
    identities = entries.extras.identities
    return {
        identities[uid]: (digest, size)
        for uid, digest, size in (entries.digests() if identities else ())
        if uid in identities
    }


def _text(message: Fetched, name: str) -> str | None:
    try:
        value = message.get(name)
    except ProtocolError:
        return None
    return None if value is None else str(value)

"""Recognise messages across mailboxes: EMAILID (RFC 8474) and X-GM-MSGID (Gmail).

A body that the store has from another mailbox is not fetched again: after a move or a rename, or
with Gmail's labels. Message-ID cannot be used, because senders choose it. The index of identities
is built from the journals when it is first needed.
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
    """The FETCH items for identity and labels on this server."""

    identity: tuple[str, ...]
    labels: tuple[str, ...]

    def identity_of(self, message: Fetched) -> str | None:
        """The server's identifier of the message; None if it sent none."""
        return _text(message, self.identity[0])

    def labels_of(self, message: Fetched) -> frozenset[str] | None:
        """The labels of the message (X-GM-LABELS); None if the server has none."""
        if not self.labels:
            return None
        try:
            value: frozenset[str] | None = message.get(self.labels[0])
        except ProtocolError:
            return None
        return None if value is None else frozenset(value)


def identity_items(client: Client) -> IdentityItems | None:
    """Return the FETCH items that this server supports; None if it supports none."""
    if client.can("X-GM-EXT-1"):
        return IdentityItems(("X-GM-MSGID",), ("X-GM-LABELS",))
    if client.can("OBJECTID"):
        return IdentityItems(("EMAILID",), ())
    return None


class Identities:
    """The bodies of the store, by the identity of their messages."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[bytes, int]] | None = None

    def __bool__(self) -> bool:
        return bool(self._index())

    def note(self, identity: str | None, body: StoredObject) -> None:
        """Record the body of a new message."""
        if identity is not None and self._known is not None:
            self._known[identity] = (bytes.fromhex(body.sha256), body.size)

    def body_of(self, identity: str | None, size: int | None) -> StoredObject | None:
        """Return the stored body with this identity and size (RFC822.SIZE); None if unknown."""
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
                    # A message gone from one mailbox may have been moved to another.
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

"""Compute the SHA-256 of messages on the server, without keeping their bodies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from imaplus.mirror.arrivals import BODY, KEY

if TYPE_CHECKING:
    from imaplus import Mailbox, SequenceSet


class Digest:
    """A sink that computes the SHA-256 of a body and discards the bytes."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def write(self, data: Any, /) -> None:
        """Hash the next bytes."""
        self._digest.update(data)

    def close(self) -> str:
        """Return the digest in hexadecimal."""
        return self._digest.hexdigest()

    def abort(self) -> None:
        """Discard the digest."""


def digests(mailbox: Mailbox, uids: SequenceSet) -> Iterator[tuple[int, str]]:
    """Fetch these messages and yield the UID and SHA-256 of each that the server sends."""
    for message in mailbox.fetch(uids, BODY, into=lambda uid, size: Digest()):
        body = message.get(KEY)
        found = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else body
        if isinstance(found, str):
            yield message.uid, found

"""The SHA-256 of messages on the server, for comparison with copies; the bodies are not kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from imaplus.mirror.arrivals import BODY, KEY

if TYPE_CHECKING:
    from imaplus import Mailbox, SequenceSet


class Digest:
    """A sink that keeps nothing of a body but its SHA-256."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def write(self, data: Any, /) -> None:
        """Take the next bytes."""
        self._digest.update(data)

    def close(self) -> str:
        """The digest in hexadecimal."""
        return self._digest.hexdigest()

    def abort(self) -> None:
        """Discard the digest."""


def digests(mailbox: Mailbox, uids: SequenceSet) -> Iterator[tuple[int, str]]:
    """UID and SHA-256 of each of these messages that the server sends."""
    for message in mailbox.fetch(uids, BODY, into=lambda uid, size: Digest()):
        body = message.get(KEY)
        found = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else body
        if isinstance(found, str):
            yield message.uid, found

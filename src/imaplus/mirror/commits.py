"""When to commit. It counts what has come; what is committed is not known here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imaplus.mirror.store import Store

MESSAGES, OCTETS, SECONDS = 1000, 64 << 20, 10.0
"""What a killed run has to fetch again, at most: whichever comes first. Twice that, where a commit
is not waited for."""


class Commits:
    """The commits of one run."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._begin()

    def _begin(self) -> None:
        self._messages = self._octets = 0
        self._since = time.monotonic()

    def count(self, octets: int) -> None:
        """One more message has come: commit, if it is time. Raises what `Store.commit` does."""
        self._messages += 1
        self._octets += octets
        if (
            self._messages >= MESSAGES
            or self._octets >= OCTETS
            or time.monotonic() - self._since >= SECONDS
        ):
            self._store.commit(wait=False)
            self._begin()

    def finish(self) -> None:
        """Commit all there is."""
        # Not in a thread beside the network: measured, the threads' turns cost what they gain.
        self._store.commit()
        self._begin()

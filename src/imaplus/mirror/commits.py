"""Commit at intervals: after so many messages, bytes or seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imaplus.mirror.store import Store

MESSAGES, BYTES, SECONDS = 1000, 64 << 20, 10.0
"""A commit begins when one of these is reached. So a killed run has to fetch at most this much
again; twice that if commits are not waited for."""


class Commits:
    """The commits of one run."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._begin()

    def _begin(self) -> None:
        self._messages = self._bytes = 0
        self._since = time.monotonic()

    def count(self, size: int) -> None:
        """Count a message of `size` bytes, and commit if it is time.

        Raises: as `Store.commit`.
        """
        self._messages += 1
        self._bytes += size
        if (
            self._messages >= MESSAGES
            or self._bytes >= BYTES
            or time.monotonic() - self._since >= SECONDS
        ):
            self._store.commit(wait=False)
            self._begin()

    def finish(self) -> None:
        """Commit everything that was added so far."""
        # A second thread for commits was measured: switching threads costs as much as it gains.
        self._store.commit()
        self._begin()

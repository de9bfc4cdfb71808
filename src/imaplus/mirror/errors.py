"""Errors of a store, and which refusals of a server end a run.

Errors of the operating system, such as a full disk, are raised as `OSError` with the whole path in
`filename`.
"""

from __future__ import annotations

from imaplus.errors import ImapError, Throttled, UsageError


class StoreError(ImapError):
    """Base class of the errors of a store. `path` is the file or folder, `problem` the reason."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class NotAStore(StoreError):
    """There is no store at this path, and none could be created."""


class WrongFormat(StoreError):
    """The store was written by a newer version of imaplus."""


class WrongAccount(StoreError):
    """The store holds the mail of another account."""


class NothingMatches(UsageError):
    """A pattern matches no mailbox. `pattern` is the pattern."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"no mailbox matches {pattern!r}")
        self.pattern = pattern


class StoreLocked(StoreError):
    """Another process has the store open for writing. `pid` is its number; None if unknown."""

    def __init__(self, path: str, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(path, f"in use by {who}; wait until it has finished")
        self.pid = pid


class StoreCorrupt(StoreError):
    """A file of the store is missing or damaged."""


class UnsafePath(StoreCorrupt):
    """A symbolic link, pipe or device is in the place of a file or folder of the store."""


class StoreFailed(StoreError):
    """An earlier commit failed, so this `Store` refuses to write; committed data is safe.

    Close the store and open it again: that removes what the failed commit left.
    """


def asks_for_patience(error: Exception) -> bool:
    """Whether the server limits requests in general, not for one mailbox (RFC 5530)."""
    return isinstance(error, Throttled) and error.code not in ("UNAVAILABLE", "INUSE")

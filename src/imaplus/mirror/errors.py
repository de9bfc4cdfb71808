"""What can be wrong with a store, as far as it is not the operating system that says so.

And which of a server's refusals end a run.

A full disk or a missing permission stays the `OSError` that it is, with the whole path in
`filename`; the classes here are for what only a store knows: who holds it, what it is, and what is
damaged.
"""

from __future__ import annotations

from imaplus.errors import ImapError, Throttled, UsageError


class StoreError(ImapError):
    """The base of what a store raises. `path` is the file or folder it is about."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class NotAStore(StoreError):
    """There is no store at this path, and none was to be made there."""


class WrongFormat(StoreError):
    """The store was written by a version of imaplus that this one does not understand."""


class WrongAccount(StoreError):
    """The store mirrors another account."""


class NothingMatches(UsageError):
    """A pattern means no mailbox that there is. `pattern` is the pattern."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"no mailbox matches {pattern!r}")
        self.pattern = pattern


class StoreLocked(StoreError):
    """Another run has the store open for writing. `pid` is its process, where it is known."""

    def __init__(self, path: str, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(path, f"in use by {who}; wait until it has finished")
        self.pid = pid


class StoreCorrupt(StoreError):
    """A file of the store is not what the store wrote."""


class UnsafePath(StoreCorrupt):
    """A symbolic link, pipe or device stands where the store keeps a file or folder of its own."""


class StoreFailed(StoreError):
    """An earlier commit failed, so this handle writes no more; what was committed is safe.

    Close the store and open it again: that drops what the failed commit left, and nothing else.
    """


def asks_for_patience(error: Exception) -> bool:
    """Whether the server wants to be left alone, and not only about one mailbox (RFC 5530)."""
    return isinstance(error, Throttled) and error.code not in ("UNAVAILABLE", "INUSE")

"""The mirror: an account's mail on disk, in a store made to be trusted.

`Store` is where it lies (`store` has the layout). It knows files, and the public API of imaplus for
what comes from a server; it refuses to know how that is done.
"""

from __future__ import annotations

from imaplus.mirror.entries import Checkpoint, Entries, Entry
from imaplus.mirror.errors import (
    NotAStore,
    StoreCorrupt,
    StoreError,
    StoreFailed,
    StoreLocked,
    UnsafePath,
    WrongAccount,
    WrongFormat,
)
from imaplus.mirror.journal import Journal
from imaplus.mirror.objects import ObjectWriter, StoredObject
from imaplus.mirror.store import MailboxInfo, Store
from imaplus.mirror.verify import Damage, Report

__all__ = [
    "Checkpoint",
    "Damage",
    "Entries",
    "Entry",
    "Journal",
    "MailboxInfo",
    "NotAStore",
    "ObjectWriter",
    "Report",
    "Store",
    "StoreCorrupt",
    "StoreError",
    "StoreFailed",
    "StoreLocked",
    "StoredObject",
    "UnsafePath",
    "WrongAccount",
    "WrongFormat",
]

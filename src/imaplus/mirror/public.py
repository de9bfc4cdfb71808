"""The names of `imaplus.mirror`, gathered from where they are defined.

`imaplus.mirror` shows them as its own. The command line takes what it needs from where it is, so
that a backup does not load what only `verify` needs.
"""

from __future__ import annotations

from imaplus.mirror.changes import list_mailboxes
from imaplus.mirror.check import Damage, Report
from imaplus.mirror.compare import verify
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
from imaplus.mirror.progress import Progress
from imaplus.mirror.reports import BackupReport, Problem, VerifyReport
from imaplus.mirror.run import backup
from imaplus.mirror.store import MailboxInfo, Store

__all__ = [
    "BackupReport",
    "Checkpoint",
    "Damage",
    "Entries",
    "Entry",
    "Journal",
    "MailboxInfo",
    "NotAStore",
    "ObjectWriter",
    "Problem",
    "Progress",
    "Report",
    "Store",
    "StoreCorrupt",
    "StoreError",
    "StoreFailed",
    "StoreLocked",
    "StoredObject",
    "UnsafePath",
    "VerifyReport",
    "WrongAccount",
    "WrongFormat",
    "backup",
    "list_mailboxes",
    "verify",
]

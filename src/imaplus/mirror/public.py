"""The names of `imaplus.mirror`, gathered from where they are defined.

`imaplus.mirror` shows them as its own. The command line takes what it needs from where it is, so
that a backup does not load what only `verify` needs.
"""

from __future__ import annotations

from imaplus.mirror.description import Choice, Owner
from imaplus.mirror.entries import Checkpoint, Entries, Entry, Replaced
from imaplus.mirror.enumeration import list_mailboxes
from imaplus.mirror.errors import (
    NotAStore,
    NothingMatches,
    StoreCorrupt,
    StoreError,
    StoreFailed,
    StoreLocked,
    UnsafePath,
    WrongAccount,
    WrongFormat,
)
from imaplus.mirror.inspection import Damage, Inspection
from imaplus.mirror.journal import Journal
from imaplus.mirror.link import Link
from imaplus.mirror.objects import ObjectWriter, StoredObject
from imaplus.mirror.progress import Progress
from imaplus.mirror.reports import BackupReport, Notice, Problem, VerifyReport
from imaplus.mirror.run import backup
from imaplus.mirror.shelf import MailboxInfo
from imaplus.mirror.store import Store
from imaplus.mirror.verification import verify, verify_and_repair

__all__ = [
    "BackupReport",
    "Checkpoint",
    "Choice",
    "Damage",
    "Entries",
    "Entry",
    "Inspection",
    "Journal",
    "Link",
    "MailboxInfo",
    "NotAStore",
    "NothingMatches",
    "Notice",
    "ObjectWriter",
    "Owner",
    "Problem",
    "Progress",
    "Replaced",
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
    "verify_and_repair",
]

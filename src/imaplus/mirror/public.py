"""The public names of `imaplus.mirror`, imported from their modules.

The command line imports from the modules directly, so that a backup does not load `verify`.
"""

from __future__ import annotations

from imaplus.mirror.description import Choice, Owner
from imaplus.mirror.entries import Checkpoint, Entries, Entry, Extras, Replaced
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
from imaplus.mirror.files import Disk, Folder
from imaplus.mirror.index.main import Hit, Index
from imaplus.mirror.inspection import Damage, Inspection, OnBody
from imaplus.mirror.journal import Journal
from imaplus.mirror.link import Connect, Link
from imaplus.mirror.objects import Objects, ObjectWriter, StoredObject, Taken
from imaplus.mirror.partial import Part, PartialWriter
from imaplus.mirror.progress import Progress, ShouldStop
from imaplus.mirror.reports import BackupReport, Notice, Problem, VerifyReport
from imaplus.mirror.run import backup
from imaplus.mirror.shelf import MailboxInfo, Shelf
from imaplus.mirror.store import Store
from imaplus.mirror.verification import verify, verify_and_repair

__all__ = [
    "BackupReport",
    "Checkpoint",
    "Choice",
    "Connect",
    "Damage",
    "Disk",
    "Entries",
    "Entry",
    "Extras",
    "Folder",
    "Hit",
    "Index",
    "Inspection",
    "Journal",
    "Link",
    "MailboxInfo",
    "NotAStore",
    "NothingMatches",
    "Notice",
    "ObjectWriter",
    "Objects",
    "OnBody",
    "Owner",
    "Part",
    "PartialWriter",
    "Problem",
    "Progress",
    "Replaced",
    "Shelf",
    "ShouldStop",
    "Store",
    "StoreCorrupt",
    "StoreError",
    "StoreFailed",
    "StoreLocked",
    "StoredObject",
    "Taken",
    "UnsafePath",
    "VerifyReport",
    "WrongAccount",
    "WrongFormat",
    "backup",
    "list_mailboxes",
    "verify",
    "verify_and_repair",
]

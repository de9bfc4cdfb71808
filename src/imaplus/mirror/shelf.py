"""The folders of the mailboxes in a store.

Each mailbox has a folder with a safe name (`names`), and in it a mailbox.json with its real name,
and a journal for each UIDVALIDITY.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from imaplus.mirror.errors import StoreCorrupt
from imaplus.mirror.files import Disk, Folder
from imaplus.mirror.journal import Journal
from imaplus.mirror.names import folder_name, kept_name, shown_name
from imaplus.mirror.root import as_json, load
from imaplus.records import record

if TYPE_CHECKING:
    from datetime import datetime

_JOURNAL = r"(0|[1-9][0-9]{0,9})\.journal"


@record
class MailboxInfo:
    """A mailbox of the mirror.

    Attributes:
        name: its name, as in `ListEntry.name`.
        delimiter: its hierarchy delimiter.
        attributes: its LIST attributes, including special uses.
        generations: the UIDVALIDITYs under which it was mirrored, the current one last; 0 if its
            UIDs do not persist.
        gone: when it was found to be gone from the server; None while it exists.
        mailboxid: its MAILBOXID (RFC 8474); None if the server has none.
    """

    name: str
    delimiter: str | None
    attributes: frozenset[str]
    generations: tuple[int, ...]
    gone: datetime | None = None
    mailboxid: str | None = None


class Shelf:
    """All folders of mailboxes, with the committed state of their journals."""

    def __init__(self, folder: Folder, tmp: Folder, disk: Disk) -> None:
        self._mailboxes = folder
        self._tmp = tmp
        self._disk = disk

    def _journal(self, uidvalidity: int, folder: str) -> Journal:
        """A journal for reading only."""
        return Journal("", uidvalidity, self._mailboxes, folder, lambda journal: None)

    def folders(self) -> list[str]:
        """Return the names of the folders on disk."""
        names = self._mailboxes.names()
        # Other files may come from a file manager.
        return [name for name in names if self._mailboxes.is_folder(name)]

    def info(self, folder: str) -> MailboxInfo:
        """Return the mailbox of a folder.

        Raises:
            StoreCorrupt: its mailbox.json is missing or damaged.
        """
        with self._mailboxes.subfolder(folder) as inside:
            found = load(inside, "mailbox.json")
            names = inside.names()
        name, delimiter = found.get("name"), found.get("delimiter")
        attributes, mailboxid = found.get("attributes"), found.get("mailboxid")
        if not isinstance(name, str):
            raise StoreCorrupt(inside.where("mailbox.json"), "has no name")
        name = shown_name(name)
        generations = self._in_order(folder, names)
        current = self._journal(generations[-1], folder) if generations else None
        return MailboxInfo(
            name,
            delimiter if isinstance(delimiter, str) else None,
            frozenset(map(str, attributes)) if isinstance(attributes, list) else frozenset(),
            generations,
            None if current is None else current.absent_since,
            mailboxid if isinstance(mailboxid, str) else None,
        )

    def generations(self, folder: str) -> tuple[int, ...]:
        """Return the UIDVALIDITYs of the journals in a folder, the current one last."""
        if not self._mailboxes.is_folder(folder):
            return ()
        with self._mailboxes.subfolder(folder) as inside:
            names = inside.names()
        return self._in_order(folder, names)

    def _in_order(self, folder: str, files: list[str]) -> tuple[int, ...]:
        """Sort UIDVALIDITYs by the time of their last checkpoint; those without one come first."""
        found = [int(match[1]) for file in files if (match := re.fullmatch(_JOURNAL, file))]

        def age(uidvalidity: int) -> tuple[float, int]:
            checkpoint = self._journal(uidvalidity, folder).checkpoint
            return (checkpoint.when.timestamp() if checkpoint else 0.0, uidvalidity)

        return tuple(sorted(found, key=age) if len(found) > 1 else found)

    def folder_of(
        self,
        name: str,
        delimiter: str | None,
        attributes: Iterable[str],
        mailboxid: str | None,
        *,
        readonly: bool,
    ) -> str:
        """Return the folder of a mailbox; unless `readonly`, create it or update mailbox.json.

        Raises:
            KeyError: the folder does not exist, and `readonly` is True.
        """
        wanted = _description(name, delimiter, sorted(attributes))
        if mailboxid is not None:
            wanted["mailboxid"] = mailboxid
        safe = folder_name(name)
        there = self._mailboxes.is_folder(safe)
        if not there and readonly:
            raise KeyError(name)
        if not there:
            # Created in tmp and renamed, so that every folder has its mailbox.json.
            self._tmp.remove("mailbox")
            with self._tmp.subfolder("mailbox", create=True) as made:
                self._disk.replace(made, "mailbox.json", as_json(wanted), tmp=self._tmp)
            self._tmp.move("mailbox", self._mailboxes, safe)
            self._disk.folder(self._mailboxes)
        elif not readonly:
            with self._mailboxes.subfolder(safe) as folder:
                self._describe(folder, wanted)
        return safe

    def _describe(self, folder: Folder, wanted: Mapping[str, object]) -> None:
        """Update mailbox.json; unknown values keep their old ones."""
        try:
            found = load(folder, "mailbox.json")
        except StoreCorrupt:
            found = {}  # the name is known, so the file can be rewritten
        if found.get("name", wanted["name"]) != wanted["name"]:
            raise StoreCorrupt(folder.path, f"belongs to {found['name']!r}")
        news = {key: value for key, value in wanted.items() if value or key not in found}
        if {**found, **news} != found:
            self._disk.replace(folder, "mailbox.json", as_json({**found, **news}), tmp=self._tmp)

    def move_journal(self, source: str, target: str, uidvalidity: int) -> None:
        """Move the journal of one UIDVALIDITY from one folder to another.

        Raises:
            KeyError: one of the folders does not exist.
        """
        for folder in (source, target):
            if not self._mailboxes.is_folder(folder):
                raise KeyError(folder)
        file = f"{uidvalidity}.journal"
        with self._mailboxes.subfolder(source) as of, self._mailboxes.subfolder(target) as to:
            of.move(file, to, file)
            self._disk.folder(to)
            self._disk.folder(of)

    # -- mending ------------------------------------------------------------------------------

    def rename(self, folder: str, name: str) -> None:
        """Rewrite mailbox.json, and rename the folder to match the name."""
        safe = folder_name(name)
        if safe != folder:
            self._mailboxes.move(folder, self._mailboxes, safe)
        with self._mailboxes.subfolder(safe) as inside:
            described = as_json(_description(name, None, []))
            self._disk.replace(inside, "mailbox.json", described, tmp=self._tmp)
        self._disk.folder(self._mailboxes)

    def names_in_journals(self, folder: str) -> list[str]:
        """Return the names of the mailbox in the journals of a folder."""
        found: list[str] = []
        with self._mailboxes.subfolder(folder) as inside:
            files = inside.names()
        for file in files:
            if match := re.fullmatch(_JOURNAL, file):
                with contextlib.suppress(StoreCorrupt):
                    name = self._journal(int(match[1]), folder).mailbox_in_head
                    found += filter(None, [name])
        return found


def _description(name: str, delimiter: str | None, attributes: list[str]) -> dict[str, object]:
    return {"name": kept_name(name), "delimiter": delimiter, "attributes": attributes}

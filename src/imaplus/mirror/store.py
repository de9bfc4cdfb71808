"""A store on disk: the mirror of one account, made to be trusted.

    store.json                      format, account
    lock                            held while a run writes
    tmp/                            what is being written; emptied when a run begins
    objects/ab/cdef....eml          each distinct message once, named by its SHA-256 (`objects`)
    mailboxes/Sent/mailbox.json     the mailbox's true name; the folder's is made safe (`names`)
    mailboxes/Sent/17.journal       its messages under UIDVALIDITY 17 (`journal`)

`Store.commit` is the one moment at which anything counts: bodies first, then the lines that speak
of them. So a run that is killed anywhere leaves what was committed and some files in tmp/. It knows
no server.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Mapping
from io import FileIO
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import WeakValueDictionary

from imaplus.errors import InvalidArgument, StateError
from imaplus.mirror.errors import NotAStore, StoreCorrupt, StoreFailed
from imaplus.mirror.files import Disk, Folder
from imaplus.mirror.journal import Journal
from imaplus.mirror.names import folder_name
from imaplus.mirror.objects import Objects, ObjectWriter, StoredObject, Taken
from imaplus.mirror.root import OURS, as_json, empty, load, locked, owner, prepare
from imaplus.records import record

if TYPE_CHECKING:
    from pathlib import Path

    from imaplus.mirror.check import Progress, Report

_JOURNAL = r"([1-9][0-9]{0,9})\.journal"


@record
class MailboxInfo:
    """A mailbox of the mirror, and the UIDVALIDITYs it was seen with, the current one last."""

    name: str
    delimiter: str | None
    attributes: frozenset[str]
    generations: tuple[int, ...]


class Store:
    """The mirror of one account. Made by `Store.open`; close it, or use it in a `with` statement.

    One thread writes, or several take turns; only `commit` may run beside the others.
    """

    def __init__(
        self, root: Folder, lock: int | None, account: str | None, *, sync: bool, helped: bool
    ) -> None:
        self.account = account
        self._root = root
        self._lock = lock
        self._disk = Disk(root, sync=sync)
        self._open = True
        self._failed = False
        self._committing = threading.Lock()
        self._begun: tuple[list[tuple[Journal, list[bytes]]], Taken] | None = None
        # Weak, so that a run over many mailboxes holds the one in hand and those not committed.
        self._journals: WeakValueDictionary[tuple[str, int], Journal] = WeakValueDictionary()
        self._folders: list[Folder] = []
        self._changed: dict[Journal, None] = {}
        self._tmp = self._subfolder("tmp")
        self._mailboxes = self._subfolder("mailboxes")
        self.objects: Objects = Objects(
            self._subfolder("objects"), self._tmp, self._disk, helped=helped and not sync
        )

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        create: bool = False,
        readonly: bool = False,
        sync: bool = True,
        helped: bool = False,
        account: str | None = None,
    ) -> Store:
        """The store at `path`.

        `create` makes it where there is none yet, in a folder that is empty or does not exist.
        `readonly` takes no lock and writes nothing, so it works beside a run that writes.
        `sync=False` leaves it to the system when data reaches the disk: faster, and safe unless the
        power fails. `helped` has a second process, which is forked, write small messages then: for
        a program of one thread. What is not committed may be left as a body that no mailbox has.
        `account` names whose mail it is: it is recorded by the first run that says so, and must
        stay the same.

        Raises:
            NotAStore, StoreLocked, WrongAccount, WrongFormat, StoreCorrupt: see there.
            OSError: the system refused.
        """
        where = os.path.abspath(path)  # noqa: PTH100 - see Folder
        if create and not readonly and not os.path.isdir(where):  # noqa: PTH112
            os.makedirs(where, mode=0o700, exist_ok=True)  # noqa: PTH103
        try:
            root = Folder.at(where)
        except (FileNotFoundError, NotADirectoryError):
            raise NotAStore(where, "no such folder") from None
        lock: int | None = None
        try:
            names = set(root.names())
            if "store.json" not in names and (readonly or not create or names - OURS):
                why = (
                    "has no store.json" if not create else "holds other files, so no store is made"
                )
                raise NotAStore(where, why)
            if not readonly:
                lock = locked(root)
                prepare(root, account, sync=sync)
            return cls(root, lock, owner(root, account), sync=sync, helped=helped)
        except BaseException:
            if lock is not None:
                os.close(lock)
            root.close()
            raise

    @property
    def path(self) -> Path:
        """Where the store lies."""
        from pathlib import Path  # only people ask for it

        return Path(self._root.path)

    @property
    def readonly(self) -> bool:
        """Whether the store was opened for reading only."""
        return self._lock is None

    def mailboxes(self) -> list[MailboxInfo]:
        """Every mailbox of the mirror, by name.

        Raises:
            StoreCorrupt: a mailbox.json cannot be read; it is made anew when that mailbox is
            mirrored.
        """
        self._check(writing=False)
        infos = [self.info(folder) for folder in self.folders()]
        return sorted(infos, key=lambda info: info.name)

    def folders(self) -> list[str]:
        """The folders of the mailboxes, as they are called on disk."""
        names = self._mailboxes.names()
        # What is no folder is a file manager's, perhaps; it is none of ours.
        return [name for name in names if self._mailboxes.is_folder(name)]

    def info(self, folder: str) -> MailboxInfo:
        """The mailbox that has this folder.

        Raises:
            StoreCorrupt: its mailbox.json is missing or cannot be read.
        """
        with self._mailboxes.subfolder(folder) as inside:
            found = load(inside, "mailbox.json")
            names = inside.names()
        name, delimiter = found.get("name"), found.get("delimiter")
        attributes = found.get("attributes")
        if not isinstance(name, str):
            raise StoreCorrupt(inside.where("mailbox.json"), "tells no name")
        return MailboxInfo(
            name,
            delimiter if isinstance(delimiter, str) else None,
            frozenset(map(str, attributes)) if isinstance(attributes, list) else frozenset(),
            self._in_order(folder, names),
        )

    def mailbox(
        self,
        name: str,
        uidvalidity: int,
        *,
        delimiter: str | None = None,
        attributes: Iterable[str] = (),
    ) -> Journal:
        """The journal of a mailbox under this UIDVALIDITY, new or known; the same object each time.

        Another UIDVALIDITY begins another journal; the messages of the old one stay. The hierarchy
        `delimiter` and LIST's `attributes` (special use) are recorded for whoever restores the
        mailbox.

        Raises:
            InvalidArgument: the name is empty or absurdly long, or `uidvalidity` out of range.
            KeyError: the store is read-only and has no such mailbox.
        """
        self._check(writing=False)
        if not 1 <= uidvalidity < 2**32:
            raise InvalidArgument(f"UIDVALIDITY is 1 to {2**32 - 1}, not {uidvalidity}")
        journal = self._journals.get((name, uidvalidity))
        if journal is None:
            folder = self._mailbox_folder(name, delimiter, sorted(attributes))
            journal = Journal(name, uidvalidity, self._mailboxes, folder, self._changing)
            self._journals[name, uidvalidity] = journal
        return journal

    def writer(self, *, replace: bool = False) -> ObjectWriter:
        """A sink for the body of one message: `write` it in pieces, then `close` or `abort`.

        `close` gives what `Journal.add` asks for. `replace` writes the body even if the store seems
        to have it: so a damaged one is healed.
        """
        self._check(writing=True)
        return self.objects.writer(replace=replace)

    def put(self, body: bytes, *, replace: bool = False) -> StoredObject:
        """Take the body of one message whole: as a `writer` does, in one call."""
        self._check(writing=True)
        return self.objects.put(body, replace=replace)

    def open_body(self, sha256: str) -> FileIO:
        """A committed body, to be read as a file of octets.

        Raises:
            FileNotFoundError: the store does not have it.
        """
        self._check(writing=False)
        return self.objects.open(sha256)

    def commit(self, *, wait: bool = True) -> None:
        """Keep everything that was added, changed and marked so far; it survives whatever comes.

        It may run in a thread of its own while bodies arrive and journals change: what comes too
        late is part of the next commit. With `wait=False` a store that is helped may leave its
        share to the next commit, so that nobody waits for the helper; any other does not.

        Raises:
            OSError: the disk is full, for one. The store on disk is as it was after an earlier
            commit,
                perhaps with a part of this one; this handle then refuses to write.
            StoreFailed: an earlier commit failed.
        """
        with self._committing:
            self._check(writing=True)
            try:
                self._keep()
                changed, self._changed = list(self._changed), {}
                # Lines before bodies: a line taken now speaks of a body that waits now.
                lines = [(journal, journal.take()) for journal in changed]
                self._begun = lines, self.objects.take()
                if wait or not self.objects.helped:
                    self._keep()
            except BaseException:
                self._failed = True
                raise

    def _keep(self) -> None:
        """See the commit through that has begun."""
        if self._begun is None:
            return
        (taken, bodies), self._begun = self._begun, None
        self.objects.settle(bodies)
        for journal, lines in taken:
            if lines:
                journal.append(lines, tmp=self._tmp, disk=self._disk)

    def verify(self, progress: Progress | None = None) -> Report:
        """Hash every body again and compare with the journals; see `Report`.

        `progress` is called with the octets read so far and the octets there are. Nothing is
        changed.
        """
        from imaplus.mirror.check import verify  # a backup does without

        self._check(writing=False)
        return verify(self, progress)

    def close(self) -> None:
        """Let go of the store. What was not committed is given up."""
        if not self._open:
            return
        self._open = False
        try:
            self.objects.close()
            if self._lock is not None:
                empty(self._tmp)
        finally:
            for folder in self._folders:
                folder.close()
            self._root.close()
            if self._lock is not None:
                os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check(self, *, writing: bool) -> None:
        if not self._open:
            raise StateError(f"{self._root.path}: the store is closed")
        if writing and self._lock is None:
            raise StateError(f"{self._root.path}: the store was opened for reading only")
        if writing and self._failed:
            raise StoreFailed(self._root.path, "an earlier commit failed; open the store again")

    def _in_order(self, folder: str, files: list[str]) -> tuple[int, ...]:
        """The generations by when they were last complete; those that never were come first."""
        found = [int(match[1]) for name in files if (match := re.fullmatch(_JOURNAL, name))]

        def age(uidvalidity: int) -> tuple[float, int]:
            journal = Journal("", uidvalidity, self._mailboxes, folder, self._changing)
            checkpoint = journal.checkpoint
            return (checkpoint.when.timestamp() if checkpoint else 0.0, uidvalidity)

        return tuple(sorted(found, key=age) if len(found) > 1 else found)

    def _changing(self, journal: Journal) -> None:
        self._check(writing=True)
        self._changed[journal] = None

    def _subfolder(self, name: str) -> Folder:
        folder = self._root.subfolder(name)
        self._folders.append(folder)
        return folder

    def _mailbox_folder(self, name: str, delimiter: str | None, attributes: list[str]) -> str:
        """The folder of a mailbox; where we may write, with a mailbox.json that is true."""
        safe = folder_name(name)
        wanted = {"name": name, "delimiter": delimiter, "attributes": attributes}
        there = self._mailboxes.is_folder(safe)
        if not there and self.readonly:
            raise KeyError(name)
        if not there:
            # Made aside and renamed: a folder without its mailbox.json is never seen.
            self._tmp.remove("mailbox")
            with self._tmp.subfolder("mailbox", create=True) as made:
                self._disk.replace(made, "mailbox.json", as_json(wanted), tmp=self._tmp)
            self._tmp.move("mailbox", self._mailboxes, safe)
            self._disk.folder(self._mailboxes)
        elif not self.readonly:
            with self._mailboxes.subfolder(safe) as folder:
                self._describe(folder, wanted)
        return safe

    def _describe(self, folder: Folder, wanted: Mapping[str, object]) -> None:
        """Bring mailbox.json up to date; what is not known now stays as it was."""
        try:
            found = load(folder, "mailbox.json")
        except StoreCorrupt:
            found = {}  # the name is known, so the file can be made anew
        if found.get("name", wanted["name"]) != wanted["name"]:
            raise StoreCorrupt(folder.path, f"belongs to {found['name']!r}")
        news = {key: value for key, value in wanted.items() if value or key not in found}
        if {**found, **news} != found:
            self._disk.replace(folder, "mailbox.json", as_json({**found, **news}), tmp=self._tmp)

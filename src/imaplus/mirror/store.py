"""A store on disk: the mirror of one account, made to be trusted.

    store.json                      format, whose mail, which mailboxes (`description`)
    lock                            held while a run writes
    tmp/                            what is being written; emptied when a run begins
    objects/ab/cdef....eml          each distinct message once, named by its SHA-256 (`objects`)
    mailboxes/Sent/mailbox.json     the mailbox's true name; the folder's is made safe (`names`)
    mailboxes/Sent/17.journal       its messages under UIDVALIDITY 17 (`journal`)
    mailboxes/Sent/17.3.900000.part what has come of UID 3, which has 900,000 bytes (`partial`)

`Store.commit` is the one moment at which anything counts: bodies first, then the lines that speak
of them. So a run that is killed anywhere leaves what was committed, some files in tmp/, and parts
of large bodies. This module knows no server.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable
from io import FileIO
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import WeakValueDictionary

from imaplus.errors import InvalidArgument, StateError
from imaplus.mirror.description import FORMAT, Choice, Description, Owner
from imaplus.mirror.errors import NotAStore, StoreCorrupt, StoreFailed
from imaplus.mirror.files import Disk, Folder, Reserve
from imaplus.mirror.journal import Journal
from imaplus.mirror.names import folder_name, shown_name
from imaplus.mirror.objects import Objects, ObjectWriter, StoredObject, Taken
from imaplus.mirror.root import (
    FOREIGN,
    OURS,
    acquire_lock,
    as_json,
    empty,
    prepare,
    read_description,
)
from imaplus.mirror.shelf import MailboxInfo, Shelf

if TYPE_CHECKING:
    from pathlib import Path

    from imaplus.mirror.inspection import Inspection, OnBody
    from imaplus.mirror.partial import Part, PartialWriter


class Store:
    """The mirror of one account. Made by `Store.open`; close it, or use it in a `with` statement.

    One thread writes, or several take turns; only `commit` may run beside the others.
    """

    def __init__(
        self, root: Folder, lock: int | None, found: Description, *, sync: bool, use_helper: bool
    ) -> None:
        self._description = found
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
        self._reserve = Reserve(self._tmp)
        self._mailboxes = self._subfolder("mailboxes")
        self.shelf: Shelf = Shelf(self._mailboxes, self._tmp, self._disk)
        self.objects: Objects = Objects(
            self._subfolder("objects"), self._tmp, self._disk, use_helper=use_helper and not sync
        )

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        create: bool = False,
        readonly: bool = False,
        sync: bool = True,
        use_helper: bool = False,
    ) -> Store:
        """The store at `path`.

        `create` makes it where there is none yet, in a folder that is empty or does not exist.
        `readonly` takes no lock and writes nothing, so it works beside a run that writes.
        `sync=False` leaves it to the system when data reaches the disk: faster, and safe unless the
        power fails. `helped` has a second process, which is forked, write small messages then: for
        a program of one thread. What is not committed may be left as a body that no mailbox has.

        A store of an older format is brought up to this version's with the first commit.

        Raises:
            NotAStore, StoreLocked, WrongFormat, StoreCorrupt: see there.
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
            if "store.json" not in names and (readonly or not create or names - OURS - FOREIGN):
                why = "it has no store.json" if not create else "it holds other files"
                raise NotAStore(where, why)
            if not readonly:
                lock = acquire_lock(root)
                prepare(root, sync=sync)
            return cls(root, lock, read_description(root), sync=sync, use_helper=use_helper)
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

    @property
    def owner(self) -> Owner | None:
        """Whose mail it is; None before the first run has said so."""
        return self._description.owner

    @property
    def choice(self) -> Choice | None:
        """Which mailboxes the last run was told to mirror; None if none has said so."""
        return self._description.choice

    def describe(self, *, owner: Owner | None = None, choice: Choice | None = None) -> None:
        """Record whose mail it is, or which mailboxes are mirrored; None leaves it as it is.

        A store of an older format becomes one of this version's.
        """
        self._check(writing=True)
        before = self._description
        after = Description(owner or before.owner, choice or before.choice)
        if after != before:
            self._disk.replace(self._root, "store.json", as_json(after.as_json()), tmp=self._tmp)
            self._description = after

    def mailboxes(self) -> list[MailboxInfo]:
        """Every mailbox of the mirror, by name.

        Raises:
            StoreCorrupt: a mailbox.json cannot be read; it is made anew when that mailbox is
            mirrored.
        """
        self._check(writing=False)
        infos = [self.shelf.info(folder) for folder in self.shelf.folders()]
        return sorted(infos, key=lambda info: info.name)

    def others(self, names: Iterable[str] = ()) -> list[MailboxInfo]:
        """The mailboxes of the mirror that have none of these names, as far as they can be read.

        Only these are looked at, so it is cheaper than `mailboxes()`.
        """
        self._check(writing=False)
        known = {folder_name(name) for name in names}
        found = []
        for folder in self.shelf.folders():
            if folder not in known:
                with contextlib.suppress(StoreCorrupt):
                    found.append(self.shelf.info(folder))
        return found

    def generations(self, name: str) -> tuple[int, ...]:
        """The UIDVALIDITYs under which the mirror has this mailbox, the current one last."""
        self._check(writing=False)
        return self.shelf.generations(folder_name(name))

    def mailbox(
        self,
        name: str,
        uidvalidity: int,
        *,
        delimiter: str | None = None,
        attributes: Iterable[str] = (),
        mailboxid: str | None = None,
    ) -> Journal:
        """The journal of a mailbox under this UIDVALIDITY, new or known; the same object each time.

        Another UIDVALIDITY begins another journal; the messages of the old one stay. The hierarchy
        `delimiter`, LIST's `attributes` (special use) and the `mailboxid` are recorded for whoever
        restores or recognises the mailbox. UIDVALIDITY 0 is for a mailbox whose UIDs do not last.

        Raises:
            InvalidArgument: the name is empty or absurdly long, or `uidvalidity` out of range.
            KeyError: the store is read-only and has no such mailbox.
        """
        self._check(writing=False)
        if not 0 <= uidvalidity < 2**32:
            raise InvalidArgument(f"UIDVALIDITY is 1 to {2**32 - 1}, not {uidvalidity}")
        name = shown_name(name)
        journal = self._journals.get((name, uidvalidity))
        if journal is None:
            folder = self.shelf.folder_of(
                name, delimiter, attributes, mailboxid, readonly=self.readonly
            )
            journal = self._journal_of(name, uidvalidity, folder)
        return journal

    def _journal_of(self, name: str, uidvalidity: int, folder: str) -> Journal:
        journal = self._journals.get((name, uidvalidity))
        if journal is None:
            journal = Journal(name, uidvalidity, self._mailboxes, folder, self._note_change)
            self._journals[name, uidvalidity] = journal
        return journal

    def move_journal(self, old: str, new: str, uidvalidity: int) -> Journal:
        """Let a generation of the mailbox `old` be one of `new`, whose folder exists: a rename.

        What is not committed is committed first. The result is the journal under its new name.

        Raises:
            KeyError: the store has no such mailbox.
        """
        self.commit()
        self.shelf.move_journal(folder_name(old), folder_name(new), uidvalidity)
        self._journals.pop((old, uidvalidity), None)
        self._journals.pop((new, uidvalidity), None)
        return self._journal_of(new, uidvalidity, folder_name(new))

    def writer(self, *, replace: bool = False) -> ObjectWriter:
        """A sink for the body of one message: `write` it in pieces, then `close` or `abort`.

        `close` gives what `Journal.add` asks for. `replace` writes the body even if the store seems
        to have it: so a damaged one is healed.
        """
        self._check(writing=True)
        self._reserve.hold()
        return self.objects.writer(replace=replace)

    def put(self, body: bytes, *, replace: bool = False) -> StoredObject:
        """Take the body of one message whole: as a `writer` does, in one call."""
        self._check(writing=True)
        self._reserve.hold()
        return self.objects.put(body, replace=replace)

    def partial(self, journal: Journal, uid: int, size: int) -> PartialWriter:
        """A sink for a large body of which a part may have come already; see there."""
        from imaplus.mirror.partial import PartialWriter  # few bodies need it

        self._check(writing=True)
        folder = self._mailboxes.subfolder(folder_name(journal.mailbox))
        return PartialWriter(self.objects, folder, journal.uidvalidity, uid, size)

    def parts(self, journal: Journal) -> list[Part]:
        """What has come of messages of this generation that are not complete."""
        from imaplus.mirror.partial import parts

        with self._mailboxes.subfolder(folder_name(journal.mailbox)) as folder:
            return list(parts(folder, journal.uidvalidity))

    def remove_parts(self, journal: Journal, uid: int | None = None) -> None:
        """Give up what has come of one message of this generation, or of all (None)."""
        from imaplus.mirror.partial import remove_parts

        self._check(writing=True)
        with self._mailboxes.subfolder(folder_name(journal.mailbox)) as folder:
            remove_parts(folder, journal.uidvalidity, uid)

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
                commit, perhaps with a part of this one; this handle then refuses to write.
            StoreFailed: an earlier commit failed.
        """
        with self._committing:
            self._check(writing=True)
            try:
                self._reserve.release()
                self._keep()
                changed, self._changed = list(self._changed), {}
                # Lines before bodies: a line taken now speaks of a body that waits now.
                lines = [(journal, journal.take()) for journal in changed]
                self._begun = lines, self.objects.take()
                if wait or not self.objects.has_helper:
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
        if taken and self._description.format != FORMAT:
            self.describe()  # older versions would misread what is written now
        for journal, lines in taken:
            if lines or journal.damaged:
                journal.append(lines, tmp=self._tmp, disk=self._disk)

    def inspect(self, progress: OnBody | None = None) -> Inspection:
        """Hash every body again and compare with the journals: what is on this disk, and nothing
        else. Nothing is changed.

        `progress` is called with the bytes read so far and the bytes of all messages.
        """
        from imaplus.mirror.inspection import inspect  # a backup does without

        self._check(writing=False)
        return inspect(self, progress)

    def set_aside(self, path: str) -> None:
        """Move a file or folder inside the store, which is not what it should be, to `aside`."""
        self._check(writing=True)
        self._root.make("aside")
        with self._root.subfolder("aside") as aside:
            inside = os.path.relpath(path, self._root.path)
            self._root.move(inside, aside, f"{len(aside.names())}-{os.path.basename(path)}")  # noqa: PTH119
        self._journals.clear()

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

    def _note_change(self, journal: Journal) -> None:
        self._check(writing=True)
        self._changed[journal] = None

    def _subfolder(self, name: str) -> Folder:
        folder = self._root.subfolder(name)
        self._folders.append(folder)
        return folder

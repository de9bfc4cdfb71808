"""A store on disk: the mirror of one account.

    store.json                      format, owner, choice of mailboxes (`description`)
    lock                            locked while a run writes
    tmp/                            temporary files; emptied when a run begins
    objects/ab/cdef....eml          each distinct message once, named by its SHA-256 (`objects`)
    mailboxes/Sent/mailbox.json     the mailbox's name; the folder's name is made safe (`names`)
    mailboxes/Sent/17.journal       its messages under UIDVALIDITY 17 (`journal`)
    mailboxes/Sent/17.3.900000.part the received part of UID 3, which has 900,000 bytes (`partial`)

Changes take effect with `Store.commit`: it writes the bodies first, then the journal lines that
refer to them. A run that is killed at any moment leaves the last commit, files in tmp/, and parts
of large bodies. This module does not talk to servers.
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
    """The mirror of one account. Created by `Store.open`; close it, or use a `with` statement.

    Not thread-safe, with one exception: `commit` may run in another thread.
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
        # Weak references: a run over many mailboxes keeps only the current and uncommitted ones.
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
        """Open the store at `path`.

        A store of an older format is converted by the first commit.

        Args:
            path: the folder of the store.
            create: create the store if the folder is empty or does not exist.
            readonly: take no lock and write nothing; works while another process writes.
            sync: wait until data is on disk. False is faster, and safe unless the power fails.
            use_helper: with `sync=False`, fork a process that writes small messages; only for
                programs with one thread. Uncommitted bodies may remain in the store, unused.

        Raises:
            NotAStore: there is no store at `path`, and `create` is False or the folder holds
                other files.
            StoreLocked: another process has the store open for writing.
            WrongFormat: a newer version of imaplus wrote the store.
            StoreCorrupt: store.json is missing or damaged.
            OSError: the operating system refused access.
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
                why = "it has no store.json" if not create else "the folder holds other files"
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
        """The folder of the store."""
        from pathlib import Path  # only people ask for it

        return Path(self._root.path)

    @property
    def readonly(self) -> bool:
        """Whether the store was opened for reading only."""
        return self._lock is None

    @property
    def owner(self) -> Owner | None:
        """The account whose mail the store holds; None if not recorded yet."""
        return self._description.owner

    @property
    def choice(self) -> Choice | None:
        """The recorded choice of mailboxes; None if there is none."""
        return self._description.choice

    def describe(self, *, owner: Owner | None = None, choice: Choice | None = None) -> None:
        """Write the owner or the choice of mailboxes to store.json; None keeps the old value.

        Converts a store of an older format.

        Raises:
            StateError: the store is closed or read-only.
            OSError: store.json cannot be written.
        """
        self._check(writing=True)
        before = self._description
        after = Description(owner or before.owner, choice or before.choice)
        if after != before:
            self._disk.replace(self._root, "store.json", as_json(after.as_json()), tmp=self._tmp)
            self._description = after

    def mailboxes(self) -> list[MailboxInfo]:
        """Return all mailboxes of the mirror, sorted by name.

        Raises:
            StoreCorrupt: a mailbox.json is damaged; the next backup of that mailbox writes it
                again.
        """
        self._check(writing=False)
        infos = [self.shelf.info(folder) for folder in self.shelf.folders()]
        return sorted(infos, key=lambda info: info.name)

    def others(self, names: Iterable[str] = ()) -> list[MailboxInfo]:
        """Return the mailboxes whose name is not in `names`; unreadable ones are left out.

        Reads only these, so it is cheaper than `mailboxes()`.
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
        """Return the UIDVALIDITYs under which a mailbox was mirrored, the current one last."""
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
        """Return the journal of a mailbox; create the mailbox if the store does not have it.

        Calls with the same name and UIDVALIDITY return the same object. A new UIDVALIDITY starts a
        new journal; the old one is kept.

        Args:
            name: the mailbox.
            uidvalidity: its UIDVALIDITY; 0 if its UIDs do not persist (UIDNOTSTICKY).
            delimiter: its hierarchy delimiter, to be recorded.
            attributes: its LIST attributes, to be recorded.
            mailboxid: its MAILBOXID (RFC 8474), to be recorded.

        Raises:
            InvalidArgument: the name is empty or too long, or `uidvalidity` is out of range.
            KeyError: the store is read-only and has no such mailbox.
        """
        self._check(writing=False)
        if not 0 <= uidvalidity < 2**32:
            raise InvalidArgument(f"UIDVALIDITY must be 1 to {2**32 - 1}, not {uidvalidity}")
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
        """Move the journal of one UIDVALIDITY from mailbox `old` to mailbox `new`, after a rename.

        Commits first. Returns the journal under its new name.

        Raises:
            KeyError: the store does not have one of the mailboxes.
        """
        self.commit()
        self.shelf.move_journal(folder_name(old), folder_name(new), uidvalidity)
        self._journals.pop((old, uidvalidity), None)
        self._journals.pop((new, uidvalidity), None)
        return self._journal_of(new, uidvalidity, folder_name(new))

    def writer(self, *, replace: bool = False) -> ObjectWriter:
        """Return a writer for one message body: `write` the pieces, then `close` or `abort`.

        `close` returns the `StoredObject` that `Journal.add` takes. `replace` writes the body even
        if the store has it, to repair a damaged copy.
        """
        self._check(writing=True)
        self._reserve.hold()
        return self.objects.writer(replace=replace)

    def put(self, body: bytes, *, replace: bool = False) -> StoredObject:
        """Store a complete message body; the same as `writer`, in one call."""
        self._check(writing=True)
        self._reserve.hold()
        return self.objects.put(body, replace=replace)

    def partial(self, journal: Journal, uid: int, size: int) -> PartialWriter:
        """Return a writer for a large body of `size` bytes; it continues a part kept earlier."""
        from imaplus.mirror.partial import PartialWriter  # few bodies need it

        self._check(writing=True)
        folder = self._mailboxes.subfolder(folder_name(journal.mailbox))
        return PartialWriter(self.objects, folder, journal.uidvalidity, uid, size)

    def parts(self, journal: Journal) -> list[Part]:
        """Return the kept parts of large messages of this journal's mailbox and UIDVALIDITY."""
        from imaplus.mirror.partial import parts

        with self._mailboxes.subfolder(folder_name(journal.mailbox)) as folder:
            return list(parts(folder, journal.uidvalidity))

    def remove_parts(self, journal: Journal, uid: int | None = None) -> None:
        """Delete the kept part of message `uid`, or all parts of this journal (None)."""
        from imaplus.mirror.partial import remove_parts

        self._check(writing=True)
        with self._mailboxes.subfolder(folder_name(journal.mailbox)) as folder:
            remove_parts(folder, journal.uidvalidity, uid)

    def open_body(self, sha256: str) -> FileIO:
        """Open a committed body for reading, as a binary file. `sha256` is in hexadecimal.

        Raises:
            FileNotFoundError: the store does not have the body.
        """
        self._check(writing=False)
        return self.objects.open(sha256)

    def commit(self, *, wait: bool = True) -> None:
        """Write all additions and changes to disk.

        May run in another thread while bodies and journals are added to; later changes belong to
        the next commit. With `wait=False` and a helper process, the commit is completed by the
        next one, so that the caller does not wait for the helper.

        Raises:
            OSError: a file cannot be written, for example because the disk is full. The store
                holds an earlier commit, perhaps with a part of this one; this handle then refuses
                to write.
            StoreFailed: an earlier commit failed.
        """
        with self._committing:
            self._check(writing=True)
            try:
                self._reserve.release()
                self._keep()
                changed, self._changed = list(self._changed), {}
                # Lines before bodies: every line taken here refers to a body taken here.
                lines = [(journal, journal.take()) for journal in changed]
                self._begun = lines, self.objects.take()
                if wait or not self.objects.has_helper:
                    self._keep()
            except BaseException:
                self._failed = True
                raise

    def _keep(self) -> None:
        """Complete the commit that was begun."""
        if self._begun is None:
            return
        (taken, bodies), self._begun = self._begun, None
        self.objects.settle(bodies)
        if taken and self._description.format != FORMAT:
            self.describe()  # older versions would misread the new lines
        for journal, lines in taken:
            if lines or journal.damaged:
                journal.append(lines, tmp=self._tmp, disk=self._disk)

    def inspect(self, progress: OnBody | None = None) -> Inspection:
        """Hash every body and compare the result with the journals; changes nothing.

        `progress` is called with the bytes read so far and the total. See `Inspection`.
        """
        from imaplus.mirror.inspection import inspect  # a backup does without

        self._check(writing=False)
        return inspect(self, progress)

    def set_aside(self, path: str) -> None:
        """Move a damaged or foreign file or folder of the store to the folder `aside`."""
        self._check(writing=True)
        self._root.make("aside")
        with self._root.subfolder("aside") as aside:
            inside = os.path.relpath(path, self._root.path)
            self._root.move(inside, aside, f"{len(aside.names())}-{os.path.basename(path)}")  # noqa: PTH119
        self._journals.clear()

    def close(self) -> None:
        """Close the store and release its lock; uncommitted changes are lost."""
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
            raise StoreFailed(
                self._root.path, "cannot write: an earlier commit failed; open the store again"
            )

    def _note_change(self, journal: Journal) -> None:
        self._check(writing=True)
        self._changed[journal] = None

    def _subfolder(self, name: str) -> Folder:
        folder = self._root.subfolder(name)
        self._folders.append(folder)
        return folder

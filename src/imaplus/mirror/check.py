"""Is the store what it should be? Every body hashed again, every journal compared with the bodies.

It knows how to look and how to report; it repairs nothing, and needs no lock: beside a run that
writes it sees what was committed. A body that no journal names is no damage (a run was killed
before its commit).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from imaplus.mirror.errors import StoreCorrupt
from imaplus.records import record

if TYPE_CHECKING:
    from imaplus.mirror.entries import Entries
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.store import Store

Progress = Callable[[int, int], None]
"""Called with the octets read so far and the octets there are to read, as far as known."""

_PIECE = 1024 * 1024  # octets hashed at once


@record
class Damage:
    """A message whose body is missing, or has other octets or another size than it should."""

    mailbox: str
    uidvalidity: int
    uid: int
    sha256: str
    problem: Literal["missing", "corrupt", "size"]


@record
class Report:
    """What `Store.verify` found.

    `damages` are messages to be fetched again, `corrupt` the bodies that are not what their name
    says, `unreadable` files of the store that are damaged. Not damage: `orphans`, bodies that no
    journal names, and `torn`, journals whose end an interrupted run left half-written (the next run
    cuts it off).
    """

    mailboxes: int
    messages: int
    gone: int
    objects: int
    octets: int
    damages: tuple[Damage, ...]
    corrupt: tuple[str, ...]
    unreadable: tuple[str, ...]
    orphans: tuple[str, ...]
    torn: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether every message of the mirror is whole, and every file of the store readable."""
        return not (self.damages or self.corrupt or self.unreadable)


def verify(store: Store, progress: Progress | None = None) -> Report:
    """What is wrong with `store`, if anything; see `Report`."""
    check = _Check(store)
    # Journals first: whatever they name was in its place before.
    journals = list(check.journals())
    check.hash_all(progress)
    for journal in journals:
        check.compare(journal, journal.entries)
        check.compare(journal, journal.gone)
    return Report(
        mailboxes=len({journal.mailbox for journal in journals}),
        messages=sum(len(journal.entries) for journal in journals),
        gone=sum(len(journal.gone) for journal in journals),
        objects=len(check.sizes),
        octets=sum(check.sizes.values()),
        damages=tuple(check.damages),
        corrupt=tuple(sorted(digest.hex() for digest in check.corrupt)),
        unreadable=tuple(check.unreadable),
        orphans=tuple(sorted(digest.hex() for digest in check.sizes.keys() - check.named)),
        torn=tuple(check.torn),
    )


class _Check:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.sizes: dict[bytes, int] = {}
        self.corrupt: set[bytes] = set()
        self.named: set[bytes] = set()
        self.damages: list[Damage] = []
        self.unreadable: list[str] = []
        self.torn: list[str] = []

    def journals(self) -> Iterator[Journal]:
        """Every journal, loaded; what cannot be read is noted."""
        for folder in self.store.folders():
            try:
                info = self.store.info(folder)
                for uidvalidity in info.generations:
                    journal = self.store.mailbox(info.name, uidvalidity)
                    if journal.damaged:
                        self.unreadable.append(f"{journal.path}: {journal.damaged} damaged lines")
                    if journal.torn:
                        self.torn.append(str(journal.path))
                    yield journal
            except StoreCorrupt as error:
                self.unreadable.append(str(error))

    def hash_all(self, progress: Progress | None) -> None:
        """Read every body and note its size, and whether it is what its name says."""
        objects = self.store.objects
        self.unreadable += [f"{path}: not a folder of bodies" for path in objects.strangers()]
        names = list(objects.all())
        total = sum(objects.size(sha256) for sha256 in names) if progress else 0
        done = 0
        for sha256 in names:
            digest = bytes.fromhex(sha256)
            try:
                found, size = self._hash(sha256)
            except (StoreCorrupt, FileNotFoundError):
                found, size = b"", 0
            self.sizes[digest] = size
            if found != digest:
                self.corrupt.add(digest)
            done += size
            if progress is not None:
                progress(done, total)

    def _hash(self, sha256: str) -> tuple[bytes, int]:
        found, size = hashlib.sha256(), 0
        with self.store.objects.open(sha256) as file:
            while piece := file.read(_PIECE):
                found.update(piece)
                size += len(piece)
        return found.digest(), size

    def compare(self, journal: Journal, entries: Entries) -> None:
        """Note the messages of a journal whose bodies are not as they should be."""
        for uid, entry in entries.items():
            digest = bytes.fromhex(entry.sha256)
            self.named.add(digest)
            problem: Literal["missing", "corrupt", "size"]
            if digest not in self.sizes:
                problem = "missing"
            elif digest in self.corrupt:
                problem = "corrupt"
            elif self.sizes[digest] != entry.size:
                problem = "size"
            else:
                continue
            self.damages.append(
                Damage(journal.mailbox, journal.uidvalidity, uid, entry.sha256, problem)
            )

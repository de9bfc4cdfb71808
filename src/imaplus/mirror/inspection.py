"""Check a store on disk: hash every body, and compare the bodies with the journals.

`inspect` needs no lock and repairs nothing; while another process writes, it sees the last commit.
A body that no journal names is not damage: a run was killed before its commit. It uses 50 bytes of
memory for each message, and loads one journal at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from struct import Struct
from typing import TYPE_CHECKING, Literal

from imaplus.mirror.errors import StoreCorrupt
from imaplus.records import record

if TYPE_CHECKING:
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.store import Store

OnBody = Callable[[int, int], None]
"""Called with the bytes read so far, and the total by the journals."""

_PIECE = 1024 * 1024  # bytes hashed at once
_NAMED = Struct("<32sQIIB")  # SHA-256, size, UID, number of the journal, whether it is current


@record
class Damage:
    """A message whose body is missing, corrupt, or of the wrong size.

    `current` is False if the server no longer had the message at the last backup, so that this was
    the only copy.
    """

    mailbox: str
    uidvalidity: int
    uid: int
    sha256: str
    problem: Literal["missing", "corrupt", "size"]
    current: bool = True


@record
class Inspection:
    """The result of `Store.inspect`.

    Attributes:
        mailboxes, messages, gone, objects: counts of mailboxes, messages that the server has,
            messages that it no longer has, and bodies.
        octets: the size of all bodies in bytes.
        damages: messages whose body is missing or damaged.
        corrupt: SHA-256 of bodies whose content does not match their name.
        unreadable: descriptions of damaged files of the store.
        strangers: paths of foreign files among the bodies.
        promises: mailbox and description of checkpoints that claim more than the mirror holds.
        orphans: SHA-256 of bodies that no journal names; no damage.
        torn: paths of journals with a half-written end, which the next run removes; no damage.
        lost: the number of bodies that a repair gave up; no damage.
        unfinished: mailboxes that the last run did not complete; no damage.
    """

    mailboxes: int
    messages: int
    gone: int
    objects: int
    octets: int
    damages: tuple[Damage, ...]
    corrupt: tuple[str, ...]
    unreadable: tuple[str, ...]
    strangers: tuple[str, ...]
    promises: tuple[tuple[str, str], ...]
    orphans: tuple[str, ...]
    torn: tuple[str, ...]
    lost: int
    unfinished: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing is damaged."""
        return not (
            self.damages or self.corrupt or self.unreadable or self.strangers or self.promises
        )


def inspect(store: Store, progress: OnBody | None = None) -> Inspection:
    """Check `store` for damage; see `Store.inspect`."""
    inspector = _Inspector(store)
    # Journals first: the bodies that they name were written before them.
    for journal, is_current in inspector.journals():
        inspector.note(journal, is_current)
    inspector.compare(progress)
    return inspector.result()


class _Inspector:
    def __init__(self, store: Store) -> None:
        self._store = store
        # Entries of the journals by the first byte of the SHA-256: one list for each folder.
        self._named = [bytearray() for _ in range(256)]
        self._places: list[tuple[str, int]] = []  # mailbox and UIDVALIDITY, by journal's number
        self._lost: set[bytes] = set()
        self._damages: list[Damage] = []
        self._corrupt: list[str] = []
        self._unreadable: list[str] = []
        self._promises: list[tuple[str, str]] = []
        self._orphans: list[str] = []
        self._torn: list[str] = []
        self._unfinished: list[str] = []
        self._messages = self._gone = self._objects = self._octets = 0

    def result(self) -> Inspection:
        return Inspection(
            mailboxes=len({mailbox for mailbox, _ in self._places}),
            messages=self._messages,
            gone=self._gone,
            objects=self._objects,
            octets=self._octets,
            damages=tuple(sorted(self._damages, key=_where)),
            corrupt=tuple(self._corrupt),
            unreadable=tuple(self._unreadable),
            strangers=tuple(self._store.objects.strangers()),
            promises=tuple(self._promises),
            orphans=tuple(self._orphans),
            torn=tuple(self._torn),
            lost=len(self._lost),
            unfinished=tuple(self._unfinished),
        )

    def journals(self) -> Iterator[tuple[Journal, bool]]:
        """Yield every journal, and whether its UIDVALIDITY is the current one."""
        for folder in self._store.shelf.folders():
            try:
                info = self._store.shelf.info(folder)
                for uidvalidity in info.generations:
                    is_current = info.gone is None and uidvalidity == info.generations[-1]
                    yield self._store.mailbox(info.name, uidvalidity), is_current
            except StoreCorrupt as error:
                self._unreadable.append(str(error))

    def note(self, journal: Journal, is_current: bool) -> None:
        """Record the bodies that the journal names, and damage of the journal itself."""
        if journal.damaged:
            self._unreadable.append(f"{journal.path}: damaged lines: {journal.damaged:,}")
        if journal.torn:
            self._torn.append(str(journal.path))
        if (broken := journal.broken_promise) is not None:
            what = (
                f"{broken.exists:,} messages were recorded, but {broken.held:,} are in the backup"
            )
            self._promises.append((journal.mailbox, what))
        elif is_current and not _is_finished(journal):
            self._unfinished.append(journal.mailbox)
        number = len(self._places)
        self._places.append((journal.mailbox, journal.uidvalidity))
        self._lost |= journal.lost
        for entries, current in ((journal.entries, is_current), (journal.gone, False)):
            for uid, digest, size in entries.digests():
                self._named[digest[0]] += _NAMED.pack(digest, size, uid, number, current)
        for each in journal.replaced:
            digest = bytes.fromhex(each.entry.sha256)
            self._named[digest[0]] += _NAMED.pack(digest, each.entry.size, each.uid, number, False)
        self._messages += len(journal.entries)
        self._gone += len(journal.gone)

    def compare(self, progress: OnBody | None) -> None:
        """Hash every body, and compare it with the journals."""
        objects = self._store.objects
        total = sum(map(self._named_bytes, range(256))) if progress else 0
        for byte in range(256):
            whole: dict[bytes, int] = {}  # size, or -1 for one that is damaged
            for sha256 in objects.all_in(f"{byte:02x}"):
                digest = bytes.fromhex(sha256)
                found, size = self._hash(sha256)
                whole[digest] = size if found == digest else -1
                self._objects += 1
                self._octets += size
                if found != digest:
                    self._corrupt.append(sha256)
                if progress is not None:
                    progress(self._octets, total)
            self._compare_folder(byte, whole)
            self._named[byte].clear()

    def _named_bytes(self, byte: int) -> int:
        """The size in bytes of the bodies in one folder, by the journals."""
        sizes = {digest: size for digest, size, *_ in _NAMED.iter_unpack(self._named[byte])}
        return sum(sizes.values())

    def _compare_folder(self, byte: int, whole: dict[bytes, int]) -> None:
        named: set[bytes] = set()
        for digest, size, uid, number, current in _NAMED.iter_unpack(self._named[byte]):
            named.add(digest)
            problem: Literal["missing", "corrupt", "size"]
            if (found := whole.get(digest)) is None:
                problem = "missing"
            elif found < 0:
                problem = "corrupt"
            elif found != size:
                problem = "size"
            else:
                continue
            if digest in self._lost and not current:
                continue
            mailbox, uidvalidity = self._places[number]
            self._damages.append(
                Damage(mailbox, uidvalidity, uid, digest.hex(), problem, bool(current))
            )
        self._orphans += sorted(digest.hex() for digest in whole.keys() - named)

    def _hash(self, sha256: str) -> tuple[bytes, int]:
        digest, size = hashlib.sha256(), 0
        try:
            with self._store.objects.open(sha256) as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
                    size += len(piece)
        except (StoreCorrupt, FileNotFoundError):
            return b"", 0
        return digest.digest(), size


def _is_finished(journal: Journal) -> bool:
    """Whether the last run mirrored all messages and wrote a checkpoint."""
    checkpoint = journal.checkpoint
    return (
        checkpoint is not None
        and checkpoint.complete
        and checkpoint.held == len(journal.entries)
        and not journal.suspects
    )


def _where(damage: Damage) -> tuple[str, int, int]:
    return damage.mailbox, damage.uidvalidity, damage.uid

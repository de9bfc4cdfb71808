"""Repair a store on disk, and record what cannot be repaired.

`mend` repairs what `Store.inspect` finds: it rewrites damaged journals from their readable lines,
moves foreign files aside, and recovers names. It returns the messages whose bodies have to be
fetched again. `give_up` records those that the server no longer has as lost; they are reported
once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaplus.errors import InvalidArgument
from imaplus.mirror.errors import StoreCorrupt
from imaplus.mirror.names import folder_name
from imaplus.mirror.percent import unescape

if TYPE_CHECKING:
    from imaplus.mirror.inspection import Damage
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.store import Store
    from imaplus.mirror.tally import Tally


def mend(store: Store, tally: Tally) -> tuple[Damage, ...]:
    """Repair what needs no server; return the messages whose bodies are damaged.

    Damaged files are moved to the folder `aside` of the store.
    """
    for folder in store.shelf.folders():  # first: an unreadable journal names no bodies
        _mend_folder(store, folder, tally)
    store.commit()
    found = store.inspect()
    for path in found.strangers:
        store.set_aside(path)
        tally.tell(None, f"{path} is not part of the backup; it was moved to the folder `aside`")
    for sha256 in found.corrupt:
        store.set_aside(str(store.objects.path(sha256)))
    for mailbox, _ in found.promises:
        _correct_checkpoints(store, mailbox)
    return found.damages


def give_up(store: Store, damages: tuple[Damage, ...], tally: Tally) -> None:
    """Record as lost the messages that are still damaged and not on the server."""
    renamed = dict(tally.renamed)
    for damage in damages:
        name = renamed.get(damage.mailbox, damage.mailbox)
        journal = store.mailbox(name, damage.uidvalidity)
        entry = journal.entries.get(damage.uid)
        info = next((each for each in store.others() if each.name == name), None)
        is_current = (
            entry is not None
            and entry.sha256 == damage.sha256
            and info is not None
            and info.gone is None
            and info.generations[-1] == damage.uidvalidity
        )
        if is_current or store.objects.has(damage.sha256, _size(journal, damage)):
            continue
        if bytes.fromhex(damage.sha256) not in journal.lost:
            journal.lose(damage.sha256)
            what = "its body is damaged, and the server no longer has it: it is lost"
            tally.tell(name, f"UID {damage.uid}: {what}", warning=True)


def _size(journal: Journal, damage: Damage) -> int:
    for entries in (journal.entries, journal.gone):
        entry = entries.get(damage.uid)
        if entry is not None and entry.sha256 == damage.sha256:
            return entry.size
    older = (each.entry for each in journal.replaced)
    return next((entry.size for entry in older if entry.sha256 == damage.sha256), -1)


def _mend_folder(store: Store, folder: str, tally: Tally) -> None:
    """Make the files of one mailbox readable again."""
    for _ in range(100):  # each round sets one file aside
        try:
            info = store.shelf.info(folder)
            for uidvalidity in info.generations:
                journal = store.mailbox(info.name, uidvalidity)
                if journal.damaged:
                    journal.make_anew()
                    tally.tell(info.name, "its journal was damaged, and has been rewritten")
        except StoreCorrupt as error:
            if error.path.endswith("/mailbox.json"):
                name = _name_of(store, folder)
                store.shelf.rename(folder, name)
                folder = folder_name(name)
                tally.tell(name, "its name was recovered")
            else:
                store.set_aside(error.path)
                tally.tell(None, f"{error.path} could not be read; it was moved to `aside`")
        else:
            return


def _name_of(store: Store, folder: str) -> str:
    """Recover the name of a mailbox from its journals, or from the name of its folder."""
    for name in store.shelf.names_in_journals(folder):
        if folder_name(name) == folder:
            return name
    try:
        name = unescape(folder.encode())
        if folder_name(name) == folder:
            return name
    except (ValueError, InvalidArgument):
        pass
    return f"recovered {folder}"


def _correct_checkpoints(store: Store, mailbox: str) -> None:
    """Replace checkpoints that claim more messages than the mirror has."""
    for uidvalidity in store.generations(mailbox):
        journal = store.mailbox(mailbox, uidvalidity)
        if journal.broken_promise is not None:
            journal.mark(exists=len(journal.entries))

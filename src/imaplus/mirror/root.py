"""The root of a store: the lock, store.json, the folders.

One process at a time holds the lock, and creates what is missing.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping

from imaplus.mirror.description import Description
from imaplus.mirror.errors import StoreCorrupt, StoreLocked, WrongFormat
from imaplus.mirror.files import Disk, Folder

OURS = {"lock", "tmp", "objects", "mailboxes"}
"""Names that an interrupted creation of a store may have left."""

FOREIGN = {"lost+found"}
"""Names in the root of an empty file system."""

_MOMENTS = 100  # hundredths of a second
_SMALL = 1024 * 1024  # bytes; store.json and mailbox.json are far smaller


def acquire_lock(root: Folder) -> int:
    """Lock the store; return the descriptor that holds the lock until it is closed.

    Raises:
        StoreLocked: another process holds the lock.
    """
    fd = root.open("lock", os.O_RDWR | os.O_CREAT)
    try:
        _lock(fd)
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    except BlockingIOError:
        pid = os.pread(fd, 20, 0).strip()
        os.close(fd)
        raise StoreLocked(root.path, int(pid) if pid.isdigit() else None) from None
    except OSError as error:
        os.close(fd)
        raise root.blame(error, "lock") from None
    return fd


def _lock(fd: int) -> None:
    """Take the lock; wait up to a second for the helper of a killed process to end."""
    for _ in range(_MOMENTS):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(fd, 20, 0).strip()
            if not pid.isdigit() or _is_running(int(pid)):
                raise
            time.sleep(0.01)
        else:
            return
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def prepare(root: Folder, *, sync: bool) -> None:
    """Create what is missing of a store, and remove the temporary files of a killed run."""
    fresh = "store.json" not in root.names()
    try:
        found = Description() if fresh else Description.parse(load(root, "store.json"))
    except ValueError:
        return  # a newer version: change nothing; `read_description` raises the error
    for name in ("tmp", "objects", "mailboxes"):
        root.make(name)
    disk = Disk(root, sync=sync)
    with root.subfolder("tmp") as tmp:
        empty(tmp)
        if fresh:
            # Last: a folder with store.json is a store.
            disk.replace(root, "store.json", as_json(found.as_json()), tmp=tmp)
    if fresh:
        with Folder.at(root.where("..")) as parent:
            disk.folder(parent)


def read_description(root: Folder) -> Description:
    """Read store.json.

    Raises:
        WrongFormat: a newer version of imaplus wrote it.
        StoreCorrupt: it is missing or damaged.
    """
    try:
        return Description.parse(load(root, "store.json"))
    except ValueError as error:
        raise WrongFormat(root.path, str(error)) from None


def empty(folder: Folder) -> None:
    """Remove everything in a folder."""
    for name in folder.names():
        folder.remove(name)


def as_json(value: Mapping[str, object]) -> bytes:
    """Serialise store.json or a mailbox.json."""
    return json.dumps(value, indent=2).encode("ascii") + b"\n"


def load(folder: Folder, name: str) -> dict[str, object]:
    """Read a store.json or mailbox.json.

    Raises:
        StoreCorrupt: it is missing or damaged.
    """
    try:
        found = json.loads(folder.read(name, _SMALL))
    except (FileNotFoundError, ValueError, RecursionError) as error:
        raise StoreCorrupt(folder.where(name), f"cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise StoreCorrupt(folder.where(name), "not a JSON object")
    return found

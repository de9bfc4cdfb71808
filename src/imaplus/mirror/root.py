"""What lies at the root of a store beside its mail: the lock, store.json, the folders.

One run at a time holds the lock and makes what is missing. It knows the small files that describe a
store and its mailboxes; not what is in the folders.
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
"""What an interrupted creation may have left."""

FOREIGN = {"lost+found"}
"""What the root of a new disk holds, which is empty all the same."""

_MOMENTS = 100  # hundredths of a second
_SMALL = 1024 * 1024  # octets; store.json and mailbox.json are far smaller


def acquire_lock(root: Folder) -> int:
    """The lock of the store, held until its descriptor is closed."""
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
    """Take the lock; where its owner was killed, its helper may need a moment to notice."""
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
    """Make what is missing of a store, under its lock, and clear away what a killed run left."""
    fresh = "store.json" not in root.names()
    try:
        found = Description() if fresh else Description.parse(load(root, "store.json"))
    except ValueError:
        return  # `described` says so; the files of a newer version are not ours to touch
    for name in ("tmp", "objects", "mailboxes"):
        root.make(name)
    disk = Disk(root, sync=sync)
    with root.subfolder("tmp") as tmp:
        empty(tmp)
        if fresh:
            # Last, for it is what makes the folder a store.
            disk.replace(root, "store.json", as_json(found.as_json()), tmp=tmp)
    if fresh:
        with Folder.at(root.where("..")) as parent:
            disk.folder(parent)


def read_description(root: Folder) -> Description:
    """What store.json says.

    Raises:
        WrongFormat: another version of imaplus wrote it.
        StoreCorrupt: it cannot be read.
    """
    try:
        return Description.parse(load(root, "store.json"))
    except ValueError as error:
        raise WrongFormat(root.path, str(error)) from None


def empty(folder: Folder) -> None:
    """Remove all that is in a folder."""
    for name in folder.names():
        folder.remove(name)


def as_json(value: Mapping[str, object]) -> bytes:
    """What store.json or a mailbox.json says, as `load` reads it."""
    return json.dumps(value, indent=2).encode("ascii") + b"\n"


def load(folder: Folder, name: str) -> dict[str, object]:
    """What a store.json or mailbox.json says.

    Raises:
        StoreCorrupt: it is missing or cannot be read.
    """
    try:
        found = json.loads(folder.read(name, _SMALL))
    except (FileNotFoundError, ValueError, RecursionError) as error:
        raise StoreCorrupt(folder.where(name), f"not readable as JSON: {error}") from None
    if not isinstance(found, dict):
        raise StoreCorrupt(folder.where(name), "not a JSON object")
    return found

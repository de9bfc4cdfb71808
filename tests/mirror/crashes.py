"""Run by test_crash.py in a process of its own: a backup that is killed, or finds the disk full.

crashes.py loop DIR SEED      add messages for ever; say "committed N" after each commit
crashes.py helped DIR SEED    the same, with a process that helps
crashes.py every DIR          be killed before, and in the middle of, each system call in turn
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from imaplus.mirror import Store

CALLS = ["open", "write", "pwrite", "rename", "mkdir", "unlink", "rmdir", "ftruncate", "fsync"]


def body(uid: int) -> bytes:
    return b"Subject: %d\r\n\r\n" % uid + b"x" * (uid * 7919 % 3000)


def add(store: Store, uid: int) -> None:
    writer = store.writer()
    for start in range(0, len(body(uid)), 1000):
        writer.write(body(uid)[start : start + 1000])
    store.mailbox("INBOX", 1).add(uid, writer.close(), flags=["\\Seen"])


def check(store: Store, least: int) -> int:
    """How many messages the store has: the first so many, whole, and nothing half-written."""
    journal = store.mailbox("INBOX", 1)
    count = len(journal.entries)
    assert sorted(journal.entries) == list(range(1, count + 1))
    assert count >= least, (count, least)
    for uid, entry in journal.entries.items():
        with store.open_body(entry.sha256) as file:
            assert file.read() == body(uid)
    report = store.inspect()
    assert report.clean, report
    assert list((store.path / "tmp").iterdir()) == []
    return count


def loop(root: Path, seed: int, *, use_helper: bool) -> None:
    chance = random.Random(seed)
    with Store.open(root, create=True, sync=False, use_helper=use_helper) as store:
        uid = check(store, 0)
        while True:
            for _ in range(chance.randint(1, 8)):
                uid += 1
                add(store, uid)
            store.commit()
            os.write(1, b"committed %d\n" % uid)


def run(root: Path, done: Callable[[int], None]) -> None:
    """A whole short backup: made or continued, two commits, a generation more."""
    with Store.open(root, create=True, sync=True) as store:
        journal = store.mailbox("INBOX", 1)
        uid = len(journal.entries)
        for _ in range(2):
            for _ in range(2):
                uid += 1
                add(store, uid)
            store.commit()
            done(uid)
        journal.set_flags(1, ["\\Flagged"])
        journal.mark(exists=uid)
        store.commit()


def strike(call: str, when: int, blow: Callable[..., None]) -> Callable[[], int]:
    """Let `blow` happen at the `when`th call of os.`call`: a write is half done by then."""
    real = getattr(os, call)
    count = 0

    def struck(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count == when:
            if call in ("write", "pwrite"):
                real(args[0], bytes(args[1])[: len(args[1]) // 2], *args[2:])
            blow(*args)
        return real(*args, **kwargs)

    setattr(os, call, struck)
    if call == "fsync":
        import imaplus.mirror.files

        imaplus.mirror.files._fsync = struck
    return lambda: count


def every(root: Path) -> None:
    rounds = 0
    for call in CALLS:
        when = 0
        struck = True
        while struck:
            when += 1
            shutil.rmtree(root, ignore_errors=True)
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                strike(call, when, lambda *_: os._exit(9))
                run(root, partial(tell, writer))
                os._exit(0)
            os.close(writer)
            with os.fdopen(reader, "rb") as acknowledged:
                told = acknowledged.read()
            _, status = os.waitpid(child, 0)
            struck = os.waitstatus_to_exitcode(status) == 9
            rounds += struck
            with Store.open(root, create=True, sync=False) as store:
                before = check(store, told[-1] if told else 0)
            run(root, lambda _: None)
            with Store.open(root, sync=False) as store:
                assert check(store, 0) == before + 4
                assert store.mailbox("INBOX", 1).entries.flags(1) == {"\\Flagged"}
    print("rounds", rounds)


def tell(writer: int, uid: int) -> None:
    with os.fdopen(writer, "wb", closefd=False) as file:  # os.write is under attack
        file.write(bytes([uid]))


if __name__ == "__main__":
    if sys.argv[1] == "every":
        every(Path(sys.argv[2]))
    else:
        loop(Path(sys.argv[2]), int(sys.argv[3]), use_helper=sys.argv[1] == "helped")

"""The process that helps: all it was given is in place after a commit, or the commit fails.

Each test runs in a process of its own: where there are threads, nothing is forked.
"""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from imaplus.mirror import Store, StoreFailed
from imaplus.mirror.helper import Helper
from imaplus.mirror.objects import SPOOL

Scenario = Callable[[Path], None]
scenarios: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    scenarios[function.__name__] = function
    return function


def opened(root: Path, *, sync: bool = False) -> Store:
    return Store.open(root, create=True, sync=sync, use_helper=True)


def add(store: Store, uid: int, body: bytes) -> None:
    store.mailbox("INBOX", 1).add(uid, store.put(body))


def holds_the_first_only(root: Path) -> None:
    with opened(root) as store:
        assert list(store.mailbox("INBOX", 1).entries) == [1]
        assert list((root / "tmp").iterdir()) == []
        assert store.inspect().clean


def helper_of(store: Store) -> Helper:
    helper = store.objects._helper
    assert helper is not None
    return helper


def pid_of(store: Store) -> int:
    return helper_of(store)._pid


@scenario
def bodies_of_every_size(root: Path) -> None:
    """Many times what the shared memory holds."""
    bodies = [b"", b"x", *(os.urandom(n * 7919 % 70_000) for n in range(500))]
    bodies += [os.urandom(SPOOL + n) for n in range(-20, 20)]
    with opened(root) as store:
        for uid, body in enumerate(bodies, 1):
            add(store, uid, body)
            if uid % 100 == 0:
                store.commit()
        assert helper_of(store)
        store.commit()
        assert list((root / "tmp").iterdir()) == []
        for uid, body in enumerate(bodies, 1):
            with store.open_body(store.mailbox("INBOX", 1).entries[uid].sha256) as file:
                assert file.read() == body
        assert store.inspect().clean


@scenario
def each_body_once(root: Path) -> None:
    with opened(root) as store:
        assert [store.put(b"x").new, store.put(b"x").new] == [True, False]
        store.commit()
        place = store.objects.path(hashlib.sha256(b"x").hexdigest())
        assert place.stat().st_mode & 0o777 == 0o600
        place.write_bytes(b"y")
        assert not store.put(b"x").new
        assert [store.put(b"x", replace=True).new for _ in range(2)] == [True, True]
        store.commit()
        assert place.read_bytes() == b"x"
        place.unlink()
        writer = store.writer()
        writer.write(b"x")
        assert writer.close().new
        store.commit()
        assert place.read_bytes() == b"x"


@scenario
def what_was_not_committed_counts_for_nothing(root: Path) -> None:
    with opened(root) as store:
        add(store, 1, b"x")
        store.commit()
        add(store, 2, b"y")
    holds_the_first_only(root)


@scenario
def a_commit_that_is_not_waited_for(root: Path) -> None:
    """It is seen through with the next one, or given up."""
    journal = root / "mailboxes" / "INBOX" / "1.journal"
    with opened(root) as store:
        add(store, 1, b"x")
        store.commit(wait=False)
        assert not journal.exists()
        add(store, 2, b"y")
        store.commit(wait=False)
        assert journal.read_bytes().count(b" a ") == 1
        add(store, 3, b"x")
        store.commit()
        assert journal.read_bytes().count(b" a ") == 3
        add(store, 4, b"z")
        store.commit(wait=False)
    with opened(root) as store:
        assert list(store.mailbox("INBOX", 1).entries) == [1, 2, 3]
        assert store.inspect().clean
    with Store.open(root, sync=False) as store:
        add(store, 4, b"z")
        store.commit(wait=False)
        assert journal.read_bytes().count(b" a ") == 4


@scenario
def ends_with_the_store(root: Path) -> None:
    with opened(root) as store:
        add(store, 1, b"x")
        pid = pid_of(store)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return
    raise AssertionError("it is still there")


@scenario
def signals_are_for_the_first_process(root: Path) -> None:
    with opened(root) as store:
        add(store, 1, b"x")
        store.commit()
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(pid_of(store), number)
        add(store, 2, b"y")
        store.commit()
        assert store.inspect().clean


@scenario
def killed(root: Path) -> None:
    with opened(root) as store:
        add(store, 1, b"x")
        store.commit()
        os.kill(pid_of(store), signal.SIGKILL)
        add(store, 2, b"y")
        for _ in range(2):
            with pytest.raises(StoreFailed):
                store.commit()
    with opened(root) as store:
        assert list(store.mailbox("INBOX", 1).entries) == [1]
        add(store, 2, b"y")
        store.commit()
        assert store.inspect().clean


def add_many(store: Store) -> None:
    for uid in range(2, 1000):
        add(store, uid, os.urandom(50_000))


@scenario
def killed_while_much_comes(root: Path) -> None:
    with opened(root) as store:
        add(store, 1, b"x")
        os.kill(pid_of(store), signal.SIGKILL)
        with pytest.raises(StoreFailed):
            add_many(store)


@scenario
def a_full_disk(root: Path) -> None:
    real, first = os.write, os.getpid()

    def full(fd: int, data: bytes) -> int:
        if os.getpid() == first:
            return real(fd, data)
        real(fd, bytes(data)[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    os.write = full
    with opened(root) as store:
        add(store, 1, b"large" * SPOOL)  # that is not for the helper
        store.commit()
        add(store, 2, b"not to be had")
        with pytest.raises(OSError, match="space") as caught:
            store.commit()
        assert caught.value.errno == errno.ENOSPC
        assert str(caught.value.filename).startswith(str(root / "tmp"))
        with pytest.raises(StoreFailed):
            store.commit()
    os.write = real
    holds_the_first_only(root)


@scenario
def a_planted_link(root: Path) -> None:
    """The helper follows none either."""
    with opened(root) as store:
        before = (root / "store.json").read_bytes()
        (root / "tmp" / "helper.eml").symlink_to(root / "store.json")
        add(store, 1, b"x")
        with pytest.raises(OSError, match="exists"):
            store.commit()
        assert (root / "store.json").read_bytes() == before


@scenario
def interrupted_while_it_waits(root: Path) -> None:
    """By an exception from a signal's handler: nobody knows how far the other is."""
    with opened(root) as store:
        add(store, 1, b"x")
        helper = helper_of(store)

        def interrupted() -> NoReturn:
            raise KeyboardInterrupt

        answers, helper._answers = helper._answers, interrupted  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            store.commit()
        helper._answers = answers  # type: ignore[method-assign]
        with pytest.raises(StoreFailed):
            helper.wait(1)


@scenario
def nobody_helps_beside_threads(root: Path) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    no_help(root)
    done.set()
    thread.join()


@scenario
def nobody_helps_where_nothing_can_be_forked(root: Path) -> None:
    def refuse() -> NoReturn:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    os.fork = refuse
    no_help(root)


@scenario
def nobody_helps_on_one_processor(root: Path) -> None:
    os.cpu_count = lambda: 1
    no_help(root)


@scenario
def nobody_helps_where_all_is_synced(root: Path) -> None:
    no_help(root, sync=True)


def no_help(root: Path, *, sync: bool = False) -> None:
    with opened(root, sync=sync) as store:
        add(store, 1, b"x")
        assert store.objects._helper is None
        store.commit()
        assert store.inspect().clean


@pytest.mark.parametrize("name", scenarios)
def test_helper(name: str, root: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", __spec__.name, name, str(root)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    os.cpu_count = lambda: 2
    scenarios[sys.argv[1]](Path(sys.argv[2]))

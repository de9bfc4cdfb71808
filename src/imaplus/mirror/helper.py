"""A second process that puts small files into place, while the first hears what the server says.

What a body takes in the system lasts as long as all that Python does for it. A thread would have to
wait for Python's lock after each of those calls, a process does not. It is forked, and told by a
socket which parts of a memory that both share hold files. It ends with the first process, however
that ends; until then the store stays locked. What the files are is not known here.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from struct import Struct

from imaplus.mirror.errors import StoreError, StoreFailed
from imaplus.mirror.files import Folder

_SLOTS = 32  # parts of the memory: one is filled while others wait to be written
_FILES = 2  # of the largest size that go into one slot
_HEAD = Struct("=I80p")  # before each file in a slot: how many octets, and its place
_ORDER = Struct("=I")  # how much of the next slot is to be written
_DONE = b"\0"  # the answer; or the number of the error, which ends it
_NAME = "helper.eml"


class Helper:
    """Writes files into folder `tmp`, and moves them to their places in `target`.

    Any method may raise what went wrong with an earlier file; from then on nothing is written.

    Raises:
        OSError: the disk is full, for one.
        StoreFailed: the second process is gone.
    """

    def __init__(self, tmp: Folder, target: Folder, largest: int) -> None:
        self._tmp = tmp
        self._slot = _FILES * (largest + _HEAD.size)
        self._memory = mmap.mmap(-1, _SLOTS * self._slot)
        self._used = 0  # octets of the slot in hand
        self._sent = 0  # slots that were handed over
        self._written = 0  # those of them that are written
        self._problem: Exception | None = None
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._pid = os.fork()
            if self._pid == 0:
                try:
                    self._socket.close()
                    _serve(theirs, memoryview(self._memory), self._slot, tmp, target)
                finally:
                    os._exit(0)  # what else the first process has begun is its own affair

    def write(self, place: str, data: bytes | bytearray) -> None:
        """Have a file written. It must not be larger than was said."""
        if self._used + _HEAD.size + len(data) > self._slot:
            self.hand_over()
        at = self._sent % _SLOTS * self._slot + self._used
        _HEAD.pack_into(self._memory, at, len(data), place.encode())
        at += _HEAD.size
        self._memory[at : at + len(data)] = data
        self._used += _HEAD.size + len(data)

    def hand_over(self) -> int:
        """Have the slot in hand written; what to `wait` for until all so far is in place."""
        if self._used:
            with self._in_step():
                with contextlib.suppress(ConnectionError):  # it has ended; the answer says why
                    self._socket.sendall(_ORDER.pack(self._used))
                self._used = 0
                self._sent += 1
            self.wait(self._sent + 1 - _SLOTS)  # the next slot has to be free
        return self._sent

    def wait(self, number: int) -> None:
        """Return when so many slots are written."""
        with self._in_step():
            while self._written < number:
                answers = self._answers()
                if failed := answers.strip(_DONE):
                    error = OSError(failed[0], os.strerror(failed[0]))
                    raise self._tmp.blame(error, _NAME)
                if not answers:
                    raise StoreFailed(self._tmp.path, "the process that writes here has ended")
                self._written += len(answers)

    def close(self) -> None:
        """End the second process."""
        self._socket.close()
        with contextlib.suppress(ChildProcessError):  # where somebody waits for all children
            os.waitpid(self._pid, 0)
        self._memory.close()

    @contextlib.contextmanager
    def _in_step(self) -> Iterator[None]:
        """A step after which both know how far the other is; if it fails, it is the last one."""
        if self._problem is not None:
            raise self._problem
        # In case that an exception comes out of nowhere, such as from a signal's handler.
        self._problem = StoreFailed(self._tmp.path, "interrupted while a file was written")
        try:
            yield
        except (OSError, StoreError) as error:
            self._problem = error
            raise
        self._problem = None

    def _answers(self) -> bytes:
        try:
            return self._socket.recv(_SLOTS)
        except ConnectionError:
            return b""


def start(tmp: Folder, target: Folder, largest: int) -> Helper | None:
    """A helper; None where it would gain nothing, or where a fork is not safe or not possible."""
    if (os.cpu_count() or 1) == 1 or threading.active_count() > 1:
        return None
    try:
        return Helper(tmp, target, largest)
    except OSError:
        return None


def _serve(orders: socket.socket, memory: memoryview, slot: int, tmp: Folder, to: Folder) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the first process decides when to end
    if sys.platform == "linux":  # an order is not to take the processor from who gave it
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    at = 0
    while order := orders.recv(_ORDER.size, socket.MSG_WAITALL):
        (used,) = _ORDER.unpack(order)
        try:
            _put_into_place(memory[at : at + used], tmp, to)
        except OSError as error:
            orders.sendall(bytes([error.errno or 255]))
            return
        orders.sendall(_DONE)
        at = (at + slot) % len(memory)


def _put_into_place(files: memoryview, tmp: Folder, to: Folder) -> None:
    at = 0
    while at < len(files):
        size, place = _HEAD.unpack_from(files, at)
        at += _HEAD.size
        tmp.write_new(_NAME, files[at : at + size])
        tmp.move(_NAME, to, place.decode())
        at += size

"""Write small files in a second process, while the first one reads from the server.

The system calls for a body take as long as all Python code for it, and a thread would wait for the
interpreter lock after each call. So a process is forked. The two share memory: the first process
puts files there, and announces them through a socket. The helper ends when the first process ends;
until then the store stays locked.
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

_SLOTS = 32  # parts of the shared memory: one is filled while others wait to be written
_FILES = 2  # files of the largest size that fit into one slot
_HEAD = Struct("=I80p")  # before each file in a slot: its size in bytes, and its path
_ORDER = Struct("=I")  # the number of bytes used in the next slot
_DONE = b"\0"  # the answer for a written slot; otherwise errno, after which the helper ends
_NAME = "helper.eml"


class Helper:
    """Writes files into folder `tmp`, and moves them to their places in `target`.

    Any method may raise the error of an earlier file; nothing is written after an error.

    Raises:
        OSError: a file cannot be written, for example because the disk is full.
        StoreFailed: the second process has ended.
    """

    def __init__(self, tmp: Folder, target: Folder, largest: int) -> None:
        self._tmp = tmp
        self._slot = _FILES * (largest + _HEAD.size)
        self._memory = mmap.mmap(-1, _SLOTS * self._slot)
        self._used = 0  # bytes of the current slot
        self._sent = 0  # slots that were handed over
        self._written = 0  # slots that were written
        self._problem: Exception | None = None
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._pid = os.fork()
            if self._pid == 0:
                try:
                    self._socket.close()
                    _serve(theirs, memoryview(self._memory), self._slot, tmp, target)
                finally:
                    os._exit(0)  # without the first process's cleanup

    def write(self, place: str, data: bytes | bytearray) -> None:
        """Write a file of at most `largest` bytes to the path `place` below `target`."""
        if self._used + _HEAD.size + len(data) > self._slot:
            self.hand_over()
        at = self._sent % _SLOTS * self._slot + self._used
        _HEAD.pack_into(self._memory, at, len(data), place.encode())
        at += _HEAD.size
        self._memory[at : at + len(data)] = data
        self._used += _HEAD.size + len(data)

    def hand_over(self) -> int:
        """Send the current slot to the helper; return the number to `wait` for."""
        if self._used:
            with self._in_step():
                with contextlib.suppress(ConnectionError):  # it has ended; its answer says why
                    self._socket.sendall(_ORDER.pack(self._used))
                self._used = 0
                self._sent += 1
            self.wait(self._sent + 1 - _SLOTS)  # until the next slot is free
        return self._sent

    def wait(self, number: int) -> None:
        """Wait until so many slots are written."""
        with self._in_step():
            while self._written < number:
                answers = self._answers()
                if failed := answers.strip(_DONE):
                    error = OSError(failed[0], os.strerror(failed[0]))
                    raise self._tmp.blame(error, _NAME)
                if not answers:
                    raise StoreFailed(self._tmp.path, "the helper process has ended unexpectedly")
                self._written += len(answers)

    def close(self) -> None:
        """End the second process."""
        self._socket.close()
        with contextlib.suppress(ChildProcessError):  # another thread has waited for all children
            os.waitpid(self._pid, 0)
        self._memory.close()

    @contextlib.contextmanager
    def _in_step(self) -> Iterator[None]:
        """Run an exchange with the helper; after one that fails, all others raise its error."""
        if self._problem is not None:
            raise self._problem
        # For exceptions that a signal handler raises.
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
    """Start a helper; None with one processor, or if a fork is unsafe (threads) or fails."""
    if (os.cpu_count() or 1) == 1 or threading.active_count() > 1:
        return None
    try:
        return Helper(tmp, target, largest)
    except OSError:
        return None


def _serve(orders: socket.socket, memory: memoryview, slot: int, tmp: Folder, to: Folder) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the first process decides when to end
    if sys.platform == "linux":  # do not preempt the first process
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

"""Ctrl-C: once to finish the current message and save, twice to stop at once.

SIGTERM and SIGHUP (the terminal was closed) count as Ctrl-C. Signals that were ignored at the start
stay ignored, as `nohup` requires. A run checks `Interrupt` after each message.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ENDING = (signal.SIGINT, signal.SIGTERM)

WRITERS = frozenset(
    f"imaplus.mirror.{name}"
    for name in (
        "commits",
        "entries",
        "files",
        "helper",
        "journal",
        "objects",
        "partial",
        "root",
        "store",
    )
)
"""Modules that write the mirror. An exception there would lose fetched messages: while one of them
is running, the second signal does not raise KeyboardInterrupt."""

READER = "imaplus.mirror.inspection"

_ONCE = {
    signal.SIGINT: b"finishing the current message; press Ctrl-C again to stop at once",
    signal.SIGTERM: b"SIGTERM: finishing the current message",
    signal.SIGHUP: b"SIGHUP: finishing the current message",
}
_SAVING = b"saving the fetched messages; press once more to stop without saving"


class Interrupt:
    """A flag that a signal sets. Calling it returns whether to stop."""

    def __init__(self) -> None:
        self._signals = 0
        self._raised = False

    def __call__(self) -> bool:
        """Whether the work should end after the current message."""
        return self._signals > 0

    @contextmanager
    def listen(self) -> Iterator[Interrupt]:
        """Handle signals while the block runs.

        The first signal sets the flag. The second raises KeyboardInterrupt, unless the mirror is
        being written. The fourth ends the process. Outside the main thread, where Python cannot
        handle signals, nothing changes.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
        for number in heard:
            signal.signal(number, self._handle)
        try:
            yield self
        finally:
            for number in heard:
                signal.signal(number, before[number])

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP and self._signals:
            return  # the shell repeats the terminal's signal
        self._signals += 1
        if self._signals == 1:
            _say(_ONCE[signal.Signals(number)])
        elif self._signals > 3:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif self._raised or _is_writing(frame):
            _say(_SAVING)
        else:
            self._raised = True
            raise KeyboardInterrupt


def _is_writing(frame: FrameType | None) -> bool:
    """Whether a module of `WRITERS` is running, and not for an inspection."""
    working = set()
    while frame is not None:
        working.add(frame.f_globals.get("__name__"))
        frame = frame.f_back
    return not working.isdisjoint(WRITERS) and READER not in working


def _say(text: bytes) -> None:
    # print() is not reentrant: the signal may have interrupted it.
    with suppress(OSError):  # the terminal was closed
        os.write(2, b"\nimaplus: " + text + b"\n")


@contextmanager
def until_signal() -> Iterator[threading.Event]:
    """Return an event that Ctrl-C or SIGTERM sets, while the block runs."""
    event = threading.Event()
    before = {number: signal.signal(number, lambda *_: event.set()) for number in _ENDING}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

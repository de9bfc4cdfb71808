"""Ctrl-C: once to finish the current message and save the place, twice to stop at once.

SIGTERM and SIGHUP (the terminal has gone) count as Ctrl-C. What was ignored when the program began
stays ignored, as `nohup` wants it. It knows signals, and of what is being done only which modules
must not be interrupted: whoever works asks it between two messages.
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
"""What writes the mirror. An exception out of nowhere would make it give up what has come: while
one of these is at work, the second signal leaves it to the first to end the run."""

READER = "imaplus.mirror.inspection"

_ONCE = {
    signal.SIGINT: b"finishing the current message; press Ctrl-C again to stop at once",
    signal.SIGTERM: b"SIGTERM: finishing the current message",
    signal.SIGHUP: b"SIGHUP: finishing the current message",
}
_SAVING = b"saving what has come; once more ends without"


class Interrupt:
    """A flag that a signal raises; called, it says whether to stop."""

    def __init__(self) -> None:
        self._signals = 0
        self._raised = False

    def __call__(self) -> bool:
        """Whether the work should end after the current message."""
        return self._signals > 0

    @contextmanager
    def listen(self) -> Iterator[Interrupt]:
        """While the block runs, the first signal sets the flag, and the second raises
        KeyboardInterrupt, once, where that interrupts no writing; the fourth ends the process.

        Outside the main thread signals cannot be caught, and the block runs without.
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
            return  # a shell passes on what the terminal has sent already
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
    """Whether a module that writes the mirror is at work, other than for one that only reads."""
    working = set()
    while frame is not None:
        working.add(frame.f_globals.get("__name__"))
        frame = frame.f_back
    return not working.isdisjoint(WRITERS) and READER not in working


def _say(text: bytes) -> None:
    # print() is not for signal handlers: it may be what was interrupted.
    with suppress(OSError):  # the terminal has gone
        os.write(2, b"\nimaplus: " + text + b"\n")


@contextmanager
def until_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets, for what runs until it is told to end."""
    event = threading.Event()
    before = {number: signal.signal(number, lambda *_: event.set()) for number in _ENDING}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

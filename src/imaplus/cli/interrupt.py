"""Ctrl-C: once to finish the current message and save the place, twice to stop at once.

It knows signals, and nothing of what is being done: whoever works asks it between two messages.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """A flag that a signal raises; called, it says whether to stop."""

    def __init__(self) -> None:
        self._stop = False

    def __call__(self) -> bool:
        """Whether the work should end after the current message."""
        return self._stop

    @contextmanager
    def listening(self) -> Iterator[Interrupt]:
        """While the block runs the first signal sets the flag; the second raises KeyboardInterrupt.

        Outside the main thread signals cannot be caught, and the block runs without.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._caught) for number in _SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True
        # print() is not for signal handlers: it may be what was interrupted.
        words = b"\nimaplus: finishing the current message; press Ctrl-C again to stop at once\n"
        os.write(2, words)


@contextmanager
def until_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets, for what runs until it is told to end."""
    event = threading.Event()
    before = {number: signal.signal(number, lambda *_: event.set()) for number in _SIGNALS}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

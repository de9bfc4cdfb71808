"""Ctrl-C once, Ctrl-C twice."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from imaplus.cli.interrupt import Interrupt, until_signal


def press(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_to_stop(number: int, capfd: pytest.CaptureFixture[str]) -> None:
    with Interrupt().listening() as interrupt:
        assert not interrupt()
        press(number)
        assert interrupt()
    assert "press Ctrl-C again" in capfd.readouterr().err


def test_the_second_signal_stops(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupt().listening():
        press()
        with pytest.raises(KeyboardInterrupt):
            press()
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_there_are_no_signals() -> None:
    seen: list[bool] = []

    def work() -> None:
        with Interrupt().listening() as interrupt:
            seen.append(interrupt())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


def test_until_signal() -> None:
    with until_signal() as stopped:
        assert not stopped.is_set()
        press(signal.SIGTERM)
        assert stopped.wait(timeout=10)

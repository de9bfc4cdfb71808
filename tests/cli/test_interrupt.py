"""Ctrl-C once, Ctrl-C twice, and what counts as one."""

from __future__ import annotations

import errno
import os
import signal
import threading
from importlib import import_module

import pytest

from imaplus.cli.interrupt import READER, WRITERS, Interrupt, until_signal


def press(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGINT, "press Ctrl-C again"),
        (signal.SIGTERM, "SIGTERM: finishing"),
        (signal.SIGHUP, "SIGHUP: finishing"),
    ],
)
def test_the_first_signal_asks_to_stop(
    number: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    with Interrupt().listen() as interrupt:
        assert not interrupt()
        press(number)
        assert interrupt()
    assert said in capfd.readouterr().err
    assert signal.getsignal(number) is before


def test_the_second_signal_stops(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupt().listen():
        press()
        with pytest.raises(KeyboardInterrupt):
            press()
    assert signal.getsignal(signal.SIGINT) is before


def test_the_third_interrupts_no_saving_and_the_fourth_kills(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[object, int]] = []
    with Interrupt().listen():
        press()
        with pytest.raises(KeyboardInterrupt):
            press()
        press()
        assert "saving the fetched messages" in capfd.readouterr().err
        kill = os.kill
        monkeypatch.setattr(
            os, "kill", lambda pid, number: killed.append((signal.getsignal(number), number))
        )
        kill(os.getpid(), signal.SIGTERM)
    assert killed == [(signal.SIG_DFL, signal.SIGTERM)]


def run_in(module: str, text: str, **names: object) -> None:
    """Run a text as if it stood in a module."""
    exec(text, {"__name__": module, **names})


def test_nothing_that_writes_the_mirror_is_interrupted(capfd: pytest.CaptureFixture[str]) -> None:
    with Interrupt().listen() as interrupt:
        press()
        # `press` is not of that module, but is called by it.
        run_in("imaplus.mirror.store", "press()", press=press)
        assert interrupt()
        with pytest.raises(KeyboardInterrupt):
            run_in("imaplus.mirror.run", "press()", press=press)
    assert "saving the fetched messages" in capfd.readouterr().err


def test_what_only_reads_the_mirror_is_interrupted(capfd: pytest.CaptureFixture[str]) -> None:
    def check() -> None:
        run_in("imaplus.mirror.inspection", "press()", press=press)

    with Interrupt().listen():
        press()
        with pytest.raises(KeyboardInterrupt):
            run_in("imaplus.mirror.store", "check()", check=check)


def test_the_writers_exist() -> None:
    for name in WRITERS | {READER}:
        import_module(name)


def test_a_repeated_sighup_of_the_shell_is_ignored(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with Interrupt().listen() as interrupt:
        press(signal.SIGHUP)
        press(signal.SIGHUP)
        assert interrupt()
    assert capfd.readouterr().err.count("imaplus") == 1


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_what_was_ignored_stays_ignored(number: int) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Interrupt().listen() as interrupt:
            press(number)
            assert not interrupt()
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_a_closed_terminal_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(fd: int, data: bytes) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "write", write)
    with Interrupt().listen() as interrupt:
        press(signal.SIGHUP)
        assert interrupt()


def test_outside_the_main_thread_there_are_no_signals() -> None:
    seen: list[bool] = []

    def work() -> None:
        with Interrupt().listen() as interrupt:
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

"""A backup that is told to end keeps what has come, whoever tells it, and how often."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imaplus.cli.main import main
from imaplus.client.streams import Stream
from imaplus.mirror import Store
from imaplus.testing import Fault, Generated, Server

STALL = 62_000
"""Octets after which the server sends nothing more."""
COME = 15
"""Messages that have come then, or some more."""


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPLUS_PASSWORD", "correct horse")


@pytest.fixture
def server() -> Iterator[Server]:
    """It sends some messages, a part of the next one, and then nothing."""
    with Server(password="correct horse") as server:
        server.mailbox().add_many(Generated(3000, seed=n) for n in range(300))
        server.fail_next(Fault.stall_after_sent(STALL))
        yield server


@contextlib.contextmanager
def backup(
    server: Server, folder: Path, *options: str, prepare: Callable[[], object] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A backup that has got so far that nothing more comes."""
    trace = folder / "trace"
    words = [*words_for(server, folder), "--trace", str(trace), *options]
    with subprocess.Popen(
        [sys.executable, "-m", "imaplus", *words],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,
    ) as process:
        try:
            while not (trace.exists() and f"* {COME + 1} FETCH" in trace.read_text()):
                assert process.poll() is None
                time.sleep(0.005)
            yield process
        finally:
            process.kill()


def words_for(server: Server, folder: Path) -> list[str]:
    return ["backup", server.url, str(folder / "mail"), "--security", "plain"]


def kept(folder: Path) -> int:
    """The messages that the mirror holds; all are whole."""
    with Store.open(folder / "mail", readonly=True) as store:
        (mailbox,) = store.mailboxes()
        assert store.inspect().clean
        return sum(len(store.mailbox(mailbox.name, each).entries) for each in mailbox.generations)


def heard(process: subprocess.Popen[str], words: str) -> str:
    """What the process has said, up to a line with these words."""
    assert process.stderr is not None
    lines = ""
    while words not in lines:
        line = process.stderr.readline()
        assert line, lines
        lines += line
    return lines


class Presses:
    """Sends signals to this process, one each time that the client waits for what never comes."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.octets = 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read, wait = Stream.read, Stream.wait

        def reading(stream: Stream) -> bytes | None:
            data = read(stream)
            self.octets += len(data or b"")
            return data

        def waiting(stream: Stream, **how: Any) -> None:
            while self.octets == STALL and self.numbers:
                self.press()
            wait(stream, **how)

        monkeypatch.setattr(Stream, "read", reading)
        monkeypatch.setattr(Stream, "wait", waiting)

    def press(self) -> None:
        os.kill(os.getpid(), self.numbers.pop(0))


@pytest.mark.parametrize("options", [(), ("--no-sync",)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_ends_it_and_keeps_what_has_come(
    server: Server,
    tmp_path: Path,
    number: int,
    options: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    Presses(number, number).install(monkeypatch)
    assert main([*words_for(server, tmp_path), *options]) == 130
    assert "fetches what is still missing" in capfd.readouterr().err
    assert kept(tmp_path) >= COME


def test_a_third_does_not_end_the_saving(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    presses = Presses(signal.SIGINT, signal.SIGINT, signal.SIGINT)
    presses.install(monkeypatch)
    commit = Store.commit

    def committing(store: Store, **how: Any) -> None:
        presses.press()
        commit(store, **how)

    monkeypatch.setattr(Store, "commit", committing)
    assert main(words_for(server, tmp_path)) == 130
    assert "saving the fetched messages" in capfd.readouterr().err
    assert presses.numbers == []
    assert kept(tmp_path) >= COME


def test_a_process_that_is_told_twice(server: Server, tmp_path: Path) -> None:
    """Wherever the two meet it, before the first message is kept or after."""
    with backup(server, tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        heard(process, "finishing the current message")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert kept(tmp_path) < 300


@pytest.mark.skipif(not hasattr(os, "login_tty"), reason="PyPy lacks os.login_tty")
def test_the_end_of_the_terminal(tmp_path: Path) -> None:
    """The message in hand is finished, and the place saved; there is nobody to be told."""
    ours, theirs = os.openpty()
    with Server(password="correct horse") as server:
        server.mailbox().add_many(Generated(3000, seed=n) for n in range(300))
        server.fail_next(Fault.slow(2000, 0.01))
        trace = tmp_path / "trace"
        words = [*words_for(server, tmp_path), "--trace", str(trace)]
        with subprocess.Popen(
            [sys.executable, "-m", "imaplus", *words],
            env=os.environ | {"TERM": "xterm"},
            preexec_fn=lambda: os.login_tty(theirs),
        ) as process:
            os.close(theirs)
            while not (trace.exists() and f"* {COME + 1} FETCH" in trace.read_text()):
                assert process.poll() is None
                time.sleep(0.005)
            os.close(ours)
            assert process.wait(timeout=60) == 130
    assert 1 <= kept(tmp_path) < 300


@pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy does not say that a signal is ignored"
)
def test_nohup(server: Server, tmp_path: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with backup(server, tmp_path, prepare=ignore) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        lines = heard(process, "finishing the current message")
        assert "SIGHUP" not in lines
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130

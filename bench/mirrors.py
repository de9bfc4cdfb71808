"""W6: processes that mirror a mailbox to disk, for the first and the second time.

Each first run has a new folder, since removing one slows what is made afterwards; they are removed
with all else at the end. A second run comes more than a second after the first: mbsync waits
where a Maildir has just changed. It is told not to compress, on which the server would spend more
time than it takes for all else.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import termios
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from cases import DRAIN, SYNC, Case
from prepare import USER, Machine
from workers import HERE, Failed

PAUSE = 1.5
"""Seconds after which mbsync considers a Maildir unchanged."""

MBSYNC = """FSync {fsync}

IMAPAccount bench
Host {host}
Port {port}
User {user}
Pass {password}
SSLType None
AuthMechs LOGIN
DisableExtension COMPRESS=DEFLATE

IMAPStore far
Account bench

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim

Channel bench
Far :far:{mailbox}
Near :near:{mailbox}
Create Near
Sync Pull
SyncState *
"""


class Mirrors:
    """Makes mirrors below a folder."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self._machine = machine
        self._folder = folder
        self._numbers = count(1)
        self._filled: dict[tuple[str, bool], list[str]] = {}
        """The command line of each client's last first run: the same again is a second one."""

    def taking(
        self, case: Case, client: str, environment: dict[str, str]
    ) -> Callable[[], dict[str, Any]]:
        """What takes a sample: a first run into a new folder, or another one into a full one."""
        synced = case.key.endswith("-synced")
        start = on_terminal if case.key.endswith("-bar") else in_pipe

        def run(argv: list[str]) -> dict[str, Any]:
            began = time.perf_counter()
            status, said = start(argv, {**os.environ, **environment})
            seconds = time.perf_counter() - began
            if status:
                raise Failed(f"exit status {status}", said.decode(errors="replace")[-300:])
            return {"seconds": seconds}

        def first() -> dict[str, Any]:
            argv = self._command(case, client, synced)
            os.sync()  # what others wrote is not to slow this one
            told = run(argv)
            self._filled[client, synced] = argv
            return told

        if "-first" in case.key:
            return first
        if (client, synced) not in self._filled:
            first()
        os.sync()
        time.sleep(PAUSE)
        return lambda: run(self._filled[client, synced])

    def _command(self, case: Case, client: str, synced: bool) -> list[str]:
        """Return the command line for a new folder."""
        folder = self._folder / f"mirror-{next(self._numbers)}"
        folder.mkdir()
        machine = self._machine
        if case.key.endswith("-bar"):
            return self._backup(case, folder, synced, quiet=client == DRAIN)
        if client == DRAIN:
            return [
                *(machine.python, str(HERE / "clients" / "drain_mirror.py")),
                *(machine.host, str(machine.port), USER, machine.password, case.mailbox),
                *(str(folder), "sync" if synced else ""),
            ]
        if client == SYNC:
            return self._backup(case, folder, synced, quiet=True)
        configuration = folder / "mbsyncrc"
        text = MBSYNC.format(
            fsync="yes" if synced else "no",
            host=machine.host,
            port=machine.port,
            user=USER,
            password=machine.password,
            folder=folder,
            mailbox=case.mailbox,
        )
        configuration.write_text(text)
        return ["mbsync", "--quiet", "--config", str(configuration), "bench"]

    def _backup(self, case: Case, folder: Path, synced: bool, *, quiet: bool) -> list[str]:
        machine = self._machine
        return [
            *(machine.python, "-m", "imaplus", "backup", "--security", "plain"),
            *(["--quiet"] if quiet else []),
            *([] if synced else ["--no-sync"]),
            *("--mailbox", case.mailbox),
            *(f"imap://{USER};AUTH=PLAIN@{machine.host}:{machine.port}/", str(folder / "mail")),
        ]


def in_pipe(argv: list[str], environment: dict[str, str]) -> tuple[int, bytes]:
    """Run a command with its output in a pipe; return its exit status and its output."""
    done = subprocess.run(argv, env=environment, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stderr


def on_terminal(argv: list[str], environment: dict[str, str]) -> tuple[int, bytes]:
    """Run a command on a pseudo-terminal; return its exit status and its output."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    try:
        with subprocess.Popen(argv, env={"TERM": "xterm", **environment}, stderr=theirs) as process:
            os.close(theirs)
            said = b""
            with contextlib.suppress(OSError):  # what Linux says at the end
                while more := os.read(ours, 1 << 16):
                    said += more
        return process.returncode, said
    finally:
        os.close(ours)

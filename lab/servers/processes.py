"""Daemons that outlive the command that started them; they are ended by recorded pid.

A pid alone may belong to somebody else by now; together with the kernel's start time it is
unique.  Each daemon leads a session of its own, which its children cannot leave unnoticed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypedDict

PATIENCE = 4.0  # seconds between SIGTERM, SIGTERM to all, and SIGKILL
GIVE_UP = 20.0


class Daemon(TypedDict):
    """A process in the state file: its pid and kernel start time (clock ticks)."""

    pid: int
    start: int | None


def start_daemon(
    argv: Sequence[object], environment: Mapping[str, str], log: IO[bytes], **options: Any
) -> Daemon:
    """Start a process that leads its own session and writes to `log`."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    child = subprocess.Popen(
        [str(word) for word in argv],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env={"PATH": path, "LC_ALL": "C.UTF-8", "TZ": "UTC", **environment},
        **options,
    )
    return {"pid": child.pid, "start": start_time(child.pid)}


def start_time(pid: int) -> int | None:
    """Return the start time of a process in clock ticks since boot; None if there is none."""
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] != "Z" else None


def is_alive(daemons: Iterable[Daemon]) -> bool:
    """Return whether one of them still runs."""
    return any(start_time(daemon["pid"]) == daemon["start"] for daemon in daemons)


def stop(daemons: Sequence[Daemon]) -> bool:
    """End their sessions, with SIGTERM first; return whether any was running.

    Raises: TimeoutError when a process survives even SIGKILL.
    """
    found = _living(daemons)
    leaders = [daemon["pid"] for daemon in daemons if daemon["pid"] in found]
    _signal(reversed(leaders), signal.SIGTERM)  # the others follow
    began = time.monotonic()
    while pids := _living(daemons):
        for pid in leaders:  # reap those that are our own children
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        waited = time.monotonic() - began
        if waited > GIVE_UP:
            raise TimeoutError(f"processes {pids} do not end")
        if waited > 2 * PATIENCE:
            _signal(pids, signal.SIGKILL)
        elif waited > PATIENCE or not leaders:
            _signal(pids, signal.SIGTERM)
        time.sleep(0.05)
    return bool(found)


def _living(daemons: Iterable[Daemon]) -> list[int]:
    # A session outlives its leader: if Cyrus' master dies, its children may survive. While they
    # do, the kernel does not reuse the leader's pid.
    return [
        pid
        for daemon in daemons
        if start_time(daemon["pid"]) in (daemon["start"], None)
        for pid in _session_members(daemon["pid"])
    ]


def _session_members(session: int) -> list[int]:
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields and int(fields[3]) == session and fields[0] != "Z":
                members.append(int(entry.name))
    return members


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name (proc(5)); [] without such a process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

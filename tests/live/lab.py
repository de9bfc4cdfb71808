"""Real servers for the live tests: a lab for each pytest process, each server started when asked.

It knows the command line of `lab/imap-lab` and nothing of any server.  Every process has its own
directory and ports, so that workers of pytest-xdist and other checkouts do not meet.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMAP_LAB = Path(__file__).parents[2] / "lab" / "imap-lab"
NOT_INSTALLED = 3  # imap-lab's exit status
START_TIMEOUT = 100.0  # seconds: imap-lab gives up on a server after 30, and may try again
_PREFIX = "imap-lab-"


class NotInstalledError(Exception):
    """The server is not on this machine; the message names it."""


@dataclass(frozen=True, slots=True)
class LabServer:
    """A running server, and how to reach it."""

    name: str
    host: str
    port: int  # plain text, and STARTTLS
    tls_port: int  # TLS from the first octet on
    users: Mapping[str, str]  # user -> password; alice and bob are always among them
    ca_file: Path  # of the CA that signed its certificate, for the host "localhost"
    info: Mapping[str, Any]  # the rest: version, capabilities, tunnel, doveadm, oauth_token, ...


class Lab:
    """A directory of servers below the system's temporary directory."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self._directory.chmod(0o755)  # the servers' ordinary user must be able to enter it

    def up(self, name: str) -> LabServer:
        """Start a server.

        Raises: NotInstalledError; RuntimeError with what it said when it does not start.
        """
        done = _imap_lab(self._directory, "--base-port", "0", "up", name)
        if done.returncode == NOT_INSTALLED:
            raise NotInstalledError(f"{done.stderr.strip()}; `make servers` installs them")
        if done.returncode:
            raise RuntimeError(done.stderr)
        info = json.loads(done.stdout)
        return LabServer(
            name=name,
            host=info["host"],
            port=info["imap"],
            tls_port=info["imaps"],
            users=info["users"],
            ca_file=Path(info["ca"]),
            info=info,
        )

    def close(self) -> None:
        """End the servers by their recorded pids, and remove what they stored."""
        _remove(self._directory)


def remove_orphans() -> None:
    """End the labs of pytest processes that were killed before they could do it."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}[0-9]*-*"):
        pid = int(directory.name.removeprefix(_PREFIX).partition("-")[0])
        if directory.stat().st_uid == os.geteuid() and not _is_alive(pid):
            _remove(directory)


def _remove(directory: Path) -> None:
    done = _imap_lab(directory, "down")
    if done.returncode:
        raise RuntimeError(done.stderr)
    shutil.rmtree(directory, ignore_errors=True)


def _imap_lab(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(IMAP_LAB), "--dir", str(directory), *words]
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT,
        check=False,
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # alive, and somebody else's
        return True
    return True

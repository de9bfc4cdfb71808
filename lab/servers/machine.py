"""The machine that the lab runs on: its directories, its user, its packages and free ports.

It knows Debian's apt and how to hand files over to an ordinary user.  It knows no server.
"""

from __future__ import annotations

import contextlib
import functools
import grp
import os
import pwd
import random
import shutil
import socket
import string
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
PASSWORD = "secret"
USERS = ("alice", "bob")

TEMPLATES = Path(__file__).parent / "templates"
LONGEST_PATH = 60  # a Unix socket's address is 108 bytes, and the servers' own names follow
# Below the range that Linux hands out to outgoing connections, so that none is in the way.
PORTS = range(20_000, 32_000, 10)


class LabError(Exception):
    """An error that the user can correct."""


class _Template(string.Template):
    """A template with placeholders `@{name}`: the servers' own syntax uses `$` and `%`."""

    delimiter = "@"


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    """Write a file and create its parents; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def fill(template: str, **values: object) -> str:
    """Return a file of `templates/` with every `@{name}` replaced.

    Raises: KeyError when the template wants a value that was not given.
    """
    return _Template((TEMPLATES / template).read_text()).substitute(values)


def run(argv: Sequence[object], **options: Any) -> str:
    """Run a command to its end; return its output.

    Raises: LabError with its output when it fails or is not there.
    """
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    words = [str(word) for word in argv]
    try:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
        )
    except FileNotFoundError as error:
        raise LabError(f"{words[0]}: not found") from error
    if done.returncode:
        raise LabError(f"{' '.join(words)}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


@functools.cache
def may_mount() -> bool:
    """Return whether this process may make a mount namespace (root, and no strict container)."""
    try:
        run(["unshare", "--mount", "--propagation", "private", "--", "true"])
    except LabError:
        return False
    return True


def free_ports() -> int:
    """The first of ten ports of which the three that a server may need are free now.

    Somebody else can still take one before the server does; whoever calls this tries again.
    """
    for first in random.SystemRandom().sample(PORTS, 100):
        with contextlib.suppress(OSError):
            for port in range(first, first + 3):
                require_free(port)
            return first
    raise LabError("no free ports")


def require_free(port: int) -> None:
    """Raise OSError if the port is in use."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))


class Lab:
    """A directory of servers, with certificates, ports and an unprivileged user."""

    def __init__(self, directory: Path, *, cache: Path, base_port: int, user: str, suite: str):
        """With `base_port` 0 each server chooses free ports; `suite` is the chroots' Debian."""
        self.dir = directory.resolve()
        self.cache = cache.resolve()
        self.base_port = base_port
        self.suite = suite
        account = pwd.getpwnam(user) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.user, self.uid, self.gid = account.pw_name, account.pw_uid, account.pw_gid
        self.group = grp.getgrgid(self.gid).gr_name
        self.tls = self.dir / "tls"
        self.ca = self.tls / "ca.pem"
        self.packages = self.cache / "packages"

    @property
    def as_user(self) -> dict[str, Any]:
        """Return options of `subprocess` that drop root privileges."""
        if os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def prepare(self) -> None:
        """Create the directory and check that servers can run in it.

        Raises: LabError when its path is too long or the user cannot enter it.
        """
        if len(str(self.dir)) > LONGEST_PATH:
            raise LabError(
                f"{self.dir}: too long for the Unix sockets below it "
                f"({LONGEST_PATH} characters at most); choose another --dir"
            )
        if not self.dir.exists():
            self.dir.mkdir(parents=True)
            self.give(self.dir)
        if subprocess.run(["test", "-x", self.dir], **self.as_user).returncode:
            raise LabError(
                f"the user {self.user} cannot enter {self.dir}: "
                "choose --dir below a directory that is open to all"
            )

    def give(self, path: Path, uid: int | None = None, gid: int | None = None) -> None:
        """Change the owner of a tree to the user that the daemons run as."""
        if os.geteuid():
            return
        uid = self.uid if uid is None else uid
        gid = self.gid if gid is None else gid
        os.chown(path, uid, gid)
        for root, directories, files in os.walk(path):
            for name in directories + files:
                os.chown(Path(root, name), uid, gid, follow_symlinks=False)

    # Packages

    def apt_update(self) -> None:
        """Update apt's package lists.

        Raises: LabError where there is no apt, or this is not root.
        """
        if not shutil.which("apt-get"):
            raise LabError(
                "the servers come from Debian packages and there is no apt-get here; "
                "the live tests skip what is not installed"
            )
        if os.geteuid():
            raise LabError("installing packages needs root: use sudo, or `make servers`")
        self._apt("update")

    def apt_install(self, names: Sequence[str]) -> None:
        """Install packages without removing others."""
        self._apt("install", "-y", "--no-install-recommends", "--no-remove", *names)

    def apt_unpack(self, name: str) -> None:
        """Unpack a package into the cache, as it conflicts with an installed one."""
        target = self.packages / name
        if not (target / "VERSION").exists():
            target.mkdir(parents=True, exist_ok=True)
            self._apt("-o", "APT::Sandbox::User=root", "download", name, cwd=target)
            self.unpack_downloads(target, name)

    def unpack_downloads(self, target: Path, name: str) -> None:
        """Unpack each .deb file in `target` and record the version of package `name`."""
        version = ""
        for deb in target.glob("*.deb"):
            run(["dpkg-deb", "-x", deb, target])
            if deb.name.startswith(f"{name}_"):
                version = deb.name.split("_")[1]
            deb.unlink()
        write(target / "VERSION", version, 0o644)

    @staticmethod
    def _apt(*words: str, cwd: Path | None = None) -> None:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        argv = ["apt-get", "-o", "DPkg::Lock::Timeout=600", *words]
        run(argv, cwd=cwd, env=environment)

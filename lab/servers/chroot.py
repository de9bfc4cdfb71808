"""Servers of a newer Debian, in a chroot below the cache that debootstrap fills.

The mounts that they need live in a mount namespace of their own and vanish with the process.
Only root can make one; the daemons still run as the lab's ordinary user.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from .archive import mirror
from .base import Server
from .machine import Lab, may_mount, run, write

_MOUNTS = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev"'
_NAMESPACE = ("unshare", "--mount", "--propagation", "private", "--", "sh", "-c")


class Chrooted(Server):
    """A server that runs inside the chroot, with the lab's directory at its own path."""

    marker: ClassVar[str]  # a file inside the chroot that says that the packages are there

    @property
    def root(self) -> Path:
        """The chroot; one serves every server of this kind."""
        return self.lab.cache / f"chroot-{self.lab.suite}"

    def enter(self, argv: Sequence[object]) -> list[object]:
        """The same command, inside."""
        directory = self.lab.dir
        (self.root / directory.relative_to("/")).mkdir(parents=True, exist_ok=True)
        script = (
            f'mount --bind "$1" "$0$1" && {_MOUNTS} && root=$0 && ids=$2 && shift 2 && '
            'exec chroot --userspec="$ids" --groups= "$root" "$@"'
        )
        ids = f"{self.lab.uid}:{self.lab.gid}"
        return [*_NAMESPACE, script, self.root, directory, ids, *argv]

    def down(self) -> bool:
        """Stop it, and remove the empty mount point."""
        found = super().down()
        with contextlib.suppress(OSError):
            (self.root / self.lab.dir.relative_to("/")).rmdir()
        return found

    def popen_options(self) -> dict[str, Any]:
        """None: the chroot command sheds root, after the mounts."""
        return {}

    def missing(self) -> str | None:
        """Root and its mounts, or the packages in the chroot."""
        if os.geteuid() or not may_mount():
            return f"{self.name} needs root and the right to mount"
        if not (self.root / self.marker).exists():
            return f"{self.name} is not installed"
        return None

    @classmethod
    def install(cls, lab: Lab) -> None:
        """Make the chroot unless it is there, and install the packages inside."""
        root = lab.cache / f"chroot-{lab.suite}"
        if not root.exists():
            lab.apt_install(["debootstrap"])
            partial = root.with_suffix(".partial")  # half a chroot never gets the right name
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            include = "--include=ca-certificates"
            run(["debootstrap", "--variant=minbase", include, lab.suite, partial, mirror()])
            partial.rename(root)
        # No package starts a service of its own.
        write(root / "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
        }

        def inside(*argv: str) -> None:
            script = f'{_MOUNTS} && exec chroot "$0" "$@"'
            run([*_NAMESPACE, script, root, *argv], env=environment)

        inside("apt-get", "update")
        inside("apt-get", "install", "-y", "--no-install-recommends", *cls.apt)
        for name in cls.unpack:
            script = f"apt-get download {name} && dpkg-deb -x {name}_*.deb /opt/{name}"
            inside("sh", "-ec", f'cd "$(mktemp -d)" && {script} && rm {name}_*.deb')
        inside("apt-get", "clean")

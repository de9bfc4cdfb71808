"""What a backup of nothing new loads: starting up is most of what such a run takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from imaplus.testing import Server, sample_mailbox

SOURCE = Path(__file__).parents[2] / "src"
RUN = """\
import sys
from imaplus.cli.main import main
code = main(sys.argv[1:])
print(code, *sys.modules)
"""
HEAVY = {
    "asyncio",
    "concurrent.futures",
    "ctypes",
    "dataclasses",
    "email",
    "encodings.idna",
    "importlib.metadata",
    "ipaddress",
    "logging",
    "pathlib",
    "rich",
    "shutil",
    "sqlite3",
    "subprocess",
    "tempfile",
    "traceback",
    "urllib.parse",
}
"""Modules of the standard library that take as long to load as much of imaplus."""
LATE = {
    "imaplus.cli.explain",
    "imaplus.cli.verbs.demo",
    "imaplus.cli.verbs.verify",
    "imaplus.client._sync_mailbox",
    "imaplus.core.append",
    "imaplus.core.fetched",
    "imaplus.core.search_query",
    "imaplus.mirror.absence",
    "imaplus.mirror.digests",
    "imaplus.mirror.fetch",
    "imaplus.mirror.inspection",
    "imaplus.mirror.large",
    "imaplus.mirror.ownership",
    "imaplus.mirror.partial",
    "imaplus.mirror.repair",
    "imaplus.mirror.unsticky",
    "imaplus.mirror.verification",
    "imaplus.mirror.index",
    "imaplus.query",
    "imaplus.mirror.public",
    "imaplus.testing",
}
"""Modules of ours that such a run does not need."""


def loaded(server: Server, directory: Path) -> set[str]:
    """The modules that one backup loads, in a process of its own."""
    words = ["backup", "-q", f"{server.user}@{server.host}:INBOX", str(directory)]
    words += ["--host", server.host, "--port", str(server.port), "--security", "plain"]
    words += ["--user", server.user]
    environ = os.environ | {"PYTHONPATH": str(SOURCE), "IMAPLUS_PASSWORD": server.password}
    # -S: what site-packages load as Python starts is not ours.
    done = subprocess.run(
        [sys.executable, "-S", "-c", RUN, *words],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    code, *modules = done.stdout.split()
    assert code == "0", done.stderr
    return set(modules)


def test_the_mirror_is_not_loaded_before_it_is_needed() -> None:
    """But in a thread, while the server considers the password."""
    code = "import sys, imaplus.cli.verbs.backup; print(*sys.modules)"
    environ = os.environ | {"PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    modules = done.stdout.split()
    assert "imaplus.client._sync" in modules
    assert [name for name in modules if name.startswith("imaplus.mirror")] == []


def test_a_backup_of_nothing_new_loads_little(tmp_path: Path) -> None:
    with Server() as server:
        sample_mailbox(server)
        first = loaded(server, tmp_path / "mail")
        second = loaded(server, tmp_path / "mail")
    assert "imaplus.mirror.fetch" in first
    assert "imaplus.mirror.run" in second
    # Python 3.14's argparse loads _colorize, and that dataclasses.
    theirs = {"dataclasses"} if "_colorize" in second else set()
    assert sorted(second & (HEAVY | LATE) - theirs) == []

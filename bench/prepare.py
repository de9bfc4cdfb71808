"""What the workloads need: a server, its mailboxes, an environment with the peers.

Everything lies below one directory and is kept between runs; what is there is not made again.
What is not to be had (no node, no mbsync, no registry) is left out, and the reason told.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raw import Raw
from undisturbed import congestion_control, leave_for_own_network, spread_out

ROOT = Path(__file__).resolve().parents[1]
LAB = ROOT / "lab"
BIG, MID, FAT = 100_000, 10_000, 200
"""Messages of the mailboxes."""
MANY = 200
"""Mailboxes whose STATUS is asked."""
FAT_SIZE = 5_000_000
"""Bytes of each message of `fat`, as IMAP counts them."""
PYTHON_PEERS = ("IMAPClient", "imap_tools", "aioimaplib")
USER = "alice"
"""Whose mailboxes are read: Maildirs."""
COLLECTOR = "bob"
"""Who has many mailboxes, with nothing in them."""
WRITER = "carol"
"""Whose mailbox is appended to: in sdbox, where Dovecot itself takes the least for a message."""


@dataclass
class Machine:
    """Where things are, and which versions."""

    directory: Path
    host: str = "127.0.0.1"
    port: int = 0
    password: str = ""
    tunnel: list[str] = field(default_factory=list)
    """A program that speaks IMAP as this server does, but without ESEARCH; nobody logs in."""
    python: str = sys.executable
    versions: dict[str, str] = field(default_factory=dict)
    """By client; who is not in it is not there."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why, for those."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def prepare(directory: Path) -> Iterator[Machine]:
    """Start a server, fill its mailboxes and install the peers; stop the server at the end."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another benchmark runs in {directory}; --dir names another place")
        for left in directory.glob("run-*"):  # by a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        spread_out(directory)
        machine = Machine(directory)
        install_python_peers(machine)
        install_imaplus(machine)
        install_imapflow(machine)
        find_mbsync(machine)
        leave_for_own_network()
        with serve(machine):
            yield machine


@contextlib.contextmanager
def serve(machine: Machine) -> Iterator[None]:
    """Run the lab's Dovecot with the mailboxes of the benchmarks."""
    directory = machine.directory
    lab = [sys.executable, str(LAB / "imap-lab"), "--dir", str(directory / "lab")]
    lab += ["--base-port", "0"]
    started = subprocess.run([*lab, "up", "dovecot"], stdout=subprocess.PIPE, text=True)
    if started.returncode:
        sys.exit("no Dovecot: `make servers SERVERS=dovecot` installs it")
    try:
        info = json.loads(started.stdout)
        machine.host, machine.port = info["host"], info["imap"]
        machine.password = info["users"][USER]
        machine.versions["dovecot"] = info["version"]
        machine.tunnel = without_esearch(info)
        fill(Path(info["dir"]) / "home" / USER / "Maildir")
        make_many(machine)
        yield
    finally:
        subprocess.run([*lab, "down", "dovecot"], check=False, stderr=subprocess.DEVNULL)


def without_esearch(info: dict[str, Any]) -> list[str]:
    """Return the command line of Dovecot's IMAP process, without the capability ESEARCH."""
    words = (word for word in info["capabilities"]["after_login"] if word != "ESEARCH")
    home = Path(info["dir"])
    argv = ["/usr/lib/dovecot/imap", "-c", str(home / "dovecot.conf"), "-u", USER]
    argv += ["-o", f"imap_capability={' '.join(words)}"]
    owner = (home / "home" / USER).stat()
    if os.geteuid() != 0:
        return argv
    ids = [f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    return ["setpriv", *ids, *argv]


# -- mailboxes -------------------------------------------------------------------------------


def fill(maildir: Path) -> None:
    """Write missing messages directly into the Maildir, which is faster than APPEND."""
    generate = [sys.executable, str(LAB / "mailgen.py"), "maildir", str(maildir)]
    # One in twenty has an attachment of 50 to 120 KB: 14.4 KB on average.
    mid = ["--attachments", "5", "--max-attachment", "120000"]
    for name, number, options in (("big", BIG, ["--attachments", "0"]), ("mid", MID, mid)):
        with make_once(maildir / f".{name}") as wanted:
            if wanted:
                say(f"making {name}: {number:,} messages")
                argv = [*generate, "--folder", name, "-n", str(number), *options]
                subprocess.run(argv, check=True, stderr=subprocess.DEVNULL)
    with make_once(maildir / ".fat") as wanted:
        if wanted:
            say(f"making fat: {FAT} messages of {FAT_SIZE:,} bytes")
            write_fat(maildir / ".fat")


@contextlib.contextmanager
def make_once(folder: Path) -> Iterator[bool]:
    """Yield whether a mailbox must be made; remove the remains of an interrupted run first."""
    done = folder / "made-by-bench"
    if done.exists():
        yield False
        return
    shutil.rmtree(folder, ignore_errors=True)
    yield True
    done.touch()


def write_fat(folder: Path) -> None:
    """Write different messages with one large part each, in base64."""
    owner = folder.parent.parent.stat()
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(0o700, parents=True)
    (folder / "maildirfolder").touch()
    pool = base64.encodebytes(random.Random(1).randbytes(FAT_SIZE * 3 // 4))
    for i in range(FAT):
        head = (
            f"From: a@example.org\nTo: b@example.org\nSubject: large {i}\nMIME-Version: 1.0\n"
            f"Message-ID: <{i}@fat>\nDate: Mon, 01 Jan 2024 00:00:00 +0000\n"
            "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n"
        ).encode()
        # A line of base64 has 76 bytes, and CRLF on the wire where the file has LF.
        lines = (FAT_SIZE - len(head) - head.count(b"\n")) // 78
        start = i * 77
        data = head + pool[start : start + lines * 77]
        crlf = len(data) + data.count(b"\n")
        (
            folder / "cur" / f"{1_700_000_000 + i}.M{i}P1.bench,S={len(data)},W={crlf}:2,"
        ).write_bytes(data)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)


def make_many(machine: Machine) -> None:
    """Create the mailboxes for the STATUS workload, unless they exist."""
    with Raw(machine.host, machine.port, COLLECTOR, machine.password) as raw:
        there = set(re.findall(rb"many/([0-9]+)", raw.ask('LIST "" many/*')))
        if names := [n for n in range(MANY) if b"%d" % n not in there]:
            raw.together(f"CREATE many/{n}" for n in names)


# -- peers -----------------------------------------------------------------------------------


def install_python_peers(machine: Machine) -> None:
    """Install the newest peers in a virtual environment."""
    folder = machine.directory / "venv"
    python = folder / "bin" / "python"
    if not (folder / "made-by-bench").exists():
        say("making a virtual environment with " + ", ".join(PYTHON_PEERS))
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        # Install them singly, so that one failure does not affect the others.
        failed = [name for name in PYTHON_PEERS if subprocess.run([*pip, name]).returncode]
        if not failed:
            (folder / "made-by-bench").touch()
    machine.python = str(python)
    for name in PYTHON_PEERS:
        look = f"from importlib.metadata import version; print(version({name!r}))"
        found = subprocess.run([python, "-c", look], capture_output=True, text=True)
        if found.returncode:
            machine.missing[name] = "pip could not install it"
        else:
            machine.versions[name] = found.stdout.strip()
    machine.versions["python"] = platform.python_version()


def install_imaplus(machine: Machine) -> None:
    """The imaplus of this tree, where and as pip leaves it: a copy with its bytecode compiled.

    Each run makes it anew, so it is always what the tree is; and no process of imaplus has to
    compile what processes of the peers only have to load.
    """
    look = "from sysconfig import get_path; print(get_path('purelib'))"
    told = subprocess.check_output([machine.python, "-c", look], text=True)
    package = Path(told.strip()) / "imaplus"
    shutil.rmtree(package, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "imaplus", package, ignore=ignored)
    subprocess.run([machine.python, "-m", "compileall", "-q", str(package)], check=True)


def install_imapflow(machine: Machine) -> None:
    """imapflow, if there is npm; with whatever versions of what it needs the registry has."""
    folder = machine.directory / "node"
    module = folder / "node_modules" / "imapflow" / "package.json"
    if not shutil.which("node") or not shutil.which("npm"):
        machine.missing["imapflow"] = "there is no node or no npm"
        return
    if not module.exists():
        say("installing imapflow")
        folder.mkdir(exist_ok=True)
        package: dict[str, Any] = {"private": True, "dependencies": {"imapflow": "latest"}}
        if not npm_install(folder, package):
            # A registry may lag behind in what imapflow names exactly.
            view = ["npm", "view", "imapflow", "dependencies", "--json"]
            told = subprocess.run(view, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            needed = json.loads(told.stdout or b"{}")
            npm_install(folder, package | {"overrides": dict.fromkeys(needed, ">=0")})
    if module.exists():
        node = subprocess.check_output(["node", "--version"], text=True).strip()
        machine.versions["imapflow"] = json.loads(module.read_text())["version"]
        machine.versions["node"] = node.lstrip("v")
    else:
        machine.missing["imapflow"] = "npm could not install it"


def npm_install(folder: Path, package: dict[str, Any]) -> bool:
    (folder / "package.json").write_text(json.dumps(package))
    argv = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
    done = subprocess.run(
        argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0


def find_mbsync(machine: Machine) -> None:
    if not shutil.which("mbsync"):
        machine.missing["mbsync"] = "it is not installed (Debian: isync)"
        return
    told = subprocess.check_output(["mbsync", "--version"], text=True)
    machine.versions["mbsync"] = told.split()[-1]


def facts() -> dict[str, str]:
    """Describe the machine."""
    model = "unknown processor"
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "congestion": congestion_control(),
    }

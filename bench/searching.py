"""Compare the index of a mirror with mu and notmuch: indexing, size, and queries.

    searching.py [--messages N] [--rounds N] [--dir DIR]

Each program indexes the same messages: mu and notmuch a Maildir, imaplus a store made of it. Rounds
alternate between them, and processor time is what is compared: it says the same on a machine that
does other things. The figures go to standard output, as a table in Markdown. Debian has the two as
maildir-utils and notmuch; what is not installed is left out.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
LETTERS = {"S": "\\Seen", "F": "\\Flagged", "R": "\\Answered", "D": "\\Draft", "T": "\\Deleted"}
ATTACHMENTS = ["--attachments", "5", "--max-attachment", "120000"]  # 14.4 KB a message on average
QUERIES = {
    "imaplus": "subject:quarterly subject:prototype",
    "mu": "subject:quarterly subject:prototype",
    "notmuch": "subject:quarterly and subject:prototype",
}
"""The same query in the three query languages."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", type=Path, default=ROOT / "bench" / "data")
    args = parser.parse_args()
    folder = args.dir.resolve() / f"search-{args.messages}"
    maildir, store = folder / "maildir", folder / "store"
    if not (folder / "made").exists():
        make(maildir, store, args.messages)
        (folder / "made").touch()
    programs: dict[str, Callable[[], list[str]]] = {"imaplus": lambda: imaplus(store)}
    if shutil.which("mu"):
        programs["mu"] = lambda: mu(folder, maildir)
    if shutil.which("notmuch"):
        programs["notmuch"] = lambda: notmuch(folder, maildir)
    rows = measure(programs, args.rounds)
    print(f"{args.messages:,} messages; medians of {args.rounds} rounds\n")
    print("| | processor s | wall s | memory MiB | size MB | query, processor ms | hits |")
    print("|---|---|---|---|---|---|---|")
    sizes = {"imaplus": store / "index.sqlite", "mu": folder / "mu", "notmuch": folder / "notmuch"}
    for name, samples in rows.items():
        cpu, wall, memory = (median(column) for column in zip(*samples, strict=True))
        query, hits = run_query(name, folder, store)
        size = size_of(sizes[name]) / 1e6
        print(f"| {name} | {cpu:.1f} | {wall:.1f} | {memory:.0f} | {size:.1f} | {query} | {hits} |")
    print(f"\nInside, without starting Python: {inside(store)}.")
    return 0


def make(maildir: Path, store: Path, number: int) -> None:
    """Make the messages, as a Maildir and as a store."""
    from imaplus.mirror import Store

    shutil.rmtree(maildir.parent, ignore_errors=True)
    maildir.parent.mkdir(parents=True)
    generate = [sys.executable, str(ROOT / "lab" / "mailgen.py"), "maildir", str(maildir)]
    argv = [*generate, "-n", str(number), *ATTACHMENTS]
    subprocess.run(argv, check=True, stderr=subprocess.DEVNULL)
    with Store.open(store, create=True, sync=False) as mirror:
        journal = mirror.mailbox("INBOX", 1)
        for uid, path in enumerate(sorted((maildir / "cur").iterdir()), 1):
            body = mirror.put(path.read_bytes().replace(b"\n", b"\r\n"))
            flags = [LETTERS[it] for it in path.name.rpartition(",")[2] if it in LETTERS]
            at = datetime.fromtimestamp(int(path.name.partition(".")[0]), UTC)
            journal.add(uid, body, flags=flags, internaldate=at)
            if uid % 5000 == 0:
                mirror.commit()
        journal.mark(exists=len(journal.entries))
        mirror.commit()


def imaplus(store: Path) -> list[str]:
    (store / "index.sqlite").unlink(missing_ok=True)
    return [sys.executable, "-m", "imaplus", "search", str(store), "uid:1"]


def mu(folder: Path, maildir: Path) -> list[str]:
    home = folder / "mu"
    shutil.rmtree(home, ignore_errors=True)
    init = ["mu", "init", f"--muhome={home}", f"--maildir={maildir}"]
    subprocess.run(init, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return ["mu", "index", f"--muhome={home}", "--quiet"]


def notmuch(folder: Path, maildir: Path) -> list[str]:
    home, config = folder / "notmuch", folder / "notmuch-config"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    config.write_text(
        f"[database]\npath={home}\nmail_root={maildir}\n[user]\nname=x\n"
        "primary_email=x@example.org\n[new]\ntags=\n[maildir]\nsynchronize_flags=false\n"
    )
    return ["notmuch", f"--config={config}", "new", "--quiet"]


def measure(
    programs: dict[str, Callable[[], list[str]]], rounds: int
) -> dict[str, list[tuple[float, float, float]]]:
    """Measure each program: processor and wall time in seconds, and memory in MiB, by round."""
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, prepare in programs.items():
            rows[name].append(run_timed(prepare()))
    return rows


def run_timed(argv: list[str]) -> tuple[float, float, float]:
    """Run a command; return processor time, wall time and memory, including its children."""
    code = (
        "import os, resource, subprocess, sys; "
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "it = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "print(done.returncode, it.ru_utime + it.ru_stime, it.ru_maxrss)"
    )
    began = time.perf_counter()
    told = subprocess.check_output([sys.executable, "-c", code, *argv], text=True)
    wall = time.perf_counter() - began
    status, cpu, memory = told.split()
    if status != "0":
        sys.exit(f"{argv[0]} ended with exit status {status}")
    return float(cpu), wall, int(memory) / 1024


def run_query(name: str, folder: Path, store: Path) -> tuple[str, int]:
    """Run a query as a process; return its processor time in ms and its number of lines."""
    argv = {
        "imaplus": [sys.executable, "-m", "imaplus", "search", str(store), QUERIES["imaplus"]],
        "mu": ["mu", "find", f"--muhome={folder / 'mu'}", QUERIES["mu"]],
        "notmuch": [
            *("notmuch", f"--config={folder / 'notmuch-config'}"),
            *("search", "--output=files", QUERIES["notmuch"]),
        ],
    }[name]
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=False)  # compiles, and warms caches
    spent = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(argv, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return f"{median(spent) * 1000:.0f}", done.stdout.count(b"\n")


def inside(store: Path) -> str:
    """Run the query in this process; return its time."""
    from imaplus.mirror import Index, Store

    with Store.open(store, readonly=True) as mirror, Index.open(mirror) as index:
        spent = []
        for _ in range(20):
            began = time.process_time()
            hits = index.find(QUERIES["imaplus"])
            spent.append(time.process_time() - began)
    return f"{min(spent) * 1000:.1f} ms for {len(hits)} hits"


def size_of(path: Path) -> int:
    """Return the size in bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(os.lstat(each).st_size for each in path.rglob("*") if each.is_file())


if __name__ == "__main__":
    sys.exit(main())

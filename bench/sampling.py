"""Take the samples of a case: the order of clients, the references, and the rounds.

A client's samples alternate with the reference's, so that a machine that is slower for a while
slows both. It knows how each kind of case is run; what the figures mean is for the table.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Self

from cases import (
    AIOIMAPLIB,
    ASYNC,
    DRAIN,
    FACADE,
    IMAP_TOOLS,
    IMAPCLIENT,
    IMAPFLOW,
    IMAPLIB,
    OURS,
    ROUND_TRIP,
    SYNC,
    Case,
)
from mirrors import Mirrors
from prepare import BIG, MID, WRITER, Machine, say
from raw import Raw
from workers import HERE, Failed, Worker
from workloads import IMPORTS

PROGRAMS = {
    SYNC: ("imaplus_sync.py",),
    ASYNC: ("imaplus_async.py",),
    FACADE: ("imaplib_either.py", "imaplus.imaplib"),
    IMAPLIB: ("imaplib_either.py", "imaplib"),
    IMAPCLIENT: ("peer_imapclient.py",),
    IMAP_TOOLS: ("peer_imap_tools.py",),
    AIOIMAPLIB: ("peer_aioimaplib.py",),
    IMAPFLOW: ("imapflow.mjs",),
    DRAIN: ("drain.py",),
}

MIRRORS = 3
"""Rounds of mirror workloads: each makes and removes ten thousand files."""

Take = Callable[[], dict[str, Any]]

MOST = 4
"""Factor by which the rounds of short workloads are increased at most."""
LEAST_OF_MIRRORS = 3
"""Minimum number of rounds of mirror workloads, as the speed of disks varies."""


@dataclass
class Samples:
    """The samples of one client."""

    seconds: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    growth_kb: list[float] = field(default_factory=list)
    check: object = None
    times: float = 1
    """Factor of the seconds, if the client did only part of the work."""
    error: str | None = None
    message: str = ""

    def add(self, sample: dict[str, Any]) -> float:
        self.seconds.append(sample["seconds"] * self.times)
        self.growth_kb.append(sample.get("growth_kb", 0))
        if sample.get("check") is not None:
            self.check = sample["check"]
        return self.seconds[-1]

    def result(self) -> object:
        """Return the check, scaled to all of the work."""
        if isinstance(self.check, int) and self.times != 1:
            return round(self.check * self.times)
        return self.check


class Sampler:
    """Measures cases on a prepared machine."""

    def __init__(
        self,
        machine: Machine,
        *,
        clients: tuple[str, ...],
        rounds: int,
        peer_rounds: int,
        budget: float,
        limit: float,
    ) -> None:
        self.machine = machine
        self.clients = clients
        self.rounds = rounds
        self.peer_rounds = peer_rounds
        self.enough = budget / 3
        """Our clients get more rounds until this many seconds, to average out disturbances."""
        self.budget = budget
        """A client gets no more rounds of a case after this many seconds."""
        self.limit = limit
        """Maximum duration of a sample in seconds."""
        self._kept = contextlib.ExitStack()
        self._folder = Path()
        self._captured: dict[str, Path] = {}

    def __enter__(self) -> Self:
        folder = tempfile.mkdtemp(prefix="run-", dir=self.machine.directory)
        self._folder = Path(folder)
        (self._folder / "files").mkdir()
        self._kept.callback(shutil.rmtree, folder, ignore_errors=True)
        self.proxy = self._kept.enter_context(
            start_server("proxy.py", self.machine.host, str(self.machine.port), str(ROUND_TRIP))
        )
        self._own = self._kept.enter_context(
            Raw(self.machine.host, self.machine.port, WRITER, self.machine.password)
        )
        self._mirrors = Mirrors(self.machine, self._folder)
        return self

    def __exit__(self, *exception: object) -> None:
        self._kept.close()

    # -- a case -----------------------------------------------------------------------------

    def measure(self, case: Case) -> dict[str, Any]:
        """Take all samples of a case; return them for JSON."""
        found: dict[str, Samples] = {}
        reference: Samples | None = None
        if case.reference and case.reference not in self.machine.missing:
            reference = found[case.reference] = Samples()
            if not self._try(reference, lambda: self._warm_up(case)):
                reference = None
        for client in case.work:
            if client == case.reference or not self._is_here(client):
                continue
            samples = found[client] = Samples()
            self._try(samples, partial(self._alternate, case, client, samples, reference))
            say(f"  {client}: {samples.error or f'{median(samples.seconds):.3g} s'}")
        for name in case.beside:
            samples = found[name] = Samples()
            self._try(samples, partial(self._repeat, case, name, samples))
        compare(found)
        return {
            "key": case.key,
            "title": case.title,
            "total": case.total,
            "clients": {client: vars(samples) for client, samples in found.items()},
        }

    def _is_here(self, client: str) -> bool:
        wanted = client in self.clients or client == DRAIN
        return wanted and client not in self.machine.missing

    def _try(self, samples: Samples, what: Callable[[], None]) -> bool:
        """Call `what`; on failure, store the error in the samples and return False."""
        try:
            what()
        except Failed as error:
            samples.error, samples.message = error.name, error.message
            return False
        return True

    def _warm_up(self, case: Case) -> None:
        """Fill the server's caches before the first sample."""
        if case.kind in ("imap", "delayed", "tunnel"):
            with self._taking(case, case.reference) as (take, _):
                take(), take()

    def _alternate(
        self, case: Case, client: str, samples: Samples, reference: Samples | None
    ) -> None:
        """Take samples of the reference and the client in turn, ending with the reference."""
        with contextlib.ExitStack() as stack:
            take, samples.times = stack.enter_context(self._taking(case, client))
            if reference is not None:
                take_reference, _ = stack.enter_context(self._taking(case, case.reference))
            began = time.monotonic()
            before = 0.0 if reference is None else reference.add(take_reference())
            rounds = self._rounds(case, client)
            for n in range(1, MOST * rounds + 1):
                mine = samples.add(take())
                if reference is not None:
                    after = reference.add(take_reference())
                    samples.ratios.append(mine / ((before + after) / 2))
                    before = after
                took = time.monotonic() - began
                if n >= rounds and (took > self.enough or client not in OURS):
                    break
                least = case.rounds or (LEAST_OF_MIRRORS if case.kind == "mirror" else 1)
                if took > self.budget and n >= least:
                    break

    def _rounds(self, case: Case, client: str) -> int:
        rounds = self.rounds if client in OURS else self.peer_rounds
        if case.kind == "import":  # short, and unsteady
            return rounds * 4
        return max(min(rounds, MIRRORS) if case.kind == "mirror" else rounds, case.rounds)

    def _repeat(self, case: Case, name: str, samples: Samples) -> None:
        """Take samples of another raw form alone."""
        with self._taking(case, DRAIN, name) as (take, samples.times):
            for _ in range(self.peer_rounds):
                if samples.add(take()) > self.budget:
                    break

    @contextlib.contextmanager
    def _taking(self, case: Case, client: str, beside: str = "") -> Iterator[tuple[Take, float]]:
        """Yield a function that takes a sample, and the factor of its seconds."""
        if case.kind == "import":
            argv = [self.machine.python, "-c", IMPORTS[client]]
            yield (lambda: run(argv, self._environment)), 1
        elif case.kind == "mirror":
            yield self._mirrors.taking(case, client, self._environment), 1
        elif case.kind == "idle":
            yield (lambda: self._idle_once(case, client)), 1
        else:
            job = self._job(case, client, beside)
            times = case.count / float(str(job["count"])) if case.count else 1
            program = "core.py" if case.kind == "core" else ""
            with contextlib.ExitStack() as stack:
                if case.kind == "replay":
                    argv = ["idle_server.py", str(self._make_answer(case.total)), str(case.total)]
                    job["port"] = stack.enter_context(start_server(*argv))
                worker = self._start(client, job, program)
                stack.callback(worker.close)
                yield (lambda: self._sample(case, worker)), times

    def _sample(self, case: Case, worker: Worker) -> dict[str, Any]:
        if case.appends:
            with contextlib.suppress(RuntimeError):  # the first time, there is none
                self._own.command("DELETE bench")
            self._own.command("CREATE bench")
        told = worker.sample()
        if case.appends:
            there = re.search(rb"MESSAGES (\d+)", self._own.ask("STATUS bench (MESSAGES)"))
            told["check"] = int(there[1]) if there else 0
        if case.key == "W3-files":
            clear(self._folder / "files")
        return told

    # -- workers ----------------------------------------------------------------------------

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(HERE),
            "NODE_PATH": str(self.machine.directory / "node" / "node_modules"),
            "IMAPLUS_PASSWORD": self.machine.password,
        }

    def _job(self, case: Case, client: str, beside: str = "") -> dict[str, object]:
        count = case.fewer.get(beside or client, case.count)
        folder = self._folder / "files"
        if case.kind == "core":
            folder = self._capture(case.mailbox)
        return {
            "workload": case.beside[beside] if beside else case.work[client],
            "host": self.machine.host,
            "port": self.proxy if case.kind == "delayed" else self.machine.port,
            "user": case.user,
            "password": self.machine.password,
            "mailbox": case.mailbox,
            "limit": self.limit,
            "count": count,
            "uids": f"1:{case.total}",
            "total": case.total,
            "folder": str(folder),
            "tunnel": self.machine.tunnel if case.kind == "tunnel" else [],
        }

    def _start(self, client: str, job: dict[str, object], program: str = "") -> Worker:
        name, *more = (program,) if program else PROGRAMS[client]
        interpreter = "node" if name.endswith(".mjs") else self.machine.python
        argv = [interpreter, str(HERE / "clients" / name), *more]
        return Worker(argv, job, self._environment)

    def _idle_once(self, case: Case, client: str) -> dict[str, Any]:
        """Take an idle sample with a new worker and a new server."""
        with start_server("idle_server.py") as port:
            job = {**self._job(case, client), "port": port}
            worker = self._start(client, job, "drain_async.py" if client == DRAIN else "")
            with contextlib.closing(worker):
                return worker.sample()

    # -- captured answers -------------------------------------------------------------------

    def _capture(self, mailbox: str) -> Path:
        """Capture Dovecot's response to the FETCH of a workload; return its file."""
        if mailbox not in self._captured:
            path = self._captured[mailbox] = self._folder / f"captured-{mailbox}"
            number = {"big": BIG, "mid": MID}[mailbox]
            case = Case("capture", "", {DRAIN: "capture"}, mailbox=mailbox, total=number)
            with contextlib.closing(
                self._start(DRAIN, self._job(case, DRAIN) | {"folder": str(path)})
            ) as worker:
                worker.sample()
        return self._captured[mailbox]

    def _make_answer(self, n: int) -> Path:
        """Make the response for n messages by renumbering that for `big`; return its file."""
        path = self._folder / f"multiplied-{n}"
        if not path.exists():
            text = self._capture("big").read_bytes()
            rests = re.findall(rb"^\* \d+ FETCH \(UID \d+ ([^\n]*\n)", text, re.M)
            with path.open("wb") as file:
                for i in range(n):
                    file.write(b"* %d FETCH (UID %d %s" % (i + 1, i + 1, rests[i % len(rests)]))
        return path


@contextlib.contextmanager
def start_server(program: str, *more: str) -> Iterator[int]:
    """Run a server of the benchmarks in a child process; yield its port."""
    argv = [sys.executable, str(HERE / program), *more]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def clear(folder: Path) -> None:
    """Remove a folder and sync the disk, so that later samples are not slowed."""
    for path in folder.iterdir():
        path.unlink()
    os.sync()


def run(argv: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Take a sample of a whole process."""
    began = time.perf_counter()
    done = subprocess.run(argv, env={**os.environ, **environment}, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise Failed(f"exit status {done.returncode}")
    return {"seconds": seconds}


def compare(found: dict[str, Samples]) -> None:
    """Mark the clients whose check differs from that of most as failed."""
    checks = {name: repr(each.result()) for name, each in found.items() if each.check is not None}
    if not checks:
        return
    usual = Counter(checks.values()).most_common(1)[0][0]
    for name, check in checks.items():
        if check != usual:
            found[name].error = "another result"
            found[name].message = f"{check:.200}, not {usual:.200}"

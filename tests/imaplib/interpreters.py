"""Which Pythons are here, and what their own imaplib suites make of the facade."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
SUITE = Path(__file__).with_name("suite.py")
VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15", "PyPy")
WHICH = (
    "import sys; pypy = sys.implementation.name == 'pypy';"
    "print('PyPy' if pypy else '.'.join(map(str, sys.version_info[:2])))"
)
NO_TESTS = 3  # suite.py's exit status
TIMEOUT = 100.0  # seconds


@dataclass(frozen=True)
class Outcome:
    """What became of a suite. Where it could not run, `unavailable` says why."""

    version: str = ""
    unavailable: str = ""
    passed: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    failed: tuple[tuple[str, str], ...] = ()


def find(version: str) -> str | None:
    """An interpreter of this version, such as 3.12, or PyPy."""
    path = shutil.which("pypy3" if version == "PyPy" else f"python{version}")
    for candidate in filter(None, (sys.executable, path)):
        try:
            found = _run(version, candidate, "-c", WHICH)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if found.stdout.strip() == version:
            return candidate
    return None


@functools.cache
def run_suite(version: str) -> Outcome:
    """Run the interpreter's own suite with the facade in imaplib's place."""
    path = find(version)
    if path is None:
        return Outcome(unavailable=f"there is no {_named(version)} here")
    done = _run(version, path, str(SUITE))
    if done.returncode == NO_TESTS:
        return Outcome(unavailable=f"{_named(version)} comes without its tests: {done.stdout}")
    if done.returncode:
        raise RuntimeError(done.stderr)
    report = json.loads(done.stdout.splitlines()[-1])
    outcomes: dict[str, str] = report["outcomes"]
    return Outcome(
        version=report["version"],
        passed=frozenset(name for name, how in outcomes.items() if how == "passed"),
        skipped=frozenset(name for name, how in outcomes.items() if how.startswith("skipped")),
        failed=tuple(
            (name, how)
            for name, how in sorted(outcomes.items())
            if how != "passed" and not how.startswith("skipped")
        ),
    )


def _named(version: str) -> str:
    return version if version == "PyPy" else f"Python {version}"


def _run(version: str, *argv: str) -> subprocess.CompletedProcess[str]:
    # Where pyenv puts a shim on the path, the shim asks this which Python is meant.
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYENV_VERSION": version}
    return subprocess.run(
        argv,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

"""Killed or out of space anywhere: what was committed stays, what was not leaves no trace."""

from __future__ import annotations

import errno
import importlib.util
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from imaplus.mirror import Store

SCRIPT = Path(__file__).with_name("crashes.py")


@pytest.fixture(scope="module")
def crashes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("crashes", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("how", ["loop", "helped"])
def test_killed_at_50_random_moments(root: Path, crashes: ModuleType, how: str) -> None:
    chance = random.Random()
    committed = 0
    for seed in range(50):
        command = [sys.executable, str(SCRIPT), how, str(root), str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"committed")
            end = time.perf_counter() + chance.random() * 0.01
            while time.perf_counter() < end:  # not a sleep: the moment is what is drawn
                pass
            process.kill()
            committed = max(committed, *(int(line.split()[1]) for line in process.stdout), 0)
        with Store.open(root, sync=False) as store:
            assert crashes.check(store, committed) >= committed
        if committed > 1500:
            shutil.rmtree(root)
            committed = 0


def test_killed_at_every_system_call(root: Path) -> None:
    command = [sys.executable, str(SCRIPT), "every", str(root)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout.split()[1]) > 80


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_refused_at_every_system_call(
    root: Path, crashes: ModuleType, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def blow(*args: object) -> None:
        path = [str(args[0])] if not isinstance(args[0], int) else []
        raise OSError(number, os.strerror(number), *path)

    for call in crashes.CALLS:
        for when in range(1, 1000):
            shutil.rmtree(root, ignore_errors=True)
            acknowledged = [0]
            with monkeypatch.context() as patch:
                patch.setattr(os, call, getattr(os, call))  # so that it is put back
                patch.setattr("imaplus.mirror.files._fsync", os.fsync)
                count = crashes.strike(call, when, blow)
                raised: OSError | None = None
                try:
                    crashes.run(root, acknowledged.append)
                except OSError as error:
                    raised = error
            if raised is not None:
                assert raised.errno == number
                assert str(raised.filename).startswith(str(root.parent))
            with Store.open(root, create=True, sync=False) as store:
                before = crashes.check(store, acknowledged[-1])
            crashes.run(root, acknowledged.append)
            with Store.open(root, sync=False) as store:
                assert crashes.check(store, 0) == before + 4
            if count() < when:
                break

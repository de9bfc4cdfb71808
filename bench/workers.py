"""The harness's side of a worker: start it, have it take samples, end it.

It knows JSON lines and time limits, and neither workloads nor tables.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


class Failed(Exception):
    """A sample that came to nothing: the error's name, and what it said."""

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.message = message


class Worker:
    """A client in a process of its own, connected and ready."""

    def __init__(
        self, argv: Sequence[str], job: Mapping[str, object], environment: Mapping[str, str]
    ) -> None:
        """Raises Failed, if it does not come to be ready."""
        self._limit = float(str(job["limit"]))
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - close() does
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env={**os.environ, **environment},
        )
        self._pending = b""
        try:
            self._send(job)
            self._hear()
        except BaseException:
            self.close()
            raise

    def sample(self) -> dict[str, Any]:
        """What one sample took, and what it came to. Raises Failed."""
        self._send({})
        return self._hear()

    def close(self) -> None:
        """End it, the hard way: there is nothing that it could still do."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._complaints):
            if pipe is not None:
                pipe.close()

    def _ended(self) -> Failed:
        """Why it has ended without a word, such as an ImportError."""
        status = self._process.wait()
        self._complaints.seek(0)
        *_, last = [b"", *self._complaints.read().splitlines()]
        name, _, message = last.decode(errors="replace").partition(": ")
        return Failed(name if message else f"exit status {status}", message)

    def _send(self, what: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        deadline = time.monotonic() + self._limit
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise Failed(f"> {self._limit:.0f} s", "it was ended")
                data = os.read(self._process.stdout.fileno(), 1 << 16)
                if not data:
                    raise self._ended()
                self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            raise Failed(told["error"], told["message"])
        return told

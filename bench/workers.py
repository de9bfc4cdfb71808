"""The harness side of a worker: start it, take samples with it over JSON lines, end it."""

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
    """A sample failed: the name of the error and its message."""

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.message = message


class Worker:
    """A client in a child process, connected and ready."""

    def __init__(
        self, argv: Sequence[str], job: Mapping[str, object], environment: Mapping[str, str]
    ) -> None:
        """Start the process. Raises Failed if it does not become ready."""
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
        """Take one sample and return its seconds and its check. Raises Failed."""
        self._send({})
        return self._hear()

    def close(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._complaints):
            if pipe is not None:
                pipe.close()

    def _describe_exit(self) -> Failed:
        """Make the error for a process that exited without an answer, from its standard error."""
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
            raise self._describe_exit() from None

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        deadline = time.monotonic() + self._limit
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise Failed(f"> {self._limit:.0f} s", "the time limit was exceeded")
                data = os.read(self._process.stdout.fileno(), 1 << 16)
                if not data:
                    raise self._describe_exit()
                self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"], answer["message"])
        return answer

"""Run an interpreter's own test.test_imaplib against imaplus.imaplib: a script for any Python.

The facade stands in for the standard module from before the suite is imported. The outcome of each
test is written to standard output as JSON. Nothing else of the test suite is needed here, so that
the interpreter needs no packages.
"""

from __future__ import annotations

import importlib
import json
import ssl
import sys
import types
import unittest
from typing import Any

from imaplus import imaplib

PATIENCE = 2.0  # seconds, instead of 10: some tests leave a client, and wait for it so long
NO_TESTS = 3  # exit status: this Python comes without its test package


class Outcomes(unittest.TestResult):
    """What became of each test."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, str] = {}

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self.outcomes[name(test)] = "passed"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self.outcomes[name(test)] = f"skipped: {reason}"

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.outcomes[name(test)] = self._exc_info_to_string(err, test)

    addError = addFailure  # noqa: N815

    def addSubTest(  # noqa: N802
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any
    ) -> None:
        if err is not None:  # a test that has one of these is never told as a success
            how = f"{subtest._subDescription()}: {self._exc_info_to_string(err, test)}"
            self.outcomes[name(test)] = self.outcomes.get(name(test), "") + how


def name(test: unittest.TestCase) -> str:
    return ".".join(test.id().split(".")[-2:])


def main() -> int:
    sys.modules["imaplib"] = imaplib
    # The suite's certificates are nobody's, and it talks to 127.0.0.1: where it gives no context
    # of its own, the default is one that verifies nothing, as imaplib's was (see differences.py).
    ssl.create_default_context = ssl._create_unverified_context
    if sys.implementation.name == "pypy":
        stand_in_for_testcapi()
    try:
        support = importlib.import_module("test.support")
        support.LOOPBACK_TIMEOUT = PATIENCE
        suite = importlib.import_module("test.test_imaplib")
    except ImportError as error:
        print(error)
        return NO_TESTS
    assert suite.imaplib is imaplib
    support.use_resources = ["walltime"]
    support.verbose = False
    result = Outcomes()
    unittest.defaultTestLoader.loadTestsFromModule(suite).run(result)
    print(json.dumps({"version": version(), "outcomes": result.outcomes}))
    return 0


def stand_in_for_testcapi() -> None:
    """PyPy compiles this module when it is imported; Debian leaves out its source."""
    try:
        importlib.import_module("_testcapi")
    except OSError:
        module: Any = types.ModuleType("_testcapi")
        module.unicode_legacy_string = None
        sys.modules["_testcapi"] = module


def version() -> str:
    """Such as "3.15.2", or "PyPy 7.3.20 (3.11.13)"."""
    python = ".".join(map(str, sys.version_info[:3]))
    pypy = getattr(sys, "pypy_version_info", None)
    return python if pypy is None else f"PyPy {'.'.join(map(str, pypy[:3]))} ({python})"


if __name__ == "__main__":
    sys.exit(main())

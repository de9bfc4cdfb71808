"""A pytest plugin: the fixture `imap_server`, an embedded IMAP server with the user `ada`.

Every pytest that runs beside an installed imaplus loads this module, so it stands outside the
package and imports nothing of it until a test asks. pytest also marks the whole of imaplus, as the
distribution of a plugin, for assertion rewriting; this module takes that back, so that imaplus is
imported from its cached bytecode as in any other program.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from imaplus.testing import Server


class _Unchanged:
    """Finds imaplus as Python does by itself: it stands before the finder that rewrites."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, if it is one of ours."""
        if name == "imaplus" or name.startswith("imaplus."):
            return PathFinder.find_spec(name, path, target)
        return None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before anybody's conftest.py is imported, and imaplus by it perhaps."""
    for place, finder in enumerate(sys.meta_path):
        if type(finder).__module__ == "_pytest.assertion.rewrite":
            sys.meta_path.insert(place, _Unchanged)
            return


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    if _Unchanged in sys.meta_path:
        sys.meta_path.remove(_Unchanged)


@pytest.fixture
def imap_server() -> Iterator[Server]:
    """A running server, new for each test, its INBOX empty; see `imaplus.testing.Server`."""
    from imaplus.testing import Server

    with Server() as server:
        yield server

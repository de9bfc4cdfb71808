"""A pytest plugin: the fixture `imap_server`, an embedded IMAP server with the user `ada`.

pytest loads this module in every environment where imaplus is installed. So it stands outside the
package and imports imaplus only when a test uses the fixture. pytest also marks the distribution
of a plugin, that is all of imaplus, for assertion rewriting; this module undoes that, so that
imaplus is imported from its cached bytecode.
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
    """A finder that imports imaplus without rewriting; inserted before pytest's own finder."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find modules of imaplus; return None for all others."""
        if name == "imaplus" or name.startswith("imaplus."):
            return PathFinder.find_spec(name, path, target)
        return None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Insert the finder before any conftest.py, which may import imaplus, is loaded."""
    for place, finder in enumerate(sys.meta_path):
        if type(finder).__module__ == "_pytest.assertion.rewrite":
            sys.meta_path.insert(place, _Unchanged)
            return


def pytest_unconfigure() -> None:
    """Remove the finder."""
    if _Unchanged in sys.meta_path:
        sys.meta_path.remove(_Unchanged)


@pytest.fixture
def imap_server() -> Iterator[Server]:
    """Start a new server with an empty INBOX for each test; see `imaplus.testing.Server`."""
    from imaplus.testing import Server

    with Server() as server:
        yield server

"""A pytest plugin: the fixture `imap_server`, an embedded IMAP server with the user `ada`.

Every pytest beside an installed imaplus loads it, so it imports nothing before a test asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from imaplus.testing.threaded import Server


@pytest.fixture
def imap_server() -> Iterator[Server]:
    """A running server, new for each test, its INBOX empty; see `imaplus.testing.Server`."""
    from imaplus.testing.threaded import Server

    with Server() as server:
        yield server

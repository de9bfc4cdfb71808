"""Fixtures of the clients' tests: embedded servers, and a client of either kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from imaplus.testing import Server

from .harness import Connector, letter


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Starts servers, and stops them when the test ends."""
    servers: list[Server] = []

    def make(**options: Any) -> Server:
        server = Server(**options)
        server.start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    """A server without TLS, its INBOX empty."""
    return start()


@pytest.fixture
def full(server: Server) -> Server:
    """The same with ten messages: UIDs 1 to 10, subjects "letter 1" to "letter 10"."""
    for number in range(1, 11):
        server.add_message("INBOX", letter(f"letter {number}"), ["\\Seen"] if number > 7 else [])
    return server


@pytest.fixture(params=["async", "sync"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connector]:
    """Connects clients of each kind in turn."""
    connector = Connector(request.param)
    yield connector
    await connector.close()

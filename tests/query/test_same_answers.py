"""The same query on the same mail finds the same messages, on a server and in a mirror of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings

from imaplus import Client, Mailbox, Security
from imaplus.mirror import Link, Store, backup
from imaplus.mirror.index import Index
from imaplus.query import find, parse
from imaplus.testing import Server

from .mailbox import messages, queries


class Both(NamedTuple):
    """A mailbox that is open on a server, and the index of a mirror of it."""

    client: Client
    mailbox: Mailbox
    mirror: Index

    def online(self, query: str) -> list[int]:
        return sorted(find(self.mailbox, parse(query), can=self.client.can))

    def offline(self, query: str) -> list[int]:
        return sorted(hit.uid for hit in self.mirror.find(query))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with Server() as server:
        for made in messages():
            server.add_message("INBOX", made.raw, made.flags, made.date)
        yield from mirrored(server, tmp_path_factory.mktemp("mirror"))


def mirrored(server: Server, root: Path) -> Iterator[Both]:
    def connect() -> Client:
        return Client.connect(
            server.host,
            server.port,
            user=server.user,
            password=server.password,
            security=Security.PLAIN,
        )

    with Store.open(root / "mail", create=True, sync=False) as store:
        with Link(connect) as link:
            assert backup(link, store).failures == ()
        with connect() as client, Index.open(store) as index:
            yield Both(client, client.examine("INBOX"), index)


@given(query=queries())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_query(both: Both, query: str) -> None:
    assert both.offline(query) == both.online(query)

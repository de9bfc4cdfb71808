"""The same query finds the same messages on a real server and in a mirror of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from imaplus import Client, NoSuchMailbox, Security
from imaplus.mirror import Choice, Link, Store, backup
from imaplus.mirror.index import Index

from ..query.mailbox import messages, queries
from ..query.test_same_answers import Both
from .lab import LabServer

USER = "alice"
NAME = "Queries"


def both(server: LabServer, root: Path) -> Iterator[Both]:
    def connect() -> Client:
        return Client.connect(
            server.host,
            server.port,
            user=USER,
            password=server.users[USER],
            security=Security.PLAIN,
        )

    with connect() as client:
        with contextlib.suppress(NoSuchMailbox):
            client.delete(NAME)
        client.create(NAME)
        for made in messages():
            client.append(NAME, made.raw, flags=made.flags, date=made.date)
        with Store.open(root / "mail", create=True, sync=False) as store:
            with Link(connect) as link:
                assert backup(link, store, choice=Choice((NAME,))).failures == ()
            with Index.open(store) as index:
                yield Both(client, client.examine(NAME), index)
        client.delete(NAME)


@pytest.fixture(scope="module")
def next_both(dovecot_next: LabServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    yield from both(dovecot_next, tmp_path_factory.mktemp("mirror"))


@given(query=queries())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
def test_any_query(next_both: Both, query: str) -> None:
    """Where an operator stands twice under OR or NOT, Dovecot 2.4 confuses values."""
    leaves = re.findall(r'([\w-]+:)?(?:"[^"]*"|[^\s()"]+)', re.sub(r"\bOR\b", " ", query))
    operators = [leaf.lstrip("-") for leaf in leaves]
    assume(len(operators) == len(set(operators)) or not re.search(r"OR|-\(", query))
    assert next_both.offline(query) == next_both.online(query)

"""The page about searching: each query in its table is run, online and offline, and finds alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from imaplus import Client, Security
from imaplus.cli.main import main
from imaplus.cli.verbs.search import FIELDS
from imaplus.mirror import Index, Store, backup
from imaplus.query import OPERATORS, find, parse
from imaplus.testing import Server, sample_mailbox

PAGE = (Path(__file__).parents[2] / "docs" / "searching.md").read_text()
ROWS = re.findall(r"^\| (`.*?) \|", PAGE.partition("## Results")[0], re.MULTILINE)
QUERIES = [query for row in ROWS for query in re.findall(r"`([^`]+)`", row)]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Index]]:
    with Server() as server:
        sample_mailbox(server)
        with (
            Client.connect(
                server.host,
                server.port,
                user=server.user,
                password=server.password,
                security=Security.PLAIN,
            ) as client,
            Store.open(
                tmp_path_factory.mktemp("mirror") / "mail", create=True, sync=False
            ) as store,
        ):
            backup(client, store)
            with Index.open(store) as index:
                yield client, index


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_page(both: tuple[Client, Index], query: str) -> None:
    client, index = both
    node = parse(query)
    found = {hit.uid for hit in index.find(node, mailboxes=["INBOX"])}
    assert found == set(find(client.examine("INBOX"), node, can=client.can))


def test_every_operator_is_on_the_page() -> None:
    shown = {query.lstrip("-").partition(":")[0] for query in QUERIES}
    assert set(OPERATORS) <= shown
    assert len(QUERIES) > 40


def test_every_field_is_on_the_page() -> None:
    table = PAGE.partition("## Results")[2].partition("## From Python")[0]
    assert set(FIELDS) <= set(re.findall(r"`(\w+)`", table))


@pytest.mark.parametrize("line", re.findall(r"\$ imaplus search (.*)", PAGE))
def test_a_command_of_the_page(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    query = line.rpartition(" '")[2].rstrip("'")
    options = ["--threads"] if "--threads" in line else []
    assert main(["search", "-q", *options, "demo:", query]) == 0
    assert capsys.readouterr().err == ""

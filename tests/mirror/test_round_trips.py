"""How often a backup waits for the server, counted by a ferry: once for each window, at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imaplus import Client, Security
from imaplus.client._sync_mailbox import WINDOW
from imaplus.client.streams import Stream
from imaplus.mirror import BackupReport, Store, backup, list_mailboxes
from imaplus.testing import PERSONALITIES, AsyncServer

from ..client.ferry import SyncFerry

Crossings = tuple[BackupReport, list[set[str]]]
BEFORE = [{"LIST"}, {"EXAMINE"}, {"UID SEARCH"}]
"""What a first run has to know before it can fetch."""


@pytest.fixture
def server() -> AsyncServer:
    return AsyncServer(personality=PERSONALITIES["rev1"].but(minus="OBJECTID"))


@pytest.fixture
def run(
    server: AsyncServer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Crossings]]:
    """A backup in a session of its own: its report, and the commands of each round trip."""
    ferries: list[SyncFerry] = []

    def run() -> Crossings:
        ferry = SyncFerry(server)
        ferries.append(ferry)
        monkeypatch.setattr(Stream, "connect", lambda *_: ferry)
        options = {"user": server.user, "password": server.password}
        with (
            Client.connect("there", security=Security.PLAIN, **options) as client,
            Store.open(root, create=True, sync=False) as store,
        ):
            before = ferry.round_trips
            report = backup(client, store, mailboxes=list_mailboxes(client))
            return report, ferry.passengers[before:]

    yield run
    for ferry in ferries:
        ferry.close()


@pytest.mark.parametrize("messages", [1, WINDOW, 2 * WINDOW, 5 * WINDOW + 1])
def test_a_first_run_waits_once_for_each_window(
    server: AsyncServer, run: Callable[[], Crossings], messages: int
) -> None:
    server.mailbox().add_many([b"Subject: %d\r\n\r\n" % n for n in range(messages)])
    report, crossings = run()
    assert report.fetched == messages
    assert crossings[: len(BEFORE)] == BEFORE
    fetching = crossings[len(BEFORE) :]
    assert all(crossing == {"UID FETCH"} for crossing in fetching)
    assert 1 <= len(fetching) <= -(-messages // WINDOW)


def test_the_next_window_is_on_its_way_while_one_is_stored(
    server: AsyncServer, run: Callable[[], Crossings]
) -> None:
    server.mailbox().add_many([b"Subject: %d\r\n\r\n" % n for n in range(2 * WINDOW)])
    assert run()[1] == [*BEFORE, {"UID FETCH"}]


def test_a_run_with_nothing_new_waits_once(
    server: AsyncServer, run: Callable[[], Crossings]
) -> None:
    server.mailbox().add_many([b"Subject: %d\r\n\r\n" % n for n in range(1000)])
    assert run()[0].fetched == 1000
    report, crossings = run()
    assert (report.messages, report.fetched) == (1000, 0)
    assert crossings == [{"LIST"}]


def test_what_is_new_costs_what_it_takes_to_open_a_mailbox_and_to_fetch(
    server: AsyncServer, run: Callable[[], Crossings]
) -> None:
    server.mailbox().add_many([b"Subject: %d\r\n\r\n" % n for n in range(1000)])
    run()
    server.add_message("INBOX", b"one more\r\n")
    report, crossings = run()
    assert (report.messages, report.fetched) == (1001, 1)
    assert crossings[0] == {"LIST"}
    assert crossings[-2:] == [{"EXAMINE"}, {"UID FETCH"}]
    assert crossings[1:-2] in ([], [{"ENABLE"}])

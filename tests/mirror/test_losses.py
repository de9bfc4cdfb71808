"""Connections that are lost while messages come: what can be had is had, the rest is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaplus import ConnectionLost
from imaplus.mirror import Link, Store, backup
from imaplus.mirror.progress import NoProgress
from imaplus.testing import Fault, Generated, Server

from .running import compared, connect, held, on_server, run, told

HOW = ("bye", "close", "no")


@pytest.fixture
def server() -> Server:
    with Server() as server:
        server.mailbox().add_many([b"Subject: %d\r\n\r\ntext\r\n" % n for n in range(1200)])
        server.add_mailbox("Work")
        server.add_message("Work", b"Subject: work\r\n\r\n")
        yield server


def lose(server: Server, root: Path) -> None:
    """A backup by a client alone, which cannot connect again."""
    with (
        connect(server) as client,
        Store.open(root, create=True, sync=False) as store,
        pytest.raises(ConnectionLost),
    ):
        backup(client, store)


@pytest.mark.parametrize("how", HOW)
def test_one_message_never_blocks_the_rest(server: Server, root: Path, how: str) -> None:
    server.fail_always(Fault.at_message("INBOX", 700, how))
    report = run(server, root)
    assert [(each.mailbox, each.uid) for each in report.failures] == [("INBOX", 700)]
    assert set(held(root)) == set(on_server(server)) - {700}
    assert set(held(root, "Work")) == {1}
    assert (report.reconnects > 0) == (how != "no")


def test_progress_is_reported_while_the_link_waits(
    server: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Watching(NoProgress):
        waits = 0

        def advance(self, messages: int = 0, octets: int = 0) -> None:
            self.waits += not (messages or octets)

    monkeypatch.setattr("imaplus.mirror.link.WAITS", (0.01,))
    server.fail_always(Fault.at_message("INBOX", 700, "close", times=1))
    watching = Watching()
    with Link(lambda: connect(server)) as link, Store.open(root, create=True, sync=False) as store:
        assert backup(link, store, progress=watching).reconnects == 1
    assert watching.waits


@pytest.mark.parametrize("uids", [{1}, {1, 2, 3}, {1200}, {5, 600, 601, 1100}])
def test_several_messages_on_which_the_server_hangs_up(
    server: Server, root: Path, uids: set[int]
) -> None:
    fault = Fault()
    for uid in uids:
        fault |= Fault.at_message("INBOX", uid, "close")
    server.fail_always(fault)
    report = run(server, root)
    assert {each.uid for each in report.failures} == uids
    assert set(held(root)) == set(on_server(server)) - uids
    server.fail_always(Fault())
    report = run(server, root)
    assert (report.fetched, report.failures) == (len(uids), ())
    assert held(root) == on_server(server)
    assert compared(server, root).clean


def test_a_server_that_hangs_up_before_it_sends_anything_of_a_set(
    server: Server, root: Path
) -> None:
    """Then nothing but asking for less finds the message."""
    server.fail_always(
        Fault.at_message("INBOX", 444, "close", items="any", after=0)
        | Fault.at_message("INBOX", 445, "close", items="any", after=0)
    )
    report = run(server, root)
    assert {each.uid for each in report.failures} >= {444, 445}
    assert set(held(root)) == set(on_server(server)) - {444, 445}


def test_complete_messages_before_bye_are_kept(server: Server, root: Path) -> None:
    server.fail_always(Fault.at_message("INBOX", 3, "bye"))
    lose(server, root)
    assert set(held(root)) == {1, 2}


def test_the_next_run_tries_a_suspect_last_and_once(server: Server, root: Path) -> None:
    server.fail_always(Fault.at_message("INBOX", 700, "close"))
    run(server, root)
    server.add_message("INBOX", b"Subject: new\r\n\r\n")
    sessions = len(server.sessions)
    report = run(server, root)
    assert (report.fetched, [each.uid for each in report.failures]) == (1, [700])
    assert report.reconnects == 1
    fetches = [line for each in server.commands[sessions:] for line in each if "BODY" in line]
    assert "700" not in fetches[0]
    assert [line.split()[3] for line in fetches[1:]] == ["700"]


def test_messages_that_were_set_aside_are_counted(server: Server, root: Path) -> None:
    server.fail_next(Fault.at_message("INBOX", 7, "close"))
    report = run(server, root)
    assert report.failures == ()
    assert report.fetched == report.messages == 1201


def test_a_connection_that_breaks_after_a_number_of_bytes(server: Server, root: Path) -> None:
    server.fail_always(Fault.cut_after_sent(30_000))
    report = run(server, root)
    assert report.failures == ()
    assert report.reconnects >= 3
    assert held(root) == on_server(server)


@pytest.mark.parametrize("cut", [40_000, 150_000, 700_000])
def test_a_message_too_large_for_any_connection(root: Path, cut: int) -> None:
    with Server() as server:
        server.add_message("INBOX", b"Subject: before\r\n\r\n")
        server.add_message("INBOX", Generated(1_500_000, seed=1))
        server.add_message("INBOX", b"Subject: after\r\n\r\n")
        server.fail_always(Fault.cut_after_sent(cut))
        report = run(server, root)
        assert (report.fetched, report.failures) == (3, ())
        assert held(root) == on_server(server)
        assert list((root / "mailboxes" / "INBOX").glob("*.part")) == []


def test_the_next_run_continues_an_interrupted_large_message(root: Path) -> None:
    with Server() as server:
        server.add_message("INBOX", Generated(3_000_000, seed=1))
        server.fail_always(Fault.cut_after_sent(2_000_000))
        lose(server, root)
        [part] = (root / "mailboxes" / "INBOX").glob("*.part")
        assert 1_900_000 < part.stat().st_size < 2_000_000
        server.fail_always(Fault())
        sessions = len(server.sessions)
        report = run(server, root)
        assert (report.fetched, report.failures) == (1, ())
        assert held(root) == on_server(server)
        assert sum(session.stream.sent for session in server.sessions[sessions:]) < 1_500_000
        assert compared(server, root).clean


def test_a_part_of_another_message_is_discarded(root: Path) -> None:
    with Server() as server:
        server.add_message("INBOX", Generated(1_000_000, seed=1))
        server.fail_always(Fault.cut_after_sent(600_000))
        lose(server, root)
        server.mailbox().set_content(1, Generated(1_000_000, seed=2))
        server.fail_always(Fault())
        assert run(server, root).failures == ()
        assert held(root) == on_server(server)


def test_where_pieces_disagree_the_message_is_fetched_whole(root: Path) -> None:
    with Server() as server:
        server.add_message("INBOX", Generated(1_000_000, seed=1))
        server.fail_next(Fault.cut_after_sent(600_000))
        server.fail_always(Fault.shift_partials("INBOX", 1))
        report = run(server, root)
        assert (report.fetched, report.failures) == (1, ())
        assert held(root) == on_server(server)


def test_a_server_that_is_gone_ends_the_run_and_what_came_is_kept(
    server: Server, root: Path
) -> None:
    attempts = 0

    def once() -> object:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            raise ConnectionLost("cannot connect: refused")
        return connect(server)

    server.fail_always(Fault.cut_after_sent(30_000))
    waits: list[float] = []
    with (
        Store.open(root, create=True, sync=False) as store,
        pytest.raises(ConnectionLost, match="refused"),
    ):
        backup(Link(once, pause=waits.append), store)  # type: ignore[arg-type]
    assert attempts == 6
    assert len(waits) == 5
    assert waits[0] < waits[-1]
    assert 100 < len(held(root)) < 1200


def test_an_unreadable_mailbox_does_not_block_the_others(server: Server, root: Path) -> None:
    server.fail_always(Fault.at_message("INBOX", None, "close"))
    report = run(server, root)
    assert [each.mailbox for each in report.failures if each.uid is None] == ["INBOX"]
    assert held(root, "Work") == on_server(server, "Work")
    assert len(told(server, "EXAMINE")) < 40


def test_an_error_of_the_store_is_not_treated_as_a_lost_connection(
    server: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, *args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imaplus.mirror.files.Folder.write_new", full)
    with pytest.raises(OSError, match="No space"):
        run(server, root)

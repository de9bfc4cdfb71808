"""Servers that hang up, or lie, at a whole mailbox; and accounts that are not the mirror's."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from imaplus import AuthenticationFailed, ConnectionLost, SequenceSet
from imaplus.mirror import (
    Choice,
    Link,
    Owner,
    Store,
    WrongAccount,
    backup,
    verify,
    verify_and_repair,
)
from imaplus.mirror.enumeration import enumerate_uids
from imaplus.testing import Fault, Server

from .running import compared, connect, held, link, on_server, run, told


def mail(number: int) -> bytes:
    return b"Subject: %d\r\n\r\ntext\r\n" % number


def large() -> bytes:
    return (
        b"Subject: large\r\n\r\n" + b"a line of seventy octets or so, again and again\r\n" * 20_000
    )


@pytest.fixture
def server() -> Server:
    with Server(personality="courier") as server:
        server.mailbox().add_many([mail(n) for n in range(30)])
        server.add_mailbox("INBOX.Work")
        server.add_message("INBOX.Work", mail(100))
        yield server


def owner(server: Server) -> Owner:
    return Owner(server.user, server.host, server.port)


def test_a_mailbox_that_cannot_even_be_compared_does_not_block_the_others(
    server: Server, root: Path
) -> None:
    run(server, root)
    server.add_message("INBOX.Work", mail(101))
    server.fail_always(Fault.at_message("INBOX", None, "close", items="any"))
    report = run(server, root)
    assert [(each.mailbox, each.uid) for each in report.failures] == [("INBOX", None)]
    assert set(held(root, "INBOX.Work")) == {1, 2}
    assert held(root) == on_server(server)


def test_a_search_that_is_refused_is_asked_in_another_way(server: Server, root: Path) -> None:
    server.fail_always(Fault.refuse("UID SEARCH"))
    assert run(server, root).failures == ()
    assert held(root) == on_server(server)


def test_a_run_that_is_to_stop_does_not_connect_again(server: Server, root: Path) -> None:
    stop = False

    def pause(seconds: float) -> None:
        nonlocal stop
        stop = True

    server.fail_always(Fault.at_message("INBOX", 5, "close"))
    where = Link(lambda: connect(server), pause=pause)
    with where, Store.open(root, create=True, sync=False) as store:
        report = backup(where, store, should_stop=lambda: stop)
    assert report.interrupted
    assert report.reconnects == 0
    assert set(held(root)) == {1, 2, 3, 4}


def test_what_came_last_is_counted(server: Server, root: Path) -> None:
    server.fail_always(Fault.at_message("INBOX", 5, "close", times=1))
    assert run(server, root).messages == 31


def test_a_large_message_that_came_in_pieces_has_its_labels_and_comes_once(root: Path) -> None:
    with Server(personality="gmail") as server:
        server.add_message("INBOX", large())
        server.fail_always(Fault.cut_after_sent(300_000))
        report = run(server, root)
        server.fail_always(Fault())
        assert (report.fetched, report.spared, report.failures) == (1, 1, ())
        assert compared(server, root).problems == ()


def test_a_large_message_that_is_refused_in_the_end_is_named(server: Server, root: Path) -> None:
    server.add_message("INBOX", large())
    with Server() as other:
        other.add_message("INBOX", large())
        other.add_message("INBOX", large() + b"more")
        other.fail_always(
            Fault.cut_after_sent(300_000) | Fault.at_message("INBOX", 1, "no").after(1)
        )
        report = run(other, root)
        assert [(each.mailbox, each.uid) for each in report.failures] == [("INBOX", 1)]
        assert set(held(root)) == {2}


def test_a_repair_does_not_mix_two_servers(server: Server, root: Path) -> None:
    with link(server) as found, Store.open(root, create=True, sync=False) as store:
        backup(found, store, owner=owner(server))
    before = held(root)
    with Server(personality="courier") as other:
        other.mailbox().add_many([mail(n) for n in range(200, 240)])
        with link(other) as found, Store.open(root, sync=False) as store:
            with pytest.raises(WrongAccount):
                verify_and_repair(store, found, owner=owner(other))
            notices = verify(store, found, owner=owner(other)).notices
        assert any("this is the mirror of" in each.text for each in notices)
    assert held(root) == before


@pytest.mark.parametrize("same", [True, False])
def test_a_store_that_knows_no_port_is_held_against_the_mail(
    server: Server, root: Path, same: bool
) -> None:
    """As those of format 1: no body travels for that."""
    with link(server) as found, Store.open(root, create=True, sync=False) as store:
        backup(found, store, owner=Owner(server.user, server.host))
    before = held(root)
    with Server(personality="courier") as other:
        other.mailbox().add_many([mail(n) for n in range(20_000, 20_040)])
        where = server if same else other
        asked = len(told(where, "BODY"))
        with link(where) as found, Store.open(root, sync=False) as store:
            if same:
                assert backup(found, store, owner=owner(where)).fetched == 0
                assert store.owner is not None
                assert store.owner.is_recorded_as(owner(where))
            else:
                with pytest.raises(WrongAccount):
                    backup(found, store, owner=owner(where))
        assert len(told(where, "BODY")) == asked
    assert held(root) == before


def test_a_login_that_is_refused_later_ends_the_run(server: Server, root: Path) -> None:
    """It is no failure of a mailbox, and not tried again for each of them."""
    server.fail_next(Fault.at_message("INBOX", 5, "close"))
    server.fail_always(Fault.fail_login())
    with pytest.raises((AuthenticationFailed, ConnectionLost)):
        run(server, root)
    logins = told(server, "LOGIN") + told(server, "AUTHENTICATE")
    assert len(logins) <= 3


def test_an_only_mailbox_that_is_recorded_as_gone_is_no_difference(
    server: Server, root: Path
) -> None:
    run(server, root, choice=Choice(("INBOX.Work",)))
    server.delete_mailbox("INBOX.Work")
    assert run(server, root).gone == ("INBOX.Work",)
    assert compared(server, root).problems == ()


def test_an_empty_mailbox_that_had_messages_is_asked_twice() -> None:
    """EXISTS may be missing, or wrong: then SEARCH says so, which the client spares otherwise."""

    class Emptied:
        exists = 0

        def uids(self) -> SequenceSet:
            return SequenceSet()

        def search(self, query: object) -> SequenceSet:
            return SequenceSet.of((1, 2, 3))

    connected = SimpleNamespace(client=SimpleNamespace(noop=lambda: None))
    found = enumerate_uids(connected, Emptied(), expected=True)  # type: ignore[arg-type]
    assert (found.complete, found.found) == (False, SequenceSet.of((1, 2, 3)))
    assert enumerate_uids(connected, Emptied()).complete  # type: ignore[arg-type]

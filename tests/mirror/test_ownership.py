"""Whose mirror it is: two accounts are never mixed, and one that moved goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imaplus.mirror import Owner, Store, WrongAccount
from imaplus.testing import Server

from .running import held, on_server, run

HERE = Owner("ada", "imap.example.org", 993)
THERE = Owner("ada", "mail.example.net", 1993)


@pytest.fixture
def server() -> Server:
    with Server() as server:
        server.mailbox().add_many([b"Subject: %d\r\n\r\n" % n for n in range(20)])
        yield server


@pytest.fixture
def stranger() -> Server:
    """Another server, which numbers its messages in the same way."""
    with Server() as server:
        server.mailbox().add_many([b"Subject: other %d\r\n\r\n" % n for n in range(20)])
        yield server


def owner(root: Path) -> Owner:
    with Store.open(root, readonly=True) as store:
        assert store.owner is not None
        return store.owner


def test_the_owner_is_recorded_with_what_the_server_says(server: Server, root: Path) -> None:
    run(server, root, owner=HERE)
    assert owner(root) == Owner("ada", "imap.example.org", 993, "imaplus.testing at your service")
    assert run(server, root, owner=HERE).notices == ()
    spelled = Owner("ada", "IMAP.Example.ORG.", 993)
    assert run(server, root, owner=spelled).notices == ()


@pytest.mark.parametrize("other", [THERE, Owner("ada", "imap.example.org", 1993)])
def test_another_host_with_the_same_mail_is_accepted(
    server: Server, root: Path, other: Owner
) -> None:
    run(server, root, owner=HERE)
    server.mailbox().expunge([1])
    server.add_message("INBOX", b"Subject: new\r\n\r\n")
    report = run(server, root, owner=other)
    assert report.fetched == 1
    [notice] = report.notices
    assert "has the same mail (9 messages compared)" in notice.text
    assert owner(root).is_recorded_as(other)
    assert run(server, root, owner=other).notices == ()


def test_two_servers_are_never_mixed(server: Server, stranger: Server, root: Path) -> None:
    run(server, root, owner=HERE)
    with pytest.raises(WrongAccount, match="other mail"):
        run(stranger, root, owner=THERE)
    stranger.mailbox().recreate()
    with pytest.raises(WrongAccount, match="other mail"):
        run(stranger, root, owner=THERE)
    stranger.mailbox().expunge(stranger.mailbox().uids)
    with pytest.raises(WrongAccount, match="no message to compare"):
        run(stranger, root, owner=THERE)
    assert held(root) == on_server(server)
    assert owner(root).is_recorded_as(HERE)


def test_another_user_is_refused_whatever_the_mail(server: Server, root: Path) -> None:
    run(server, root, owner=HERE)
    with pytest.raises(WrongAccount, match=r"ada@imap\.example\.org, not of bob"):
        run(server, root, owner=Owner("bob", "imap.example.org", 993))


def test_the_user_may_adopt_a_store(server: Server, stranger: Server, root: Path) -> None:
    run(server, root, owner=HERE)
    report = run(stranger, root, owner=THERE, adopt=True)
    assert "--adopt" in report.notices[0].text
    assert owner(root).is_recorded_as(THERE)
    assert run(stranger, root, owner=THERE).notices == ()


def test_an_empty_mirror_can_move(server: Server, root: Path) -> None:
    server.mailbox().expunge(server.mailbox().uids)
    run(server, root, owner=HERE)
    run(server, root, owner=THERE)
    assert owner(root).is_recorded_as(THERE)


@pytest.mark.parametrize(
    ("account", "other", "goes_on"),
    [
        ("ada@imap.example.org", HERE, True),
        ("ada@example.org", Owner("ada@example.org", "imap.example.org", 993), True),
        ("ADA@example.org", Owner("ada@example.org", "imap.example.org", 993), True),
        ("bob@imap.example.org", HERE, False),
        ("bob@example.org", Owner("ada@example.org", "imap.example.org", 993), False),
    ],
)
def test_an_account_of_format_1(
    server: Server, root: Path, account: str, other: Owner, goes_on: bool
) -> None:
    run(server, root)
    (root / "store.json").write_text(json.dumps({"format": 1, "account": account}))
    if not goes_on:
        with pytest.raises(WrongAccount):
            run(server, root, owner=other)
        return
    assert run(server, root, owner=other).notices == ()
    assert owner(root).is_recorded_as(other)


def test_a_dry_run_checks_nothing_and_records_nothing(server: Server, root: Path) -> None:
    run(server, root, owner=HERE)
    run(server, root, owner=THERE, dry_run=True)
    assert owner(root).is_recorded_as(HERE)

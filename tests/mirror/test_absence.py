"""Mailboxes that went, came back, have another name; and which of them are meant at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaplus.mirror import Choice, NothingMatches, Store, backup, list_mailboxes
from imaplus.testing import PERSONALITIES, Server

from .running import compared, connect, held, link, on_server, run, told

WAYS = ("rev1", "rev1-basic")
NAMELESS = PERSONALITIES["rev1"].but(minus="OBJECTID")
"""It recognises no message in two mailboxes."""


@pytest.fixture(params=WAYS)
def server(request: pytest.FixtureRequest) -> Server:
    with Server(personality=request.param) as server:
        for name in ("Archive", "Archive/2024", "Work"):
            server.add_mailbox(name)
            server.mailbox(name).add_many([b"%s %d\r\n" % (name.encode(), n) for n in range(3)])
        server.add_message("INBOX", b"Subject: hello\r\n\r\n")
        yield server


def infos(root: Path) -> dict[str, bool]:
    """The mailboxes of the mirror that have mail, and whether they are gone."""
    with Store.open(root, readonly=True) as store:
        return {each.name: each.gone is not None for each in store.mailboxes() if each.generations}


def test_a_deleted_mailbox_is_kept_and_reported(server: Server, root: Path) -> None:
    run(server, root)
    before = held(root, "Work")
    server.delete_mailbox("Work")
    assert ["no longer has" in each.problem for each in compared(server, root).problems] == [True]
    report = run(server, root)
    assert report.gone == ("Work",)
    assert [each.mailbox for each in report.notices] == ["Work"]
    assert infos(root)["Work"]
    assert held(root, "Work") == before
    found = compared(server, root)
    assert found.clean
    assert [each.mailbox for each in found.notices] == ["Work"]
    sessions = len(server.sessions)
    assert run(server, root).gone == ()
    assert not any("Work" in line for each in server.commands[sessions:] for line in each)


def test_a_mailbox_that_comes_back(server: Server, root: Path) -> None:
    run(server, root)
    snapshot = server.snapshot()
    server.delete_mailbox("Work")
    assert run(server, root).gone == ("Work",)
    server.restore(snapshot)
    report = run(server, root)
    assert (report.returned, report.fetched) == (("Work",), 0)
    assert not infos(root)["Work"]
    assert compared(server, root).clean


def test_a_renamed_mailbox_is_recognised_without_fetching_bodies(
    server: Server, root: Path
) -> None:
    run(server, root)
    server.rename_mailbox("Archive", "Old stuff")
    server.add_message("Old stuff", b"Subject: since then\r\n\r\n")
    bodies = len(told(server, "BODY"))
    report = run(server, root)
    assert set(report.renamed) == {
        ("Archive", "Old stuff"),
        ("Archive/2024", "Old stuff/2024"),
    }
    assert (report.gone, report.fetched) == ((), 1)
    assert len(told(server, "BODY")) == bodies + 1
    assert held(root, "Old stuff") == on_server(server, "Old stuff")
    assert set(infos(root)) == {"INBOX", "Work", "Old stuff", "Old stuff/2024"}
    assert compared(server, root).clean
    assert run(server, root).renamed == ()


def test_other_messages_under_the_same_uids_are_not_a_rename(server: Server, root: Path) -> None:
    run(server, root)
    uidvalidity = server.mailbox("Work").uidvalidity
    server.delete_mailbox("Work")
    server.add_mailbox("Works").set_uidvalidity(uidvalidity)
    server.mailbox("Works").add_many([b"other text %d\r\n" % n for n in range(3)])
    report = run(server, root)
    assert (report.renamed, report.gone) == ((), ("Work",))
    assert held(root, "Works") == on_server(server, "Works")


def test_several_deleted_mailboxes_are_reported_in_one_line(server: Server, root: Path) -> None:
    run(server, root)
    for name in ("Archive/2024", "Archive", "Work"):
        server.delete_mailbox(name)
    report = run(server, root)
    assert len(report.gone) == 3
    [warning] = [each for each in report.notices if each.warning]
    assert warning.text.startswith("3 mailboxes are gone from the server at once: Archive")
    assert len(list((root / "objects").glob("*/*.eml"))) == 10


# -- what was chosen -------------------------------------------------------------------------------


def test_the_choice_of_mailboxes_is_stored(server: Server, root: Path) -> None:
    first = run(server, root, choice=Choice(("Archive*",), ("*/2024",)))
    assert first.mailboxes == 1
    server.add_message("Archive", b"Subject: new\r\n\r\n")
    assert compared(server, root).problems != ()
    again = run(server, root)
    assert (again.mailboxes, again.fetched, again.gone) == (1, 1, ())
    assert set(infos(root)) == {"Archive"}
    assert compared(server, root).clean
    more = run(server, root, choice=Choice(("Work",)))
    assert more.mailboxes == 1
    assert run(server, root).mailboxes == 2
    assert set(infos(root)) == {"Archive", "Work"}
    assert run(server, root, choice=Choice(("*",))).mailboxes == 4
    assert compared(server, root).clean


def test_the_only_chosen_mailbox_goes(server: Server, root: Path) -> None:
    run(server, root, choice=Choice(("Work",)))
    server.delete_mailbox("Work")
    report = run(server, root)
    assert (report.gone, report.failures) == (("Work",), ())
    assert run(server, root).gone == ()


def test_a_pattern_without_a_match_is_an_error(server: Server, root: Path) -> None:
    with pytest.raises(NothingMatches, match="Nowhere"):
        run(server, root, choice=Choice(("Nowhere",)))


def test_excluded_mailboxes_are_not_differences(server: Server, root: Path) -> None:
    run(server, root)
    report = run(server, root, choice=Choice((), ("Work",)))
    assert (report.gone, report.mailboxes) == ((), 3)
    server.add_message("Work", b"Subject: not for us\r\n\r\n")
    assert compared(server, root).clean
    assert not infos(root)["Work"]


# -- mailboxes that show mail of others ------------------------------------------------------------


def test_virtual_mailboxes_are_left_out_where_nothing_identifies_messages(root: Path) -> None:
    with Server(personality=NAMELESS) as server:
        server.add_mailbox("All", "\\All").add_many([b"1\r\n", b"2\r\n"])
        server.add_mailbox("Starred", "\\Flagged").add_many([b"1\r\n"])
        server.mailbox().add_many([b"1\r\n", b"2\r\n"])
        report = run(server, root)
        assert report.mailboxes == 1
        [notice] = report.notices
        assert notice.text.startswith("left out: All, Starred (")
        assert "--include-virtual" in notice.text
        assert not notice.warning
        assert compared(server, root).clean
        report = run(server, root, choice=Choice((), ("INBOX",)))
        assert report.mailboxes == 0
        assert run(server, root, choice=Choice(("*",))).mailboxes == 1
        report = run(server, root, choice=Choice(virtual=True))
        assert (report.mailboxes, report.notices) == (3, ())
        assert run(server, root).mailboxes == 3


def test_all_mail_that_holds_more_than_the_others_is_not_left_out(root: Path) -> None:
    with Server(personality=NAMELESS) as server:
        server.add_mailbox("All", "\\All").add_many([b"1\r\n", b"2\r\n", b"archived\r\n"])
        server.mailbox().add_many([b"1\r\n", b"2\r\n"])
        assert run(server, root).mailboxes == 2


# -- each body once --------------------------------------------------------------------------------


def test_gmail_each_body_is_fetched_once_and_labels_are_kept(root: Path) -> None:
    with Server(personality="gmail") as server:
        for n in range(20):
            server.add_message("INBOX", b"Subject: %d\r\n\r\n%s\r\n" % (n, b"x" * n))
        server.add_mailbox("Receipts")
        for uid in (1, 2, 3):
            server.copy_message("INBOX", uid, "Receipts")
        report = run(server, root)
        assert report.fetched == 20
        assert report.spared >= 23
        with connect(server) as client:
            names = [each.name for each in list_mailboxes(client)]
        with Store.open(root, readonly=True) as store:
            for name in names:
                assert held(root, name) == on_server(server, name)
            entries = store.mailbox("INBOX", server.mailbox().uidvalidity).entries
            assert "Receipts" in (entries[1].labels or ())
            assert entries[1].identity is not None
        assert compared(server, root).clean
        server.copy_message("INBOX", 4, "Receipts")
        server.mailbox().expunge([5])
        report = run(server, root)
        assert (report.fetched, report.spared) == (0, 1)
        assert compared(server, root).clean


def test_objectid_moved_mail_is_not_fetched_again(root: Path) -> None:
    with Server(personality="rev1") as server:
        server.mailbox().add_many([b"Subject: %d\r\n\r\n" % n for n in range(9)])
        server.add_mailbox("Done")
        run(server, root)
        for uid in (2, 3):
            server.copy_message("INBOX", uid, "Done")
        server.mailbox().expunge([2, 3])
        report = run(server, root)
        assert (report.fetched, report.spared, report.vanished) == (0, 2, 2)
        assert compared(server, root).clean


def test_backup_closes_only_its_own_link(root: Path) -> None:
    with Server() as server:
        with link(server) as found:
            assert found.client.can("IMAP4rev1")
            report = backup(found, None, dry_run=True)
            assert report.fetched == 0
            assert not found.is_lost
        assert len(told(server, "LOGOUT")) == 1

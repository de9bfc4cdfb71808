"""Backups of the embedded server: what they fetch, what they leave alone, what they survive."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imaplus import Client, ConnectionLost, Security, Throttled, UsageError
from imaplus.mirror import BackupReport, Store, backup, list_mailboxes, verify
from imaplus.mirror.fetch import LARGE
from imaplus.mirror.progress import NoProgress
from imaplus.testing import PERSONALITIES, Fault, Generated, Personality, Server, sample_mailbox

WAYS = ("rev1", "rev2", "condstore", "rev1-basic")
"""QRESYNC twice, CONDSTORE, and every UID with its flags."""
SYNCS = ("rev1", "rev2", "condstore")
DATE = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)


def connect(server: Server) -> Client:
    return Client.connect(
        server.host,
        server.port,
        user=server.user,
        password=server.password,
        security=Security.PLAIN,
    )


def run(server: Server, root: Path, **options: bool) -> BackupReport:
    """One backup, in a session of its own."""
    with connect(server) as client, Store.open(root, create=True, sync=False) as store:
        return backup(client, store, **options)


def check(server: Server, root: Path) -> None:
    """The mirror has what the server has: octet by octet, flags and dates, and verify says so."""
    with Store.open(root, readonly=True) as store:
        for name, mailbox in server.account().mailboxes.items():
            entries = store.mailbox(name, mailbox.uidvalidity).entries
            assert set(entries) == set(mailbox.messages)
            for uid, message in mailbox.messages.items():
                with store.open_body(entries[uid].sha256) as file:
                    assert file.read() == message.data
                assert entries[uid].size == message.size
                assert entries[uid].flags == message.flags
                assert entries[uid].internaldate == message.internaldate
        with connect(server) as client:
            report = verify(store, client)
        assert report.clean, report.problems
        assert not report.interrupted
        assert list((root / "tmp").iterdir()) == []


def told(server: Server) -> list[str]:
    """The commands of the latest session, without their tags."""
    return [line.partition(" ")[2] for line in server.commands[-1]]


@pytest.fixture(params=WAYS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(personality=request.param) as server:
        sample_mailbox(server)
        yield server


@pytest.fixture
def plain() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_the_mirror_has_what_the_server_has(server: Server, root: Path) -> None:
    messages = sum(len(each.messages) for each in server.account().mailboxes.values())
    report = run(server, root)
    assert (report.messages, report.fetched, report.failures) == (messages, messages, ())
    assert report.mailboxes == len(server.account().mailboxes)
    assert report.octets == sum(
        message.size
        for box in server.account().mailboxes.values()
        for message in box.messages.values()
    )
    check(server, root)


class Watching(NoProgress):
    """Adds up what a progress bar is told."""

    def __init__(self) -> None:
        self.messages = self.octets = self.most = 0

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        self.messages += messages
        self.octets += octets
        self.most = max(self.most, octets)


def test_progress_adds_up_and_a_large_message_moves_it_while_it_comes(
    plain: Server, root: Path
) -> None:
    for size in (10, LARGE - 1, LARGE, 4 * LARGE):
        plain.account().mailboxes["INBOX"].add(b"S: x\r\n\r\n" + b"x" * (size - 8))
    bar = Watching()
    with connect(plain) as client, Store.open(root, create=True, sync=False) as store:
        report = backup(client, store, progress=bar)
    assert (bar.messages, bar.octets) == (report.fetched, report.octets)
    assert report.octets == 10 + LARGE - 1 + 5 * LARGE
    assert bar.most < LARGE


def test_nothing_on_the_server_changes(server: Server, root: Path) -> None:
    before = {
        name: (box.highestmodseq, box.recent_from, [box.flags(uid) for uid in box.uids])
        for name, box in server.account().mailboxes.items()
    }
    run(server, root)
    sent = told(server)
    run(server, root)
    sent += told(server)
    assert before == {
        name: (box.highestmodseq, box.recent_from, [box.flags(uid) for uid in box.uids])
        for name, box in server.account().mailboxes.items()
    }
    assert not any(re.match(r"(UID )?(SELECT|STORE|EXPUNGE|CLOSE|CHECK)", line) for line in sent)
    assert not any("BODY[" in line for line in sent)


def test_a_second_run_fetches_nothing(server: Server, root: Path) -> None:
    first = run(server, root)
    second = run(server, root)
    assert dataclasses.replace(first, fetched=0, octets=0) == second
    assert not any("BODY" in line for line in told(server))
    check(server, root)


@pytest.mark.parametrize("personality", SYNCS)
def test_unchanged_mailboxes_are_not_opened(personality: str, root: Path) -> None:
    with Server(personality=personality) as server:
        sample_mailbox(server)
        run(server, root)
        run(server, root)
        assert not any("EXAMINE" in line for line in told(server))
        server.add_message("INBOX", b"one more\r\n")
        assert run(server, root).fetched == 1
        [opened] = [line for line in told(server) if "EXAMINE" in line]
        assert opened.startswith("EXAMINE INBOX")


def test_changes_between_two_runs(server: Server, root: Path) -> None:
    run(server, root)
    inbox = server.mailbox()
    one, two, three, four, *_ = inbox.uids
    inbox.expunge([one, three])
    inbox.set_flags(two, ["\\Flagged", "$Later"])
    inbox.set_flags(four, [])
    flagged = inbox.flags(two) | inbox.flags(four)
    assert flagged == {"\\Flagged", "$Later"}
    new = server.add_message("INBOX", b"Subject: new\r\n\r\ntext\r\n", ["\\Seen"], DATE)
    report = run(server, root)
    assert (report.fetched, report.vanished, report.failures) == (1, 2, ())
    assert report.flags_changed in (1, 2)  # message four may have had none before
    check(server, root)
    with Store.open(root, readonly=True) as store:
        journal = store.mailbox("INBOX", inbox.uidvalidity)
        assert set(journal.gone) == {one, three}
        assert all(store.objects.path(journal.gone[uid].sha256).is_file() for uid in (one, three))
        assert journal.entries[new].internaldate == DATE
    assert run(server, root).vanished == 0


def test_only_new_messages_are_fetched_and_deleted_ones_are_marked(
    server: Server, root: Path
) -> None:
    """As many new as gone: the numbers alone do not show it."""
    run(server, root)
    inbox = server.mailbox()
    inbox.expunge(inbox.uids[5:7])
    inbox.add_many([b"first\r\n", b"second\r\n"])
    report = run(server, root)
    assert (report.fetched, report.vanished) == (2, 2)
    check(server, root)
    inbox.expunge(inbox.uids)
    assert run(server, root).vanished > 2
    check(server, root)


@pytest.mark.parametrize("way", ["rev1", "condstore"])
def test_changes_are_found_without_fetching_all_flags(way: str, root: Path) -> None:
    with Server(personality=way) as server:
        server.mailbox().add_many([b"%d\r\n" % n for n in range(300)])
        run(server, root)
        server.mailbox().set_flags(17, ["\\Seen"])
        assert run(server, root).flags_changed == 1
        lines = told(server)
    assert any("QRESYNC (" in line or "CHANGEDSINCE" in line for line in lines)
    assert not any("SEARCH" in line or line.endswith("(UID FLAGS)") for line in lines)


def test_in_a_large_mailbox_changes_are_not_collected(
    plain: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imaplus.mirror.comparison.RESYNC_MESSAGES", 10)
    plain.mailbox().add_many([b"%d\r\n" % n for n in range(30)])
    run(plain, root)
    plain.mailbox().set_flags(17, ["\\Seen"])
    plain.mailbox().expunge([3])
    plain.add_message("INBOX", b"new\r\n")
    report = run(plain, root)
    assert (report.fetched, report.flags_changed, report.vanished) == (1, 1, 1)
    assert not any("QRESYNC (" in line for line in told(plain))
    check(plain, root)


def test_a_recreated_mailbox_is_mirrored_beside_the_old_one(server: Server, root: Path) -> None:
    run(server, root)
    old = server.mailbox().uidvalidity
    server.mailbox().recreate()
    server.mailbox().expunge([1])
    report = run(server, root)
    assert report.fetched + report.spared == len(server.mailbox().messages)
    check(server, root)
    with Store.open(root, readonly=True) as store:
        [info] = [each for each in store.mailboxes() if each.name == "INBOX"]
        assert info.generations == (old, server.mailbox().uidvalidity)
        assert 1 in store.mailbox("INBOX", old).entries
    assert run(server, root).fetched == 0


def test_commands_do_not_grow_with_messages(plain: Server, root: Path) -> None:
    plain.mailbox().add_many([b"%d\r\n" % n for n in range(3000)])
    assert run(plain, root).fetched == 3000
    assert len(told(plain)) < 20
    check(plain, root)


def test_a_run_with_nothing_new_reads_no_journal_and_syncs_nothing(
    plain: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain.add_message("INBOX", b"the only one\r\n")
    run(plain, root)
    with monkeypatch.context() as patch:
        patch.setattr("imaplus.mirror.files._fsync", lambda fd: pytest.fail("synced"))
        patch.setattr("imaplus.mirror.journal.Journal._load", lambda self: pytest.fail("read"))
        with connect(plain) as client, Store.open(root, sync=True) as store:
            assert backup(client, store).fetched == 0


def test_a_journal_with_a_half_written_end_is_not_trusted(plain: Server, root: Path) -> None:
    """The server is as it was, but the mirror may not be: what the journal lost comes again."""
    for text in (b"one\r\n", b"two\r\n"):
        plain.add_message("INBOX", text)
    run(plain, root)
    [journal] = (root / "mailboxes" / "INBOX").glob("*.journal")
    octets = journal.read_bytes()
    second = octets.index(b" a 2 ")
    journal.write_bytes(octets[: second + 20])
    assert run(plain, root).fetched == 1
    check(plain, root)


def test_messages_without_anything_and_with_everything(plain: Server, root: Path) -> None:
    bodies = [b"", b"\r\n", b"\0\xff\n", b"From x\r\n", b"a\r\n" * 9, b"* 1 FETCH (UID 2)\r\n"]
    plain.mailbox().add_many([*bodies, Generated(3_000_000, seed=2)])
    report = run(plain, root)
    assert (report.fetched, report.failures) == (7, ())
    check(plain, root)


def test_the_same_message_twice_is_stored_once(plain: Server, root: Path) -> None:
    plain.add_mailbox("Copy")
    for name in ("INBOX", "INBOX", "Copy"):
        plain.add_message(name, b"again and again\r\n")
    assert run(plain, root).fetched == 3
    assert len(list((root / "objects").glob("*/*.eml"))) == 1


def test_mailboxes_that_cannot_be_opened_are_left_out(plain: Server, root: Path) -> None:
    plain.add_mailbox("Parent/Child")
    plain.account().delete("Parent")
    report = run(plain, root)
    assert (report.mailboxes, report.failures) == (2, ())


def test_a_mailbox_that_is_deleted_after_it_was_listed(plain: Server, root: Path) -> None:
    plain.add_mailbox("Going")
    plain.add_message("INBOX", b"stays\r\n")
    with connect(plain) as client, Store.open(root, create=True, sync=False) as store:
        mailboxes = list_mailboxes(client)
        plain.account().delete("Going")
        report = backup(client, store, mailboxes=mailboxes[::-1])
    assert [(each.mailbox, each.uid) for each in report.failures] == [("Going", None)]
    assert report.fetched == 1


# -- servers that are not as they should be --------------------------------------------------------


def rewriting(rewrite: Callable[[bytes], bytes], *base: str) -> Personality:
    return PERSONALITIES[base[0] if base else "rev1"].but(rewrites=(rewrite,))


def test_an_unreadable_response_affects_one_message(root: Path) -> None:
    broken = True

    def garble(response: bytes) -> bytes:
        return response.replace(b"FETCH (UID 7 ", b"FETCH UID 7 ") if broken else response

    with Server(personality=rewriting(garble)) as server:
        server.mailbox().add_many([b"%d\r\n" % n for n in range(20)])
        report = run(server, root)
        assert [(each.mailbox, each.uid) for each in report.failures] == [("INBOX", 7)]
        assert (report.fetched, report.messages) == (19, 19)
        broken = False
        report = run(server, root)
        assert (report.fetched, report.failures) == (1, ())
        check(server, root)


@pytest.mark.parametrize("way", WAYS)
def test_flags_that_cannot_be_read_are_not_messages_that_are_gone(way: str, root: Path) -> None:
    broken = False

    def garble(response: bytes) -> bytes:
        return response.replace(b"FETCH (UID 7 ", b"FETCH UID 7 ") if broken else response

    with Server(personality=rewriting(garble, way)) as server:
        server.mailbox().add_many([b"%d\r\n" % n for n in range(20)])
        run(server, root)
        broken = True
        server.mailbox().expunge([3])
        report = run(server, root)
        assert (report.vanished, report.messages) == (1, 19)
        broken = False
        check(server, root)


def test_one_refused_command_loses_no_message(plain: Server, root: Path) -> None:
    plain.mailbox().add_many([b"%d\r\n" % n for n in range(20)])
    plain.fail_next(Fault.refuse("UID FETCH", nth=1))
    report = run(plain, root)
    assert (report.fetched, report.failures) == (20, ())
    check(plain, root)


def test_a_server_that_refuses_everything_ends_the_mailbox(plain: Server, root: Path) -> None:
    plain.mailbox().add_many([b"%d\r\n" % n for n in range(1000)])
    plain.add_mailbox("Empty")
    plain.fail_next(Fault.refuse("UID FETCH", text="[SERVERBUG] No"))
    report = run(plain, root)
    assert report.fetched == 0
    assert report.mailboxes == 2
    assert 0 < len(report.failures) < 100
    assert "SERVERBUG" in report.failures[0].problem
    assert len(told(plain)) < 150
    assert run(plain, root).fetched == 1000


def test_a_throttling_server_ends_the_run(plain: Server, root: Path) -> None:
    plain.mailbox().add_many([b"%d\r\n" % n for n in range(10)])
    plain.fail_next(Fault.refuse("UID FETCH", text="[THROTTLED] Slow down"))
    with pytest.raises(Throttled):
        run(plain, root)
    assert sum("UID FETCH" in line for line in told(plain)) == 1


def test_qresync_that_is_announced_and_rejected(plain: Server, root: Path) -> None:
    plain.mailbox().add_many([b"%d\r\n" % n for n in range(10)])
    run(plain, root)
    plain.mailbox().set_flags(3, ["\\Seen"])
    plain.fail_next(Fault.refuse("EXAMINE", nth=1, status="BAD", text="What?"))
    report = run(plain, root)
    assert (report.flags_changed, report.failures) == (1, ())
    check(plain, root)


def test_without_persistent_uids_messages_are_stored_by_hash(root: Path) -> None:
    def nought(response: bytes) -> bytes:
        return re.sub(rb"UIDVALIDITY [0-9]+", b"UIDVALIDITY 0", response)

    def unsticky(response: bytes) -> bytes:
        if b"[UIDVALIDITY" in response:
            return b"* NO [UIDNOTSTICKY] Not for long\r\n" + response
        return response

    for rewrite in (nought, unsticky):
        with Server(personality=rewriting(rewrite, "rev1-basic")) as server:
            mail = root / rewrite.__name__
            server.add_message("INBOX", b"hello\r\n")
            first = run(server, mail)
            assert (first.fetched, first.failures) == (1, ())
            assert "UIDs do not persist" in first.notices[0].text
            assert run(server, mail).fetched == 0
            with Store.open(mail, readonly=True) as store:
                [info] = store.mailboxes()
                assert info.generations == (0,)


def test_sizes_that_the_server_counts_wrongly(root: Path) -> None:
    def wrong(response: bytes) -> bytes:
        return re.sub(rb"(?<=RFC822.SIZE )([0-9]+)", rb"1\1", response)

    with Server(personality=rewriting(wrong)) as server:
        sample_mailbox(server)
        run(server, root)
        check(server, root)


def test_messages_without_text_are_tried_again(root: Path) -> None:
    broken = True

    def empty(response: bytes) -> bytes:
        return (
            re.sub(rb"BODY\[\] \{[0-9]+\}.*\)\r\n\Z", b"BODY[] NIL)\r\n", response, flags=re.S)
            if broken
            else response
        )

    with Server(personality=rewriting(empty)) as server:
        server.add_message("INBOX", b"hello\r\n")
        report = run(server, root)
        assert (report.fetched, len(report.failures)) == (0, 1)
        broken = False
        assert run(server, root).fetched == 1


# -- runs that do not come to their end ------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 300, 700, 1500, 4000, 9000, 20_000, 100_000])
def test_a_lost_connection_loses_nothing(server: Server, root: Path, after: int) -> None:
    server.fail_next(Fault.cut_after_sent(after))
    total = sum(len(box.messages) for box in server.account().mailboxes.values())
    try:
        first = run(server, root).fetched
    except ConnectionLost:
        first = 0
        if root.exists():
            with Store.open(root, readonly=True) as store:
                for info in store.mailboxes():
                    for uidvalidity in info.generations:
                        first += len(store.mailbox(info.name, uidvalidity).entries)
    assert first + run(server, root).fetched == total
    check(server, root)


def test_a_stopped_run_is_continued(server: Server, root: Path) -> None:
    total = sum(len(box.messages) for box in server.account().mailboxes.values())
    asked = iter([False] * 15 + [True] * 1000)
    with connect(server) as client, Store.open(root, create=True, sync=False) as store:
        report = backup(client, store, should_stop=lambda: next(asked))
    assert report.interrupted
    assert 0 < report.fetched < total
    rest = run(server, root)
    assert rest.fetched == total - report.fetched
    check(server, root)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("call", ["open", "write", "rename", "pwrite"])
def test_a_disk_that_refuses(
    plain: Server, root: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    plain.mailbox().add_many([Generated(2000, seed=n) for n in range(50)])
    plain.add_mailbox("Other")
    real, calls = getattr(os, call), 0

    def refuse(*args: object, **options: object) -> object:
        nonlocal calls
        ours = call in ("write", "pwrite") or str(args[0]).endswith(".eml")
        calls += ours
        if ours and calls > (20 if call in ("open", "rename") else 0):
            raise OSError(number, os.strerror(number))
        return real(*args, **options)

    with connect(plain) as client, Store.open(root, create=True, sync=False) as store:
        with monkeypatch.context() as patch:
            patch.setattr(f"imaplus.mirror.files.os.{call}", refuse)
            with pytest.raises(OSError, match=os.strerror(number)) as caught:
                backup(client, store)
        assert caught.value.errno == number
        assert str(caught.value.filename).startswith(str(root))
        assert client.list()  # the session is whole
    assert run(plain, root).failures == ()
    check(plain, root)


# -- what is asked for -----------------------------------------------------------------------------


def test_a_dry_run_reports_what_a_run_does(server: Server, root: Path) -> None:
    with connect(server) as client:
        wanted = backup(client, None, dry_run=True)
    assert not root.exists()
    assert wanted == run(server, root)
    server.mailbox().expunge([1])
    server.mailbox().set_flags(2, ["$New"])
    server.add_message("INBOX", b"new\r\n")
    with connect(server) as client, Store.open(root, readonly=True) as store:
        wanted = backup(client, store, dry_run=True)
    assert (wanted.fetched, wanted.octets, wanted.vanished, wanted.flags_changed) == (1, 5, 1, 1)
    assert wanted == run(server, root)


def test_without_a_store_nothing_can_be_kept(plain: Server) -> None:
    with connect(plain) as client, pytest.raises(UsageError):
        backup(client, None)


def test_only_some_mailboxes(server: Server, root: Path) -> None:
    with connect(server) as client, Store.open(root, create=True, sync=False) as store:
        chosen = [each for each in list_mailboxes(client) if each.name == "INBOX"]
        assert backup(client, store, mailboxes=chosen).mailboxes == 1
        assert verify(store, client, mailboxes=chosen).clean
        missing = verify(store, client).problems
    assert {each.mailbox for each in missing} == set(server.account().mailboxes) - {"INBOX"}


def test_repair_fetches_what_is_damaged(server: Server, root: Path) -> None:
    run(server, root)
    with Store.open(root, readonly=True) as store:
        entries = store.mailbox("INBOX", server.mailbox().uidvalidity).entries
        one, two = (store.objects.path(entries[uid].sha256) for uid in list(entries)[:2])
    one.write_bytes(one.read_bytes()[::-1])
    two.unlink()
    with Store.open(root, readonly=True) as store:
        assert len(verify(store).problems) == 2
    assert run(server, root).fetched == 0
    report = run(server, root, repair=True)
    assert (report.fetched, report.failures) == (2, ())
    check(server, root)


# -- what verify finds -----------------------------------------------------------------------------


def test_verify_reports_each_difference(server: Server, root: Path) -> None:
    run(server, root)
    inbox = server.mailbox()
    inbox.expunge([1])
    inbox.set_flags(2, ["$Odd"])
    new = server.add_message("INBOX", b"new\r\n")
    server.add_mailbox("Unknown")
    with connect(server) as client, Store.open(root, readonly=True) as store:
        assert verify(store).clean
        found = verify(store, client)
    told = {(each.mailbox, each.uid) for each in found.problems}
    assert told == {("INBOX", 1), ("INBOX", 2), ("INBOX", new), ("Unknown", None)}
    assert not found.clean


def test_verify_finds_another_message_under_the_same_uid(server: Server, root: Path) -> None:
    run(server, root)
    message = server.mailbox().messages[3]
    message.content = Generated(message.size + 1)
    with connect(server) as client, Store.open(root, readonly=True) as store:
        [problem] = verify(store, client).problems
    assert (problem.mailbox, problem.uid) == ("INBOX", 3)


def test_verify_can_be_stopped(server: Server, root: Path) -> None:
    run(server, root)
    asked = iter([False] * 3 + [True] * 100)
    with Store.open(root, readonly=True) as store:
        assert verify(store, should_stop=lambda: next(asked)).interrupted


def test_verify_does_not_miss_what_the_server_no_longer_lists(plain: Server, root: Path) -> None:
    plain.add_mailbox("Going")
    plain.add_message("Going", b"kept\r\n")
    run(plain, root)
    plain.account().delete("Going")
    assert run(plain, root).failures == ()
    with connect(plain) as client, Store.open(root, readonly=True) as store:
        assert verify(store, client).clean
        assert verify(store).messages == 1

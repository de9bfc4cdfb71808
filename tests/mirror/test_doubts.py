"""Answers that are complete in form and wrong in fact: they are held against what else is known."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imaplus import SequenceSet
from imaplus.mirror import Store
from imaplus.testing import COURIER, MICROSOFT_365, PERSONALITIES, Fault, Quirk, Server

from .running import compared, held, on_server, run, told

WAYS = ("rev1", "condstore", "rev1-basic")


@pytest.fixture(params=WAYS)
def server(request: pytest.FixtureRequest) -> Server:
    with Server(personality=request.param) as server:
        server.mailbox().add_many([b"Subject: %d\r\n\r\ntext\r\n" % n for n in range(50)])
        server.add_mailbox("Work")
        server.add_message("Work", b"Subject: work\r\n\r\n")
        yield server


# -- enumeration -----------------------------------------------------------------------------------


def test_an_incomplete_search_is_replaced_by_fetch(server: Server, root: Path) -> None:
    server.fail_always(Fault.short_search(7))
    report = run(server, root)
    assert (report.fetched, report.failures) == (51, ())
    server.mailbox().expunge([5])
    server.add_message("INBOX", b"Subject: new\r\n\r\n")
    report = run(server, root)
    assert (report.fetched, report.vanished, report.failures) == (1, 1, ())
    assert held(root) == on_server(server)


def test_an_incomplete_answer_is_a_failure_and_nothing_is_marked_gone(
    server: Server, root: Path
) -> None:
    assert run(server, root).failures == ()
    server.mailbox().expunge([5])
    server.fail_always(Fault.short_search(7) | Fault.short_fetch(9))
    report = run(server, root)
    if "QRESYNC" in server.personality.capabilities:  # tells what vanished, and that adds up
        assert (report.vanished, report.failures) == (1, ())
        return
    assert [(each.mailbox, each.uid) for each in report.failures] == [("INBOX", None)]
    assert "49 messages (EXISTS), but the server returned" in report.failures[0].problem
    assert (report.vanished, len(held(root))) == (0, 50)
    assert any("49 messages" in each.problem for each in compared(server, root).problems)
    server.fail_always(Fault())
    assert run(server, root).vanished == 1
    assert compared(server, root).clean


def test_an_empty_list_is_not_trusted(server: Server, root: Path) -> None:
    server.fail_next(Fault.hide_mailboxes())
    report = run(server, root)
    assert [each.mailbox for each in report.failures] == ["INBOX"]
    assert "LIST leaves it out" in report.failures[0].problem
    assert held(root) == on_server(server)
    run(server, root)
    server.fail_always(Fault.hide_mailboxes())
    report = run(server, root)
    assert {each.mailbox for each in report.failures} == {"INBOX", "Work"}
    assert report.gone == ()
    assert {each.mailbox for each in compared(server, root).problems} == {"INBOX", "Work"}
    server.fail_always(Fault())
    assert run(server, root).failures == ()
    assert compared(server, root).clean


def test_an_incomplete_list_is_repeated(server: Server, root: Path) -> None:
    run(server, root)
    server.fail_next(Fault.hide_mailboxes("Work", times=1))
    report = run(server, root)
    assert (report.failures, report.gone, report.mailboxes) == ((), (), 2)


def test_status_that_contradicts_examine(root: Path) -> None:
    with Server() as server:
        server.mailbox().add_many([b"%d\r\n" % n for n in range(5)])
        server.fail_always(Fault.status_says("INBOX", messages=3, uidnext=4))
        assert run(server, root).fetched == 5
        assert run(server, root).fetched == 0
        assert held(root) == on_server(server)


# -- checkpoints -----------------------------------------------------------------------------------


def test_a_checkpoint_counts_the_mirrored_messages(server: Server, root: Path) -> None:
    server.fail_next(Fault.at_message("INBOX", 7, "no"))
    assert [each.uid for each in run(server, root).failures] == [7]
    with Store.open(root, readonly=True) as store:
        checkpoint = store.mailbox("INBOX", server.mailbox().uidvalidity).checkpoint
    assert checkpoint is not None
    assert (checkpoint.exists, checkpoint.held, checkpoint.complete) == (50, 49, False)
    report = run(server, root)
    assert (report.fetched, report.failures) == (1, ())
    assert held(root) == on_server(server)


def test_an_old_checkpoint_that_does_not_add_up_is_ignored_once(server: Server, root: Path) -> None:
    """As format 1 wrote it: what the server said, whatever the mirror had."""
    from imaplus.mirror import lines

    run(server, root)
    [path] = (root / "mailboxes" / "INBOX").glob("*.journal")
    texts = [lines.parse_line(each) for each in path.read_bytes().splitlines()]
    assert texts[-1].startswith(b"c ")
    old = texts[-1].rpartition(b" ")[0]
    texts = [*(each for each in texts[:-1] if not each.startswith(b"a 9 ")), old]
    texts[0] = b" ".join([b"h imaplus-journal 1", *texts[0].split()[3:5]])
    path.write_bytes(b"".join(map(lines.format_line, texts)))
    (root / "store.json").write_text(json.dumps({"format": 1, "account": "ada@example.org"}))
    [problem] = [each for each in compared(server, root).problems if each.uid is None]
    assert problem.problem == "50 messages were recorded, but 49 are in the backup"
    report = run(server, root)
    assert report.fetched == 1
    assert ["recorded 50 messages" in each.text for each in report.notices] == [True]
    report = run(server, root)
    assert (report.fetched, report.notices) == (0, ())
    assert compared(server, root).clean


def test_a_store_of_format_1_is_converted_without_fetching(server: Server, root: Path) -> None:
    from imaplus.mirror import lines

    run(server, root)
    for path in (root / "mailboxes").glob("*/*.journal"):
        texts = [lines.parse_line(each) for each in path.read_bytes().splitlines()]
        texts = [each.rpartition(b" ")[0] if each[:2] == b"c " else each for each in texts]
        texts[0] = b" ".join([b"h imaplus-journal 1", *texts[0].split()[3:5]])
        kept = [each for each in texts if each[:2] not in (b"i ", b"l ")]
        path.write_bytes(b"".join(map(lines.format_line, kept)))
    (root / "store.json").write_text(json.dumps({"format": 1, "account": "ada@127.0.0.1"}))
    assert compared(server, root).clean
    report = run(server, root)
    assert (report.fetched, report.failures, report.notices) == (0, (), ())
    assert json.loads((root / "store.json").read_bytes())["format"] == 2
    assert not told(server, "BODY")[1:] or held(root) == on_server(server)


# -- copies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("same_size", [False, True])
def test_a_server_that_was_restored_from_its_own_backup(
    server: Server, root: Path, same_size: bool
) -> None:
    snapshot = server.snapshot()
    date = datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(9):
        server.add_message("INBOX", b"Subject: old %d\r\n\r\n" % n, (), date)
    run(server, root)
    old = held(root)
    server.restore(snapshot)
    later = datetime(2026, 2, 2, tzinfo=UTC)
    for n in range(2):
        text = b"Subject: new %d\r\n\r\n" if same_size else b"Subject: something else %d\r\n\r\n"
        server.add_message("INBOX", text % n, (), later)
    report = run(server, root)
    assert report.replaced == 2
    assert any("went back" in each.text for each in report.notices)
    assert held(root) == on_server(server)
    with Store.open(root, readonly=True) as store:
        journal = store.mailbox("INBOX", server.mailbox().uidvalidity)
        kept = {each.uid: each.entry.sha256 for each in journal.replaced}
        assert set(kept) == {51, 52}
        for uid, sha256 in kept.items():
            with store.open_body(sha256) as file:
                assert file.read() == old[uid]
    assert compared(server, root).clean
    assert run(server, root).replaced == 0


def restored(server: Server, root: Path, before: int, after: int) -> None:
    """Mirror `before` messages more than a snapshot has; go back, and add `after` others.

    All have the same size and date, and their text differs in the header only.
    """
    date = datetime(2026, 1, 1, tzinfo=UTC)
    snapshot = server.snapshot()
    for n in range(before):
        server.add_message("INBOX", b"Subject: old %04d\r\n\r\n" % n, (), date)
    assert run(server, root).failures == ()
    server.restore(snapshot)
    for n in range(after):
        server.add_message("INBOX", b"Subject: new %04d\r\n\r\n" % n, (), date)


@pytest.mark.parametrize("after", [1, 9])
def test_a_reassigned_uid_is_noticed_by_the_header(server: Server, root: Path, after: int) -> None:
    restored(server, root, 20, after)
    report = run(server, root)
    assert (report.replaced, report.vanished, report.failures) == (after, 20 - after, ())
    assert held(root) == on_server(server)
    assert compared(server, root, deep=True).clean
    again = run(server, root)
    assert (again.replaced, again.notices) == (0, ())


def test_a_modseq_that_went_back_is_treated_like_uidnext(root: Path) -> None:
    with Server(personality="condstore") as server:
        snapshot = server.snapshot()
        date = datetime(2026, 1, 1, tzinfo=UTC)
        for n in range(9):
            server.add_message("INBOX", b"Subject: old %d\r\n\r\n" % n, (), date)
        for n in range(1, 10):
            server.mailbox().set_flags(n, {"\\Seen"})
        run(server, root)
        server.restore(snapshot)
        for n in range(12):
            server.add_message("INBOX", b"Subject: new %d\r\n\r\n" % n, (), date)
        report = run(server, root)
        assert (report.replaced, report.failures) == (9, ())
        assert any("HIGHESTMODSEQ went back" in each.text for each in report.notices)
        assert held(root) == on_server(server)


def test_headers_are_compared_from_the_highest_uid_down(
    server: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imaplus.mirror.headers.BATCH", 4)
    restored(server, root, 20, 6)
    assert run(server, root).replaced == 6
    assert held(root) == on_server(server)
    asked = [line.split(" FETCH ")[1] for line in told(server, "HEADER")]
    if "OBJECTID" in server.personality.capabilities:
        assert asked == []  # EMAILID tells the same for less
    else:
        assert [line.split(" ")[0] for line in asked] == ["53:56", "49:52", "45:48"]


def test_a_repair_compares_headers_only_after_the_server_went_back(root: Path) -> None:
    with Server(personality="rev1-basic") as server:
        server.mailbox().add_many([b"Subject: %d\r\n\r\n" % n for n in range(5)])
        run(server, root)
        assert run(server, root, repair=True).fetched == 0
        assert told(server, "HEADER") == []
        restored(server, root, 3, 2)
        report = run(server, root, repair=True)
        assert (report.fetched, report.replaced) == (2, 2)
        assert held(root) == on_server(server)


def test_a_message_without_a_header_to_compare_does_not_block_the_others(
    server: Server, root: Path
) -> None:
    restored(server, root, 20, 9)
    server.fail_always(Fault.at_message("INBOX", 54, "close"))
    report = run(server, root)
    assert [each.uid for each in report.failures] == [54]
    assert report.replaced == 8
    server.fail_always(Fault())
    assert run(server, root).failures == ()
    assert held(root) == on_server(server)


def test_a_copy_that_was_gone_is_kept_when_its_uid_is_reassigned(
    server: Server, root: Path
) -> None:
    snapshot = server.snapshot()
    server.add_message("INBOX", b"Subject: old\r\n\r\n")
    run(server, root)
    server.mailbox().expunge([51])
    assert run(server, root).vanished == 1
    server.restore(snapshot)
    server.add_message("INBOX", b"Subject: new\r\n\r\n")
    run(server, root)
    with Store.open(root, readonly=True) as store:
        journal = store.mailbox("INBOX", server.mailbox().uidvalidity)
        [older] = journal.replaced
        assert journal.gone == {}
        with store.open_body(older.entry.sha256) as file:
            assert (older.uid, file.read()) == (51, b"Subject: old\r\n\r\n")
    assert held(root) == on_server(server)


def test_uidnext_is_compared_with_the_journal_of_an_unfinished_run(
    server: Server, root: Path
) -> None:
    snapshot = server.snapshot()
    for n in range(9):
        server.add_message("INBOX", b"Subject: old %d\r\n\r\n" % n)
    asked = iter(range(1000))
    report = run(server, root, should_stop=lambda: next(asked) > 57)
    assert report.interrupted
    assert compared(server, root).unfinished == ("INBOX",)
    server.restore(snapshot)
    server.add_message("INBOX", b"Subject: new\r\n\r\n")
    report = run(server, root)
    assert report.replaced == 1
    assert compared(server, root).unfinished == ()
    assert any("UIDNEXT is 52" in each.text for each in report.notices)
    assert held(root) == on_server(server)


@pytest.mark.parametrize("text", [MICROSOFT_365, COURIER])
@pytest.mark.parametrize("size", ["own", "real", "fitted"])
def test_an_error_text_instead_of_a_message_is_not_stored(
    server: Server, root: Path, text: bytes, size: str
) -> None:
    server.mailbox().set_content(3, b"Subject: long\r\n\r\n" + b"word " * 200)
    server.fail_next(Fault.substitute("INBOX", 3, text, size=size))  # type: ignore[arg-type]
    report = run(server, root)
    assert [each.uid for each in report.failures] == [3]
    assert "an error text instead" in report.failures[0].problem
    assert 3 not in held(root)
    assert run(server, root).failures == ()
    assert held(root) == on_server(server)


@pytest.mark.parametrize("missing", ["NIL", "empty", "item"])
def test_ok_without_a_body_is_a_failure(server: Server, root: Path, missing: str) -> None:
    server.fail_next(Fault.no_body("INBOX", 3, missing))  # type: ignore[arg-type]
    assert [each.uid for each in run(server, root).failures] == [3]
    assert run(server, root).failures == ()
    assert held(root) == on_server(server)


def test_a_mail_that_quotes_an_error_text_is_stored(server: Server, root: Path) -> None:
    server.mailbox().set_content(3, b"From: ann@example.org\r\nSubject: help\r\n\r\n" + COURIER)
    assert run(server, root).failures == ()


def test_a_wrong_size_makes_the_body_be_fetched_twice(server: Server, root: Path) -> None:
    server.fail_always(Fault.substitute("INBOX", 3, b"Subject: cut\r\n\r\n", size="real"))
    assert run(server, root).failures == ()  # the server stands by it
    assert held(root)[3] == b"Subject: cut\r\n\r\n"


def test_a_changed_uidvalidity_is_reported(server: Server, root: Path) -> None:
    run(server, root)
    server.mailbox().recreate()
    report = run(server, root)
    [notice] = report.notices
    assert (notice.mailbox, report.fetched + report.spared) == ("INBOX", 50)
    assert "UIDVALIDITY changed" in notice.text


def test_many_deleted_messages_at_once_are_reported(server: Server, root: Path) -> None:
    run(server, root)
    server.mailbox().expunge(range(1, 31))
    report = run(server, root)
    assert report.vanished == 30
    [notice] = report.notices
    assert notice.warning
    assert "30 of its 50 messages" in notice.text


# -- UIDs that do not last -------------------------------------------------------------------------


@pytest.mark.parametrize("quirk", [Quirk.NO_UIDVALIDITY, Quirk.UIDNOTSTICKY])
def test_without_persistent_uids_messages_are_matched_by_hash(root: Path, quirk: Quirk) -> None:
    with Server(personality=PERSONALITIES["rev1-basic"].but(quirk)) as server:
        same = b"Subject: same\r\n\r\ntext\r\n"
        date = datetime(2026, 1, 1, tzinfo=UTC)
        for text in (same, same, b"Subject: one\r\n\r\n", b"Subject: two\r\n\r\n"):
            server.add_message("INBOX", text, (), date)
        report = run(server, root)
        assert (report.fetched, report.failures, len(report.notices)) == (4, (), 1)
        report = run(server, root)
        assert (report.fetched, report.vanished) == (0, 0)
        server.mailbox().expunge([1, 3])
        server.mailbox().recreate()  # other UIDs for all
        server.add_message("INBOX", b"Subject: three\r\n\r\n", ["\\Seen"], date)
        report = run(server, root)
        assert (report.fetched, report.vanished) == (1, 2)
        found = sorted(held(root).values())
        assert found == sorted(on_server(server).values())
        assert compared(server, root).clean
        server.add_message("INBOX", b"Subject: four\r\n\r\n")
        assert not compared(server, root).clean


def test_sequence_numbers_are_the_last_resort(
    server: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEARCH and UID FETCH tell too little, and FETCH of sequence numbers tells all."""
    monkeypatch.setattr("imaplus.mirror.enumeration.by_fetch", lambda mailbox: SequenceSet.of(5))
    server.fail_always(Fault.short_search(7))
    assert run(server, root).failures == ()
    assert held(root) == on_server(server)
    assert told(server, " FETCH 1:50 (UID)")

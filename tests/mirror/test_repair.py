"""Whatever verify reports, a repair mends, and the next verify is clean."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaplus.mirror import Store, StoreCorrupt, verify_and_repair
from imaplus.testing import Server

from .running import compared, held, link, on_server, run

Break = Callable[[Server, Path, random.Random], None]
BREAKS: dict[str, Break] = {}
LATER = datetime(2026, 3, 3, tzinfo=UTC)


def breaks(function: Break) -> Break:
    BREAKS[function.__name__] = function
    return function


class NothingLeft(Exception):
    """What a kind of damage needs has been damaged already."""


def one_of(paths: Iterable[Path], chance: random.Random) -> Path:
    found = sorted(each for each in paths if each.is_file() and not each.is_symlink())
    found = [each for each in found if each.stat().st_size > 20]
    if not found:
        raise NothingLeft
    return chance.choice(found)


def some_body(root: Path, chance: random.Random) -> Path:
    return one_of((root / "objects").glob("*/*.eml"), chance)


def some_journal(root: Path, chance: random.Random) -> Path:
    return one_of((root / "mailboxes").glob("*/*.journal"), chance)


@breaks
def a_body_is_missing(server: Server, root: Path, chance: random.Random) -> None:
    some_body(root, chance).unlink()


@breaks
def a_body_has_other_bytes(server: Server, root: Path, chance: random.Random) -> None:
    body = some_body(root, chance)
    body.write_bytes(b"x" + body.read_bytes()[1:])


@breaks
def a_body_is_cut(server: Server, root: Path, chance: random.Random) -> None:
    body = some_body(root, chance)
    body.write_bytes(body.read_bytes()[:-1])


@breaks
def the_body_of_a_gone_message_is_missing(
    server: Server, root: Path, chance: random.Random
) -> None:
    # Where the description is damaged too, nobody knows which messages were there.
    with Store.open(root, readonly=True) as store, contextlib.suppress(StoreCorrupt):
        gone = [
            entry.sha256
            for info in store.mailboxes()
            for uidvalidity in info.generations
            for entry in store.mailbox(info.name, uidvalidity).gone.values()
        ]
        for sha256 in gone[:1]:
            store.objects.path(sha256).unlink(missing_ok=True)


@breaks
def a_body_is_a_link(server: Server, root: Path, chance: random.Random) -> None:
    body = some_body(root, chance)
    body.unlink()
    body.symlink_to("/dev")


@breaks
def a_body_of_no_mailbox_is_damaged(server: Server, root: Path, chance: random.Random) -> None:
    (root / "objects" / "ab").mkdir(exist_ok=True)
    (root / "objects" / "ab" / f"{'cd' * 31}.eml").write_bytes(b"not that")


@breaks
def a_stranger_among_the_bodies(server: Server, root: Path, chance: random.Random) -> None:
    (root / "objects" / "thesis.txt").write_text("x")


@breaks
def a_line_of_a_journal_is_damaged(server: Server, root: Path, chance: random.Random) -> None:
    journal = some_journal(root, chance)
    data = bytearray(journal.read_bytes())
    data[chance.randrange(len(data))] ^= 1
    journal.write_bytes(data)


@breaks
def the_end_of_a_journal_is_torn(server: Server, root: Path, chance: random.Random) -> None:
    journal = some_journal(root, chance)
    data = journal.read_bytes()
    journal.write_bytes(data[: chance.randrange(len(data))])


@breaks
def a_journal_is_a_link(server: Server, root: Path, chance: random.Random) -> None:
    journal = some_journal(root, chance)
    journal.unlink()
    journal.symlink_to("/dev")


@breaks
def a_description_is_damaged(server: Server, root: Path, chance: random.Random) -> None:
    path = chance.choice(sorted((root / "mailboxes").glob("*/mailbox.json")))
    path.write_bytes(b"{")


@breaks
def the_server_has_new_mail(server: Server, root: Path, chance: random.Random) -> None:
    server.add_message("INBOX", b"Subject: new %d\r\n\r\n" % chance.randrange(10**9))


@breaks
def the_server_lost_mail(server: Server, root: Path, chance: random.Random) -> None:
    inbox = server.mailbox()
    inbox.expunge(inbox.uids[:2])


@breaks
def flags_changed(server: Server, root: Path, chance: random.Random) -> None:
    inbox = server.mailbox()
    for uid in inbox.uids[:1]:
        inbox.set_flags(uid, ["$Later"])


@breaks
def a_date_changed(server: Server, root: Path, chance: random.Random) -> None:
    for uid in server.mailbox().uids[:1]:
        server.mailbox().set_internaldate(uid, LATER)


@breaks
def another_message_under_a_uid(server: Server, root: Path, chance: random.Random) -> None:
    for uid in server.mailbox().uids[-1:]:
        server.mailbox().set_content(uid, b"Subject: another\r\n\r\n%d" % chance.randrange(10**9))


@breaks
def another_message_of_the_same_size(server: Server, root: Path, chance: random.Random) -> None:
    for uid in server.mailbox().uids[-1:]:
        size = server.mailbox().messages[uid].size
        server.mailbox().set_content(uid, bytes(chance.choices(b"abc", k=size)))


@breaks
def a_mailbox_is_gone(server: Server, root: Path, chance: random.Random) -> None:
    if "Work" in server.account().mailboxes:
        server.delete_mailbox("Work")


@breaks
def a_mailbox_is_new(server: Server, root: Path, chance: random.Random) -> None:
    name = f"New {chance.randrange(10**9)}"
    server.add_mailbox(name)
    server.add_message(name, b"Subject: in a new one\r\n\r\n")


@breaks
def a_mailbox_was_renamed(server: Server, root: Path, chance: random.Random) -> None:
    if "Grüße" in server.account().mailboxes:
        server.rename_mailbox("Grüße", "Greetings")


@breaks
def a_mailbox_was_made_anew(server: Server, root: Path, chance: random.Random) -> None:
    server.mailbox().recreate()


def filled(personality: str) -> Server:
    server = Server(personality=personality)
    server.mailbox().add_many([b"Subject: %d\r\n\r\nsome text\r\n" % n for n in range(9)])
    for name in ("Work", "Grüße"):
        server.add_mailbox(name)
        texts = (b"Subject: %d\r\n\r\n%s" % (n, name.encode()) for n in (1, 2))
        server.mailbox(name).add_many(texts)
    return server


def mended(server: Server, root: Path) -> None:
    with link(server) as found, Store.open(root, sync=False) as store:
        before, done, after = verify_and_repair(store, found, deep=True)
        assert after.clean, (before.problems, done, after.problems)
    for name in server.account().mailboxes:
        assert held(root, name) == on_server(server, name)
    report = compared(server, root, deep=True)
    assert report.clean, report.problems
    assert run(server, root).fetched == 0


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.parametrize("personality", ["rev1", "rev1-basic"])
def test_each_kind_of_damage(root: Path, personality: str, name: str) -> None:
    with filled(personality) as server:
        server.mailbox().expunge([1])
        run(server, root)
        server.mailbox().expunge([2])
        run(server, root)
        BREAKS[name](server, root, random.Random(1))
        mended(server, root)


@pytest.mark.parametrize("personality", ["rev1", "rev1-basic"])
def test_what_could_not_be_compared_at_first_is_repaired_too(root: Path, personality: str) -> None:
    with filled(personality) as server:
        run(server, root)
        for name in ("a_description_is_damaged", "another_message_of_the_same_size"):
            BREAKS[name](server, root, random.Random(0))
        mended(server, root)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from(sorted(BREAKS)), min_size=2, max_size=6),
    seed=st.integers(0, 1000),
)
def test_many_kinds_at_once(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], seed: int
) -> None:
    root = tmp_path_factory.mktemp("mirror") / "mail"
    with filled("rev1") as server:
        run(server, root)
        server.mailbox().expunge([2])
        run(server, root)
        for name in names:
            with contextlib.suppress(NothingLeft):
                BREAKS[name](server, root, random.Random(seed))
        mended(server, root)


def test_a_sample_is_drawn_from_the_whole_mirror(root: Path) -> None:
    with filled("rev1-basic") as server:
        run(server, root)
        size = server.mailbox().messages[3].size
        server.mailbox().set_content(3, b"y" * size)
        assert compared(server, root).clean
        assert compared(server, root, sample=1000).differing == (("INBOX", 3),)
        assert not compared(server, root, deep=True).clean
        assert len(compared(server, root, sample=1).problems) <= 1

"""`imaplus search`: the same lines from a server and from a backup of it, and its exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imaplus.cli.main import main
from imaplus.cli.verbs.search import FIELDS, Found, lines
from imaplus.testing import Server

Run = Callable[..., tuple[int, str, str]]
PASSWORD = "correct horse"
PLAIN = ("--security", "plain")


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPLUS_PASSWORD", PASSWORD)


def message(name: str, references: str = "", sender: str = "Ada <ada@example.org>") -> bytes:
    refs = f"References: {references}\r\n" if references else ""
    return (
        f"From: {sender}\r\nSubject: {name}\r\nMessage-ID: <{name.split()[-1]}@x>\r\n{refs}"
        f"Date: Fri, 30 Jan 2026 12:00:00 -0500\r\n\r\nbody of {name}\r\n"
    ).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(password=PASSWORD) as server:
        server.add_mailbox("Archive")
        for day, (mailbox, name, refs) in enumerate(
            [
                ("INBOX", "annual report", ""),
                ("Archive", "Re: annual answer", "<report@x>"),
                ("INBOX", "lunch", ""),
                ("INBOX", "Re: lunch soup", "<lunch@x>"),
            ],
            1,
        ):
            at = datetime(2026, 1, day, 12, tzinfo=UTC)
            server.add_message(mailbox, message(name, refs), ["\\Seen"] if day < 3 else [], at)
        yield server


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


@pytest.fixture(params=["online", "offline"])
def where(
    request: pytest.FixtureRequest, server: Server, tmp_path: Path, run: Run
) -> tuple[object, ...]:
    if request.param == "online":
        return (server.url, *PLAIN, "-q")
    assert run("backup", "-q", server.url, tmp_path / "mail", *PLAIN, "--no-sync")[0] == 0
    return (tmp_path / "mail", "-q")


def test_lines(where: tuple[object, ...], run: Run) -> None:
    code, out, _ = run("search", *where, "annual OR soup")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["2026-01-04", "INBOX#3", "Ada", "<ada@example.org>", "Re:", "lunch", "soup"],
        ["2026-01-02", "Archive#1", "Ada", "<ada@example.org>", "Re:", "annual", "answer"],
        ["2026-01-01", "INBOX#1", "Ada", "<ada@example.org>", "annual", "report"],
    ]
    assert run("search", *where, "annual", "--limit", "1")[1].count("\n") == 1
    assert run("search", *where, "annual", "--mailbox", "Arch*")[1].count("\n") == 1
    assert run("search", *where, "annual", "--exclude", "Archive")[1].count("INBOX") == 1


def test_json(where: tuple[object, ...], run: Run) -> None:
    code, out, _ = run("search", *where, "--json", "is:read subject:report")
    assert code == 0
    [row] = json.loads(out)
    assert tuple(row) == FIELDS
    assert row.pop("uidvalidity") > 0
    assert row == {
        "mailbox": "INBOX",
        "uid": 1,
        "date": "2026-01-01T12:00:00+00:00",
        "sent": "2026-01-30T12:00:00-05:00",
        "from": "Ada <ada@example.org>",
        "subject": "annual report",
        "id": "<report@x>",
        "size": len(message("annual report")),
        "flags": ["\\Seen"],
        "gone": False,
        "thread": None,
        "depth": None,
    }
    _, out, _ = run("search", *where, "--jsonl=mailbox,uid", "lunch")
    assert list(map(json.loads, out.splitlines())) == [
        {"mailbox": "INBOX", "uid": 3},
        {"mailbox": "INBOX", "uid": 2},
    ]


def test_threads(where: tuple[object, ...], run: Run) -> None:
    _, out, _ = run("search", *where, "--threads", "")
    shown = [" ".join(line.split()[1:2] + line.split()[4:]) for line in out.splitlines()]
    assert shown == [
        "INBOX#2 lunch", "INBOX#3 Re: lunch soup", "", "INBOX#1 annual report",
        "Archive#1 Re: annual answer"]  # fmt: skip
    _, out, _ = run("search", *where, "--threads", "--jsonl=uid,thread,depth", "lunch")
    assert list(map(json.loads, out.splitlines())) == [
        {"uid": 2, "thread": 1, "depth": 0},
        {"uid": 3, "thread": 1, "depth": 1},
    ]


def test_nothing_found(where: tuple[object, ...], run: Run) -> None:
    assert run("search", *where, "nothing")[:2] == (0, "")
    assert run("search", *where, "nothing", "--fail-empty")[0] == 9
    assert run("search", *where, "nothing", "--json")[1] == "[]\n"
    assert run("search", *where, "lunch", "--mailbox", "None")[0] == 3


def test_a_query_that_cannot_be_read(where: tuple[object, ...], run: Run) -> None:
    code, out, err = run("search", *where, "lunch fro:ada")
    assert (code, out) == (2, "")
    assert "column 7: unknown operator fro: (did you mean from:?)" in err
    code, _, err = run("search", *where, "--json", f"{'lunch ' * 20}(")
    assert code == 2
    assert json.loads(err)["error"]["code"] == "usage"


def test_a_query_may_begin_with_a_minus(where: tuple[object, ...], run: Run) -> None:
    first, *options = where
    assert run("search", *options, first, "--", "-is:read")[1].count("\n") == 2


def test_what_is_gone(server: Server, run: Run, tmp_path: Path) -> None:
    mail = tmp_path / "mail"
    assert run("backup", "-q", server.url, mail, *PLAIN, "--no-sync")[0] == 0
    server.mailbox("INBOX").expunge([1])
    assert run("backup", "-q", server.url, mail, *PLAIN, "--no-sync")[0] == 0
    _, out, _ = run("search", mail, "is:gone")
    assert re.findall(r"(\S+)  gone", out) == ["INBOX#1"]
    assert run("search", server.url, *PLAIN, "-q", "is:gone")[1] == ""


def test_keys_as_the_protocol_has_them(server: Server, run: Run, tmp_path: Path) -> None:
    code, out, _ = run("search", server.url, *PLAIN, "--imap", "UNSEEN SUBJECT Re:")
    assert code == 0
    assert out.count("\n") == 1
    assert run("search", server.url, *PLAIN, "--imap", "SUBJECT {5}")[0] == 2
    assert run("search", server.url, *PLAIN, "--imap", "SEEN", "lunch")[0] == 2
    assert run("search", server.url, *PLAIN)[0] == 2
    assert run("search", tmp_path, "--imap", "SEEN")[0] == 2


def test_no_such_backup(run: Run, tmp_path: Path) -> None:
    assert run("search", tmp_path / "none", "x")[0] == 3


def test_a_mailbox_after_the_account(server: Server, run: Run) -> None:
    assert run("search", f"{server.url}Archive", *PLAIN, "")[1].count("\n") == 1


def test_a_view_of_other_mailboxes_is_searched_on_request(server: Server, run: Run) -> None:
    server.add_mailbox("Everything", "\\All")
    server.add_message("Everything", message("lunch"))
    _, everywhere, _ = run("search", *PLAIN, server.url, "subject:lunch")
    assert "Everything" not in everywhere
    assert len(everywhere.splitlines()) == 2
    _, chosen, _ = run("search", *PLAIN, server.url, "subject:lunch", "--mailbox", "Everything")
    assert "Everything#1" in chosen


def test_a_message_without_a_date_or_sender() -> None:
    found = Found("INBOX", 1, 2, None, None, "", "", "", 0, frozenset())
    assert list(lines([found])) == ["----------  INBOX#2"]

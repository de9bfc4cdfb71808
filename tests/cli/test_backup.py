"""`imaplus backup`, `verify`, `ls DIR` and `demo` from end to end, and how each of them fails."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imaplus.cli.main import main
from imaplus.mirror import Owner, Store
from imaplus.testing import Authority, Fault, Generated, Server, sample_mailbox

PASSWORD = "correct horse"
PLAIN = ("--security", "plain")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPLUS_PASSWORD", PASSWORD)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(password=PASSWORD) as server:
        sample_mailbox(server, 12)
        yield server


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        assert PASSWORD not in captured.out + captured.err
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


def start(*words: object, **options: object) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "imaplus", *map(str, words)]
    return subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )  # type: ignore[call-overload, no-any-return]


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert PASSWORD not in out + err
    return process.returncode, out, err


def total(server: Server) -> int:
    return sum(len(box.messages) for box in server.account().mailboxes.values())


def mirrored(server: Server, mail: Path) -> None:
    """The mirror holds every message of the server, once and whole."""
    with Store.open(mail, readonly=True) as store:
        for name, box in server.account().mailboxes.items():
            entries = store.mailbox(name, box.uidvalidity).entries
            assert set(entries) == set(box.messages)
        assert store.inspect().clean


def test_backup_twice_and_verify(server: Server, run: Run, mail: Path) -> None:
    code, out, err = run("backup", server.url, mail, *PLAIN)
    assert (code, out) == (0, "")
    assert f"{total(server)} new messages" in err
    server.add_message("INBOX", b"Subject: one more\r\n\r\n")
    code, out, _ = run("backup", server.url, mail, *PLAIN, "--json")
    told = json.loads(out)
    assert (code, told["fetched"], told["messages"]) == (0, 1, total(server))
    assert (told["failures"], told["interrupted"], told["dry_run"]) == ([], False, False)
    assert run("verify", mail)[0] == 0
    code, out, err = run("verify", mail, server.url, *PLAIN)
    assert (code, out) == (0, "")
    assert err.endswith("intact, no differences from the server\n")
    mirrored(server, mail)


def test_under_tls(run: Run, mail: Path) -> None:
    pytest.importorskip("trustme", exc_type=ImportError)
    with Server(password=PASSWORD, security="tls") as server:
        server.add_message("INBOX", b"hello\r\n")
        assert run("backup", server.url, mail)[0] == 6
        assert not mail.exists()
        assert run("backup", server.url, mail, "--ca-file", server.ca_file)[0] == 0
        mirrored(server, mail)
    other = Authority.make().server_context("another.example")
    with Server(password=PASSWORD, security="tls", context=other) as server:
        assert run("backup", server.url, mail)[0] == 6


def test_ls_of_a_backup(server: Server, run: Run, mail: Path) -> None:
    run("backup", server.url, mail, *PLAIN)
    _, online, _ = run("ls", server.url, *PLAIN, "--counts", "--sizes", "--json")
    code, offline, err = run("ls", mail, "--counts", "--sizes", "--json")
    assert (code, err) == (0, "")
    wanted = [{key: row[key] for key in ("name", "messages", "size")} for row in json.loads(online)]
    found = [{key: row[key] for key in ("name", "messages", "size")} for row in json.loads(offline)]
    assert found == wanted


def test_differences_are_data(server: Server, run: Run, mail: Path) -> None:
    run("backup", server.url, mail, *PLAIN)
    server.mailbox().expunge([1])
    code, out, err = run("verify", mail, server.url, *PLAIN)
    assert (code, out) == (10, "INBOX: UID 1: the message is gone from the server\n")
    assert "1 difference" in err
    code, out, _ = run("verify", mail, server.url, *PLAIN, "--json")
    told = json.loads(out)
    assert (code, told["clean"], told["problems"][0]["uid"]) == (10, False, 1)
    assert run("verify", mail, server.url, *PLAIN, "--exclude", "@inbox")[0] == 0


def test_damage_is_found_and_repaired(server: Server, run: Run, mail: Path) -> None:
    run("backup", server.url, mail, *PLAIN)
    body = next(iter((mail / "objects").glob("*/*.eml")))
    body.write_bytes(body.read_bytes() + b"x")
    code, out, _ = run("verify", mail)
    assert code == 10
    assert body.stem in out
    assert run("backup", server.url, mail, *PLAIN, "--repair")[0] == 0
    assert run("verify", mail)[0] == 0


def test_a_dry_run_leaves_nothing(server: Server, run: Run, mail: Path) -> None:
    code, _, err = run("backup", "-n", server.url, mail, *PLAIN)
    assert code == 0
    assert f"{total(server)} new messages" in err
    assert not mail.exists()
    mail.mkdir()
    assert run("backup", "-n", server.url, mail, *PLAIN)[0] == 0
    assert list(mail.iterdir()) == []
    (mail / "letters.txt").touch()
    assert run("backup", "-n", server.url, mail, *PLAIN)[0] == 3


def test_only_some_mailboxes(server: Server, run: Run, mail: Path) -> None:
    code, out, err = run("backup", server.url, mail, *PLAIN, "--mailbox", "Nowhere*")
    assert (code, out) == (3, "")
    assert "'Nowhere*'" in err
    code, out, _ = run("backup", server.url + "@sent", mail, *PLAIN, "--json=mailboxes,messages")
    sent = len(server.mailbox("Sent").messages)
    assert (code, json.loads(out)) == (0, {"mailboxes": 1, "messages": sent})


def test_an_exclusion_without_effect_is_reported(server: Server, run: Run, mail: Path) -> None:
    words = ("backup", server.url, mail, *PLAIN, "--exclude", "@trash", "--exclude", "Nowhere")
    code, _, err = run(*words, "--exclude", "@sent", "-q")
    assert code == 0
    assert "--exclude Nowhere leaves nothing out" in err
    assert "@sent" not in err
    server.mailbox("Trash").attributes = frozenset()
    code, _, err = run(*words)
    assert code == 0
    assert "is it --exclude 'Trash'?" in err
    code, _, err = run("verify", mail, server.url, *PLAIN, "--exclude", "@trash")
    assert "warning: --exclude @trash leaves nothing out" in err


def test_options_between_the_arguments(server: Server, run: Run, mail: Path) -> None:
    assert run("backup", server.url, "--exclude", "@trash", mail, *PLAIN)[0] == 0
    assert run("verify", mail, *PLAIN, server.url, "--exclude", "@trash")[0] == 0


@pytest.mark.parametrize("more", [(), ("-n",)])
def test_the_root_of_a_new_disk_is_empty(
    server: Server, run: Run, mail: Path, more: tuple[str, ...]
) -> None:
    (mail / "lost+found").mkdir(mode=0o700, parents=True)
    assert run("backup", server.url, mail, *PLAIN, *more)[0] == 0
    if not more:
        mirrored(server, mail)
    assert (mail / "lost+found").is_dir()


# -- how it fails ----------------------------------------------------------------------------------


def test_a_wrong_password(
    server: Server, run: Run, mail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAPLUS_PASSWORD", "hunter2")
    code, out, err = run("backup", server.url, mail, *PLAIN, "--json")
    assert (code, out) == (4, "")
    assert json.loads(err.splitlines()[-1])["error"]["retryable"] is False
    assert "hunter2" not in err
    assert not mail.exists()


def test_a_server_that_is_not_there(run: Run, mail: Path) -> None:
    with Server() as gone:
        url = gone.url
    code, _, err = run("backup", url, mail, *PLAIN)
    assert code == 5
    assert "No server takes connections there" in err
    assert run("backup", "imaps://ada@nowhere.invalid/", mail)[0] == 5


@pytest.mark.parametrize(
    "text",
    [
        "[ALERT] Too many simultaneous connections. (Failure)",
        "[LIMIT] Too many login failures, try later",
        "[INUSE] somebody else is here",
        "[UNAVAILABLE] Temporary authentication failure.",
    ],
)
def test_a_login_that_may_be_tried_later(server: Server, run: Run, mail: Path, text: str) -> None:
    server.fail_next(Fault.fail_login(text))
    code, _, err = run("backup", server.url, mail, *PLAIN)
    assert code == 5
    assert "Try again later" in err
    assert "password" not in err.replace("password and mail travel unprotected", "")


@pytest.mark.parametrize(
    ("security", "hint"), [("starttls", "--security tls"), ("tls", "--security starttls")]
)
def test_a_server_that_says_nothing(run: Run, mail: Path, security: str, hint: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"imap://ada@127.0.0.1:{silent.getsockname()[1]}/"
        code, _, err = run("backup", url, mail, "--security", security, "--timeout", "0.2")
        assert code == 5
        assert hint in err
        assert f"port {silent.getsockname()[1]}" in err
        if security == "starttls":
            assert "no greeting came within 0.2 seconds" in err


def test_a_server_that_speaks_tls_later_or_not_at_all(server: Server, run: Run, mail: Path) -> None:
    code, _, err = run("backup", server.url, mail, "--security", "tls")
    assert code == 6
    assert "--security starttls" in err


def test_a_server_that_disappears_midway(server: Server, run: Run, mail: Path) -> None:
    server.fail_next(Fault.cut_after_sent(20_000))
    code, _, err = run("backup", server.url, mail, *PLAIN)
    assert code == 0
    assert "reconnected 1 time" in err
    mirrored(server, mail)


def test_a_server_that_cannot_be_reached_again(
    server: Server, run: Run, mail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imaplus.mirror.link.WAITS", (0.0,))
    server.fail_next(Fault.cut_after_sent(20_000))
    server.fail_always(Fault.cut_after_sent(0))
    code, _, err = run("backup", server.url, mail, *PLAIN)
    assert code == 5
    assert "the connection was lost, and imaplus could not reconnect" in err
    assert "--host" not in err


def test_a_refused_login_names_the_user(
    server: Server, run: Run, mail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAPLUS_PASSWORD", "wrong")
    code, _, err = run("backup", server.url, mail, *PLAIN)
    assert code == 4
    assert f"the server refused the login of ada at {server.host}" in err
    assert "the server said: " in err


def test_a_port_that_is_taken_as_a_mailbox(
    run: Run, mail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    monkeypatch.setattr("imaplus.cli.connecting.PORTS", {"tls": port})
    code, _, err = run("backup", "ada@127.0.0.1:1143", mail)
    assert code == 5
    assert "use --port 1143." in err


def test_the_demo_does_not_write_into_a_backup_of_an_account(
    server: Server, run: Run, mail: Path
) -> None:
    assert run("backup", server.url, mail, *PLAIN)[0] == 0
    code, _, err = run("demo", mail)
    assert code == 2
    assert f"{mail}: this is a backup of ada@{server.host}, not of demo" in err
    mirrored(server, mail)


def test_a_choice_of_an_earlier_run_is_told(server: Server, run: Run, mail: Path) -> None:
    assert "earlier run" not in run("backup", server.url, mail, *PLAIN, "--mailbox", "INBOX")[2]
    assert "as chosen in an earlier run: only INBOX" in run("backup", server.url, mail, *PLAIN)[2]
    assert "earlier run" not in run("backup", server.url, mail, *PLAIN, "--quiet")[2]


def test_a_server_that_disappears_for_good(
    server: Server, run: Run, mail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imaplus.mirror.link.WAITS", (0.0,))
    server.fail_next(Fault.cut_after_sent(20_000))
    server.fail_always(Fault.greet(b"* BYE Down for maintenance\r\n"))
    code, _, err = run("backup", server.url, mail, *PLAIN)
    assert code == 5
    assert "Down for maintenance" in err
    assert "fetches what is still missing" in err


def test_a_message_that_cannot_be_fetched(server: Server, run: Run, mail: Path) -> None:
    server.fail_next(Fault.refuse("EXAMINE", nth=1, text="[SERVERBUG] \x1b[2J Internal error"))
    code, out, _ = run("backup", server.url, mail, *PLAIN, "--json")
    told = json.loads(out)
    assert code == 7
    assert [failure["uid"] for failure in told["failures"]] == [None]
    assert run("backup", server.url, mail, *PLAIN)[0] == 0
    mirrored(server, mail)


def test_a_backup_that_is_in_use(server: Server, run: Run, mail: Path) -> None:
    with Store.open(mail, create=True):
        code, _, err = run("backup", server.url, mail, *PLAIN)
    assert code == 5
    assert f"process {os.getpid()}" in err


def test_a_backup_of_another_account(server: Server, run: Run, mail: Path) -> None:
    with Store.open(mail, create=True) as store:
        store.describe(owner=Owner("bob@example.org", "imap.example.org", 993))
    code, _, err = run("backup", server.url, mail, *PLAIN)
    assert code == 2
    assert "bob@example.org" in err


def test_a_folder_that_is_no_backup(server: Server, run: Run, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").touch()
    assert run("backup", server.url, tmp_path, *PLAIN)[0] == 3
    assert run("verify", tmp_path)[0] == 3
    assert run("ls", tmp_path)[0] == 3
    assert [each.name for each in tmp_path.iterdir()] == ["letters.txt"]


def test_a_disk_that_is_full(server: Server, run: Run, mail: Path) -> None:
    server.add_message("INBOX", Generated(4_000_000))

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))

    code, _, err = ended(start("backup", server.url, mail, *PLAIN, preexec_fn=little))
    assert code == 1
    assert "the disk is full" in err
    assert str(mail) in err
    assert run("verify", mail)[0] == 0
    assert run("backup", server.url, mail, *PLAIN)[0] == 0
    mirrored(server, mail)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(server: Server, run: Run, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    code, _, err = run("backup", server.url, tmp_path / "mail", *PLAIN)
    assert code == 1
    assert "access denied" in err


def test_a_folder_that_refuses(
    server: Server, run: Run, mail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> int:
        raise PermissionError(13, "Permission denied", str(mail))

    with monkeypatch.context() as patch:
        patch.setattr("imaplus.mirror.files.Folder.create", refuse)
        code, _, err = run("backup", server.url, mail, *PLAIN)
    assert code == 1
    assert "access denied" in err
    assert run("backup", server.url, mail, *PLAIN)[0] == 0
    mirrored(server, mail)


# -- stopped and killed ----------------------------------------------------------------------------


def test_ctrl_c_keeps_the_fetched_messages(server: Server, run: Run, mail: Path) -> None:
    server.fail_next(Fault.slow(2000, 0.01))
    server.mailbox().add_many(Generated(3000, seed=n) for n in range(300))
    process = start("backup", server.url, mail, *PLAIN)
    while not any("UID FETCH" in line for each in server.commands for line in each):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 130
    assert "Interrupted" in err
    assert run("verify", mail)[0] == 0
    code, out, _ = run("backup", server.url, mail, *PLAIN, "--json")
    assert (code, json.loads(out)["messages"]) == (0, total(server))
    mirrored(server, mail)


def test_killed_at_50_random_moments(run: Run, mail: Path) -> None:
    """However often it is killed, the mirror is whole, grows, and comes to be complete."""
    chance = random.Random()
    with Server(password=PASSWORD) as server:
        inbox = server.mailbox()
        inbox.add_many(Generated(400 + n * 37 % 5000, seed=n) for n in range(2100))  # three commits
        for moment in range(50):
            before = len(server.sessions)
            process = start("backup", server.url, mail, *PLAIN, "--no-sync")
            while len(server.sessions) == before or not server.commands[-1]:
                time.sleep(0.001)  # not before it has begun to speak
            wait = time.perf_counter() + chance.random() * 0.3
            while time.perf_counter() < wait:
                pass
            process.kill()
            process.communicate()
            if mail.joinpath("store.json").exists():
                assert run("verify", mail)[0] == 0
            if moment % 10 == 9:  # and life goes on
                inbox.expunge(inbox.uids[: chance.randrange(20)])
                inbox.add_many(Generated(500 + n, seed=moment) for n in range(30))
                inbox.set_flags(inbox.uids[-1], ["\\Seen"])
        assert run("backup", server.url, mail, *PLAIN)[0] == 0
        assert run("verify", mail, server.url, *PLAIN)[0] == 0
        mirrored(server, mail)


# -- the demo --------------------------------------------------------------------------------------


def test_the_demo(run: Run, tmp_path: Path) -> None:
    code, out, err = run("demo")
    assert (code, err) == (0, "")
    assert "all as they should be" in out
    code, out, _ = run("demo", tmp_path / "kept", "--json")
    told = json.loads(out)
    assert (code, told["clean"], told["second"]["fetched"]) == (0, True, 1)
    assert run("ls", tmp_path / "kept", "--counts")[0] == 0


def test_the_demo_without_a_terminal() -> None:
    code, out, err = ended(start("demo"))
    assert (code, err) == (0, "")
    assert "all as they should be" in out

"""The command against the embedded server: what it prints, and how it ends."""

from __future__ import annotations

import ast
import json
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imaplus.cli.main import main
from imaplus.testing import Authority, Server, sample_mailbox

PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPLUS_PASSWORD", PASSWORD)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(password=PASSWORD) as server:
        sample_mailbox(server, 12)
        yield server


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        assert PASSWORD not in captured.out + captured.err
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


Run = Callable[..., tuple[int, str, str]]


def test_ls(server: Server, run: Run) -> None:
    code, out, err = run("ls", server.url, "--security", "plain")
    assert code == 0
    names = out.splitlines()
    assert names[0] == "INBOX"
    assert names[1:] == sorted(names[1:])
    assert err == "imaplus: warning: --security plain: password and mail travel unprotected\n"


def test_ls_of_a_pattern_with_numbers(server: Server, run: Run) -> None:
    url = server.url + "@sent"
    code, out, _ = run("ls", url, "--security", "plain", "--counts", "--sizes", "--jsonl")
    assert code == 0
    [row] = [json.loads(line) for line in out.splitlines()]
    sent = server.mailbox("Sent")
    assert (row["name"], row["messages"]) == ("Sent", len(sent.messages))
    assert "\\Sent" in row["attributes"]
    assert row["size"] > 0


def test_ls_of_the_demo(run: Run) -> None:
    code, out, err = run("ls", "demo:", "--tree")
    assert (code, err) == (0, "")
    assert "Archive\n  2025\n" in out


def test_what_a_name_holds_does_not_act_on_the_terminal(server: Server, run: Run) -> None:
    server.add_mailbox("\x1b[2J\x9b")
    _, out, _ = run("ls", server.url, "--security", "plain")
    assert "\\x1b[2J\\x9b" in out.splitlines()


def test_a_mailbox_that_is_not_there(server: Server, run: Run) -> None:
    code, out, err = run("ls", server.url + "nope", "--security", "plain")
    assert (code, out) == (3, "")
    assert "'nope'" in err


def test_a_wrong_password(server: Server, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPLUS_PASSWORD", "hunter2, I think")
    code, out, err = run("ls", server.url, "--security", "plain", "--json")
    assert (code, out) == (4, "")
    assert "hunter2" not in err
    assert json.loads(err.splitlines()[-1])["error"]["code"] == "authentication"


def test_imap_urls_mean_starttls(server: Server, run: Run) -> None:
    code, _, err = run("ls", server.url)
    assert code == 6
    assert "STARTTLS" in err
    assert not any("LOGIN" in line or "AUTH" in line for each in server.commands for line in each)


def test_nobody_listens(run: Run) -> None:
    with Server() as gone:
        port = gone.port
    code, _, err = run("ls", f"imaps://ada@127.0.0.1:{port}/")
    assert code == 5
    assert "--port" in err


def test_no_tls_there(server: Server, run: Run) -> None:
    code, _, err = run("ls", server.url.replace("imap:", "imaps:"), "--timeout", "5")
    assert code == 6
    assert "--security" in err


def test_certificates(run: Run) -> None:
    pytest.importorskip("trustme", exc_type=ImportError)
    with Server(password=PASSWORD, security="tls") as server:
        code, _, err = run("ls", server.url)
        assert code == 6
        assert "--ca-file" in err
        code, out, _ = run("ls", server.url, "--ca-file", server.ca_file)
        assert (code, out) == (0, "INBOX\n")
    other = Authority.make().server_context("another.example")
    with Server(password=PASSWORD, security="tls", context=other) as server:
        assert run("ls", server.url)[0] == 6


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "CRAM-MD5", "*"])
def test_the_mechanism_of_a_url(server: Server, run: Run, mechanism: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    url = server.url.replace("ada@", f"ada;AUTH={mechanism}@")
    code, _, _ = run("ls", url, "--security", "plain", "--trace", trace)
    assert code == 0
    used = "SCRAM-SHA-256" if mechanism == "*" else mechanism
    assert f" AUTHENTICATE {used}" in trace.read_text()


def test_a_trace_is_private_and_blank_and_can_be_read(
    server: Server, run: Run, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    server.add_mailbox("Gelöscht")
    url = server.url.replace("ada@", "ada;AUTH=PLAIN@")
    assert run("ls", url, "--security", "plain", "--trace", trace)[0] == 0
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600
    lines = trace.read_text().splitlines()
    assert lines[0].startswith("S: * OK")
    assert any("AUTHENTICATE PLAIN ***" in line for line in lines)
    for line in lines:
        assert line[:3] in ("C: ", "S: ", "C= ", "S= ")
        if line[1] == "=":
            assert ast.literal_eval(line[3:]).endswith(b"\r\n")


def test_a_token_where_a_token_is_wanted(server: Server, run: Run) -> None:
    url = server.url.replace("ada@", "ada;AUTH=OAUTHBEARER@")
    code, _, err = run("ls", url, "--security", "plain")
    assert code == 4
    assert "--token-command" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_testserver(number: int, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAPLUS_PASSWORD")
    file = tmp_path / "port"
    words = ["testserver", "--personality", "gmail", "--port-file", str(file)]
    with subprocess.Popen(
        [sys.executable, "-m", "imaplus", *words], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert (told["pid"], told["personality"]) == (process.pid, "gmail")
        monkeypatch.setenv("IMAPLUS_PASSWORD", told["password"])
        url = f"imap://{told['user']}@{told['host']}:{told['port']}/"
        assert main(["ls", url, "--security", "plain"]) == 0
        assert file.read_text() == f"{told['port']}\n"
        process.send_signal(number)
        assert process.wait(timeout=30) == 0


def test_testserver_keeps_a_password_that_was_given(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "imaplus", "testserver", "--empty"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["password"] is None
        process.terminate()


def test_testserver_lists_the_personalities(run: Run) -> None:
    code, _, err = run("testserver", "--personality", "nobody")
    assert code == 2
    assert "gmail" in err

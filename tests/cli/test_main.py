"""The command as a whole: exit codes, help, and what happens at the edges of a process."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from imaplus import errors
from imaplus.cli import main as command
from imaplus.cli.output import Console, OutputClosed
from imaplus.cli.verbs import ls


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(__import__("os").environ):
        if name.startswith("IMAPLUS_"):
            monkeypatch.delenv(name)


def run_ls(monkeypatch: pytest.MonkeyPatch, error: BaseException, *words: str) -> int:
    def run(args: argparse.Namespace, console: Console) -> int:
        raise error

    monkeypatch.setattr(ls, "run", run)
    return command.main([*words, "ls", "demo:"])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--version"]) == 0
    assert re.fullmatch(r"imaplus \d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize("verb", [[], *([verb] for verb in command.VERBS)])
def test_help(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([*verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert "imaplus " + " ".join(verb) in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_a_python_without_gc_freeze(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As PyPy's: it has no `gc.freeze`."""
    monkeypatch.setattr("sys.implementation", SimpleNamespace(name="pypy"))
    monkeypatch.setattr("sys.argv", ["imaplus", "ls"])
    told = SimpleNamespace(disable=lambda: None, enable=lambda: None)
    monkeypatch.setattr(command, "gc", told)
    assert command.main() == 2
    assert "arguments are required" in capsys.readouterr().err


def test_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "imaplus backup ada@example.org" in captured.err


def test_an_error_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = errors.AuthenticationFailed("LOGIN", "NO", "AUTHENTICATIONFAILED", "no\x1b[2J")
    assert run_ls(monkeypatch, error) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert "no\\x1b[2J" in captured.err


def test_debug_shows_where_it_came_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_ls(monkeypatch, ZeroDivisionError("by zero"), "--debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_error_for_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_ls(monkeypatch, errors.TimedOut("nothing came"), "--json") == 5
    error = json.loads(capsys.readouterr().err)["error"]
    assert (error["code"], error["retryable"]) == ("temporary", True)


def test_wrong_use_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["ls", "--jsonl"]) == 2
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "usage"


def test_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_ls(monkeypatch, KeyboardInterrupt()) == 130
    assert capsys.readouterr().err.startswith("imaplus: interrupted\n")


def test_a_reader_that_has_gone_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "discard", lambda stream: None)
    assert run_ls(monkeypatch, OutputClosed()) == 0
    assert capfd.readouterr().err == ""


def test_a_folder_that_is_no_backup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["ls", str(tmp_path)]) == 3
    assert f"no backup in {tmp_path}: it has no store.json" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    assert command.main(["backup", "demo:", str(file)]) == 2
    assert f"{file} is not a folder" in capsys.readouterr().err


def test_an_account_in_place_of_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["verify", "imaps://ada@imap.example.org/"]) == 3
    assert "write the folder first, then the account" in capsys.readouterr().err

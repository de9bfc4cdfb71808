"""docs/everyday.md: its three programs are short, and do what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaplus.testing import Server, sample_mailbox

from .finding import ROOT, fenced
from .running import run

PROGRAMS = fenced(ROOT / "docs" / "everyday.md")[1:4]
NEWEST, FILED, CODE = PROGRAMS


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.chdir(tmp_path)
    server = Server()
    sample_mailbox(server)
    return server


@pytest.mark.parametrize("program", PROGRAMS, ids=["newest", "filed", "code"])
def test_a_program_is_short(program: str) -> None:
    assert len(program.strip().splitlines()) <= 20


def test_the_newest_mail(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with server:
        run(NEWEST, server)
    printed = capsys.readouterr().out
    assert "Zoë Müller <zoe@xn--bcher-kva.example> Käsekuchen am Freitag?" in printed
    assert "Line 1 of a letter from 山田太郎." in printed
    saved = {path.name for path in (tmp_path / "attachments").iterdir()}
    assert saved >= {"Bild-50-schön.png", "Zażółć gęślą jaźń.eml", "Umlaute äöü (2).csv"}
    assert printed.count("saved:") == len(saved)


def test_mail_filed_by_sender(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with server:
        before = len(server.mailbox().messages)
        run(FILED, server)
        filed = {name: len(server.mailbox(name).messages) for name in ("Bletchley", "Orbit")}
        assert all(filed.values())
        assert len(server.mailbox().messages) == before - sum(filed.values())
    assert f"{filed['Orbit']} messages moved to Orbit" in capsys.readouterr().out


def test_a_login_code(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    old = b"From: login@example.com\r\n\r\nYour code is 999999.\r\n"
    with server:
        server.add_message("INBOX", old)
        run(CODE, server)
    assert capsys.readouterr().out == "the code is 271828\n"

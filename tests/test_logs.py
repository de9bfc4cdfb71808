"""Logging is silent and free until a program wants it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from imaplus import logs
from imaplus.testing import Server

from .mirror.running import run
from .test_startup import loaded, session


def test_nothing_imports_logging() -> None:
    assert "logging" not in loaded("import imaplus.logs; from imaplus import Client")
    assert "logging" not in session("client.select('INBOX'); client.logout()")


def test_a_logger_is_given_where_its_level_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_known", {})
    logger = logging.getLogger(logs.MIRROR)
    assert logs.logger(logs.MIRROR) is None
    logger.setLevel(logging.INFO)
    try:
        assert logs.logger(logs.MIRROR) is None
        assert logs.logger(logs.MIRROR, logging.INFO) is logger
    finally:
        logger.setLevel(logging.NOTSET)
    handlers = logging.getLogger("imaplus").handlers
    assert [type(handler) for handler in handlers] == [logging.NullHandler]


def test_there_is_none_before_logging_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_known", {})
    monkeypatch.delitem(logs.sys.modules, "logging")
    assert logs.logger(logs.CONNECTION) is None
    assert logs.connection_log(None) is None


def test_a_backup_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logs, "_known", {})
    caplog.set_level(logging.DEBUG, logs.MIRROR)
    with Server() as server:
        for _ in range(2):
            server.add_message("INBOX", b"Subject: private\r\n\r\nwords\r\n")
        server.add_mailbox("Work")
        run(server, tmp_path / "mail")
    told = [record.message for record in caplog.records if record.name == logs.MIRROR]
    assert told[0] == "backup begun"
    assert "'INBOX': 2 messages fetched, 0 failures, 0 reconnects" in told
    assert "'Work': 0 messages fetched, 0 failures, 0 reconnects" in told
    assert told[-1].startswith("backup over: ")
    assert "2 of 2 messages fetched, 0 failures, 0 reconnects" in told[-1]
    assert "private" not in caplog.text


def test_a_backup_that_cannot_go_on_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logs, "_known", {})
    caplog.set_level(logging.DEBUG, logs.MIRROR)
    with Server() as server, pytest.raises(OSError, match="full"):
        run(server, tmp_path / "mail", should_stop=full)
    told = [record.message for record in caplog.records if record.name == logs.MIRROR]
    assert told == ["backup begun", "backup ended by OSError"]


def full() -> bool:
    raise OSError("the disk is full")

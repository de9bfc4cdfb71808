"""Logging is silent and free until a program wants it."""

from __future__ import annotations

import logging

import pytest

from imaplus import logs

from .test_startup import loaded, session


def test_nothing_imports_logging() -> None:
    assert "logging" not in loaded(
        "import imaplus.public, imaplus.logs; from imaplus import Client"
    )
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

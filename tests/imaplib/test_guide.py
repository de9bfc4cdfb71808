"""docs/from-imaplib.md: both versions of each idiom run, and come to the same."""

from __future__ import annotations

import email
import email.message
import email.policy
import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import imaplus
from imaplus import imaplib
from imaplus.testing import Server

GUIDE = Path(__file__).parents[2] / "docs" / "from-imaplib.md"
WHEN = datetime(2025, 1, 2, tzinfo=UTC)
connect: Any = imaplus.Client.connect
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
_GENERAL, _, _IDIOMS = GUIDE.read_text().partition("## Idiom by idiom")
IDIOMS = {
    title: BLOCK.findall(text)
    for title, text in re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", _IDIOMS, re.M | re.S)
}


@contextmanager
def serving() -> Iterator[Server]:
    """Three unread letters."""
    with Server() as server:
        for number in range(1, 4):
            letter = f"From: ann@example.org\r\nSubject: letter {number}\r\n\r\nhello\r\n"
            server.add_message(
                "INBOX", letter.encode(), internaldate=datetime(2025, 1, 2, tzinfo=UTC)
            )
        yield server


def connected(server: Server) -> imaplus.Client:
    plain = imaplus.Security.PLAIN
    return connect(
        server.host, server.port, user=server.user, password=server.password, security=plain
    )


def run(block: str, server: Server) -> dict[str, Any]:
    """The names that a block leaves behind; hosts in it are the embedded server."""
    client = connected(server)
    imap = imaplib.IMAP4(server.host, server.port)
    imap.login(server.user, server.password)
    names: dict[str, Any] = {
        "client": client,
        "imap": imap,
        "server": server,
        **{each.__name__: each for each in (email, imaplib, imaplus, io, re, time, date, datetime)},
        "imaplib": imaplib,
    }

    def old(host: str) -> imaplib.IMAP4:
        return imaplib.IMAP4(server.host, server.port)

    def new(host: str, **options: str) -> imaplus.Client:
        return connect(server.host, server.port, security=imaplus.Security.PLAIN, **options)

    here = mock.patch.object(imaplib, "IMAP4_SSL", old)
    there = mock.patch.object(imaplus.Client, "connect", new)
    with imap, client, here, there:
        exec(compile(block, GUIDE.name, "exec"), names)
    return names


@pytest.mark.parametrize("title", IDIOMS)
def test_both_versions_come_to_the_same(title: str) -> None:
    old, new = IDIOMS[title]
    last = re.findall(r"^ *(\w+)(?: = | \+= )", new, re.M)[-1]
    results = []
    for block in (old, new):
        with serving() as server:
            results.append(run(block, server)[last])
    assert results[0] == results[1]
    assert results[0] not in (None, [], {}, "")


def test_the_general_examples_run() -> None:
    with serving() as server:
        with mock.patch.dict("sys.modules"):
            for block in BLOCK.findall(_GENERAL):
                run(block, server)
        with connected(server) as client:
            assert client.select("INBOX").search(imaplus.Seen).count == 3


def test_there_are_idioms() -> None:
    assert len(IDIOMS) >= 10
    assert all(len(blocks) == 2 for blocks in IDIOMS.values())

"""What `imaplus testserver` can be told to do wrong, seen by Python's own imaplib."""

from __future__ import annotations

import contextlib
import imaplib
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from imaplus.cli.main import main


@contextlib.contextmanager
def serving(*words: str) -> Iterator[imaplib.IMAP4]:
    """`imaplus testserver` with these options, and a client that has not logged in."""
    environ = {**os.environ, "IMAPLUS_PASSWORD": "secret"}
    with subprocess.Popen(
        [sys.executable, "-m", "imaplus", "testserver", *words],
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        try:
            yield imaplib.IMAP4(told["host"], told["port"], 10)
        finally:
            process.terminate()


def test_testserver_fails_as_it_is_told() -> None:
    faults = "--hang-up-at INBOX:3 --hang-up no --substitute INBOX:1=courier --hide Trash"
    faults += " --substitute INBOX:2=nil --short-search 4 --short-fetch 5 --message-limit 1000"
    with serving(*faults.split(), "--quirk", "no-uidvalidity") as imap:
        imap.login("ada", "secret")
        assert b"MESSAGELIMIT=1000" in imap.capability()[1][0]
        assert not any(b"Trash" in line for line in imap.list()[1])
        assert imap.select()[0] == "OK"
        assert imap.response("UIDVALIDITY")[1] == [None]
        assert imap.search(None, "ALL")[1] == [b"1 2 3 4"]
        assert len(imap.fetch("1:*", "FLAGS")[1]) == 5
        assert b"no longer available" in imap.fetch("1", "(BODY[])")[1][0][1]
        assert imap.fetch("2", "(BODY[])")[1] == [b"2 (BODY[] NIL)"]
        assert imap.fetch("3", "(BODY[])")[0] == "NO"
        assert imap.logout()[0] == "BYE"


def test_testserver_refuses_logins_and_cuts() -> None:
    with serving("--most-logins", "0", "--cut-after", "2000") as imap:
        with pytest.raises(imaplib.IMAP4.error, match="Too many simultaneous connections"):
            imap.login("ada", "secret")
        said = 0
        with contextlib.suppress(imaplib.IMAP4.abort, OSError):
            while said < 1000:
                imap.noop()
                said += 1
        imap.shutdown()
        assert 0 < said < 100


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--quirk", "nonsense"], "no-uidvalidity"),
        (["--hang-up-at", "INBOX"], "MAILBOX:UID"),
        (["--substitute", "INBOX:1=poem"], "microsoft365"),
        (["--short-search", "-1"], "expected a number"),
        (["--hang-up", "politely"], "stall"),
    ],
)
def test_testserver_says_what_may_go_wrong(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["testserver", *words]) == 2
    assert says in capsys.readouterr().err

"""Differences: last-words, secrets. The server's last responses in the errors of the facade."""

from __future__ import annotations

import base64
import copy
import pickle
import socket
from typing import Any

import pytest

from imaplus import imaplib

from .scripted import Answer

SECRET = "hunter2-\\-hunter2"


def test_a_refused_login_has_them(talk: Any) -> None:
    said = Answer((b"* NO [ALERT] account locked",), b"NO failed")
    for name, args in (("login", ("ann", SECRET)), ("authenticate", ("X", lambda data: b"x"))):
        client, _ = talk(state="NONAUTH", answers=[said])
        with pytest.raises(imaplib.IMAP4.error) as caught:
            getattr(client, name)(*args)
        assert caught.value.last_words == ("* NO [ALERT] account locked",)
        assert str(caught.value).endswith("; the server said '* NO [ALERT] account locked'")
        assert caught.value.args in ((b"failed",), ("failed",))


def test_so_have_errors_and_aborts(talk: Any) -> None:
    words = (b"* NO one", b"* BAD two", b"* NO three", b"* NO four")
    client, _ = talk(answers=[Answer(words, b"BAD what?")])
    with pytest.raises(imaplib.IMAP4.error, match="NOOP command error: BAD") as caught:
        client.noop()
    assert caught.value.last_words == ("* BAD two", "* NO three", "* NO four")
    client, _ = talk(answers=[Answer((*words, b"what is this?"))])
    with pytest.raises(imaplib.IMAP4.abort, match="unexpected response: b'what is this") as caught:
        client.noop()
    assert caught.value.last_words == ("* BAD two", "* NO three", "* NO four")
    assert str(caught.value).count("four") == 1


def test_those_of_an_earlier_command_are_forgotten(talk: Any) -> None:
    client, _ = talk(answers=[Answer((b"* NO one",)), Answer((), b"BAD what?")])
    client.noop()
    with pytest.raises(imaplib.IMAP4.error) as caught:
        client.noop()
    assert caught.value.last_words == ()


class Alone(imaplib.IMAP4):
    """On a socket of the test's."""

    def __init__(self, sock: socket.socket) -> None:
        self.given = sock
        super().__init__("nowhere")

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self.given


@pytest.mark.parametrize("ends", [True, False], ids=["the end", "silence"])
def test_the_end_of_the_connection_and_silence_have_them(ends: bool) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n* CAPABILITY IMAP4rev1\r\n")

        class Client(Alone):
            def send(self, data: Any) -> None:
                super().send(data)
                if bytes(data).endswith(b"CAPABILITY\r\n"):
                    theirs.sendall(bytes(data).split()[0] + b" OK done\r\n")

        client = Client(ours)
        theirs.sendall(b"* BAD malformed command\r\n")
        if ends:
            theirs.shutdown(socket.SHUT_WR)
        ours.settimeout(0.2)
        with pytest.raises(imaplib.IMAP4.abort if ends else TimeoutError) as caught:
            client.noop()
        assert caught.value.last_words == ("* BAD malformed command",)  # type: ignore[attr-defined]
        assert "malformed command" in str(caught.value)
        for again in (pickle.loads(pickle.dumps(caught.value)), copy.deepcopy(caught.value)):
            assert type(again) is type(caught.value)
            assert (str(again), vars(again)) == (str(caught.value), vars(caught.value))


REPEATS = {
    "NO": lambda secret: Answer((), b"NO not " + secret),
    "BAD": lambda secret: Answer((), b"BAD not " + secret),
    "untagged": lambda secret: Answer((b"* NO not " + secret,), b"NO no"),
    "BYE": lambda secret: Answer((b"* BYE not " + secret,), b"NO no"),
    "raw": lambda secret: Answer((b"not " + secret,), b"NO no"),
}


@pytest.mark.parametrize("repeats", REPEATS.values(), ids=REPEATS)
def test_a_secret_that_the_server_repeats(
    talk: Any, repeats: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = f"\0ann\0{SECRET}".encode()
    for secret in (SECRET.encode(), base64.b64encode(plain), base64.b64encode(SECRET.encode())):
        for name, args in (
            ("login", ("ann", SECRET)),
            ("login_plain", ("ann", SECRET)),
            ("authenticate", ("PLAIN", lambda data: plain)),
        ):
            if name == "login" and secret == base64.b64encode(plain):
                continue  # it has never been sent
            client, _ = talk(state="NONAUTH", answers=[repeats(secret)])
            client.debug = 5
            with pytest.raises(imaplib.IMAP4.error) as caught:
                getattr(client, name)(*args)
            client.print_log()
            shown = repr(caught.value) + str(caught.value) + repr(vars(caught.value))
            shown += capsys.readouterr().err
            assert "***" in shown
            assert SECRET not in shown
            assert repr(SECRET)[1:-1] not in shown
            assert secret.decode() not in shown


def test_a_secret_that_the_server_repeats_later(
    talk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    again = Answer((b"* NO who is " + SECRET.encode(),), b"BAD not " + SECRET.encode())
    client, _ = talk(state="NONAUTH", answers=[Answer(()), again])
    client.login("ann", SECRET)
    with pytest.raises(imaplib.IMAP4.error) as caught:
        client.noop()
    client.print_log()
    shown = repr(caught.value) + repr(vars(caught.value)) + capsys.readouterr().err
    assert shown.count("***") > 2
    assert SECRET not in shown
    assert repr(SECRET)[1:-1] not in shown


def test_long_lines_are_shortened(talk: Any) -> None:
    client, _ = talk(answers=[Answer((b"begin" + b"x" * 100_000 + b"end",))])
    with pytest.raises(imaplib.IMAP4.abort) as caught:
        client.noop()
    assert len(str(caught.value)) < 500
    assert "begin" in str(caught.value)
    assert "end'" in str(caught.value)


def test_commands_are_logged(talk: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "imaplus")
    client, _ = talk(state="NONAUTH", answers=[Answer((b"* NO " + SECRET.encode(),))])
    caplog.clear()
    client.login("ann", SECRET)
    tag = client.tagpre.decode()
    assert [message.split(" after ")[0] for message in caplog.messages] == [
        f"{tag}: LOGIN sent",
        f"{tag}: LOGIN OK",
        f"{tag}: CAPABILITY sent",
        f"{tag}: CAPABILITY OK",
        f"{tag}: AUTH",
    ]

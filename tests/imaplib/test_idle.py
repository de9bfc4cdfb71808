"""IDLE: responses one by one, in bursts, for a time; fragments and leftovers are not lost."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from imaplus import imaplib

from .scripted import Answer

Speak = Callable[[bytes], None]


@contextmanager
def idling(
    duration: float | None = None, *, capabilities: bytes = b"IDLE"
) -> Iterator[tuple[imaplib.IMAP4, imaplib.Idler, Speak]]:
    """A client that is about to idle, and what its server says then, line by line as given."""
    ours, theirs = socket.socketpair()
    began = threading.Event()

    def serve() -> None:
        with suppress(OSError), theirs, theirs.makefile("rb") as incoming:
            theirs.sendall(b"* OK hi\r\n")
            idle_tag = b""
            while line := incoming.readline():
                tag, _, command = line.rstrip().partition(b" ")
                if command == b"CAPABILITY":
                    theirs.sendall(b"* CAPABILITY IMAP4rev1 " + capabilities + b"\r\n")
                elif command == b"IDLE":
                    theirs.sendall(b"* 1 EXISTS\r\n+ idling\r\n")
                    idle_tag = tag
                    began.set()
                    continue
                elif tag == b"DONE":
                    tag = idle_tag
                theirs.sendall(tag + b" " + b"OK done" + b"\r\n")

    threading.Thread(target=serve, daemon=True).start()

    class Client(imaplib.IMAP4):
        def _create_socket(self, timeout: float | None) -> socket.socket:
            return ours

    def speak(data: bytes) -> None:
        assert began.wait(10)
        theirs.sendall(data)

    with ours:
        client = Client("server")
        client.state = "SELECTED"
        yield client, client.idle(duration), speak


def test_responses_one_by_one() -> None:
    with idling() as (client, idler, speak):
        with idler:
            assert next(idler) == ("EXISTS", [b"1"])
            speak(b"* 1 FETCH (BODY[] {3}\r\nabc FLAGS ())\r\n* 2 EXISTS\r\n")
            assert next(idler) == ("FETCH", [(b"1 (BODY[] {3}", b"abc"), b" FLAGS ())"])
            assert next(idler) == ("EXISTS", [b"2"])
            with pytest.raises(imaplib.IMAP4.error, match="illegal in state IDLING"):
                client.noop()
        assert client.state == "SELECTED"
        assert client.noop() == ("OK", [b"done"])


def test_a_duration_ends_the_iteration() -> None:
    with idling(0.05) as (_, idler, _), idler:
        assert list(idler) == [("EXISTS", [b"1"])]
        assert list(idler) == []


def test_a_burst() -> None:
    with idling(5) as (_, idler, speak), idler:
        speak(b"* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n* 1 RECENT\r\n")
        assert [typ for typ, _ in idler.burst(0.2)] == ["EXISTS", "EXPUNGE", "EXPUNGE", "RECENT"]


def test_a_fragment_is_not_lost() -> None:
    with idling(0.05) as (client, idler, speak):
        with idler:
            next(idler)
            speak(b"* 7 EXI")
            assert list(idler) == []
            speak(b"STS\r\n")
        assert client.response("EXISTS") == ("EXISTS", [b"7"])


def test_what_was_not_taken_is_left_for_later() -> None:
    with idling() as (client, idler, speak):
        with idler:
            speak(b"* 2 EXISTS\r\n")
            next(idler)
        assert client.response("EXISTS") == ("EXISTS", [b"2"])
        with pytest.raises(imaplib.IMAP4.error, match="with statement"):
            next(idler)


def test_an_error_inside_goes_on_and_idle_ends() -> None:
    with idling() as (client, idler, _):
        with pytest.raises(KeyError), idler:
            raise KeyError("mine")
        assert client.noop()[0] == "OK"


def test_another_idler_inside_changes_nothing() -> None:
    with idling() as (client, idler, speak), idler:
        with pytest.raises(imaplib.IMAP4.error, match="illegal in state IDLING"), client.idle():
            pass
        assert next(idler) == ("EXISTS", [b"1"])
        speak(b"* 2 EXISTS\r\n")
        assert next(idler) == ("EXISTS", [b"2"])


def test_an_idler_may_be_used_again() -> None:
    with idling() as (client, idler, _):
        for _ in range(2):
            with idler:
                assert next(idler) == ("EXISTS", [b"1"])
            assert client.noop()[0] == "OK"


def test_a_server_that_has_no_idle(talk: Any) -> None:
    client, server = talk(capabilities=b"IMAP4rev1")
    with pytest.raises(imaplib.IMAP4.error, match="does not support"):
        client.idle()
    assert server.heard == []


def test_a_server_that_goes_away() -> None:
    with idling() as (client, idler, speak):
        idler.__enter__()
        assert next(idler) == ("EXISTS", [b"1"])
        speak(b"* BYE so long\r\n")
        assert next(idler) == ("BYE", [b"so long"])
        client.sock.shutdown(socket.SHUT_RD)
        with pytest.raises(imaplib.IMAP4.abort, match="EOF"):
            next(idler)
        with pytest.raises(imaplib.IMAP4.abort):
            idler.__exit__(None, None, None)


def test_a_refusal(talk: Any) -> None:
    client, _ = talk(answers=[Answer((), b"NO not here"), Answer((), b"OK what?")])
    with pytest.raises(imaplib.IMAP4.error, match="idle denied"), client.idle():
        pass
    with pytest.raises(imaplib.IMAP4.abort, match="unexpected status response"), client.idle():
        pass
    assert client.state == "SELECTED"
    assert client.noop()[0] == "OK"

"""Greeting, capabilities, login and UTF-8: what a session knows, and when it learns it."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from imaplus import imaplib
from imaplus.testing import ScriptServer, Server, Transcript

from .scripted import Answer, ScriptedServer, needs_certificates


def greeted(greeting: bytes, **options: Any) -> tuple[imaplib.IMAP4, list[bytes]]:
    """A client that got this greeting, and what its server then heard."""
    server = ScriptedServer(greeting=greeting, **options)
    with server.connected() as sock:
        return server.client(imaplib.IMAP4, sock), server.heard


@pytest.mark.parametrize(
    ("greeting", "told", "asked"),
    [
        (b"* OK [CAPABILITY IMAP4rev1 ENABLE] hi", ("IMAP4REV1", "ENABLE"), False),
        (b"* OK [CAPABILITY IMAP4rev1 IDLE] see [here]", ("IMAP4REV1", "IDLE"), False),
        (b"* ok [capability imap4rev1] hi", ("IMAP4REV1",), False),
        (b"* PREAUTH [CAPABILITY IMAP4rev1 X] hi", ("IMAP4REV1", "X"), False),
        (b"\0\0* OK hi", ("IMAP4REV1", "Y"), True),
        (b"* OK [ALERT] hi", ("IMAP4REV1", "Y"), True),
    ],
)
def test_capabilities_of_the_greeting(greeting: bytes, told: tuple[str, ...], asked: bool) -> None:
    client, heard = greeted(greeting, capabilities=b"IMAP4rev1 Y")
    assert client.capabilities == told
    assert heard == ([b"CAPABILITY\r\n"] if asked else [])
    assert client.response("CAPABILITY") == ("CAPABILITY", [None])


LOGIN = """
S: * OK [CAPABILITY IMAP4rev1] hi
C: $1 LOGIN ann "secret"
{told}
C: $9 LOGOUT
S: * BYE so long
S: $9 OK done
"""
TOLD = {
    "untagged": "S: * CAPABILITY IMAP4rev1 MOVE\nS: $1 OK in",
    "code": "S: $1 OK [CAPABILITY IMAP4rev1 MOVE] in",
    "not at all": "S: $1 OK in\nC: $2 CAPABILITY\nS: * CAPABILITY IMAP4rev1 MOVE\nS: $2 OK done",
}


@pytest.mark.parametrize("how", TOLD)
def test_capabilities_are_renewed_at_login(how: str) -> None:
    script = Transcript.parse(LOGIN.format(told=TOLD[how]))
    with ScriptServer(script) as server, imaplib.IMAP4(server.host, server.port) as imap:
        assert imap.login("ann", "secret")[0] == "OK"
        assert imap.capabilities == ("IMAP4REV1", "MOVE")
        told = [None] if how == "not at all" else [b"IMAP4rev1 MOVE"]
        assert imap.response("CAPABILITY") == ("CAPABILITY", told)


def test_capabilities_sent_before_the_login_are_ignored(talk: Any) -> None:
    """Difference: capabilities-of-before."""
    client, _ = talk(state="NONAUTH", capabilities=b"IMAP4rev1 NEW")
    client.untagged_responses["CAPABILITY"] = [b"IMAP4rev1 INJECTED"]
    client.login("ann", "secret")
    assert "INJECTED" not in client.capabilities
    assert "NEW" in client.capabilities


def test_a_server_that_refuses_capability_after_login() -> None:
    script = Transcript.parse(LOGIN.format(told="S: $1 OK in\nC: $2 CAPABILITY\nS: $2 BAD not now"))
    with ScriptServer(script) as server, imaplib.IMAP4(server.host, server.port) as imap:
        assert imap.login("ann", "secret") == ("OK", [b"in"])
        assert imap.state == "AUTH"
        assert imap.capabilities == ("IMAP4REV1",)


def test_no_in_answer_to_capability_is_not_a_list_of_them() -> None:
    script = Transcript.parse("S: * OK hi\nC: $1 CAPABILITY\nS: $1 NO IMAP4rev1 is out of order")
    with (
        ScriptServer(script) as server,
        pytest.raises(imaplib.IMAP4.error, match="no CAPABILITY response"),
    ):
        imaplib.IMAP4(server.host, server.port)


def test_login_is_disabled_in_clear(talk: Any) -> None:
    client, server = talk(state="NONAUTH", capabilities=b"IMAP4rev1 LOGINDISABLED STARTTLS")
    with pytest.raises(imaplib.IMAP4.error, match=r"LOGINDISABLED.*starttls"):
        client.login("ann", "secret")
    with pytest.raises(imaplib.IMAP4.error, match="LOGINDISABLED"):
        client._simple_command("LOGIN", "ann", "secret")
    assert server.heard == []
    client._tls_established = True
    assert client.login("ann", "secret")[0] == "OK"  # it is for the server to say


@needs_certificates
def test_login_is_enabled_by_starttls() -> None:
    with Server(security="starttls") as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        with imaplib.IMAP4("localhost", server.port) as imap:
            assert "LOGINDISABLED" in imap.capabilities
            with pytest.raises(imaplib.IMAP4.error, match="LOGINDISABLED"):
                imap.login(server.user, server.password)
            imap.starttls(context)
            assert "LOGINDISABLED" not in imap.capabilities
            assert imap.login(server.user, server.password)[0] == "OK"
            assert "MOVE" in imap.capabilities


@pytest.mark.parametrize(
    "greeting",
    [b"+OK POP3 server ready", b"* BYE not today", b"+", b"220 mail ESMTP", b"HTTP/1.1 400 Bad\n"],
)
def test_a_greeting_that_is_no_imap(greeting: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(greeting if greeting.endswith(b"\n") else greeting + b"\r\n")

        class Client(imaplib.IMAP4):
            def _create_socket(self, timeout: float | None) -> socket.socket:
                return ours

        with pytest.raises(imaplib.IMAP4.error, match="invalid greeting: ") as caught:
            Client("server")
        assert greeting.decode().strip() in str(caught.value)
        assert theirs.recv(10) == b""  # nothing was sent, and the connection is closed


def test_a_secret_that_the_server_repeats_is_not_in_errors(talk: Any) -> None:
    client, _ = talk(
        state="NONAUTH",
        answers=[
            Answer((), b"NO no user has hunter2hunter2"),
            Answer((), b"BAD hunter2hunter2?"),
            Answer((), b"NO what is AGFubgBodW50ZXIyaHVudGVyMg==?"),
            Answer((b"* BYE hunter2hunter2",)),
        ],
    )
    for _ in range(2):
        with pytest.raises(imaplib.IMAP4.error, match=r"\*\*\*") as caught:
            client.login("ann", "hunter2hunter2")
        assert "hunter2" not in str(caught.value)
    for kind in (imaplib.IMAP4.error, imaplib.IMAP4.abort):
        with pytest.raises(kind, match=r"\*\*\*") as caught:
            client.login_plain("ann", "hunter2hunter2")
        assert "AGFub" not in str(caught.value)
        assert "hunter2" not in str(caught.value)


def test_utf8_only_once_the_server_grants_it(talk: Any) -> None:
    """Difference: utf8-enabled. Cyrus 3.10 says OK, and ENABLED without it."""
    replies = [
        Answer(),
        Answer((b"* ENABLED CONDSTORE",)),
        Answer((), b"NO not here"),
        Answer((b"* enabled CONDSTORE utf8=accept",)),
    ]
    client, _ = talk(state="AUTH", answers=replies)
    for granted in (False, False, False, True):
        client.enable("CONDSTORE UTF8=ACCEPT")
        assert client.utf8_enabled is granted
    assert client.response("ENABLED") == ("ENABLED", [b"CONDSTORE utf8=accept"])
    client.create("Entwürfe")
    client.state = "SELECTED"
    with pytest.raises(imaplib.IMAP4.error, match="charset"):
        client.search("UTF-8", "ALL")


MESSAGE = "Subject: Grüße\r\n\r\nx".encode()
PLAIN = b"APPEND INBOX {21}\r\n" + MESSAGE + b"\r\n"
MARKED = b"APPEND INBOX UTF8 (~{21}\r\n" + MESSAGE + b")\r\n"


@pytest.mark.parametrize(
    ("answers", "sent"),
    [
        ([Answer()], [PLAIN]),
        ([Answer((), b"NO 8bit header"), Answer()], [PLAIN, MARKED]),
        ([Answer((), b"BAD 8bit header"), Answer()], [PLAIN, MARKED]),
        ([Answer(refuses_literal=True), Answer()], [PLAIN[:19], MARKED]),
        ([Answer((), b"NO [OVERQUOTA] full")], [PLAIN]),
        ([Answer((), b"NO [TRYCREATE] where?")], [PLAIN]),
    ],
)
def test_append_of_a_header_in_utf8(talk: Any, answers: list[Answer], sent: list[bytes]) -> None:
    """Difference: utf8-append."""
    client, server = talk(state="AUTH", answers=answers)
    client._mode_utf8()
    client.untagged_responses["OVERQUOTA"] = [b""]  # of some time ago
    typ, _ = client.append("INBOX", None, None, MESSAGE)
    assert server.heard == sent
    assert typ == ("OK" if len(sent) == len(answers) and b"NO [" not in answers[0].status else "NO")


def test_a_server_that_never_answers_the_mark(talk: Any) -> None:
    """As Dovecot does not, whatever its greeting says."""
    client, _ = talk(state="AUTH", answers=[Answer((), b"NO no"), Answer(silent=True)])
    client._mode_utf8()
    client.sock.settimeout(0.1)
    with pytest.raises(imaplib.IMAP4.abort, match="neither form"):
        client.append("INBOX", None, None, MESSAGE)


@pytest.mark.parametrize(
    ("welcome", "message", "utf8"),
    [
        (b"* OK Dovecot ready.", MESSAGE, True),
        (b"* OK hi", b"Subject: plain\r\n\r\n\xff", True),
        (b"* OK hi", MESSAGE, False),
    ],
)
def test_append_where_no_mark_would_help(
    talk: Any, welcome: bytes, message: bytes, utf8: bool
) -> None:
    client, server = talk(state="AUTH", answers=[Answer((), b"NO no"), Answer()], greeting=welcome)
    if utf8:
        client._mode_utf8()
    assert client.append("INBOX", None, None, message) == ("NO", [b"no"])
    assert len(server.heard) == 1

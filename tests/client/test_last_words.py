"""Errors quote what the server said while a command waited."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from imaplus import AuthenticationFailed, ConnectionLost, ProtocolError, Refused, TimedOut, Timeouts
from imaplus.credentials import Password
from imaplus.errors import OutcomeUnknown
from imaplus.flows.login import LoginOptions, authenticate

from .harness import Connector, pair

GREETING = b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE] ready\r\n"
SOON = Timeouts(silence=0.2)
SAYS = {
    "untagged NO": (b"* NO [ALERT] disk on fire\r\n", "* NO [ALERT] disk on fire"),
    "untagged BAD": (b"* BAD malformed command\r\n", "* BAD malformed command"),
    "alert": (b"* OK [ALERT] log in by the web\r\n", "* OK [ALERT] log in by the web"),
    "raw line": (b"421 too busy\r\n", "421 too busy"),
    "raw line, unfinished": (b"421 too bu", "421 too bu"),
    "another's tag": (b". BAD which tag?\r\n", ". BAD which tag?"),
}


@pytest.mark.parametrize(("said", "words"), SAYS.values(), ids=SAYS)
async def test_of_a_command_that_timed_out(connect: Connector, said: bytes, words: str) -> None:
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    with theirs:
        client = await connect(endpoint, timeouts=SOON)
        theirs.sendall(said)
        with pytest.raises(TimedOut) as caught:
            await client.noop()
    assert caught.value.last_words == (words,)
    assert words in str(caught.value)


@pytest.mark.parametrize(("said", "words"), SAYS.values(), ids=SAYS)
async def test_of_a_connection_that_was_lost(connect: Connector, said: bytes, words: str) -> None:
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    client = await connect(endpoint)
    with theirs:
        theirs.sendall(said + b"* 5 EXISTS\r\n" if said.endswith(b"\n") else said)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionLost) as caught:
            await client.noop()
    assert caught.value.last_words == (words,)
    assert words in str(caught.value)


async def test_data_of_a_mailbox_is_none(connect: Connector) -> None:
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    client = await connect(endpoint)
    with theirs:
        theirs.sendall(b"* 5 EXISTS\r\n* OK fine\r\n* 1 FETCH (ENVEL")
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionLost, match="inside a response") as caught:
            await client.noop()
    assert caught.value.last_words == ()


def answer(client: Any, number: int, *lines: str) -> bytes:
    """Lines for a command, whose tag `{}` stands for; it is read once the command is written."""
    return "".join(
        f"{line}\r\n".replace("{}", f"{client.connection._tag}{number}") for line in lines
    ).encode()


async def test_of_a_login_that_was_refused(connect: Connector) -> None:
    endpoint, theirs = pair()
    theirs.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
    client = await connect(endpoint)
    with theirs:
        theirs.sendall(answer(client, 1, "* NO [ALERT] your account is locked", "{} NO failed"))
        login = authenticate(
            client.connection, Password("ann", "secret"), LoginOptions(in_clear=True)
        )
        with pytest.raises(AuthenticationFailed) as caught:
            await client.run(login)
    assert caught.value.last_words == ("* NO [ALERT] your account is locked",)
    assert "your account is locked" in str(caught.value)
    assert caught.value.text == "failed"


async def test_each_command_has_its_own(connect: Connector) -> None:
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    client = await connect(endpoint)
    with theirs:
        theirs.sendall(answer(client, 1, "* NO one", "{} NO first"))
        with pytest.raises(Refused) as caught:
            await client.noop()
        assert caught.value.last_words == ("* NO one",)
        theirs.sendall(answer(client, 2, "{} NO second"))
        with pytest.raises(Refused) as caught:
            await client.noop()
        assert caught.value.last_words == ()


async def test_only_the_latest_are_kept(connect: Connector) -> None:
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    client = await connect(endpoint)
    with theirs:
        said = [f"* NO {number} {'x' * 1000}" for number in range(10, 30)]
        theirs.sendall(answer(client, 1, *said, "{} NO first"))
        with pytest.raises(Refused) as caught:
            await client.noop()
    assert [words[:7] for words in caught.value.last_words] == ["* NO 27", "* NO 28", "* NO 29"]
    assert len(str(caught.value)) < 1500


async def test_of_messages_that_may_be_there(connect: Connector) -> None:
    endpoint, theirs = pair()
    theirs.sendall(GREETING)
    client = await connect(endpoint)
    with theirs:
        theirs.sendall(b"* NO slow disk\r\n+ go\r\n* BYE maintenance\r\n")
        with pytest.raises(OutcomeUnknown, match="may or may not be there") as caught:
            await client.append("INBOX", b"Subject: x\r\n\r\n")
    assert caught.value.bye == "maintenance"
    assert caught.value.last_words == ("* NO slow disk",)
    assert str(caught.value).count("slow disk") == 1


async def test_a_server_that_greets_by_another_protocol(connect: Connector) -> None:
    endpoint, theirs = pair()
    with theirs:
        theirs.sendall(b"220 mail.example.org ESMTP NO UCE\r\n")
        with pytest.raises(ProtocolError, match=r"no IMAP greeting, but '220 mail\.example"):
            await connect(endpoint)


async def test_a_server_that_does_not_greet(connect: Connector) -> None:
    for patience in (Timeouts(greeting=0.2), Timeouts(greeting=None, silence=0.2)):
        endpoint, theirs = pair()
        with theirs, pytest.raises(TimedOut, match=r"no greeting came within 0\.2 seconds"):
            await connect(endpoint, timeouts=patience)

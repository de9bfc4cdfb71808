"""STARTTLS: what was asked for is had, or nothing is said (USENIX Security 2021, "NO STARTTLS").

In clear, nothing but CAPABILITY and STARTTLS goes out, whatever the server, or someone between,
answers.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from imaplus import ConnectionLost, ProtocolError, Security, Tls, TlsFailed
from imaplus.errors import NoMechanism
from imaplus.testing import Fault, Personality, Server
from imaplus.testing.personality import REV1

from .harness import Connector, names, pair


@pytest.fixture
def upgradable(start: Callable[..., Server]) -> Server:
    """A server that requires TLS before a login."""
    return start(security="starttls")


def said_in_clear(server: Server) -> set[str]:
    return set(names(server)) if server.commands else set()


async def test_it_comes_before_all_else(connect: Connector, upgradable: Server) -> None:
    client = await connect(upgradable)
    assert client.connection.secure
    assert names(upgradable)[:3] == ["STARTTLS", "CAPABILITY", "AUTHENTICATE"]
    assert "STARTTLS" not in client.capabilities, "what was said in clear is forgotten"


async def test_an_imap_url_asks_for_it(connect: Connector, upgradable: Server) -> None:
    client = await connect(
        upgradable.url, password=upgradable.password, tls=Tls(ca_file=upgradable.ca_file)
    )
    assert client.connection.secure


async def test_stripped(connect: Connector, start: Callable[..., Server]) -> None:
    personality = Personality(name="stripped", capabilities=REV1 - {"STARTTLS"})
    server = start(personality=personality)
    with pytest.raises(TlsFailed, match="does not offer STARTTLS"):
        await connect(server, security=Security.STARTTLS)
    assert said_in_clear(server) <= {"CAPABILITY"}


@pytest.mark.parametrize("status", ["NO", "BAD"])
async def test_refused(connect: Connector, upgradable: Server, status: str) -> None:
    upgradable.fail_next(Fault.refuse("STARTTLS", status=status, text="Not today"))
    with pytest.raises(TlsFailed, match="Not today"):
        await connect(upgradable)
    assert said_in_clear(upgradable) == {"STARTTLS"}


async def test_preauth_leaves_no_room_for_it(
    connect: Connector, start: Callable[..., Server]
) -> None:
    """CVE-2021-32066, CVE-2020-28896: PREAUTH must not prevent TLS."""
    server = start(security="starttls", preauth=True)
    with pytest.raises(TlsFailed, match="PREAUTH"):
        await connect(server)
    assert said_in_clear(server) == set()


async def test_verified_as_well(connect: Connector, upgradable: Server) -> None:
    with pytest.raises(TlsFailed, match="certificate"):
        await connect(upgradable, tls=Tls())
    assert said_in_clear(upgradable) == {"STARTTLS"}


async def test_a_server_that_hangs_up(connect: Connector, upgradable: Server) -> None:
    upgradable.fail_next(Fault.cut_after_received(30))
    with pytest.raises(ConnectionLost):
        await connect(upgradable)


async def test_login_disabled_is_honoured(connect: Connector, upgradable: Server) -> None:
    """LOGINDISABLED counts even if the caller allows passwords without TLS (RFC 9051, 6.2.3)."""
    with pytest.raises(Exception, match="LOGIN"):
        await connect(upgradable, security=Security.PLAIN)
    assert said_in_clear(upgradable) <= {"CAPABILITY"}


@pytest.mark.parametrize("mechanisms", [None, ["PLAIN"], ["LOGIN"]])
async def test_no_password_in_clear_without_leave(
    connect: Connector, mechanisms: list[str] | None
) -> None:
    """Naming a mechanism does not permit it without TLS."""
    endpoint, theirs = pair()
    with theirs:
        theirs.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN] ready\r\n")
        insecure = type(endpoint)(endpoint.socket, secure=False)
        with pytest.raises(NoMechanism, match="in clear") as caught:
            await connect(insecure, user="ada", password="correct horse", mechanisms=mechanisms)
        assert caught.value.offered == ("LOGIN", "PLAIN")
        assert theirs.recv(1000) == b""


INJECTED = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN X-INJECTED\r\n"


async def test_injected_behind_the_ok(connect: Connector, upgradable: Server) -> None:
    """CVE-2026-41319: what comes in clear behind the OK must not count as said under TLS."""
    upgradable.fail_next(Fault.inject(INJECTED))
    with pytest.raises(ProtocolError, match="injected"):
        await connect(upgradable)
    assert said_in_clear(upgradable) == {"STARTTLS"}


class Attacker(threading.Thread):
    """Answers STARTTLS, injects, and sends it in two pieces, the second when told."""

    def __init__(self, sock: socket.socket, cut: int) -> None:
        super().__init__()
        self.sock = sock
        self.cut = cut
        self.received = b""

    def run(self) -> None:
        self.sock.sendall(b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n")
        line = self._line()
        tag = line.split()[0]
        answer = tag + b" OK begin\r\n" + INJECTED
        self.sock.sendall(answer[: self.cut])
        self.sock.sendall(answer[self.cut :])
        while data := self._receive():
            self.received += data

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\r\n"):
            line += self.sock.recv(1)
        self.received += line
        return line

    def _receive(self) -> bytes:
        try:
            return self.sock.recv(1 << 16)
        except OSError:
            return b""


@pytest.fixture
def attack() -> Iterator[Callable[[int], tuple[int, Attacker]]]:
    listeners: list[socket.socket] = []
    attackers: list[Attacker] = []

    def begin(cut: int) -> tuple[int, Attacker]:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        attacker = Attacker(listener, cut)

        def accept() -> None:
            attacker.sock, _ = listener.accept()
            with attacker.sock:
                Attacker.run(attacker)

        attacker.run = accept  # type: ignore[method-assign]
        attackers.append(attacker)
        attacker.start()
        return listener.getsockname()[1], attacker

    yield begin
    for attacker in attackers:
        attacker.join()
    for listener in listeners:
        listener.close()


# The tag has four hexadecimal digits, a hyphen and a number: nine octets up to "OK" with a space.
ANSWER = len(b"ABCD-1 OK begin\r\n" + INJECTED)


@pytest.mark.parametrize("cut", range(1, ANSWER))
async def test_injected_at_every_split(
    connect: Connector, attack: Callable[[int], tuple[int, Attacker]], cut: int
) -> None:
    """However the segments fall, the connection fails and no secret has been sent."""
    port, attacker = attack(cut)
    with pytest.raises((ConnectionLost, ProtocolError)):
        await connect(
            "127.0.0.1", port, user="ada", password="correct horse", security=Security.STARTTLS
        )
    attacker.join()
    lines = attacker.received.split(b"\r\n")
    assert lines[0].endswith(b" STARTTLS")
    assert b"AUTHENTICATE" not in attacker.received
    assert b"LOGIN" not in attacker.received

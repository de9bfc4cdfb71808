"""Channel binding, and attackers that remove mechanisms from the server's offer."""

from __future__ import annotations

import pickle
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from imaplus import AuthenticationFailed, Tls
from imaplus.credentials import LoginMemory
from imaplus.errors import MechanismWithdrawn, NoMechanism
from imaplus.testing import Authority, Fault, Personality, Server
from imaplus.testing.personality import REV1
from imaplus.testing.streams import Tls as ServerTls

from .harness import Connector, names

PLUS = frozenset({f"AUTH=SCRAM-SHA-{size}-PLUS" for size in (1, 256, 512)})
BINDS = Personality(name="binds", capabilities=REV1 | PLUS | {"AUTH=SCRAM-SHA-512"})
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
EXPORTS = "tls-exporter" in ssl.CHANNEL_BINDING_TYPES
needs_no_exporter = pytest.mark.skipif(EXPORTS, reason="this Python can bind to TLS 1.3")


class Strips:
    """Removes mechanisms from the server's lines, as an attacker in between would."""

    def __init__(self, what: bytes) -> None:
        self.what = what

    def __call__(self, line: bytes) -> bytes:
        return b" ".join(word for word in line.split(b" ") if self.what not in word)


@pytest.fixture
def secure(start: Callable[..., Server]) -> Callable[..., tuple[Server, Tls]]:
    """Starts a server under TLS of one version; with what a client needs to trust it."""

    def make(version: ssl.TLSVersion, **options: Any) -> tuple[Server, Tls]:
        authority = Authority.make()
        context = authority.server_context()
        context.minimum_version = context.maximum_version = version
        options = {"security": "tls", "personality": BINDS, "context": context, **options}
        return start(**options), Tls(context=authority.client_context())

    return make


def first_response(server: Server) -> bytes:
    """The client-first-message of the last login: with SASL-IR, as this server has it."""
    lines = [line for line in server.commands[-1] if " AUTHENTICATE " in line]
    return lines[-1].split(" ")[2].encode()


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_tls_1_2_is_bound_by_tls_unique(
    connect: Connector, secure: Callable[..., tuple[Server, Tls]], security: str
) -> None:
    server, tls = secure(V12, security=security)
    client = await connect(server, tls=tls)
    assert first_response(server) == b"SCRAM-SHA-512-PLUS"
    assert client.connection.channel_bindings()[0].type == "tls-unique"
    with pytest.raises(AuthenticationFailed) as caught:
        await connect(server, tls=tls, user="ada", password="wrong")
    assert caught.value.mechanism == "SCRAM-SHA-512-PLUS"
    assert "SCRAM-SHA-512" in caught.value.others


@needs_no_exporter
async def test_tls_1_3_is_not_bound_unless_asked_for(
    connect: Connector, secure: Callable[..., tuple[Server, Tls]]
) -> None:
    """Python has tls-server-end-point only, after which Dovecot closes the connection."""
    server, tls = secure(V13)
    client = await connect(server, tls=tls)
    assert first_response(server) == b"SCRAM-SHA-512"
    assert [each.type for each in client.connection.channel_bindings()] == ["tls-server-end-point"]
    await connect(server, tls=tls, mechanisms=["SCRAM-SHA-256-PLUS"])
    assert first_response(server) == b"SCRAM-SHA-256-PLUS"


@needs_no_exporter
async def test_dovecot_is_not_sent_what_it_hangs_up_on(
    connect: Connector, secure: Callable[..., tuple[Server, Tls]]
) -> None:
    server, tls = secure(V13)
    server.fail_next(Fault.greet(b"* OK Dovecot ready.\r\n"))
    with pytest.raises(NoMechanism, match="no channel binding that the server takes"):
        await connect(server, tls=tls, mechanisms=["SCRAM-SHA-256-PLUS"])
    assert "AUTHENTICATE" not in names(server)


async def test_another_type_is_tried_if_the_server_has_not_the_first(
    connect: Connector,
    secure: Callable[..., tuple[Server, Tls]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = ServerTls.bindings

    def only_end_point(self: ServerTls) -> dict[str, bytes]:
        return {kind: data for kind, data in whole(self).items() if kind != "tls-unique"}

    monkeypatch.setattr(ServerTls, "bindings", only_end_point)
    server, tls = secure(V12)
    await connect(server, tls=tls)
    assert names(server).count("AUTHENTICATE") == 2
    assert first_response(server) == b"SCRAM-SHA-512-PLUS"
    monkeypatch.setattr(ServerTls, "bindings", lambda self: {"tls-new": b"?"})
    with pytest.raises(AuthenticationFailed, match="unsupported-channel-binding-type"):
        await connect(server, tls=tls)


async def test_an_attacker_with_a_trusted_certificate(
    connect: Connector,
    secure: Callable[..., tuple[Server, Tls]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The attacker's connection to the server differs from the client's to the attacker."""
    server, tls = secure(V12)
    monkeypatch.setattr(ServerTls, "bindings", lambda self: {"tls-unique": b"the other one"})
    with pytest.raises(AuthenticationFailed, match="channel-bindings-dont-match"):
        await connect(server, tls=tls)
    assert names(server).count("AUTHENTICATE") == 1


async def test_an_offer_that_was_taken_away_on_the_way(
    connect: Connector, secure: Callable[..., tuple[Server, Tls]]
) -> None:
    """SCRAM tells the server that no channel binding was offered (RFC 5802, 6)."""
    robbed = BINDS.but(rewrites=(Strips(b"-PLUS"),))
    server, tls = secure(V12, personality=robbed)
    with pytest.raises(AuthenticationFailed, match="server-does-support-channel-binding"):
        await connect(server, tls=tls)
    await connect(server, tls=tls, mechanisms=["SCRAM-SHA-256"])  # "n": we do not want to


# -- across connections ----------------------------------------------------------------------------


def only(*mechanisms: str) -> Personality:
    offered = {f"AUTH={mechanism}" for mechanism in mechanisms}
    return Personality(name="some", capabilities=frozenset({"IMAP4rev1", *offered}))


async def test_a_server_that_stops_offering_what_it_offered(
    connect: Connector, start: Callable[..., Server]
) -> None:
    memory = LoginMemory()
    server = start(personality=only("SCRAM-SHA-256", "PLAIN"))
    await connect(server, login_memory=memory)
    assert memory.mechanisms_of(server.host, server.port) == {"SCRAM-SHA-256", "PLAIN"}
    port = server.port
    server.stop()
    robbed = start(personality=only("PLAIN", "LOGIN"), port=port)
    with pytest.raises(MechanismWithdrawn, match="offered SCRAM-SHA-256 before") as caught:
        await connect(robbed, login_memory=memory)
    assert (caught.value.withdrawn, caught.value.offered) == ("SCRAM-SHA-256", ("LOGIN", "PLAIN"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.withdrawn, str(again)) == ("SCRAM-SHA-256", str(caught.value))
    assert not {"AUTHENTICATE", "LOGIN"} & set(names(robbed))
    await connect(robbed, login_memory=None)
    await connect(robbed, login_memory=memory, mechanisms=["PLAIN"])  # the caller says so
    memory.forget(robbed.host, robbed.port)
    await connect(robbed, login_memory=memory)


async def test_what_is_weaker_may_go(connect: Connector, start: Callable[..., Server]) -> None:
    memory = LoginMemory()
    server = start(personality=only("SCRAM-SHA-256"))
    memory.note(server.host, server.port, ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "X-NEW"])
    await connect(server, login_memory=memory)
    assert "X-NEW" in memory.mechanisms_of(server.host, server.port)


async def test_all_connections_share_a_memory_without_this_machine(
    connect: Connector, server: Server
) -> None:
    from imaplus.sasl.memory import PROCESS_MEMORY

    await connect(server)
    assert PROCESS_MEMORY.mechanisms_of(server.host, server.port) == frozenset()

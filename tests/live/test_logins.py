"""Every mechanism that each server offers under TLS: with the right secret, a wrong one, and acting
for another user. The run prints which server has which; docs/logging-in.md says the same."""

from __future__ import annotations

import base64
import hmac
import socket
import ssl
import subprocess
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

import pytest

from imaplus import AuthenticationFailed, Client, ImapError, Refused, Tls
from imaplus.core.session import Authenticate
from imaplus.credentials import (
    Anonymous,
    BearerToken,
    Credentials,
    External,
    LoginMemory,
    Mechanism,
    Password,
    Secret,
)
from imaplus.errors import MechanismWithdrawn, NoMechanism
from imaplus.sasl import ChannelBinding, ScramSha256, ScramSha256Plus

from ..sasl.documented import rows
from .lab import LabServer

TOKEN_MECHANISMS = ("OAUTHBEARER", "XOAUTH2")
AUTHZID_MECHANISMS = (
    "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN",
)  # fmt: skip
END = "tls-server-end-point"
Tell = Callable[[str, str, str], None]


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Notes what came of a mechanism on a server; conftest.py prints it at the end of the run."""

    def tell(server: str, mechanism: str, outcome: str) -> None:
        record_property("live", f"{server:13} {mechanism:19} {outcome}")

    return tell


def tls(server: LabServer, *, version: ssl.TLSVersion | None = None, alice: bool = False) -> Tls:
    """TLS with the lab's authority, of one version only, as a client with a certificate or not."""
    context = ssl.create_default_context(cafile=server.ca_file)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    files = server.info.get("client_certificate")
    if alice and files:
        context.load_cert_chain(files["cert"], files["key"])
    return Tls(context=context)


def connect(server: LabServer, credentials: Credentials | None, **options: Any) -> Client:
    options.setdefault("tls", tls(server))
    return Client.connect("localhost", server.tls_port, credentials=credentials, **options)


def offered(server: LabServer) -> list[str]:
    names = server.info["capabilities"]["tls_before_login"]
    return sorted(name[5:] for name in names if name.startswith("AUTH="))


def credentials(server: LabServer, mechanism: str, *, right: bool) -> Credentials:
    """Whose they are is alice, or nobody."""
    match mechanism:
        case "ANONYMOUS":
            return Anonymous()
        case "EXTERNAL":
            return External()
        case "OAUTHBEARER" | "XOAUTH2":
            token = "x.y.z"
            if right:
                argv = server.info["oauth_token"]
                done = subprocess.run(argv, capture_output=True, text=True, check=True)
                token = done.stdout.strip()
            return BearerToken("alice", token)
    return Password("alice", server.users["alice"] if right else "wr0ng-secret")


def options_for(server: LabServer, mechanism: str) -> dict[str, Any]:
    plus = mechanism.endswith("-PLUS")  # this Python can bind to TLS 1.2
    return {
        "mechanisms": [mechanism],
        "tls": tls(
            server,
            version=ssl.TLSVersion.TLSv1_2 if plus else None,
            alice=mechanism == "EXTERNAL",
        ),
    }


def test_every_mechanism_that_is_offered(server: LabServer, tell: Tell) -> None:
    ours = {row.mechanism for row in rows()}
    for mechanism in offered(server):
        if mechanism not in ours:
            tell(server.name, mechanism, "offered, and not ours")
            continue
        options = options_for(server, mechanism)
        with connect(server, credentials(server, mechanism, right=True), **options) as client:
            assert client.select("INBOX").is_open, mechanism
        outcome = "logged in"
        if mechanism not in ("ANONYMOUS", "EXTERNAL"):
            with pytest.raises(AuthenticationFailed) as caught:
                connect(server, credentials(server, mechanism, right=False), **options)
            assert caught.value.mechanism == mechanism
            assert "wr0ng-secret" not in str(caught.value)
            outcome += ", refused a wrong secret"
            if mechanism in TOKEN_MECHANISMS:
                assert caught.value.oauth is not None
                assert caught.value.oauth.status in ("invalid_token", "401")  # XOAUTH2 has 401
                assert caught.value.oauth.is_stale
        tell(server.name, mechanism, outcome)


def test_the_page_says_which_server_has_which(server: LabServer) -> None:
    ours = {row.mechanism: row.seen_on for row in rows()}
    said = {mechanism for mechanism, seen_on in ours.items() if server.name in seen_on}
    assert said - {"GSSAPI"} == ours.keys() & set(offered(server))


def test_an_administrator_acts_for_a_user(server: LabServer, tell: Tell) -> None:
    if server.info["admin"] is None:
        pytest.skip(f"{server.name} has no administrator")
    user, password = server.info["admin"]["user"], server.info["admin"]["password"]
    for mechanism in (name for name in AUTHZID_MECHANISMS if name in offered(server)):
        options = options_for(server, mechanism)
        with connect(server, Password(user, password, "alice"), **options) as client:
            client.create(f"{mechanism} as alice")
        with connect(server, Password("alice", server.users["alice"])) as client:
            client.delete(f"{mechanism} as alice")  # it is there
        with pytest.raises(AuthenticationFailed):
            connect(server, Password("bob", server.users["bob"], "alice"), **options)
        tell(server.name, mechanism, "acted for another user")


class CramSha256(Mechanism):
    """A mechanism that is Courier's own, written as a user would."""

    name = "CRAM-SHA256"

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, Secret(password)

    def secrets(self) -> tuple[Secret, ...]:
        return (self._password,)

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done: bool = False
        challenge = yield None
        self.done = True
        digest = hmac.digest(self._password.reveal().encode(), challenge, "sha256").hex()
        yield f"{self._user} {digest}".encode()


def test_a_mechanism_of_ones_own(courier: LabServer) -> None:
    with connect(courier, CramSha256("alice", courier.users["alice"])) as client:
        assert client.select("INBOX").is_open
    with pytest.raises(AuthenticationFailed) as caught:
        connect(courier, CramSha256("alice", "wr0ng-secret"))
    assert caught.value.mechanism == "CRAM-SHA256"


# -- channel binding -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dovecot_next", "cyrus", "cyrus_bpo"])
def test_binding_is_the_first_choice_under_tls_1_2(
    request: pytest.FixtureRequest, name: str
) -> None:
    server: LabServer = request.getfixturevalue(name)
    lines: list[bytes] = []
    version = ssl.TLSVersion.TLSv1_2
    alice = Password("alice", server.users["alice"])
    trace = lambda _, line: lines.append(line)  # noqa: E731
    with connect(server, alice, tls=tls(server, version=version), trace=trace) as client:
        assert client.select("INBOX").is_open
    assert any(b"AUTHENTICATE SCRAM-SHA-256-PLUS" in line for line in lines)


@pytest.mark.skipif("tls-exporter" in ssl.CHANNEL_BINDING_TYPES, reason="this Python can bind")
def test_under_tls_1_3_dovecot_has_no_binding_that_python_has(dovecot_next: LabServer) -> None:
    """It does not support tls-server-end-point: the client does not try it, even on request."""
    alice = Password("alice", dovecot_next.users["alice"])
    lines: list[bytes] = []
    with connect(dovecot_next, alice, trace=lambda _, line: lines.append(line)):
        assert any(b"AUTHENTICATE SCRAM-SHA-256" in line for line in lines)
        assert not any(b"-PLUS " in line for line in lines if b"AUTHENTICATE" in line)
    with pytest.raises(NoMechanism, match="no channel binding"):
        connect(dovecot_next, alice, mechanisms=["SCRAM-SHA-256-PLUS"])


@pytest.mark.parametrize("name", ["cyrus", "cyrus_bpo"])
def test_cyrus_refuses_it(request: pytest.FixtureRequest, name: str) -> None:
    """It has tls-unique, under TLS 1.3 too, where that is not to be used."""
    server: LabServer = request.getfixturevalue(name)
    alice = Password("alice", server.users["alice"])
    with connect(server, None) as client:
        bindings = [each for each in client.connection.channel_bindings() if END in each.type]
        with pytest.raises(Refused):
            client.run(Authenticate(ScramSha256Plus(alice, bindings)))


def test_a_server_that_has_been_robbed_of_its_offer(dovecot_next: LabServer) -> None:
    """We say that we can bind and saw no -PLUS; the server has it, and refuses (RFC 5802, 6)."""
    with connect(dovecot_next, None) as client:
        robbed = ScramSha256(Password("alice", dovecot_next.users["alice"]), could_bind=True)
        with pytest.raises(ImapError):
            client.run(Authenticate(robbed))


def test_a_server_without_binding_takes_our_word(dovecot: LabServer) -> None:
    with connect(dovecot, None) as client:
        alice = Password("alice", dovecot.users["alice"])
        client.run(Authenticate(ScramSha256(alice, could_bind=True)))


def test_what_was_offered_is_expected(dovecot_next: LabServer) -> None:
    memory = LoginMemory()
    alice = Password("alice", dovecot_next.users["alice"])
    connect(dovecot_next, alice, login_memory=memory).logout()
    assert "SCRAM-SHA-256-PLUS" in memory.mechanisms_of("localhost", dovecot_next.tls_port)
    memory.note("localhost", dovecot_next.tls_port, ["SCRAM-SHA-512"])
    with pytest.raises(MechanismWithdrawn, match="SCRAM-SHA-512"):
        connect(dovecot_next, alice, login_memory=memory)
    memory.forget("localhost", dovecot_next.tls_port)
    connect(dovecot_next, alice, login_memory=memory).logout()


def test_tls_exporter(dovecot_next: LabServer) -> None:
    """With another TLS library, since Python's does not export keys."""
    openssl = pytest.importorskip("OpenSSL.SSL", reason="needs pyOpenSSL")
    context = openssl.Context(openssl.TLS_CLIENT_METHOD)
    context.load_verify_locations(str(dovecot_next.ca_file))
    context.set_verify(openssl.VERIFY_PEER, lambda *found: bool(found[-1]))
    context.set_min_proto_version(openssl.TLS1_3_VERSION)
    with socket.create_connection(("localhost", dovecot_next.tls_port), 10) as sock:
        sock.setblocking(True)
        connection = openssl.Connection(context, sock)
        connection.set_connect_state()
        connection.do_handshake()
        exported = connection.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
        binding = ChannelBinding("tls-exporter", exported)
        alice = Password("alice", dovecot_next.users["alice"])
        steps = ScramSha256Plus(alice, [binding]).start()
        connection.recv(1 << 16)
        connection.sendall(b"a AUTHENTICATE SCRAM-SHA-256-PLUS\r\n")
        response = next(steps)
        answer: bytes = connection.recv(1 << 16)
        with suppress(StopIteration):
            while answer.startswith(b"+"):
                connection.sendall(base64.b64encode(response or b"") + b"\r\n")
                answer = connection.recv(1 << 16)
                if answer.startswith(b"+ "):
                    response = steps.send(base64.b64decode(answer[2:]))
        assert answer.splitlines()[-1].startswith(b"a OK")

"""TLS from the first octet: verified, or not at all."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from imaplus import AuthenticationFailed, ConnectionLost, InvalidArgument, Tls, TlsFailed
from imaplus.credentials import External
from imaplus.endpoints import Tcp
from imaplus.errors import CapabilityMissing
from imaplus.testing import Authority, Server

from .harness import Connector, names

# Debian's cryptography, which it needs, is for CPython: it fails to load on PyPy.
trustme = pytest.importorskip("trustme", exc_type=ImportError)


@pytest.fixture
def secure(start: Callable[..., Server]) -> Server:
    """A server under TLS, with a certificate for localhost and 127.0.0.1."""
    return start(security="tls")


async def test_a_verified_server(connect: Connector, secure: Server) -> None:
    client = await connect(secure)
    assert client.connection.secure
    assert (await client.select("INBOX")).exists == 0


async def test_a_name_as_well_as_an_address(connect: Connector, secure: Server) -> None:
    client = await connect(
        "localhost", secure.port, user="ada", password=secure.password,
        tls=Tls(ca_file=secure.ca_file),
    )  # fmt: skip
    await client.noop()


async def test_an_unknown_authority(connect: Connector, secure: Server) -> None:
    with pytest.raises(TlsFailed, match="is not accepted"):
        await connect(secure, tls=Tls())
    assert secure.sessions == []


async def test_another_authority(connect: Connector, secure: Server, tmp_path: Path) -> None:
    with pytest.raises(TlsFailed, match="certificate"):
        await connect(secure, tls=Tls(ca_file=Authority.make().write(tmp_path)))


async def test_another_host(connect: Connector, start: Callable[..., Server]) -> None:
    authority = Authority.make()
    server = start(security="tls", context=authority.server_context("imap.example.org"))
    with pytest.raises(TlsFailed, match="mismatch"):
        await connect(server, tls=Tls(context=authority.client_context()))
    assert server.sessions == []


async def test_a_certificate_that_has_expired(
    connect: Connector, start: Callable[..., Server]
) -> None:
    authority = Authority.make()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    authority.ca.issue_cert("127.0.0.1", not_after=yesterday).configure_cert(context)
    server = start(security="tls", context=context)
    with pytest.raises(TlsFailed, match="expired"):
        await connect(server, tls=Tls(context=authority.client_context()))


async def test_a_server_that_answers_with_another_protocol(
    connect: Connector, start: Callable[..., Server]
) -> None:
    authority = Authority.make()
    context = authority.server_context()
    context.set_alpn_protocols(["smtp"])
    ours = authority.client_context()
    ours.set_alpn_protocols(["imap", "smtp"])  # OpenSSL's servers choose, and may choose wrongly
    server = start(security="tls", context=context)
    with pytest.raises(TlsFailed, match="smtp"):
        await connect(server, tls=Tls(context=ours))
    assert server.commands in ([], [[]])


async def test_a_server_without_alpn_is_fine(
    connect: Connector, start: Callable[..., Server]
) -> None:
    authority = Authority.make()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.ca.issue_cert("127.0.0.1").configure_cert(context)
    server = start(security="tls", context=context)
    client = await connect(server, tls=Tls(context=authority.client_context()))
    await client.noop()


async def test_a_server_without_tls(connect: Connector, server: Server) -> None:
    with pytest.raises(TlsFailed):
        await connect(Tcp(server.host, server.port), user="ada", password="correct horse")
    assert "correct horse" not in "".join(server.commands[0])


async def test_certificates_that_are_none(connect: Connector, secure: Server) -> None:
    with pytest.raises(InvalidArgument, match=Path(__file__).name):
        await connect(secure, tls=Tls(ca_file=__file__))
    with pytest.raises(InvalidArgument, match="nowhere"):
        await connect(secure, tls=Tls(ca_file="nowhere.pem"))
    with pytest.raises(InvalidArgument, match=Path(__file__).name):
        await connect(secure, tls=Tls(ca_file=secure.ca_file, client_certificate=__file__))


def client_tls(server: Server, folder: Path, user: str) -> Tls:
    """What a user has who logs in by a certificate."""
    assert server.authority is not None
    certificate = folder / f"{user}.pem"
    certificate.write_bytes(server.authority.client_certificate(user))
    return Tls(ca_file=server.ca_file, client_certificate=certificate)


async def test_a_client_certificate_logs_in(
    connect: Connector, secure: Server, tmp_path: Path
) -> None:
    client = await connect(
        secure, credentials=External(), tls=client_tls(secure, tmp_path, secure.user)
    )
    assert (await client.select("INBOX")).exists == 0


async def test_a_client_certificate_with_its_key_apart(
    connect: Connector, secure: Server, tmp_path: Path
) -> None:
    assert secure.authority is not None
    leaf = secure.authority.ca.issue_cert("ada@client.invalid", common_name="ada")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    tls = Tls(
        ca_file=secure.ca_file,
        client_certificate=tmp_path / "cert.pem",
        client_key=tmp_path / "key.pem",
    )
    client = await connect(secure, credentials=External(), tls=tls)
    await client.noop()


async def test_an_unknown_client_certificate(
    connect: Connector, secure: Server, tmp_path: Path
) -> None:
    with pytest.raises(AuthenticationFailed):
        await connect(secure, credentials=External(), tls=client_tls(secure, tmp_path, "mallory"))


async def test_no_client_certificate(connect: Connector, secure: Server) -> None:
    with pytest.raises(AuthenticationFailed):
        await connect(secure, credentials=External())


async def test_a_client_certificate_that_the_server_does_not_trust(
    connect: Connector, secure: Server, tmp_path: Path
) -> None:
    """Under TLS 1.3 the server's refusal comes after the handshake: it is an error all the same."""
    stranger = trustme.CA().issue_cert("ada@client.invalid", common_name="ada")
    (tmp_path / "ada.pem").write_bytes(stranger.private_key_and_cert_chain_pem.bytes())
    tls = Tls(ca_file=secure.ca_file, client_certificate=tmp_path / "ada.pem")
    with pytest.raises(ConnectionLost):
        await connect(secure, credentials=External(), tls=tls)
    assert secure.commands in ([], [[]])


async def test_external_where_the_server_has_it_not(
    connect: Connector, start: Callable[..., Server]
) -> None:
    server = start(personality="rev1-basic", security="tls")
    with pytest.raises(CapabilityMissing):
        await connect(server, credentials=External())
    assert names(server) == []


async def test_the_url_decides(connect: Connector, secure: Server) -> None:
    client = await connect(
        secure.url, password=secure.password, tls=Tls(ca_file=secure.ca_file)
    )  # fmt: skip
    assert client.connection.secure

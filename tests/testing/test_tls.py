"""TLS from the first byte, STARTTLS, LOGINDISABLED, and client certificates."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import socket
import ssl

import pytest

from imaplus.errors import InvalidArgument
from imaplus.testing import Authority, Fault


@pytest.fixture(scope="module")
def authority():
    return Authority.make()


@pytest.fixture(scope="module")
def context(authority):
    return authority.server_context(ask_client=True)


def test_implicit(start):
    server = start(security="tls")
    trusting = ssl.create_default_context(cafile=server.ca_file)
    with imaplib.IMAP4_SSL("localhost", server.port, ssl_context=trusting) as client:
        assert client.login(server.user, server.password)[0] == "OK"
        assert "STARTTLS" not in client.capabilities
    assert server.url == f"imaps://ada@127.0.0.1:{server.port}/"


def test_large_bodies(start, authority, context):
    server = start(security="tls", context=context)
    data = b"Subject: x\r\n\r\n" + bytes(range(14, 100)) * 30_000
    server.add_message("INBOX", data)
    with imaplib.IMAP4_SSL(
        "localhost", server.port, ssl_context=authority.client_context()
    ) as client:
        client.login(server.user, server.password)
        client.select()
        assert client.fetch("1", "(BODY[])")[1][0][1] == data


def test_a_client_that_does_not_trust_the_authority(start, context, dial, authority):
    server = start(security="tls", context=context)
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL("localhost", server.port, ssl_context=ssl.create_default_context())
    with imaplib.IMAP4_SSL("localhost", server.port, ssl_context=authority.client_context()):
        pass  # the server goes on


def test_starttls(start, authority, context, dial):
    server = start(security="starttls", context=context)
    talk = dial(server, login=False)
    assert b"LOGINDISABLED" in talk.greeting
    assert b"STARTTLS" in talk.greeting
    assert b"AUTH=" not in talk.greeting
    assert b"NO [PRIVACYREQUIRED]" in talk(f'LOGIN ada "{server.password}"')
    assert b"NO [PRIVACYREQUIRED]" in talk("AUTHENTICATE PLAIN")
    talk.ok("STARTTLS")
    talk.wrap(authority.client_context())
    answer = talk.ok("CAPABILITY")
    assert b"LOGINDISABLED" not in answer
    assert b"STARTTLS" not in answer
    assert b" BAD " in talk("STARTTLS")
    talk.ok(f'LOGIN ada "{server.password}"')


def test_login_in_clear_where_it_is_allowed(start, context, dial):
    server = start(security="starttls", context=context, require_tls=False)
    talk = dial(server)
    assert b" BAD " in talk("STARTTLS")  # logged in already


def test_input_before_the_handshake_is_discarded(start, authority, context, dial):
    server = start(security="starttls", context=context)
    talk = dial(server, login=False)
    talk.send(b"a STARTTLS\r\nb LOGOUT\r\n")
    assert talk.line().startswith(b"a OK ")
    talk.wrap(authority.client_context())
    assert talk("CAPABILITY").endswith(b"t1 OK CAPABILITY completed\r\n")
    assert [line.split()[0] for line in server.commands[0]] == ["a", "t1"]


def test_injected_bytes_are_sent_with_the_ok(start, context, dial):
    server = start(security="starttls", context=context)
    server.fail_next(Fault.inject(b"* OK [ALERT] evil\r\n"))
    talk = dial(server, login=False)
    talk.ok("STARTTLS")
    assert talk.line() == b"* OK [ALERT] evil\r\n"


def test_no_starttls_without_a_certificate(server, dial):
    assert b" BAD " in dial(server, login=False)("STARTTLS")


def test_a_cut_counts_bytes_of_imap(start, authority, context):
    server = start(security="tls", context=context)
    server.fail_next(Fault.cut_after_sent(7))
    with socket.create_connection((server.host, server.port)) as plain:
        tls = authority.client_context().wrap_socket(
            plain, server_hostname="localhost", suppress_ragged_eofs=False
        )
        assert tls.recv(100) == b"* OK [C"
        with tls, contextlib.suppress(ssl.SSLEOFError):  # OpenSSL 3 may give b"" instead
            assert tls.recv(1) == b""


def test_external(start, authority, context, dial, tmp_path):
    server = start(security="starttls", context=context)
    certificate = tmp_path / "ada.pem"
    certificate.write_bytes(authority.client_certificate("ada"))
    mine = authority.client_context()
    mine.load_cert_chain(certificate)
    talk = dial(server, login=False)
    talk.ok("STARTTLS")
    talk.wrap(mine)
    other = base64.b64encode(b"bob").decode()
    assert b"NO [AUTHORIZATIONFAILED]" in talk(f"AUTHENTICATE EXTERNAL {other}")
    talk.ok("AUTHENTICATE EXTERNAL =")


def test_external_without_a_certificate(server, dial):
    assert b"NO [AUTHENTICATIONFAILED]" in dial(server, login=False)("AUTHENTICATE EXTERNAL =")


def test_no_authority_without_tls(server):
    with pytest.raises(InvalidArgument):
        _ = server.ca_file

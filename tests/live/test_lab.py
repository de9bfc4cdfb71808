"""The lab itself: every server is there, by plain text and by TLS, and knows its users."""

from __future__ import annotations

import socket
import ssl

import pytest

from .lab import LabServer

TIMEOUT = 10.0


def answer(connection: socket.socket, line: bytes) -> list[bytes]:
    """Send one command after the greeting; all lines until its tagged response."""
    with connection, connection.makefile("rb") as file:
        lines = [file.readline()]
        connection.sendall(b"t1 " + line + b"\r\n")
        while not lines[-1].startswith(b"t1 "):
            lines.append(file.readline())
            assert lines[-1], lines
    return lines


def test_each_server_greets_and_logs_in(server: LabServer) -> None:
    for user in ("alice", "bob"):
        connection = socket.create_connection((server.host, server.port), TIMEOUT)
        lines = answer(connection, f"LOGIN {user} {server.users[user]}".encode())
        assert lines[0].startswith(b"* OK")
        assert lines[-1].startswith(b"t1 OK")


def test_each_server_speaks_verified_tls(server: LabServer) -> None:
    context = ssl.create_default_context(cafile=server.ca_file)
    plain = socket.create_connection((server.host, server.tls_port), TIMEOUT)
    connection = context.wrap_socket(plain, server_hostname="localhost")
    lines = answer(connection, b"CAPABILITY")
    assert lines[0].startswith(b"* OK")
    assert any(line.startswith(b"* CAPABILITY IMAP4") for line in lines)


def test_another_ca_does_not_verify(server: LabServer) -> None:
    stranger = server.ca_file.with_name("other-ca.pem")
    context = ssl.create_default_context(cafile=stranger)
    plain = socket.create_connection((server.host, server.tls_port), TIMEOUT)
    with plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname="localhost")


def test_the_servers_differ_where_tests_rely_on_it(
    dovecot: LabServer, dovecot_next: LabServer, cyrus_bpo: LabServer, courier: LabServer
) -> None:
    offered = {
        server.name: set(server.info["capabilities"]["after_login"])
        for server in (dovecot, dovecot_next, cyrus_bpo, courier)
    }
    assert {"LITERAL+", "QRESYNC"} <= offered["dovecot"]
    assert {"LITERAL-", "UTF8=ACCEPT"} <= offered["dovecot-next"]
    assert {"IMAP4rev2", "COMPRESS=DEFLATE"} <= offered["cyrus-bpo"]
    assert offered["courier"].isdisjoint({"LITERAL+", "CONDSTORE", "MOVE"})

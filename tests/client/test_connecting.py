"""Every kind of endpoint, and the errors of failed connections."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from imaplus import BodySection, ConnectionLost, InvalidArgument, ProtocolError, Security, Timeouts
from imaplus.client.endpoints import parse
from imaplus.endpoints import Connected, Process, Tcp, UnixSocket
from imaplus.testing import Fault, Server

from .harness import Connector, names

OURS = version("imaplus")
SERVE = [sys.executable, "-m", "imaplus.testing"]


async def test_tcp(connect: Connector, server: Server) -> None:
    client = await connect(
        server.host,
        server.port,
        user=server.user,
        password=server.password,
        security=Security.PLAIN,
    )
    assert (await client.status("INBOX")).messages == 0
    assert client.can("IDLE")
    assert "LITERAL+" in client.capabilities


async def test_a_url_names_user_host_and_port(connect: Connector, server: Server) -> None:
    client = await connect(server.url, password=server.password, security=Security.PLAIN)
    assert (await client.select("INBOX")).exists == 0


async def test_the_block_logs_out(connect: Connector, server: Server) -> None:
    async with await connect(server) as client:
        await client.noop()
    assert names(server)[-2:] == ["NOOP", "LOGOUT"]
    with pytest.raises(ConnectionLost):
        await client.noop()


async def test_the_block_logs_out_after_an_error_too(connect: Connector, server: Server) -> None:
    async def use() -> None:
        async with await connect(server) as client:
            await client.noop()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await use()
    assert names(server)[-1] == "LOGOUT"


async def test_logging_out_of_what_is_gone_is_no_error(connect: Connector, server: Server) -> None:
    client = await connect(server)
    server.disconnect(None)
    await client.logout()
    await client.logout()
    await client.close()


async def test_unix_socket(
    connect: Connector, start: Callable[..., Server], tmp_path: Path
) -> None:
    path = tmp_path / "imap"
    server = start(unix=path)
    client = await connect(UnixSocket(path), user=server.user, password=server.password)
    assert client.connection.secure, "a UNIX socket counts as secure"
    assert (await client.status("INBOX")).messages == 0


async def test_a_unix_socket_that_is_not_there(connect: Connector, tmp_path: Path) -> None:
    with pytest.raises(ConnectionLost, match="nothing"):
        await connect(UnixSocket(tmp_path / "nothing"))


async def test_connected_socket(connect: Connector, server: Server) -> None:
    sock = socket.create_connection((server.host, server.port))
    client = await connect(Connected(sock, secure=True), user="ada", password=server.password)
    assert (await client.select("INBOX")).exists == 0
    await client.logout()
    assert sock.fileno() == -1, "the socket is the client's, which closes it"


async def test_child_process_that_is_logged_in_already(connect: Connector) -> None:
    client = await connect(Process([*SERVE, "--empty"]))
    assert client.connection.greeting is not None
    assert client.connection.greeting.kind == "PREAUTH"
    assert (await client.select("INBOX")).exists == 0
    await client.logout()


async def test_child_process_with_login(connect: Connector) -> None:
    client = await connect(
        Process([*SERVE, "--empty", "--login"]), user="ada", password="correct horse"
    )
    assert (await client.select("INBOX")).exists == 0
    await client.logout()


async def test_child_process_that_is_none(connect: Connector, tmp_path: Path) -> None:
    with pytest.raises(ConnectionLost, match="no-such-program"):
        await connect(Process([str(tmp_path / "no-such-program")]))


@pytest.mark.parametrize("argv", [[], ["a\0b"]])
async def test_child_process_that_cannot_be(connect: Connector, argv: list[str]) -> None:
    with pytest.raises(ConnectionLost):
        await connect(Process(argv))


async def test_child_process_that_says_nothing(connect: Connector) -> None:
    with pytest.raises(ConnectionLost):
        await connect(Process([sys.executable, "-c", ""]))


async def test_child_process_is_reaped(connect: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []  # other tests may have children of their own

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self.pid)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    client = await connect(Process([*SERVE, "--empty"]))
    await client.logout()
    (child,) = started
    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)


async def test_a_port_without_a_server(connect: Connector) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionLost, match=f"127.0.0.1:{port}"):
        await connect(Tcp("127.0.0.1", port, Security.PLAIN))


async def test_no_such_host(connect: Connector) -> None:
    with pytest.raises(ConnectionLost, match="no such host"):
        await connect("no-such-host.invalid", timeouts=Timeouts(connect=5))


@pytest.mark.parametrize(
    "where",
    [
        "",
        "a b",
        "user@host",
        "ada:secret@host",
        "http://host/",
        "http://u:secret@host/",
        "imap://u:secret@host/",
        "imap://u:secret/@host",
        "imaps://host:secret",
    ],
)
async def test_what_is_no_address(connect: Connector, where: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await connect(where)
    assert "secret" not in str(caught.value)


async def test_arguments_that_make_no_sense_together(connect: Connector, server: Server) -> None:
    with pytest.raises(InvalidArgument, match="user"):
        await connect(server.host, server.port, password="x")
    with pytest.raises(InvalidArgument, match="port"):
        await connect(UnixSocket("socket"), 143)
    with pytest.raises(InvalidArgument, match="'ada' requires `password` or `credentials`"):
        await connect(server.host, server.port, user="ada")
    with pytest.raises(InvalidArgument, match="'ada' requires `password` or `credentials`"):
        await connect(server.url, security=Security.PLAIN)
    with pytest.raises(InvalidArgument, match="differ"):
        await connect(server.url, user="eve", password="x", security=Security.PLAIN)
    assert server.sessions == []


@pytest.mark.parametrize("security", list(Security))
async def test_security_is_said_in_one_place(connect: Connector, security: Security) -> None:
    for other in set(Security) - {security}:
        with pytest.raises(InvalidArgument, match="one place"):
            await connect(Tcp("127.0.0.1", 1, other), security=security)
    if security is not Security.TLS:
        with pytest.raises(InvalidArgument, match="imaps:// means TLS"):
            await connect("imaps://127.0.0.1/", security=security)
    if security is not Security.PLAIN:
        for endpoint in (UnixSocket("x"), Process(["x"])):
            with pytest.raises(InvalidArgument, match="is used without TLS"):
                await connect(endpoint, security=security)


async def test_the_endpoints_security_is_enough(connect: Connector, server: Server) -> None:
    endpoint = Tcp(server.host, server.port, Security.PLAIN)
    client = await connect(endpoint, user="ada", password=server.password, mechanisms=["PLAIN"])
    assert "AUTHENTICATE PLAIN" in server.commands[0][0]
    await client.noop()


async def test_a_socket_that_others_can_read(connect: Connector, server: Server) -> None:
    sock = socket.create_connection((server.host, server.port))
    await connect(
        Connected(sock, secure=False), user="ada", password=server.password,
        mechanisms=["PLAIN"], security=Security.PLAIN,
    )  # fmt: skip
    assert "AUTHENTICATE PLAIN" in server.commands[0][0]


def test_what_a_url_means() -> None:
    meant = {
        ("imaps://x", None): Tcp("x", None, Security.TLS),
        ("imaps://x", Security.TLS): Tcp("x", None, Security.TLS),
        ("imap://x", None): Tcp("x", None, Security.STARTTLS),
        ("imap://x", Security.PLAIN): Tcp("x", None, Security.PLAIN),
        ("imap://x", Security.TLS): Tcp("x", None, Security.TLS),
        ("x", None): Tcp("x", None, Security.TLS),
    }
    for (url, security), endpoint in meant.items():
        assert parse(url, None, security) == (endpoint, None)


@pytest.mark.parametrize(
    "greeting",
    [
        b"220 mail.example.org ESMTP\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"* NO way\r\n",
        b"\xff\r\n",
    ],
)
async def test_a_greeting_that_is_not_imap(
    connect: Connector, server: Server, greeting: bytes
) -> None:
    server.fail_next(Fault.greet(greeting))
    with pytest.raises(ProtocolError):
        await connect(server)
    assert server.commands == [[]], "nothing is said to what is no IMAP server (ALPACA)"


async def test_turned_away_at_the_door(connect: Connector, server: Server) -> None:
    server.fail_next(Fault.greet(b"* BYE Too many connections\r\n"))
    with pytest.raises(ConnectionLost, match="Too many connections") as caught:
        await connect(server)
    assert caught.value.bye == "Too many connections"
    assert server.commands == [[]]


async def test_hung_up_on_without_a_word(connect: Connector, server: Server) -> None:
    server.fail_next(Fault.cut_after_sent(0))
    with pytest.raises(ConnectionLost):
        await connect(server)


async def test_last_words_are_kept(connect: Connector, server: Server) -> None:
    client = await connect(server)
    server.disconnect("Going down for maintenance")
    with pytest.raises(ConnectionLost) as caught:
        await client.noop()
    assert caught.value.bye == "Going down for maintenance"
    assert "Going down for maintenance" in str(caught.value)


async def test_every_line_can_be_traced(connect: Connector, server: Server) -> None:
    lines: list[tuple[str, bytes]] = []
    client = await connect(server, trace=lambda *line: lines.append(line))
    await client.noop()
    sent = [line.decode() for direction, line in lines if direction == "C"]
    assert sent[-2:] == server.commands[0][-2:]
    assert sent[-2].endswith(f'("name" "imaplus" "version" "{OURS}")')
    assert lines[0][0] == "S"
    assert lines[0][1].startswith(b"* OK")


async def test_what_the_server_says_unasked_reaches_the_caller(
    connect: Connector, server: Server
) -> None:
    events: list[object] = []
    client = await connect(server, on_event=events.append)
    inbox = await client.select("INBOX")
    events.clear()
    server.add_message("INBOX", b"\r\n")
    await client.noop()
    assert [type(event).__name__ for event in events] == ["Exists", "Recent"]
    assert inbox.exists == 1


async def test_compression(connect: Connector, server: Server) -> None:
    server.add_message("INBOX", b"x" * 100_000)
    client = await connect(server, compress=True)
    assert names(server)[-1] == "COMPRESS"
    await client.append("INBOX", b"y" * 100_000)
    inbox = await client.select("INBOX")
    bodies = [message.body() async for message in inbox.fetch("1:*", BodySection())]
    assert bodies == [b"x" * 100_000, b"y" * 100_000]
    sent = server.sessions[0].stream.sent
    assert sent < 250_000, "counted in octets of IMAP"

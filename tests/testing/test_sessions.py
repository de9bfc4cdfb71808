"""Greeting, capabilities, login, ENABLE, ID, COMPRESS and the ends of a connection."""

from __future__ import annotations

import asyncio
import socket
import zlib

import pytest

from imaplus.testing import AsyncServer, Personality, Quirk
from imaplus.testing.personality import REV1


def test_greets_with_capabilities(server, dial):
    talk = dial(server, login=False)
    assert talk.greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 ")
    assert b"STARTTLS" not in talk.greeting  # there is no certificate
    assert b" AUTH=PLAIN " in talk.greeting


def test_logout(server, dial):
    talk = dial(server)
    assert talk("LOGOUT") == b"* BYE Logging out\r\nt2 OK LOGOUT completed\r\n"
    assert talk.rest() == b""


def test_preauth(start, dial):
    talk = dial(start(preauth=True), login=False)
    assert talk.greeting.startswith(b"* PREAUTH [CAPABILITY IMAP4rev1 ")
    talk.ok("SELECT INBOX")


@pytest.mark.parametrize(
    "line",
    [
        "NONSENSE",
        "FETCH 1 FLAGS",
        "NOOP more",
        "LOGIN ada",
        "SELECT",
        'SELECT "INBOX',
        "LIST (",
        "ENABLE",
        "UID",
        "UID NOOP",
        "STATUS INBOX (NOTHING)",
        "STATUS INBOX ()",
        "\0NOOP",
        "CREATE \xff",
        "",
    ],
)
def test_nonsense_is_bad_and_costs_one_command(server, dial, line):
    talk = dial(server)
    assert b" BAD " in talk(line)
    talk.ok("NOOP")


def test_line_without_tag(server, dial):
    talk = dial(server)
    talk.send(b"+ nonsense\r\n")
    assert talk.line() == b"* BAD Expected a tag and a command\r\n"
    talk.ok("NOOP")


def test_wrong_password(server, dial):
    talk = dial(server, login=False)
    answer = talk("LOGIN ada wrong")
    assert answer == b"t1 NO [AUTHENTICATIONFAILED] Authentication failed\r\n"
    assert b" BAD " in talk("SELECT INBOX")


def test_commands_are_kept(server, dial):
    talk = dial(server)
    talk.ok(b"CREATE {5+}\r\na b c")
    assert server.commands == [['t1 LOGIN ada "correct horse"', "t2 CREATE {5}\r\na b c"]]
    dial(server)
    assert len(server.commands) == 2


def test_pipelining(server, dial):
    talk = dial(server)
    talk.send(b"a NOOP\r\nb SELECT INBOX\r\nc FETCH 1:* FLAGS\r\nd NOOP\r\n")
    assert b"b OK" in talk.answer(b"d")


def test_synchronising_literals_wait(server, dial):
    talk = dial(server)
    assert talk(b"CREATE {3}") == b"+ go ahead\r\n"
    talk.send(b"one\r\n")
    assert talk.line().startswith(b"t2 OK [MAILBOXID (F")
    assert server.account().find("one")


def test_empty_literal_waits_too(server, dial):
    talk = dial(server)
    assert talk(b"LIST {0}") == b"+ go ahead\r\n"
    talk.send(b" *\r\n")
    assert talk.answer(b"t2").endswith(b"t2 OK LIST completed\r\n")


def test_a_non_synchronizing_literal_that_is_not_offered(start, dial):
    talk = dial(start(personality="courier"))
    talk.send(b"x CREATE {11+}\r\ny CREATE me\r\n")
    assert talk.line().startswith(b"x BAD ")
    assert talk.line().startswith(b"y OK ")


def test_literal_minus(start, dial):
    server = start(personality="rev2")
    talk = dial(server)
    assert b"NO [CANNOT]" in talk(b"CREATE {4096+}\r\n" + b"a" * 4096)
    assert b" BAD " in talk(b"CREATE {4097+}")
    talk.ok("NOOP")


def test_literal_of_a_name_is_limited(server, dial):
    talk = dial(server)
    assert b"BAD [TOOBIG]" in talk(b"CREATE {999999999}")
    talk.ok("NOOP")


def test_endless_line_ends_the_connection(server, dial):
    talk = dial(server)
    with pytest.raises(ConnectionError):
        talk.send(b"x" * (1 << 26))


def test_enable(start, dial):
    talk = dial(start(personality="rev2"))
    assert b"* ENABLED QRESYNC\r\n" in talk.ok("ENABLE QRESYNC X-UNKNOWN")
    assert b"* ENABLED IMAP4rev2\r\n" in talk.ok("ENABLE IMAP4rev2")
    assert b"* ENABLED\r\n" in talk.ok("ENABLE IMAP4rev2")


def test_icloud_sends_no_enabled(start, dial):
    assert b"ENABLED" not in dial(start(personality="icloud")).ok("ENABLE CONDSTORE")


def test_id(server, dial):
    talk = dial(server)
    assert b'* ID ("name" "imaplus.testing")' in talk.ok('ID ("name" "x" "version" NIL)')
    talk.ok("ID NIL")
    assert b" BAD " in talk('ID ("name")')


def test_netease_requires_an_id(start, dial):
    talk = dial(start(personality="netease"))
    assert b"NO SELECT Unsafe Login" in talk("SELECT INBOX")
    talk.ok('ID ("name" "x")')
    talk.ok("SELECT INBOX")


def test_compress(server, dial):
    talk = dial(server)
    talk.ok("COMPRESS DEFLATE")
    packer, unpacker = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
    talk.send(packer.compress(b"a CAPABILITY\r\n") + packer.flush(zlib.Z_SYNC_FLUSH))
    answer = b""
    while b"a OK" not in answer:
        answer += unpacker.decompress(talk.sock.recv(4096))
    assert b"COMPRESS" not in answer
    talk.send(packer.compress(b"b COMPRESS DEFLATE\r\n") + packer.flush(zlib.Z_SYNC_FLUSH))
    answer = b""
    while not answer.endswith(b"\n"):
        answer += unpacker.decompress(talk.sock.recv(4096))
    assert answer.startswith(b"b NO [COMPRESSIONACTIVE]")


def test_unauthenticate(start, dial):
    who = Personality(name="x", capabilities=REV1 | {"UNAUTHENTICATE"})
    talk = dial(start(personality=who))
    talk.ok("UNAUTHENTICATE")
    assert b" BAD " in talk("SELECT INBOX")
    talk.ok('LOGIN ada "correct horse"')


def test_disconnect_says_bye(server, dial):
    talk = dial(server)
    server.disconnect("maintenance")
    assert talk.rest() == b"* BYE maintenance\r\n"


def test_disconnect_without_bye(server, dial):
    talk = dial(server)
    server.disconnect(None)
    assert talk.rest() == b""


def test_a_wrong_password_that_is_answered_with_ok(start, dial):
    who = Personality(name="x", quirks=frozenset({Quirk.BAD_PASSWORD_IS_OK}))
    talk = dial(start(personality=who), login=False)
    talk.ok("LOGIN ada wrong")
    assert talk("NAMESPACE").startswith(b"t2 BAD User is authenticated but not connected")


def test_stop_while_a_client_is_connected(start, dial):
    server = start()
    talk = dial(server)
    server.stop()
    assert talk.rest() == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((server.host, server.port))


def test_port_that_is_taken_is_an_error(start):
    server = start()
    with pytest.raises(OSError, match="address already in use"):
        start(port=server.port)


async def test_async_server(letter):
    async with AsyncServer() as server:
        server.add_message("INBOX", letter())
        reader, writer = await asyncio.open_connection(server.host, server.port)
        await reader.readline()
        writer.write(b'a LOGIN ada "correct horse"\r\nb SELECT INBOX\r\nc LOGOUT\r\n')
        assert b"* 1 EXISTS" in await reader.read()
        writer.close()
        await writer.wait_closed()


async def test_unix_socket(tmp_path):
    path = tmp_path / "imap"
    async with AsyncServer(unix=path):
        reader, writer = await asyncio.open_unix_connection(path)
        assert (await reader.readline()).startswith(b"* OK ")
        writer.close()
        await writer.wait_closed()
    assert not path.exists()

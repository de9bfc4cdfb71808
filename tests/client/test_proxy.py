"""Connecting through SOCKS5 and HTTP proxies, and the errors."""

from __future__ import annotations

import contextlib
import socket
import sys
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus import ConnectionLost, InvalidArgument, Security, TimedOut, Timeouts, Tls, TlsFailed
from imaplus.client.proxies import LONGEST_HEAD, Proxy, advance, parse
from imaplus.credentials import Secret
from imaplus.endpoints import Connected, Tcp
from imaplus.errors import ProxyFailed
from imaplus.testing import Server

from .harness import Connector
from .proxy import HANG, SmallProxy

KINDS = ["socks5", "http"]
HOST = "imap.example.org"
"""A host name that only the proxies of these tests resolve."""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


async def test_in_clear(connect: Connector, server: Server, kind: str) -> None:
    with SmallProxy(kind, server.port) as proxy:
        client = await connect(
            HOST, 1143, user=server.user, password=server.password,
            security=Security.PLAIN, proxy=proxy.url,
        )  # fmt: skip
        assert (await client.status("INBOX")).messages == 0
        assert proxy.asked == [(HOST, 1143)]
        await client.close()


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_the_certificate_is_the_servers(
    connect: Connector, start: Callable[..., Server], kind: str, security: str
) -> None:
    """The certificate must match the server: TLS goes through the proxy."""
    pytest.importorskip("trustme", exc_type=ImportError)
    server = start(security=security)
    options = {
        "user": server.user, "password": server.password, "security": Security(security),
        "tls": Tls(ca_file=server.ca_file),
    }  # fmt: skip
    with SmallProxy(kind, server.port) as proxy:
        client = await connect("localhost", 993, proxy=proxy.url, **options)
        assert client.connection.secure
        await client.close()
        assert proxy.asked == [("localhost", 993)]
        with pytest.raises(TlsFailed, match=HOST):
            await connect(HOST, proxy=proxy.url, **options)
        assert proxy.asked[1] == (HOST, 993 if security == "tls" else 143)


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
async def test_addresses_and_names(
    connect: Connector, server: Server, kind: str, host: str, asked: str
) -> None:
    with SmallProxy(kind, server.port) as proxy:
        client = await connect(Tcp(host, 143, Security.PLAIN), proxy=proxy.url)
        assert proxy.asked == [(asked, 143)]
        await client.close()


async def test_with_a_login(connect: Connector, server: Server, kind: str) -> None:
    with SmallProxy(kind, server.port, login=("ada", "p@ss:wörd")) as proxy:
        url = proxy.url_for("ada", "p%40ss:w%C3%B6rd")
        client = await connect(HOST, 143, security=Security.PLAIN, proxy=url)
        assert proxy.logins == [("ada", "p@ss:wörd")]
        await client.close()


async def test_a_secret_url(connect: Connector, server: Server) -> None:
    with SmallProxy("socks5h", server.port) as proxy:
        client = await connect(HOST, 143, security=Security.PLAIN, proxy=Secret(proxy.url))
        await client.close()


# -- what goes wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "reply", "says"),
    [
        ("socks5", b"\x05\xff", "wants a user and a password"),
        ("socks5", b"\x05\x01", "accepts no supported way to log in"),
        ("socks5", b"\x05\x00\x05\x01\x00\x01", "failed without a reason"),
        ("socks5", b"\x05\x00\x05\x02\x00\x01", "does not allow this connection"),
        ("socks5", b"\x05\x00\x05\x04\x00\x01", "does not know its name"),
        ("socks5", b"\x05\x00\x05\x05\x00\x01", "nothing listens there"),
        ("socks5", b"\x05\x00\x05\x63\x00\x01", "code 99"),
        ("socks5", b"\x05\x00\x05\x00\x00\x07", "does not answer as SOCKS5"),
        ("socks5", b"\x05\x00\x04\x00\x00\x01", "does not answer as SOCKS5"),
        ("socks5", b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak SOCKS5"),
        ("socks5", b"\x05\x00\x05\x00\x00\x03\xffab", "closed the connection"),
        ("socks5", b"\x05", "closed the connection"),
        ("http", b"HTTP/1.1 403 Not for you\x1b[2J\r\n\r\n", "403 Not for you"),
        ("http", b"HTTP/1.0 502 Bad Gateway\r\nX: y\r\n\r\n", "502 Bad Gateway"),
        ("http", b"HTTP/1.1 407 Login\r\n\r\n", "wants a user and a password"),
        ("http", b"HTTP/1.1 OK\r\n\r\n", "does not answer as HTTP"),
        ("http", b"220 mail.example.org ESMTP\r\n", "does not speak HTTP: it says '220 mai'"),
        ("http", b"HTTP/1.1 200 " + b"x" * LONGEST_HEAD, "more than 16384 bytes"),
        ("http", b"HTTP/1.1 200 ok\r\n" + b"x: y\r\n" * LONGEST_HEAD, "more than 16384 bytes"),
        ("http", b"HTTP/1.1 200 ok\r\n", "closed the connection"),
    ],
)  # fmt: skip
async def test_refusals_and_garbage(
    connect: Connector, server: Server, kind: str, reply: bytes, says: str
) -> None:
    with SmallProxy(kind, server.port, reply=reply) as proxy:
        with pytest.raises(ProxyFailed) as caught:
            await connect(HOST, 143, security=Security.PLAIN, proxy=proxy.url)
        assert says in str(caught.value)
        assert proxy.url in str(caught.value)
        assert caught.value.proxy == proxy.url
        assert str(caught.value).isprintable()
    assert server.sessions == []


async def test_a_wrong_password_is_not_shown(connect: Connector, server: Server, kind: str) -> None:
    with SmallProxy(kind, server.port, login=("ada", "right")) as proxy:
        url = proxy.url_for("ada", "hunter2")
        with pytest.raises(ProxyFailed, match="does not accept its user and password") as caught:
            await connect(HOST, 143, security=Security.PLAIN, proxy=Secret(url))
        told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        frames = [frame for frame in told.stack if "/tests/" not in frame.filename]
        shown = [line for frame in frames for line in (frame.locals or {}).values()]
        assert "hunter2" not in f"{caught.value} {caught.value!r} {shown}"
        assert proxy.url in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 403 not ada with hunter2-hunter2\r\n\r\n",
        b"HTTP/1.1 403 not Basic YWRhOmh1bnRlcjItaHVudGVyMg==\r\n\r\n",
        b"hunter2-hunter2\r\n",
    ],
)
async def test_a_password_that_the_proxy_repeats(connect: Connector, reply: bytes) -> None:
    with SmallProxy("http", 1, reply=reply) as proxy, pytest.raises(ProxyFailed) as caught:
        await connect(HOST, 143, proxy=proxy.url_for("ada", "hunter2-hunter2"))
    said = f"{caught.value} {caught.value!r}"
    assert "hunter" not in said
    assert "YWRh" not in said


async def test_a_wrong_password_by_another_code(connect: Connector, server: Server) -> None:
    """tinyproxy 1.11 answers 401."""
    with SmallProxy("http", server.port, reply=b"HTTP/1.1 401 Unauthorized\r\n\r\n") as proxy:
        with pytest.raises(ProxyFailed, match="does not accept its user and password"):
            await connect(HOST, proxy=proxy.url_for("ada", "hunter2"))
        with pytest.raises(ProxyFailed, match="401 Unauthorized"):
            await connect(HOST, proxy=proxy.url)


async def test_a_proxy_that_hangs(connect: Connector, server: Server, kind: str) -> None:
    with SmallProxy(kind, server.port, reply=HANG) as proxy, pytest.raises(TimedOut) as caught:
        await connect(
            HOST, 143, security=Security.PLAIN, proxy=proxy.url, timeouts=Timeouts(connect=0.1)
        )
    assert proxy.url in str(caught.value)


async def test_a_proxy_that_is_not_there(connect: Connector, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"{kind}://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(ProxyFailed, match="cannot be reached") as caught:
        await connect(HOST, security=Security.PLAIN, proxy=url)
    assert url in str(caught.value)


async def test_a_proxy_of_no_such_name(connect: Connector, kind: str) -> None:
    with pytest.raises(ProxyFailed, match="no such host"):
        await connect(HOST, proxy=f"{kind}://no-such-host.invalid:1")


@pytest.mark.parametrize(
    "url",
    [
        "proxy:1080", "socks4://proxy", "https://proxy", "socks5://", "socks5://proxy:port",
        "http://proxy/path", "http://proxy?x", "", "socks5://:secret@proxy",
        f"socks5://ada:{'secret' * 50}@proxy", "http://a%3Ab:secret@proxy",
        "http://a:secret%0D%0A@proxy",
    ],
)  # fmt: skip
async def test_what_is_no_proxy(connect: Connector, url: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await connect(HOST, proxy=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["a\r\nb", "x" * 300, "a b"])
def test_hosts_that_cannot_be_said(host: str, kind: str) -> None:
    with pytest.raises(InvalidArgument):
        Proxy(kind, "proxy", 1).talk(host, 143)


async def test_only_where_there_is_a_host(connect: Connector) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(InvalidArgument, match="proxy"):
        await connect(Connected(ours), proxy="socks5://proxy")


def test_a_proxy_shows_no_secret() -> None:
    proxy = parse(Secret("socks5://ada:hunter2@proxy"))
    assert proxy == Proxy("socks5", "proxy", 1080, "ada", Secret("hunter2"))
    assert "hunter2" not in repr(proxy) + proxy.url
    assert parse(Secret("http://[::1]")).url == "http://[::1]:8080"


@given(st.binary(max_size=300), st.sampled_from(KINDS), st.booleans())
def test_whatever_a_proxy_says(said: bytes, kind: str, login: bool) -> None:
    """A handshake ends in a connection or ProxyFailed, and reads nothing beyond it."""
    proxy = Proxy(kind, "proxy", 1, *(("ada", Secret("x")) if login else ()))
    talk = proxy.talk(HOST, 143)
    with contextlib.suppress(ProxyFailed):
        step = advance(talk)
        while step is not None:
            data: bytes | None = None
            if isinstance(step, int):
                assert 0 < step < 300
                if len(said) < step:
                    return
                data, said = said[:step], said[step:]
            step = advance(talk, data)


async def test_the_first_words_of_the_server_are_not_lost(connect: Connector, kind: str) -> None:
    """The greeting may arrive together with the proxy's last bytes."""
    last = {
        "socks5": b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00",
        "http": b"HTTP/1.1 200 ok\r\n\r\n",
    }[kind]
    with SmallProxy(kind, 0, reply=last + b"* BYE not today\r\n") as proxy:
        with pytest.raises(ConnectionLost) as caught:
            await connect(HOST, security=Security.PLAIN, proxy=proxy.url)
        assert caught.value.bye == "not today"


def test_nothing_of_it_is_loaded_without_a_proxy(server: Server) -> None:
    import subprocess

    code = (
        "import sys; from imaplus import Client, Security\n"
        "Client.connect(sys.argv[1], int(sys.argv[2]), security=Security.PLAIN).logout()\n"
        "print([name for name in sys.modules if name.startswith('imaplus.client.prox')])"
    )
    argv = [sys.executable, "-c", code, server.host, str(server.port)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

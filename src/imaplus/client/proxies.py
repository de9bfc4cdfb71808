"""Handshakes with proxies: SOCKS5 and HTTP CONNECT, without I/O.

A handshake is a generator of steps: bytes to send, or the exact number of bytes to receive. It
receives no more than the proxy must send, so that the server's greeting stays in the socket. The
proxy resolves the server's name.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Final, TypeAlias

from imaplus.errors import InvalidArgument, ProxyFailed
from imaplus.records import record
from imaplus.wire.secret import Secret

PORTS: Final = {"socks5": 1080, "socks5h": 1080, "http": 8080}
"""The schemes and their default ports. `socks5h` is a name for SOCKS5 with names resolved by the
proxy, which is always the case here."""
LONGEST_HEAD: Final = 16 << 10
"""Maximum size in bytes of the answer to CONNECT, header fields included."""
EXPECTED: Final = "expected the URL of a proxy, such as socks5://proxy:1080 or http://proxy:3128"
SHOWN: Final = 100
"""Characters of a proxy's answer to quote in an error."""

Step: TypeAlias = bytes | Secret | int
Talk: TypeAlias = Generator[Step, bytes, None]
"""Yields what to send (see `encode_step()`), or the number of bytes to receive and pass in. Raises
ProxyFailed."""


def encode_step(step: bytes | Secret) -> bytes:
    """Return the bytes to send. A login is a Secret, because tracebacks may show variables."""
    return step.reveal().encode("latin-1") if isinstance(step, Secret) else step


def advance(talk: Talk, data: bytes | None = None) -> Step | None:
    """Pass in what was received, and return the next step; None at the end of the handshake."""
    try:
        return next(talk) if data is None else talk.send(data)
    except StopIteration:
        return None


@record
class Proxy:
    """The address of a proxy, and the login for it."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: Secret | None = None

    @property
    def url(self) -> str:
        """The URL without user and password, for errors."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def secret(self) -> Secret:
        """The password; empty if there is none."""
        return self.password or Secret("")

    def quote(self, answer: bytes) -> str:
        """Return an answer of the proxy for an error: printable, shortened, without password."""
        from imaplus.wire.blanking import Blanking

        secrets = Blanking()
        if self.user is not None:
            secrets.keep(self.secret.reveal().encode())
            secrets.keep(f"{self.user}:{self.secret.reveal()}".encode())
        text = secrets.blank(answer).decode("latin-1")[:SHOWN]
        return "".join(char if char.isprintable() else "?" for char in text).strip()

    def make_error(self, what: str) -> ProxyFailed:
        """Make the error for a failure of the proxy."""
        return ProxyFailed(f"the proxy {self.url} {what}", self.url)

    def talk(self, host: str, port: int) -> Talk:
        """Return the handshake that connects to a server.

        Raises:
            InvalidArgument: the host name is invalid.
        """
        name = _ascii(host)
        return (_connect if self.scheme == "http" else _socks5)(self, name, port)


def parse(url: Secret) -> Proxy:
    """Parse the URL of a proxy.

    Raises:
        InvalidArgument: it is invalid. The error does not repeat it: it may contain a password.
    """
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url.reveal())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidArgument(EXPECTED) from None
    if host is None or parts.scheme not in PORTS or parts.path not in ("", "/") or parts.query:
        raise InvalidArgument(EXPECTED)
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else Secret(unquote(parts.password))
    proxy = Proxy(parts.scheme, host, PORTS[parts.scheme] if port is None else port, user, password)
    if user is not None:
        _check_login(proxy, user)
    return proxy


def _check_login(proxy: Proxy, user: str) -> None:
    if proxy.scheme == "http":
        if ":" in user or re.search(r"[\x00-\x1f\x7f]", user + proxy.secret.reveal()):
            raise InvalidArgument(
                "the user and password of an HTTP proxy must not contain control characters, nor "
                "the user ':'"
            )
    elif not (0 < len(user.encode()) < 256 and len(proxy.secret.reveal().encode()) < 256):
        raise InvalidArgument(
            "the user and password of a SOCKS5 proxy must have 1 to 255 bytes (RFC 1929)"
        )


def _ascii(host: str) -> str:
    """Encode a host name as ASCII (IDNA)."""
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise InvalidArgument(f"not a host name: {host!r}") from error
    if not 0 < len(host) < 256 or not re.fullmatch(r"[\x21-\x7e]+", host):
        raise InvalidArgument(f"not a host name: {host!r}")
    return host


# -- SOCKS5 (RFC 1928; RFC 1929) -------------------------------------------------------------------

_NO_LOGIN: Final = 0
_BY_PASSWORD: Final = 2
_NO_ACCEPTABLE: Final = 255
_REPLIES: Final = {
    1: "failed without a reason (microsocks: the server's name is not known)",
    2: "does not allow this connection",
    3: "cannot reach the network of the server",
    4: "cannot reach the server, or does not know its name",
    5: "was refused by the server: nothing listens there",
    6: "gave up waiting for the server",
    7: "does not know the command CONNECT",
    8: "does not know this kind of address",
}
"""RFC 1928, 6."""
_LENGTHS: Final = {1: 4, 4: 16}
"""Sizes in bytes of IPv4 and IPv6 addresses; names are preceded by their size."""


def _socks5(proxy: Proxy, host: str, port: int) -> Talk:
    # VER NMETHODS METHODS -> VER METHOD
    methods = bytes([_NO_LOGIN] if proxy.user is None else [_NO_LOGIN, _BY_PASSWORD])
    yield bytes([5, len(methods)]) + methods
    version, method = yield 2
    if version != 5:
        raise proxy.make_error("does not speak SOCKS5")
    if method == _BY_PASSWORD and proxy.user is not None:
        yield from _log_in(proxy, proxy.user)
    elif method != _NO_LOGIN:
        raise proxy.make_error(
            "wants a user and a password: put them into its URL"
            if method == _NO_ACCEPTABLE and proxy.user is None
            else "accepts no supported way to log in"
        )
    # VER CMD RSV ATYP DST.ADDR DST.PORT -> VER REP RSV ATYP BND.ADDR BND.PORT
    yield b"\x05\x01\x00" + _address(host) + port.to_bytes(2, "big")
    version, reply, _, kind = yield 4
    if version != 5:
        raise proxy.make_error("does not answer as SOCKS5 has it")
    if reply:
        raise proxy.make_error(_REPLIES.get(reply, f"refuses, with code {reply}"))
    length = (yield 1)[0] if kind == 3 else _LENGTHS.get(kind)
    if length is None:
        raise proxy.make_error("does not answer as SOCKS5 has it")
    yield length + 2


def _log_in(proxy: Proxy, user: str) -> Talk:
    # VER ULEN UNAME PLEN PASSWD -> VER STATUS
    yield Secret("\1" + _with_size(user) + _with_size(proxy.secret.reveal()))
    version, status = yield 2
    if version != 1 or status:
        raise proxy.make_error("does not accept its user and password")


def _with_size(text: str) -> str:
    data = text.encode()
    return (bytes([len(data)]) + data).decode("latin-1")


def _address(host: str) -> bytes:
    """ATYP and the address (RFC 1928, 5)."""
    import socket

    for kind, family in ((1, socket.AF_INET), (4, socket.AF_INET6)):
        try:
            return bytes([kind]) + socket.inet_pton(family, host)
        except OSError:
            continue
    return bytes([3, len(host)]) + host.encode()


# -- HTTP CONNECT (RFC 9110, 9.3.6; RFC 7617) ------------------------------------------------------


def _connect(proxy: Proxy, host: str, port: int) -> Talk:
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    head = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
    if proxy.user is None:
        yield f"{head}\r\n".encode()
    else:
        login = _basic(proxy.user, proxy.secret)
        yield Secret(f"{head}Proxy-Authorization: Basic {login.reveal()}\r\n\r\n")
    status = yield from _status_line(proxy)
    line, so_far = status, len(status)
    while line not in (b"\r\n", b"\n"):
        line = yield from _line(proxy, LONGEST_HEAD - so_far)
        so_far += len(line)
    found = re.match(rb"HTTP/1\.[01] ([0-9]{3})(?: ([^\r\n]*))?", status)
    if found is None:
        raise proxy.make_error("does not answer as HTTP has it")
    code, reason = found[1].decode(), proxy.quote(found[2] or b"")
    if code == "407" or (code == "401" and proxy.user is not None):  # tinyproxy 1.11: 401
        raise proxy.make_error(
            "wants a user and a password: put them into its URL"
            if proxy.user is None
            else "does not accept its user and password"
        )
    if not code.startswith("2"):
        raise proxy.make_error(f"refuses to connect to {authority}: {code} {reason}".rstrip())


def _basic(user: str, password: Secret) -> Secret:
    from binascii import b2a_base64

    return Secret(b2a_base64(f"{user}:{password.reveal()}".encode(), newline=False).decode())


def _status_line(proxy: Proxy) -> Generator[Step, bytes, bytes]:
    """Receive the status line. Fail at once if it is not HTTP, because it may never end."""
    begin = yield len(b"HTTP/1.")
    if begin != b"HTTP/1.":
        says = "" if proxy.user is not None else f": it says {proxy.quote(begin)!r}..."
        raise proxy.make_error(f"does not speak HTTP{says}")  # these bytes may be part of a secret
    return begin + (yield from _line(proxy, LONGEST_HEAD))


def _line(proxy: Proxy, most: int) -> Generator[Step, bytes, bytes]:
    """Receive a line byte by byte: what follows the last line belongs to the server."""
    line = bytearray()
    while not line.endswith(b"\n"):
        if len(line) >= most:
            raise proxy.make_error(f"sends more than {LONGEST_HEAD} bytes before it connects")
        line += yield 1
    return bytes(line)

"""Where a server is, and how to reach it: frozen records, without I/O.

The default is implicit TLS, verified against the system's trust store.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from os import PathLike
from typing import TYPE_CHECKING, Final

from imaplus.errors import InvalidArgument
from imaplus.records import record

if TYPE_CHECKING:
    import socket
    import ssl

IMAP_PORT: Final = 143
IMAPS_PORT: Final = 993
ALPN: Final = "imap"
"""The protocol offered by ALPN, so that no other kind of server can answer (RFC 7301)."""


class Security(Enum):
    """How a connection is protected. Connecting fails if the protection is not available."""

    TLS = "tls"
    """Implicit TLS, on port 993 (RFC 8314, 3)."""
    STARTTLS = "starttls"
    """TLS by STARTTLS, on port 143 (RFC 9051, 6.2.1)."""
    PLAIN = "plain"
    """No TLS; passwords may be sent in clear. For loopback and tunnels."""


@record(kw_only=True)
class Tls:
    """How to verify the server, and the client certificate. Verification is always on."""

    ca_file: str | PathLike[str] | None = None
    """PEM file of certificates to trust instead of the system's."""
    client_certificate: str | PathLike[str] | None = None
    """PEM file of the client's certificate."""
    client_key: str | PathLike[str] | None = None
    """PEM file of its key, if that is a file of its own."""
    context: ssl.SSLContext | None = None
    """Your own context, used unchanged; the other attributes are ignored then."""

    def make_context(self) -> ssl.SSLContext:
        """Return the SSL context for a connection.

        Raises:
            InvalidArgument: a file cannot be read, or is not valid.
        """
        if self.context is not None:
            return self.context
        import ssl

        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.client_certificate is not None:
                context.load_cert_chain(self.client_certificate, self.client_key)
        except (OSError, ssl.SSLError) as error:
            named = self.ca_file if self.client_certificate is None else self.client_certificate
            raise InvalidArgument(f"cannot load the certificates of {named}: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([ALPN])
        return context


DEFAULT_TLS: Final = Tls()


@record(kw_only=True)
class Timeouts:
    """Time limits in seconds; None means no limit."""

    connect: float | None = 30.0
    """For connecting, including the handshake with a proxy, and again for the TLS handshake."""
    greeting: float | None = 60.0
    """For the server's greeting: some servers look up the client's name first."""
    silence: float | None = 120.0
    """For the next byte, while an answer is due; not in `idle()`."""
    command: float | None = 600.0
    """For a command without progress, even if the server keeps sending something else.

    The time runs while you wait for a command, and each wait starts with the full time. Progress
    restores time, up to the full time: one second per `slowest` bytes of the answer, at least one
    second per response that belongs to it, and one second per `slowest` bytes that the server
    takes from us. All of it is restored when a command ends, when the server asks for the rest of
    one (`+`), and when it sends [INPROGRESS] (RFC 9585), the latter for a day at most. Unrelated
    responses, such as `* OK still here`, restore nothing. So a download may last for days, and a
    server that sends nothing useful times out after ten minutes. Time in `idle()` and in the body
    of your own loop does not count. The `timeout` of a single call limits its total time instead.
    """
    slowest: int = 64
    """Minimum rate of a response that has begun, in bytes per second, averaged over `silence`."""


DEFAULT_TIMEOUTS: Final = Timeouts()


@record
class Tcp:
    """A host and a port. The port is by default 993 for TLS, else 143."""

    host: str
    port: int | None = None
    security: Security = Security.TLS

    @property
    def port_number(self) -> int:
        """The port to connect to."""
        if self.port is not None:
            return self.port
        return IMAPS_PORT if self.security is Security.TLS else IMAP_PORT


@record
class UnixSocket:
    """A server on this machine, by the path of its UNIX socket."""

    path: str | PathLike[str]


@record
class Process:
    """A child process that speaks IMAP on standard input and output, such as ssh to a server."""

    argv: Sequence[str]


@record
class Connected:
    """A connected socket. The client owns it from then on, and closes it."""

    socket: socket.socket
    secure: bool = False
    """Whether it is protected by other means, so that passwords may be sent without TLS."""


Endpoint = Tcp | UnixSocket | Process | Connected
"""Where a server is: what `Client.connect()` accepts besides a host name or a URL."""


def parse(where: str, port: int | None, security: Security | None) -> tuple[Tcp, str | None]:
    """Return the endpoint and the user, if any, of a host name or an imap(s) URL (RFC 5092).

    Without `security`, a host name and `imaps` mean TLS, and `imap` means STARTTLS.

    Raises:
        InvalidArgument: `where` is neither, contains a password, or contradicts `security`.
    """
    if "://" not in where:
        if "@" in where:  # the text may contain a password
            raise InvalidArgument("expected a host name or an imap URL; give the user separately")
        if not where or any(char in where for char in "/ \r\n\0"):
            raise InvalidArgument(f"expected a host name or an imap URL, found {where!r}")
        return Tcp(where, port, security or Security.TLS), None
    from urllib.parse import unquote, urlsplit

    try:
        url = urlsplit(where)
        found = Tcp(url.hostname or "", url.port if port is None else port)
    except ValueError:  # its text may contain a part of a password
        raise InvalidArgument("expected an imap URL, such as imaps://imap.example.org") from None
    if url.scheme not in ("imap", "imaps") or not found.host:
        raise InvalidArgument("expected a URL that begins imap:// or imaps:// and names a host")
    if url.password is not None:
        raise InvalidArgument("the URL contains a password: pass `password` instead")
    if url.scheme == "imaps" and security not in (None, Security.TLS):
        raise InvalidArgument(f"imaps:// means TLS, and `security` says {security}")
    if security is None:
        security = Security.TLS if url.scheme == "imaps" else Security.STARTTLS
    user = None if url.username is None else unquote(url.username.partition(";")[0])
    return Tcp(found.host, found.port, security), user

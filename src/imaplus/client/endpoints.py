"""Where a server is, and how to reach it: frozen descriptions, without any I/O.

Defaults are safe: TLS from the first octet, verified against the system's trust store.
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
"""What we say we speak, so that no other server takes our words for its own (RFC 7301)."""


class Security(Enum):
    """How a connection is protected. What is asked for is had, or the connection fails."""

    TLS = "tls"
    """From the first octet, on port 993 (RFC 8314, 3)."""
    STARTTLS = "starttls"
    """After a few words in clear, on port 143 (RFC 9051, 6.2.1)."""
    PLAIN = "plain"
    """Not at all: passwords travel in clear. For loopback, and for tunnels."""


@record(kw_only=True)
class Tls:
    """How to verify the server, and what to show of ourselves. Verification is always on."""

    ca_file: str | PathLike[str] | None = None
    """Certificates to trust instead of the system's."""
    client_certificate: str | PathLike[str] | None = None
    client_key: str | PathLike[str] | None = None
    """The key, if it is not in the file of the certificate."""
    context: ssl.SSLContext | None = None
    """One's own context, used as it is."""

    def make_context(self) -> ssl.SSLContext:
        """A context for one connection.

        Raises:
            InvalidArgument: a file cannot be read, or is not what it should be.
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
    """Seconds to wait; None waits for ever."""

    connect: float | None = 30.0
    """For the connection, with all that a proxy says first, and as long again for TLS."""
    greeting: float | None = 60.0
    """For the server's first words: it may look up our name first."""
    silence: float | None = 120.0
    """For the next octet, while an answer is due. Not while idling."""
    command: float | None = 600.0
    """For a command that makes no progress, whatever else the server says meanwhile.

    The time runs while you wait for a command, and each wait starts with all of it. Progress gives
    time back, up to the whole: one second for each `slowest` octets of the answer, at least one
    second for each response that belongs to it, and for each `slowest` octets that the server takes
    from us. All of it comes back when a command ends, when the server asks for the rest of one
    (`+`), and when it says [INPROGRESS] (RFC 9585), the latter for a day at most. What nobody asked
    for, such as `* OK still here`, gives nothing back. So a download may last for days, and a
    server that only talks is left after ten minutes. Not counted: the time in `idle()`, and the
    time that you take for what you iterate over. The `timeout` of a single call counts from the
    first octet to the last instead.
    """
    slowest: int = 64
    """Octets a second, on average over `silence`, that a response must come with once it began."""


DEFAULT_TIMEOUTS: Final = Timeouts()


@record
class Tcp:
    """A host and a port; the usual one for the security if it is None."""

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
    """A server on this machine, by the path of its socket."""

    path: str | PathLike[str]


@record
class Process:
    """A child process that speaks IMAP on its standard input and output: ssh to a server, say."""

    argv: Sequence[str]


@record
class Connected:
    """A socket that is connected already. It is ours from here on, and closed with the client."""

    socket: socket.socket
    secure: bool = False
    """Whether what it leads to cannot be overheard, so that passwords may travel in clear."""


Endpoint = Tcp | UnixSocket | Process | Connected
"""Where a server is: what `Client.connect()` takes beside a host name or a URL."""


def parse(where: str, port: int | None, security: Security | None) -> tuple[Tcp, str | None]:
    """An endpoint and perhaps a user, from a host name or an imap(s) URL (RFC 5092).

    Security is what `security` says. Without it, a host name and `imaps` mean TLS, and `imap` means
    STARTTLS.

    Raises:
        InvalidArgument: it is neither, or holds a password, or contradicts `security` or `port`.
    """
    if "://" not in where:
        if "@" in where:  # perhaps with a password before it, which is not repeated
            raise InvalidArgument("expected a host name or an imap URL; give the user separately")
        if not where or any(char in where for char in "/ \r\n\0"):
            raise InvalidArgument(f"expected a host name or an imap URL, found {where!r}")
        return Tcp(where, port, security or Security.TLS), None
    from urllib.parse import unquote, urlsplit

    try:
        url = urlsplit(where)
        found = Tcp(url.hostname or "", url.port if port is None else port)
    except ValueError:  # whose text may repeat a part of a password
        raise InvalidArgument("expected an imap URL, such as imaps://imap.example.org") from None
    if url.scheme not in ("imap", "imaps") or not found.host:
        raise InvalidArgument("expected a URL that begins imap:// or imaps:// and names a host")
    if url.password is not None:
        raise InvalidArgument("a URL is no place for a password: give it separately")
    if url.scheme == "imaps" and security not in (None, Security.TLS):
        raise InvalidArgument(f"imaps:// means TLS, and `security` says {security}")
    if security is None:
        security = Security.TLS if url.scheme == "imaps" else Security.STARTTLS
    user = None if url.username is None else unquote(url.username.partition(";")[0])
    return Tcp(found.host, found.port, security), user

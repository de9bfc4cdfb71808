"""The classes `IMAP4` (TCP), `IMAP4_SSL` (TLS) and `IMAP4_stream` (a child process)."""

from __future__ import annotations

import contextlib
import warnings
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Final, Self, cast

from imaplus.imaplib._messages import Messages
from imaplus.imaplib._pieces import read_in_steps
from imaplus.imaplib._public import public
from imaplus.imaplib._responses import Results
from imaplus.imaplib._transport import NOT_ASSIGNED, PATIENCE

if TYPE_CHECKING:
    import subprocess
    from os import PathLike
    from socket import socket as _socket
    from ssl import SSLContext, SSLSocket

    from typing_extensions import Buffer

    from imaplus.imaplib._typed import TypedClient

ALPN: Final = "imap"
"""Protocol name for ALPN, so that a server of another protocol refuses the handshake (RFC 7301)."""


class IMAP4(Messages):
    """A session with an IMAP server.

    Every command is a method, in lower case or capitals, and returns `(typ, [data, ...])`. `typ` is
    the status, "OK" or "NO". Each item of data is bytes, or for a response with a literal a pair
    `(line before the literal, literal)`. A `with` statement logs out at its end.

    Raises:
        IMAP4.error: the command cannot be sent, or the server answered BAD.
        IMAP4.abort: the connection is unusable; open a new one.
        IMAP4.readonly: the mailbox has become read-only.
    """

    # Repeated from the base class: type checkers would otherwise infer narrower types.
    sock: _socket
    untagged_responses: dict[str, list[bytes | tuple[bytes, bytes]]]

    def __init__(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect, read the greeting, and request the capabilities.

        Args:
            timeout: seconds for connecting and for each read; None waits without limit.

        Raises:
            OSError: the connection failed.
            IMAP4.error: the greeting is not IMAP4rev1's, or the server supports no known version.
        """
        self._reset()
        self.open(host, port, timeout)
        try:
            self._connect()
        except Exception:
            with contextlib.suppress(OSError):
                self.shutdown()
            raise

    def __getattr__(self, attr: str) -> Any:
        """Return the method of a command whose name is in capitals."""
        if attr in public.Commands:
            return getattr(self, attr.lower())
        raise AttributeError(f"Unknown IMAP4 command: {attr!r}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        t: type[BaseException] | None,
        v: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self.state != "LOGOUT":
            with contextlib.suppress(OSError):
                self.logout()

    @property
    def typed(self) -> TypedClient:
        """A typed `imaplus.Client` that shares this connection and its current state.

        The client and the methods of this class may be used in turn, in one thread. The client
        reads and writes through the hooks `readline`, `read` and `send`.
        """
        from imaplus.imaplib._typed import TypedClient

        if self._typed is None:
            self._typed = TypedClient(self)
        return self._typed

    def starttls(self, ssl_context: SSLContext | None = None) -> Results:
        """Switch to TLS (RFC 3501, 6.2.1) and request the capabilities again.

        Args:
            ssl_context: default: a context that verifies the certificate and the host name.

        Raises:
            IMAP4.abort: TLS is already active, the server does not offer STARTTLS, or it sent
                more data after its OK.
            IMAP4.error: the server refused the command.
            ssl.SSLError: the handshake or the verification failed.
        """
        if self._tls_established:
            raise self.abort("TLS session already established")
        if "STARTTLS" not in self.capabilities:
            raise self.abort("TLS not supported by server")
        context = _default_context() if ssl_context is None else ssl_context
        typ, data = self._simple_command("STARTTLS")
        if typ != "OK":
            raise self.error("Couldn't establish TLS session")
        self._start_tls(context)
        self._get_capabilities()
        return self._untagged_response(typ, data, "STARTTLS")

    def _start_tls(self, context: SSLContext) -> None:
        """Do the TLS handshake and discard everything received in the clear."""
        try:
            if self._has_unread_input():
                raise self.abort(
                    "the server sent more data after its OK to STARTTLS: it may be injected"
                )
            self.sock = self._under_tls(self.sock, context)
        except BaseException:
            self.state = "LOGOUT"
            with contextlib.suppress(OSError):
                self.shutdown()
            raise
        self._close_imaplib_file()
        self._file, self._imaplib_file = None, NOT_ASSIGNED
        self._forget_input()
        self.untagged_responses = {}
        self._tls_established = True

    def _under_tls(self, sock: _socket, context: SSLContext) -> SSLSocket:
        patience = sock.gettimeout()
        sock.settimeout(patience or PATIENCE)  # bound the handshake
        wrapped = context.wrap_socket(sock, server_hostname=self.host or "localhost")
        wrapped.settimeout(patience)
        if wrapped.selected_alpn_protocol() not in (None, ALPN):
            wrapped.close()
            raise self.abort(f"the server speaks {wrapped.selected_alpn_protocol()!r}, not IMAP")
        return wrapped


def _default_context() -> SSLContext:
    """Make a context that verifies certificate and host name against the system's trust store."""
    context = public.ssl.create_default_context()
    context.set_alpn_protocols([ALPN])
    return context


class IMAP4_SSL(IMAP4):  # noqa: N801
    """An `IMAP4` session over TLS from the start (RFC 8314).

    Args:
        ssl_context: default: a context that verifies the certificate and the host name.
        keyfile, certfile: deprecated; a client certificate and its key, instead of a context.

    Raises:
        ValueError: both `ssl_context` and a certificate are given.
    """

    ssl_context: SSLContext
    keyfile: str | bytes | PathLike[str] | PathLike[bytes] | None
    certfile: str | bytes | PathLike[str] | PathLike[bytes] | None

    def __init__(
        self,
        host: str = "",
        port: int = 993,
        keyfile: str | bytes | PathLike[str] | PathLike[bytes] | None = None,
        certfile: str | bytes | PathLike[str] | PathLike[bytes] | None = None,
        ssl_context: SSLContext | None = None,
        timeout: float | None = None,
    ) -> None:
        self.keyfile, self.certfile = keyfile, certfile
        if keyfile is not None or certfile is not None:
            if ssl_context is not None:
                raise ValueError("give an ssl_context, or keyfile and certfile, not both")
            warnings.warn(
                "keyfile and certfile are deprecated, use an ssl_context instead",
                DeprecationWarning,
                stacklevel=2,
            )
        self.ssl_context = _default_context() if ssl_context is None else ssl_context
        if certfile is not None:
            self.ssl_context.load_cert_chain(certfile, keyfile)
        super().__init__(host, port, timeout)

    def _create_socket(self, timeout: float | None) -> _socket:
        return self._under_tls(super()._create_socket(timeout), self.ssl_context)

    def open(self, host: str = "", port: int | None = 993, timeout: float | None = None) -> None:
        """Connect and do the TLS handshake."""
        super().open(host, 993 if port is None else port, timeout)
        self._tls_established = True

    def ssl(self) -> SSLSocket:
        """Return the TLS socket of the connection."""
        return cast("SSLSocket", self.sock)

    @property
    def sslobj(self) -> SSLSocket:
        """The TLS socket of the connection."""
        return self.ssl()


class IMAP4_stream(IMAP4):  # noqa: N801
    """An `IMAP4` session with a shell command, over its standard input and output.

    Such servers often greet with PREAUTH: then the session is authenticated without a login.
    """

    process: subprocess.Popen[bytes]
    writefile: IO[Any]
    readfile: IO[Any]
    host: str
    port: int
    sock: _socket

    def __init__(self, command: str) -> None:
        self.command = command
        super().__init__()

    def open(
        self, host: str | None = None, port: int | None = None, timeout: float | None = None
    ) -> None:
        """Start the command."""
        self.host = self.port = self.sock = None  # type: ignore[assignment]
        pipe = public.subprocess.PIPE
        self.process = public.subprocess.Popen(
            self.command, stdin=pipe, stdout=pipe, shell=True, close_fds=True
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.writefile, self.readfile = self.process.stdin, self.process.stdout
        self._file = self.readfile

    def read(self, size: int) -> bytes:
        """Read exactly `size` bytes; fewer only at the end of the stream."""
        return read_in_steps(self.readfile, size)

    def send(self, data: Buffer) -> None:
        """Write all of `data`."""
        public.sys.audit("imaplib.send", self, data)
        self.writefile.write(data)
        self.writefile.flush()

    def shutdown(self) -> None:
        """Close the streams of the command and wait until it exits."""
        self.readfile.close()
        with contextlib.suppress(BrokenPipeError):
            self.writefile.close()
        self.process.wait()


for _class in (IMAP4, IMAP4_SSL, IMAP4_stream):
    _class.__module__ = public.__name__  # shown in messages, and used by pickle

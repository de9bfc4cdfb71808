"""The three classes: over TCP, over TLS, and over the standard input and output of a program."""

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
"""What we say we speak, so that no other server takes our words for its own (RFC 7301)."""


class IMAP4(Messages):
    """A session with an IMAP server.

    Every command is a method, in lower case or capitals, and returns `(typ, [data, ...])`: the
    status "OK" or "NO", and bytes, or pairs of bytes for what came as a literal. `IMAP4.error` is
    raised where a command could not be sent or was not understood, `IMAP4.abort` where the
    connection is of no use any more, `IMAP4.readonly` where a mailbox has become read-only.

    A `with` statement logs out at its end.
    """

    # Declared above too; without this, type checkers would guess by what is assigned here.
    sock: _socket
    untagged_responses: dict[str, list[bytes | tuple[bytes, bytes]]]

    def __init__(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect and take the greeting; `timeout` is in seconds, for each wait for the server."""
        self._reset()
        self.open(host, port, timeout)
        try:
            self._connect()
        except Exception:
            with contextlib.suppress(OSError):
                self.shutdown()
            raise

    def __getattr__(self, attr: str) -> Any:
        """The name of a command in capitals is its method."""
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
        """A typed `imaplus.Client` on this connection, from the state that it is in.

        It and the methods here may be used in turn, in one thread: each goes on where the other
        left off. All that it reads and writes goes through `readline`, `read` and `send`.
        """
        from imaplus.imaplib._typed import TypedClient

        if self._typed is None:
            self._typed = TypedClient(self)
        return self._typed

    def starttls(self, ssl_context: SSLContext | None = None) -> Results:
        """Go over to TLS. Without a context, certificate and host name are verified.

        Raises:
            IMAP4.abort: TLS is on, or the server lacks it, or said more than it should.
            IMAP4.error: the server refuses. ssl.SSLError: it is not who it should be.
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
        """Shake hands. What was said in clear is forgotten, and nothing of it counts as TLS."""
        try:
            if self._injected():
                raise self.abort("the server said more after its OK to STARTTLS: injected?")
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
        sock.settimeout(patience or PATIENCE)  # a handshake may not take for ever
        wrapped = context.wrap_socket(sock, server_hostname=self.host or "localhost")
        wrapped.settimeout(patience)
        if wrapped.selected_alpn_protocol() not in (None, ALPN):
            wrapped.close()
            raise self.abort(f"the server speaks {wrapped.selected_alpn_protocol()!r}, not IMAP")
        return wrapped


def _default_context() -> SSLContext:
    """Certificate and host name are verified against what the system trusts."""
    context = public.ssl.create_default_context()
    context.set_alpn_protocols([ALPN])
    return context


class IMAP4_SSL(IMAP4):  # noqa: N801
    """The same, under TLS from the first octet.

    Without `ssl_context`, certificate and host name are verified. `keyfile` and `certfile` are for
    a certificate of our own, as programs gave it before they had contexts.
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
        """Connect, and shake hands."""
        super().open(host, 993 if port is None else port, timeout)
        self._tls_established = True

    def ssl(self) -> SSLSocket:
        """The TLS socket under the connection."""
        return cast("SSLSocket", self.sock)

    @property
    def sslobj(self) -> SSLSocket:
        """The same."""
        return self.ssl()


class IMAP4_stream(IMAP4):  # noqa: N801
    """The same, with a server that a shell command runs, on its standard input and output.

    Such a server often greets with PREAUTH: then there is no need to log in.
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
        """Run the command."""
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
        """So many octets; fewer only where the stream ends."""
        return read_in_steps(self.readfile, size)

    def send(self, data: Buffer) -> None:
        """Write octets, all of them."""
        public.sys.audit("imaplib.send", self, data)
        self.writefile.write(data)
        self.writefile.flush()

    def shutdown(self) -> None:
        """End the command: its input ends, and it is waited for."""
        self.readfile.close()
        with contextlib.suppress(BrokenPipeError):
            self.writefile.close()
        self.process.wait()


for _class in (IMAP4, IMAP4_SSL, IMAP4_stream):
    _class.__module__ = public.__name__  # where they are to be found

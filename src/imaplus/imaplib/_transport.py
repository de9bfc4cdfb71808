"""The I/O hooks of an `IMAP4`: all bytes to and from the server pass through them.

Programs may override `open`, `_create_socket`, `read`, `readline`, `send`, `shutdown` and `socket`,
and assign `sock` and `file`.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from imaplus.errors import add_last_words
from imaplus.imaplib._input_file import InputFile, warn_of_file
from imaplus.imaplib._log import Log
from imaplus.imaplib._pieces import LITERAL_STEP, READ_SIZE, Pieces, read_in_steps
from imaplus.imaplib._public import public
from imaplus.wire.frames import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from socket import socket as _socket

    from typing_extensions import Buffer

E = TypeVar("E", bound=Exception)

GLANCE: Final = 0.001
"""Shortest socket timeout in seconds; 0 would make the socket non-blocking."""
PATIENCE: Final = 120.0
"""Seconds to wait for the server if the socket has no timeout."""
SLOWEST: Final = 256
"""Minimum transfer rate of a line or literal in bytes per second, once it has begun."""
CHATTER: Final = 20.0
"""Seconds that a server may send only unrequested responses, unless the timeout is longer."""
LULL: Final = 1.5
"""Responses further apart than this, in seconds, do not count as `CHATTER`: they are keepalives."""
WSAEINVAL: Final = 10022
"""Error code of Windows for a connection that the server has closed."""
_CLOSED: Final = (errno.ENOTCONN, errno.EBADF)


NOT_ASSIGNED: Final = object()
"""Value of `IMAP4.file` before the first assignment; None is a valid assignment."""


class Transport(Log):
    """The connection of an `IMAP4` and its input buffer."""

    class error(Exception):  # noqa: N801
        """The command cannot be sent, or the server refused it.

        `last_words` are the untagged NO and BAD responses that the server sent before.
        """

        last_words: tuple[str, ...] = ()

        def __str__(self) -> str:
            return add_last_words(super().__str__(), self.last_words)

        __qualname__ = "IMAP4.error"
        __module__ = public.__name__

    class abort(error):  # noqa: N801
        """The connection is unusable: close it and open a new one."""

        __qualname__ = "IMAP4.abort"
        __module__ = public.__name__

    class _invalid(error, ValueError):  # noqa: N801
        """An argument that cannot be sent."""

        __qualname__ = "IMAP4._invalid"
        __module__ = public.__name__

    class _mistyped(error, TypeError):  # noqa: N801
        """An argument of the wrong type, or one too many."""

        __qualname__ = "IMAP4._mistyped"
        __module__ = public.__name__

    class _responsetimeout(TimeoutError):  # noqa: N801
        """No response began within the time that an `Idler` waits."""

        __qualname__ = "IMAP4._responsetimeout"
        __module__ = public.__name__

    class _timed_out(TimeoutError):  # noqa: N801
        """The server did not answer in time."""

        last_words: tuple[str, ...] = ()

        def __str__(self) -> str:
            return add_last_words(super().__str__(), self.last_words)

        __qualname__ = "TimeoutError"
        __module__ = public.__name__

        def __reduce__(self) -> tuple[Any, ...]:
            return _make_timed_out, self.args, self.__dict__ or None

    class readonly(abort):  # noqa: N801
        """The mailbox was opened for writing and is read-only."""

        __qualname__ = "IMAP4.readonly"
        __module__ = public.__name__

    host: str
    port: int
    sock: _socket
    limits: Limits = DEFAULT_LIMITS
    """Limits on responses; exceeding one raises `abort`. May be assigned."""
    _file: IO[bytes] | None = None  # read from instead of `sock`, if assigned
    _block: bytes = b""  # received from `sock`; consumed up to _at
    _at: int = 0
    _unread: list[bytes] | None = None  # `_readbuf` of the standard module: read before `sock`
    _imaplib_file: Any = NOT_ASSIGNED  # value of `file`
    _usual: float | Literal[False] | None = False  # the socket's own timeout while another is set
    _ends: float | None = None  # deadline for reading within `_limit_wait`
    _progressed: bool = True  # a requested response has arrived since `_looked`
    _looked: float = 0.0  # time of the latest `_look`
    _chatter: float = 0.0  # seconds spent on unrequested responses since then

    # -- hooks ----------------------------------------------------------------------------------

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect, so that `read`, `readline`, `send` and `shutdown` can be used.

        Args:
            timeout: seconds for connecting and for each read; None waits without limit.

        Raises:
            ValueError: `timeout` is 0.
            OSError: the connection failed.
        """
        self.host = host
        self.port = port
        self._forget_input()
        self._file, self._imaplib_file = None, NOT_ASSIGNED
        self.sock = self._create_socket(timeout)

    def _create_socket(self, timeout: float | None) -> _socket:
        if timeout is not None and not timeout:
            raise ValueError("timeout=0 is not supported: it makes the socket non-blocking")
        public.sys.audit("imaplib.open", self, self.host, self.port)
        address = (self.host or None, self.port)
        if timeout is None:
            sock = public.socket.create_connection(address)
        else:
            sock = public.socket.create_connection(address, timeout)
        with contextlib.suppress(OSError):  # commands are written whole: do not delay them
            sock.setsockopt(public.socket.IPPROTO_TCP, public.socket.TCP_NODELAY, 1)
        return sock

    def read(self, size: int) -> bytes:
        """Read exactly `size` bytes; fewer only at the end of the stream."""
        if self._file is not None:
            return read_in_steps(self._file, size)
        return self._read_block(size)

    def readline(self) -> bytes:
        """Read a line with its end; a partial line only at the end of the stream.

        Raises:
            IMAP4.error: the line is longer than `_MAXLINE`.
            IMAP4.abort: the line is longer than `limits.text`.
        """
        maximum = public._MAXLINE
        most = self.limits.text if maximum is None else maximum
        end = self._block.find(b"\n", self._at) + 1
        if 0 < end <= self._at + most and self._file is None:
            line = self._block[self._at : end]
            self._at = end
            return line
        line = (self._read_line if self._file is None else self._file.readline)(most + 1)
        if len(line) > most:
            kind = self.abort if maximum is None else self.error
            raise kind(f"a line of the server's exceeds the limit: got more than {most} bytes")
        return line

    def send(self, data: Buffer) -> None:
        """Write all of `data`."""
        public.sys.audit("imaplib.send", self, data)
        self.sock.sendall(data)

    def shutdown(self) -> None:
        """Close the connection that `open` opened."""
        self._forget_input()
        self._close_imaplib_file()
        try:
            self.sock.shutdown(public.socket.SHUT_RDWR)
        except OSError as error:
            # Either side may have closed the connection already.
            closed = error.errno in _CLOSED or getattr(error, "winerror", 0) == WSAEINVAL
            if not closed:
                raise
        finally:
            self.sock.close()

    def socket(self) -> _socket:
        """Return the socket of the connection."""
        return self.sock

    @property
    def file(self) -> IO[Any]:
        """A binary file over the input: the one that was assigned, or one over the input buffer.

        After an assignment, `read` and `readline` use the file instead of `sock`. Access warns if
        the imaplib of the running Python version does.
        """
        warn_of_file(assigned=False)
        if self._imaplib_file is not NOT_ASSIGNED:
            return cast("IO[Any]", self._imaplib_file)
        return cast("IO[Any]", InputFile(self)) if self._file is None else self._file

    @file.setter
    def file(self, file: object) -> None:
        warn_of_file(assigned=True)
        self._forget_input()
        self._imaplib_file = file
        self._file = None if isinstance(file, InputFile) else cast("IO[bytes] | None", file)

    def _close_imaplib_file(self) -> None:
        """Close the assigned file, if there is one."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    # -- buffered input -------------------------------------------------------------------------

    @property
    def _readbuf(self) -> list[bytes]:
        """The received and unconsumed data, as the standard module exposes it; may be changed."""
        if self._unread is None:
            self._unread = []
        if self._at < len(self._block):
            self._unread.insert(0, self._block[self._at :])
        self._block, self._at = b"", 0
        return self._unread

    @_readbuf.setter
    def _readbuf(self, unread: list[bytes]) -> None:
        self._block, self._at, self._unread = b"", 0, unread

    def _forget_input(self) -> None:
        self._block, self._at, self._unread = b"", 0, None

    def _receive(self) -> bytes:
        """Return the next bytes; b"" at the end of the stream."""
        if self._unread:
            data = b"".join(self._unread)
            self._unread.clear()
            return data
        return self.sock.recv(READ_SIZE)

    def _read_line(self, most: int) -> bytes:
        """Read a line, or its first `most` bytes. Data read before a timeout stays buffered."""
        end = self._block.find(b"\n", self._at) + 1
        if not end:
            return self._read_long_line(most)
        end = min(end, self._at + most)
        line = self._block[self._at : end]
        self._at = end
        return line

    def _read_long_line(self, most: int) -> bytes:
        """Read a line that is not completely in the buffer."""
        line = bytearray(self._block[self._at :])
        self._block, self._at = b"", 0
        began = self._look() if not line else public.time.monotonic()
        try:
            while len(line) < most:
                data = self._receive()
                end = data.find(b"\n") + 1
                line += data[: end or None]
                if end or not data:
                    self._block, self._at = data, end
                    break
                self._check_pace(began, len(line))
        except BaseException:
            self._block = bytes(line)
            raise
        if len(line) > most:
            self._block, self._at = bytes(line[most:]) + self._block[self._at :], 0
            del line[most:]
        return bytes(line)

    def _read_block(self, size: int) -> bytes:
        data = self._block[self._at : self._at + size]
        self._at += len(data)
        if len(data) == size:
            return data
        taken = Pieces(data)
        missing = size - len(data)
        began = public.time.monotonic()
        try:
            while missing:
                if missing < READ_SIZE or self._unread:
                    self._block = self._receive()
                    data = self._block[:missing]
                    self._at = len(data)
                else:  # large literals bypass the buffer
                    data = self.sock.recv(min(missing, LITERAL_STEP))
                if not data:
                    break
                taken.add(data)
                missing -= len(data)
                if missing:
                    self._check_pace(began, size - missing)
        except BaseException:
            self._block, self._at = taken.join(), 0
            raise
        return taken.join()

    # -- time -----------------------------------------------------------------------------------

    def _patience(self) -> float:
        """Return the seconds to wait for the server: the socket's timeout, or `PATIENCE`."""
        usual = self._usual
        if usual is False:
            usual = getattr(getattr(self, "sock", None), "gettimeout", lambda: None)()
        return usual or PATIENCE

    def _check_pace(self, began: float, size: int) -> None:
        """Raise IMAP4.abort if a line or literal arrives more slowly than `SLOWEST`."""
        now = public.time.monotonic()
        if self._ends is not None:
            if now >= self._ends:
                raise TimeoutError("timed out while reading a response")
            self.sock.settimeout(max(self._ends - now, GLANCE))
        took = now - began
        if took > self._patience() + size / SLOWEST:
            raise self.abort(f"the server is too slow: {size} bytes of a response in {took:.3g} s")

    def _look(self) -> float:
        """Check for progress before each wait for a line; return the time.

        Requested responses may take any time, and the socket's timeout bounds silence. A server
        that sends only unrequested responses is given `CHATTER` seconds, or the socket's timeout.

        Raises:
            IMAP4.abort: the server has sent only unrequested responses for longer.
        """
        now: float = public.time.monotonic()
        gap, self._looked = now - self._looked, now
        if self._progressed:
            self._progressed, self._chatter = False, 0.0
        elif gap < LULL:
            self._chatter += gap
            if self._chatter > max(self._patience(), CHATTER):
                seconds = f"{self._chatter:.0f} seconds"
                raise self.abort(f"the server has sent only unrequested responses for {seconds}")
        return now

    @contextlib.contextmanager
    def _limit_wait(self, seconds: float | None) -> Iterator[None]:
        """Limit reading inside the block to `seconds` in all; None waits without limit.

        Raises:
            TimeoutError: no complete line or block arrived in time.
        """
        sock = getattr(self, "sock", None)
        if sock is None:
            yield
            return
        self._usual = patience = sock.gettimeout()
        if seconds is not None:
            seconds = max(seconds, GLANCE)
            self._ends = public.time.monotonic() + seconds
        sock.settimeout(seconds)
        try:
            yield
        finally:
            self._usual, self._ends = False, None
            if sock.fileno() != -1:
                sock.settimeout(patience)

    def _has_unread_input(self) -> bool:
        """Return whether unconsumed input exists; before a TLS handshake it may be injected."""
        if self._unread or self._at < len(self._block):
            return True
        patience = self.sock.gettimeout()
        self.sock.settimeout(0)
        try:
            if self._file is not None:
                return bool(getattr(self._file, "peek", lambda size: b"")(1))
            return bool(self.sock.recv(1, public.socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            self.sock.settimeout(patience)


def with_words(error: E, words: tuple[str, ...]) -> E:
    """Return the error with the server's last words, unless it has some or cannot have any."""
    if words and getattr(error, "last_words", None) == ():
        error.last_words = words  # type: ignore[attr-defined]
    return error


def _make_timed_out(*args: object) -> Exception:
    return Transport._timed_out(*args)

"""Octets to and from the server: the hooks through which all I/O of an `IMAP4` goes.

`open`, `_create_socket`, `read`, `readline`, `send`, `shutdown` and `socket` may be overridden, and
`sock` and `file` assigned. It knows lines and blocks of octets, and nothing of their meaning.
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
"""Seconds to look whether something has come: 0 would mean not to block at all."""
PATIENCE: Final = 120.0
"""Seconds that a server gets where the socket has no time-out."""
SLOWEST: Final = 256
"""Octets a second that a line or literal must come with, once it has begun: far below any line."""
CHATTER: Final = 20.0
"""Seconds that a server may say what nobody asked for, if the socket's time-out is less."""
LULL: Final = 1.5
"""Seconds of silence after which what comes is no flood: signs of life are further apart."""
WSAEINVAL: Final = 10022
"""What Windows says of a connection that the server has closed."""
_CLOSED: Final = (errno.ENOTCONN, errno.EBADF)


NOT_ASSIGNED: Final = object()
"""What `IMAP4.file` is before anybody assigned one: None may be assigned as well."""


class Transport(Log):
    """The connection of an `IMAP4`, and what has been read from it but not been taken yet."""

    class error(Exception):  # noqa: N801
        """The command cannot be sent, or was refused.

        `last_words` are the untagged NO and BAD that the server sent before.
        """

        last_words: tuple[str, ...] = ()

        def __str__(self) -> str:
            return add_last_words(super().__str__(), self.last_words)

        __qualname__ = "IMAP4.error"
        __module__ = public.__name__

    class abort(error):  # noqa: N801
        """The connection is of no use any more: close it, and try on a new one."""

        __qualname__ = "IMAP4.abort"
        __module__ = public.__name__

    class _invalid(error, ValueError):  # noqa: N801
        """An argument that cannot be sent."""

        __qualname__ = "IMAP4._invalid"
        __module__ = public.__name__

    class _mistyped(error, TypeError):  # noqa: N801
        """An argument of a type that cannot be sent, or one too many."""

        __qualname__ = "IMAP4._mistyped"
        __module__ = public.__name__

    class _responsetimeout(TimeoutError):  # noqa: N801
        """No response has begun in time, while an `Idler` waited for one."""

        __qualname__ = "IMAP4._responsetimeout"
        __module__ = public.__name__

    class _timed_out(TimeoutError):  # noqa: N801
        """Nothing came in time."""

        last_words: tuple[str, ...] = ()

        def __str__(self) -> str:
            return add_last_words(super().__str__(), self.last_words)

        __qualname__ = "TimeoutError"
        __module__ = public.__name__

        def __reduce__(self) -> tuple[Any, ...]:
            return _make_timed_out, self.args, self.__dict__ or None

    class readonly(abort):  # noqa: N801
        """The mailbox was to be written to, and now is read-only."""

        __qualname__ = "IMAP4.readonly"
        __module__ = public.__name__

    host: str
    port: int
    sock: _socket
    limits: Limits = DEFAULT_LIMITS
    """What the server may make us hold; more is an `abort`. Another `Limits` may be assigned."""
    _file: IO[bytes] | None = None  # set by whoever wants to be read from instead of `sock`
    _block: bytes = b""  # read from `sock`, and taken up to _at
    _at: int = 0
    _unread: list[bytes] | None = None  # what comes before all that `sock` still has
    _imaplib_file: Any = NOT_ASSIGNED  # what `file` gives
    _usual: float | Literal[False] | None = False  # the socket's time-out, while another is set
    _ends: float | None = None  # when reading has to end, while that is so
    _progressed: bool = True  # something has come that was asked for, since the last look
    _looked: float = 0.0  # when that was
    _chatter: float = 0.0  # seconds spent since then on what nobody asked for

    # -- hooks ----------------------------------------------------------------------------------

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect: from here on `read`, `readline`, `send` and `shutdown` work."""
        self.host = host
        self.port = port
        self._forget_input()
        self._file, self._imaplib_file = None, NOT_ASSIGNED
        self.sock = self._create_socket(timeout)

    def _create_socket(self, timeout: float | None) -> _socket:
        if timeout is not None and not timeout:
            raise ValueError("a timeout of 0 would mean a non-blocking socket, which cannot work")
        public.sys.audit("imaplib.open", self, self.host, self.port)
        address = (self.host or None, self.port)
        if timeout is None:
            sock = public.socket.create_connection(address)
        else:
            sock = public.socket.create_connection(address, timeout)
        with contextlib.suppress(
            OSError
        ):  # commands go out whole: waiting to fill a packet is loss
            sock.setsockopt(public.socket.IPPROTO_TCP, public.socket.TCP_NODELAY, 1)
        return sock

    def read(self, size: int) -> bytes:
        """So many octets; fewer only where the stream ends."""
        if self._file is not None:
            return read_in_steps(self._file, size)
        return self._read_block(size)

    def readline(self) -> bytes:
        """A line with its end; a part of one only where the stream ends.

        Raises:
            IMAP4.error: it is longer than `_MAXLINE`. IMAP4.abort: longer than `limits` allow.
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
            raise kind(f"got more than {most} bytes")
        return line

    def send(self, data: Buffer) -> None:
        """Write octets, all of them."""
        public.sys.audit("imaplib.send", self, data)
        self.sock.sendall(data)

    def shutdown(self) -> None:
        """Close what `open` opened."""
        self._forget_input()
        self._close_imaplib_file()
        try:
            self.sock.shutdown(public.socket.SHUT_RDWR)
        except OSError as error:
            # The server may have closed the connection already, or we have.
            closed = error.errno in _CLOSED or getattr(error, "winerror", 0) == WSAEINVAL
            if not closed:
                raise
        finally:
            self.sock.close()

    def socket(self) -> _socket:
        """The socket under the connection."""
        return self.sock

    @property
    def file(self) -> IO[Any]:
        """A binary file to read from: whichever was assigned, else one over what `readline` reads.

        Once a file has been assigned, `read` and `readline` use it instead of `sock`. On a Python
        whose own imaplib warns about it, so does this.
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
        """Close the file that was assigned, if one was."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    # -- buffered input -------------------------------------------------------------------------

    @property
    def _readbuf(self) -> list[bytes]:
        """What has been read from `sock` and not been taken, to look at or to change."""
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
        """The next octets, nothing at the end of the stream."""
        if self._unread:
            data = b"".join(self._unread)
            self._unread.clear()
            return data
        return self.sock.recv(READ_SIZE)

    def _read_line(self, most: int) -> bytes:
        """A line, or its first `most` octets. Nothing is lost if reading times out."""
        end = self._block.find(b"\n", self._at) + 1
        if not end:
            return self._read_long_line(most)
        end = min(end, self._at + most)
        line = self._block[self._at : end]
        self._at = end
        return line

    def _read_long_line(self, most: int) -> bytes:
        """A line that the block does not hold as a whole."""
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
                self._keep_pace(began, len(line))
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
                else:  # past the block, straight into the literal
                    data = self.sock.recv(min(missing, LITERAL_STEP))
                if not data:
                    break
                taken.add(data)
                missing -= len(data)
                if missing:
                    self._keep_pace(began, size - missing)
        except BaseException:
            self._block, self._at = taken.all(), 0
            raise
        return taken.all()

    # -- time -----------------------------------------------------------------------------------

    def _patience(self) -> float:
        """Seconds that the server gets: what the program has set for the socket, or what we do."""
        usual = self._usual
        if usual is False:
            usual = getattr(getattr(self, "sock", None), "gettimeout", lambda: None)()
        return usual or PATIENCE

    def _keep_pace(self, began: float, octets: int) -> None:
        """Insist that a line or literal that has begun comes at a rate at which it will end."""
        now = public.time.monotonic()
        if self._ends is not None:
            if now >= self._ends:
                raise TimeoutError("timed out")
            self.sock.settimeout(max(self._ends - now, GLANCE))
        took = now - began
        if took > self._patience() + octets / SLOWEST:
            raise self.abort(f"{octets} octets of a response came in {took:.3g} seconds: too slow")

    def _look(self) -> float:
        """Insist that what comes leads somewhere; the time.

        Called before each wait for a line. What was asked for may take as long as it does, and so
        may silence, which the time-out of the socket bounds. But a server that keeps talking, and
        says nothing that was asked for, has a time to end in.
        """
        now: float = public.time.monotonic()
        gap, self._looked = now - self._looked, now
        if self._progressed:
            self._progressed, self._chatter = False, 0.0
        elif gap < LULL:
            self._chatter += gap
            if self._chatter > max(self._patience(), CHATTER):
                raise self.abort(
                    f"for {self._chatter:.0f} seconds the server has said nothing that was asked"
                )
        return now

    @contextlib.contextmanager
    def _waiting(self, seconds: float | None) -> Iterator[None]:
        """Reading inside raises TimeoutError after so many seconds, whether nothing has come or
        only a part; None waits for ever."""
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

    def _injected(self) -> bool:
        """Whether the server has said more than was taken, which before TLS begins is an attack."""
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
    """The error with the server's last words, if it has none yet and can have any."""
    if words and getattr(error, "last_words", None) == ():
        error.last_words = words  # type: ignore[attr-defined]
    return error


def _make_timed_out(*args: object) -> Exception:
    return Transport._timed_out(*args)

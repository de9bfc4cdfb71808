"""`IMAP4.file`: the input of an `IMAP4` as a file object, and its deprecation warnings."""

from __future__ import annotations

import io
import sys
import warnings
from typing import TYPE_CHECKING

from imaplus.imaplib._pieces import READ_SIZE
from imaplus.imaplib._public import public

if TYPE_CHECKING:
    from imaplus.imaplib._transport import Transport


def warn_of_file(*, assigned: bool) -> None:
    """Warn as the standard module of the running Python version does."""
    if sys.version_info >= (3, 15):
        text = "'IMAP4.file' is deprecated and slated for removal in Python 3.19"
        warnings.warn(text, DeprecationWarning, stacklevel=3)
    elif sys.version_info >= (3, 14) and not assigned:
        text = "IMAP4.file is unsupported there, can cause errors, and may be removed"
        warnings.warn(text, RuntimeWarning, stacklevel=3)


class InputFile(io.BufferedIOBase):
    """The input of an `IMAP4` as a file, for programs that read from `IMAP4.file` directly."""

    def __init__(self, owner: Transport) -> None:
        self._owner = owner

    def readable(self) -> bool:
        return True

    @property
    def raw(self) -> io.RawIOBase:
        """The socket as a raw file; it does not include data already buffered."""
        return public.socket.SocketIO(self._owner.sock, "rb")

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size >= 0:
            return self._owner._read_block(size)
        pieces = []
        while data := self._owner._read_block(READ_SIZE):
            pieces.append(data)
        return b"".join(pieces)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._owner._read_line(sys.maxsize if size is None or size < 0 else size)

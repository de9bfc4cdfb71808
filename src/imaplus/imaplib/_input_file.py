"""`IMAP4.file`: what an `IMAP4` reads, as a file, and how the newest Pythons warn about it."""

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
    """As the module of this Python does: its `file` is to go away, and ours may be used."""
    if sys.version_info >= (3, 15):
        text = "'IMAP4.file' is deprecated and slated for removal in Python 3.19"
        warnings.warn(text, DeprecationWarning, stacklevel=3)
    elif sys.version_info >= (3, 14) and not assigned:
        text = "IMAP4.file is unsupported there, can cause errors, and may be removed"
        warnings.warn(text, RuntimeWarning, stacklevel=3)


class InputFile(io.BufferedIOBase):
    """What an `IMAP4` reads, as a file, for programs that read past its methods."""

    def __init__(self, owner: Transport) -> None:
        self._owner = owner

    def readable(self) -> bool:
        return True

    @property
    def raw(self) -> io.RawIOBase:
        """The octets of the socket, without those that have been read ahead."""
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

"""Octets as they come, in memory that is about as large. Nothing is known here of IMAP."""

from __future__ import annotations

from typing import IO, Final

READ_SIZE: Final = 1 << 16
"""Octets read at once: small answers stay quick, large ones take few calls."""
LITERAL_STEP: Final = 1 << 18
"""Octets of a literal asked for at once, so that its announced size is no allocation."""
SMALL: Final = 4096
"""Octets of a piece that is worth an object of its own."""


class Pieces:
    """Octets as they come, in memory that is about as large: large pieces are copied once."""

    def __init__(self, first: bytes = b"") -> None:
        self._pieces = [first]
        self._small = bytearray()  # pieces so small that a list of them would be larger

    def add(self, piece: bytes) -> None:
        """The next octets."""
        if len(piece) < SMALL:
            self._small += piece
            if len(self._small) < READ_SIZE:
                return
            piece = b""
        self._pieces += (bytes(self._small), piece)
        self._small.clear()

    def all(self) -> bytes:
        """All octets."""
        return b"".join((*self._pieces, self._small))


def read_in_steps(file: IO[bytes], size: int) -> bytes:
    """So many octets of a file, without making room for them before they come."""
    if size <= LITERAL_STEP:
        return file.read(size)
    taken = Pieces()
    while size > 0 and (data := file.read(min(size, LITERAL_STEP))):
        taken.add(data)
        size -= len(data)
    return taken.all()

"""Buffers for input of unknown or announced size, without allocating that size in advance."""

from __future__ import annotations

from typing import IO, Final

READ_SIZE: Final = 1 << 16
"""Bytes per read: large enough for few system calls, small enough for short answers."""
LITERAL_STEP: Final = 1 << 18
"""Bytes per read of a literal; its announced size is never allocated at once."""
SMALL: Final = 4096
"""Pieces shorter than this, in bytes, are joined instead of stored as separate objects."""


class Pieces:
    """Collects pieces of bytes in about as much memory; large pieces are copied once."""

    def __init__(self, first: bytes = b"") -> None:
        self._pieces = [first]
        self._small = bytearray()  # short pieces, joined: as a list they would take more memory

    def add(self, piece: bytes) -> None:
        """Append a piece."""
        if len(piece) < SMALL:
            self._small += piece
            if len(self._small) < READ_SIZE:
                return
            piece = b""
        self._pieces += (bytes(self._small), piece)
        self._small.clear()

    def join(self) -> bytes:
        """Return all pieces joined."""
        return b"".join((*self._pieces, self._small))


def read_in_steps(file: IO[bytes], size: int) -> bytes:
    """Read `size` bytes of a file in steps, so that a false size allocates nothing."""
    if size <= LITERAL_STEP:
        return file.read(size)
    taken = Pieces()
    while size > 0 and (data := file.read(min(size, LITERAL_STEP))):
        taken.add(data)
        size -= len(data)
    return taken.join()

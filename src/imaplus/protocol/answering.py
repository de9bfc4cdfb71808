"""An answer that takes a while to work out, so that whoever runs a connection may do it elsewhere.

SCRAM derives keys for a tenth of a second or more; an event loop has better to do.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from imaplus.errors import ImapError
from imaplus.protocol.command import Pending
from imaplus.protocol.response import Continuation
from imaplus.wire.secret import Secret


class Answering:
    """What a command says to a challenge. Call it, in any thread, then give it to
    `Connection.answered()`. Calling it twice does no harm, nor does calling it at the same time."""

    __slots__ = ("_challenge", "_done", "_lock", "error", "line", "pending")

    def __init__(self, pending: Pending[Any], challenge: Continuation) -> None:
        self.pending: Pending[Any] = pending
        self.line: bytes | Secret | None = None
        """The line to send, or None for none."""
        self.error: ImapError | None = None
        """Why the command has failed, or None."""
        self._challenge = challenge
        self._lock = Lock()
        self._done = False

    def __call__(self) -> None:
        """Work it out."""
        with self._lock:
            if self._done:
                return
            try:
                self.line = self.pending.command.answer(self._challenge)
            except ImapError as error:
                self.error = error
                self.line = b"*"  # cancels the exchange (RFC 9051, 6.2.2)
            finally:
                self._done = True

"""An answer that takes time to work out, which may be done outside of an event loop.

SCRAM derives keys for a tenth of a second or more.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from imaplus.errors import ImapError
from imaplus.protocol.pending import Pending
from imaplus.protocol.response import Continuation
from imaplus.wire.secret import Secret


class Answering:
    """The answer of a command to a challenge, to be worked out.

    Call it, in any thread, then pass it to `Connection.send_answer()`. It may be called twice, and
    by two threads at once.
    """

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
        """Work out the answer: sets `line` or `error`."""
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

"""Negotiation with the server: TLS, compression, and the answers to `+`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imaplus.errors import ProtocolError
from imaplus.protocol.command import Effect
from imaplus.protocol.progress import Progress
from imaplus.protocol.response import Continuation
from imaplus.protocol.sending import Sending
from imaplus.protocol.telling import Trace
from imaplus.wire.frames import Limits
from imaplus.wire.framing import Framer

if TYPE_CHECKING:
    from imaplus.protocol.answering import Answering
    from imaplus.protocol.deflate import Inflating

EACH: Final = 32
"""Bytes added to the size of each response, because short ones take time too."""
STRAY: Final = 1000
"""Bytes that an unexpected continuation request counts as: servers send few of them."""


class Negotiating(Sending):
    """The part of a connection that handles TLS, compression and continuation requests."""

    def __init__(self, *, limits: Limits, secure: bool, trace: Trace | None) -> None:
        super().__init__(limits=limits, secure=secure, trace=trace)
        self.wants_tls: bool = False
        """STARTTLS was accepted: shake hands now, then call `confirm_tls()`."""
        self.defers = False
        """Whether the caller computes slow answers: see `answering`."""
        self.answering: Answering | None = None
        """A slow answer: call it, then pass it to `send_answer()`. The server waits meanwhile."""
        self.progress: Progress = Progress()
        self._inflating: Inflating | None = None
        self._switched = False  # to compression, by the frame just handled
        self._unasked = 0  # bytes in a row that no command asked for

    @property
    def has_more(self) -> bool:
        """Whether compressed data waits to be read: call `receive_data(b"")`."""
        inflating = self._inflating
        return inflating is not None and self.error is None and inflating.has_more

    # -- effects of commands ------------------------------------------------------------------

    def _carry_out(self, effect: Effect, framer: Framer) -> None:
        """Apply the effect of a completed command to the stream."""
        if effect is Effect.START_TLS:
            if framer.take_rest():  # these bytes were not encrypted: an attack
                raise ProtocolError("the server sent more after its OK to STARTTLS: injected?")
            self.wants_tls = True
        else:
            from imaplus.protocol.deflate import Inflating

            self._inflating = Inflating()
            self._outbox.compress()
            self._switched = True

    def confirm_tls(self) -> None:
        """Take note that the handshake is done: forget what was said in clear (RFC 9051, 6.2.1)."""
        self.wants_tls = False
        self.secure = True
        self.forget_capabilities()

    # -- continuation requests --------------------------------------------------------------

    def _continue(self, challenge: Continuation, events: list[object]) -> None:
        """Handle a `+`: write the rest of a command, or let the command answer."""
        if self._outbox.blocked:
            self.progress.steps += 1
            self._outbox.proceed()
            return
        pending = self._in_flight.oldest
        if pending is None or not pending.command.exclusive or not pending.written:
            self._count_unasked(len(challenge.text) + STRAY)
            events.append(challenge)
            return
        from imaplus.protocol.answering import Answering

        answering = Answering(pending, challenge)
        if self.defers and pending.command.answers_slowly and self.answering is None:
            self.answering = answering
        else:
            answering()
            if answering.line is None:
                self._count_unasked(STRAY)  # IDLE begins with one
            self.send_answer(answering)

    def send_answer(self, answering: Answering) -> None:
        """Send an answer that has been computed."""
        if self.answering is answering:
            self.answering = None
        if self.error is not None:
            return
        if answering.error is not None:
            answering.pending.fail(answering.error)
        self.progress.steps += answering.line is not None
        self._outbox.answer(answering.pending, answering.line)

    def _count_unasked(self, size: int) -> None:
        self._unasked += size + EACH
        if self._unasked > self.limits.unasked:
            raise ProtocolError(
                "the server keeps sending what no command asked for: it counts for more than "
                f"{self.limits.unasked} bytes"
            )

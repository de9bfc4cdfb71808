"""What a connection agrees on with the server: TLS, compression, and the answers to `+`."""

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
"""Bytes that a response counts for beside its own: short ones take as much time as long ones."""
STRAY: Final = 1000
"""Bytes that a continuation request which nobody waits for counts as: servers send few of them."""


class Negotiating(Sending):
    """The part of a connection that changes how both ends talk."""

    def __init__(self, *, limits: Limits, secure: bool, trace: Trace | None) -> None:
        super().__init__(limits=limits, secure=secure, trace=trace)
        self.wants_tls: bool = False
        """STARTTLS was accepted: shake hands now, then call `confirm_tls()`."""
        self.defers = False
        """Whether answers that take time are left to whoever runs the connection."""
        self.answering: Answering | None = None
        """Such an answer: call it, then `send_answer()`. Until then the server waits."""
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
        """Do to the stream what a completed command asks for."""
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
        """Take in a `+`: write the rest of a command, or let the command answer."""
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
        """Send an answer that has been worked out."""
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

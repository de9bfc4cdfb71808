"""What is shown of a dialogue: traces, and the server's last words, which errors quote.

Secrets are blanked in both, those that are sent and those that the server repeats. The connection
decides which lines to pass here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from imaplus.errors import ProtocolError, shorten
from imaplus.protocol.response import Malformed, parse
from imaplus.protocol.status import Status
from imaplus.wire.blanking import BLANK, Blanking
from imaplus.wire.frames import Frame, Limits
from imaplus.wire.framing import Framer
from imaplus.wire.secret import Secret
from imaplus.wire.tokens import decode_text
from imaplus.wire.writer import Segment

Trace = Callable[[str, bytes], object]
"""Told each line of the dialogue, secrets blanked: ("C" or "S", bytes without line end)."""

MOST_WORDS: Final = 3
"""Number of lines that an error quotes, the latest ones."""


class Telling:
    """The trace of a connection, its secrets, and what the server said that answered nothing."""

    __slots__ = ("_lines", "_secrets", "_trace", "heard", "remembers")

    def __init__(self, trace: Trace | None = None) -> None:
        self.heard: int = 0
        """Number of lines heard so far, to pass to `words()` later."""
        self.remembers: bool = False
        """Whether there are words to `forget()`."""
        self._lines: deque[tuple[int, str]] = deque(maxlen=MOST_WORDS)
        self._trace = trace
        self._secrets = Blanking()

    @property
    def traces(self) -> bool:
        """Whether there is a trace."""
        return self._trace is not None

    # -- secrets ----------------------------------------------------------------------------

    def keep_secrets(self, secrets: Iterable[Secret]) -> None:
        """Blank these from here on, as they are and in base64, instead of earlier ones."""
        self._secrets.forget()
        for secret in secrets:
            self._secrets.keep(secret.reveal().encode())

    def hide(self, data: bytes) -> bytes:
        """The bytes with secrets blanked."""
        return self._secrets.blank(data)

    def hide_in_text(self, text: str) -> str:
        """The text with secrets blanked."""
        return decode_text(self.hide(text.encode(errors="surrogateescape")))

    def hide_in_frame(self, frame: Frame) -> Frame:
        """The response with secrets blanked."""
        literals = (self.hide(x) if isinstance(x, bytes) else x for x in frame.literals)
        return Frame(self.hide(frame.text), tuple(literals))

    def hide_in_status(self, status: Status) -> Status:
        """The status with secrets blanked, as an error quotes it."""
        return status.rewrite(self.hide_in_text, self.hide) if self._secrets else status

    # -- the trace --------------------------------------------------------------------------

    def show_sent(self, segment: Segment) -> None:
        """Trace what is being sent. Secrets in it are blanked from here on."""
        for piece in segment:
            if piece[1] and isinstance(piece.data, bytes):
                self._secrets.keep(piece.data.removesuffix(b"\r\n"))
        if self._trace is None:
            return
        shown = b"".join(
            BLANK
            if piece.secret
            else piece.data
            if isinstance(piece.data, bytes)
            else b"(%d bytes)" % piece.data.size
            for piece in segment
        )
        self._trace("C", shown.removesuffix(b"\r\n"))

    def show_received(self, frame: Frame, *, confidential: bool) -> None:
        """Trace a response. `confidential` blanks what a continuation request says."""
        if self._trace is None:
            return
        if confidential and frame.text.startswith(b"+"):
            self._trace("S", b"+ " + BLANK)
        else:
            self._trace("S", self.hide(frame.whole))

    def show_run(self, data: bytes, limits: Limits) -> None:
        """Trace many complete responses, one by one."""
        framer = Framer(limits)
        framer.feed(data)
        while (frame := framer.next_frame()) is not None:
            self.show_received(frame, confidential=False)

    # -- last words -------------------------------------------------------------------------

    def hear(self, line: bytes) -> None:
        """Remember a line that answers no command, to quote it in errors."""
        self.heard += 1
        self.remembers = True
        text = decode_text(self.hide(shorten(line, 1 << 12)))
        self._lines.append((self.heard, shorten(text)))

    def hide_in_malformed(self, value: Malformed, *, utf8: bool, limits: Limits) -> Malformed:
        """The value with secrets blanked. A line that is no response counts as a last word."""
        if self._secrets:
            hidden = self.hide_in_frame(value.frame)
            again = parse(hidden, utf8=utf8, limits=limits)
            error = again.error if isinstance(again, Malformed) else ProtocolError("a secret came")
            value = Malformed(value.name, hidden, error)
        if not value.name:
            self.hear(value.frame.text)
        return value

    def words(self, since: int = 0) -> tuple[str, ...]:
        """The latest lines heard since `heard` was `since`."""
        return tuple(text for number, text in self._lines if number > since)

    def forget(self) -> None:
        """All commands are over: the words explain nothing any more. Secrets are kept: a server may
        repeat one long after the login."""
        self._lines.clear()
        self.remembers = False


def may_be_words(line: bytes) -> bool:
    """Whether an incomplete line may say why the stream ended, and is not data of a mailbox."""
    return bool(line) and (line[:2] != b"* " or line[2:5] in (b"NO ", b"BAD", b"BYE"))

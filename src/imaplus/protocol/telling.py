"""What people are told of a dialogue: traces of it, and the server's last words for an error.

Secrets are blanked in both, those that we send and those that the server repeats. What lines mean
is known to the connection, which says which of them are worth telling.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from imaplus.errors import ProtocolError, shortened
from imaplus.protocol.response import Malformed, Status, parse
from imaplus.wire.blanking import BLANK, Blanking
from imaplus.wire.frames import Frame, Limits
from imaplus.wire.secret import Secret
from imaplus.wire.tokens import decode_text
from imaplus.wire.writer import Segment

Trace = Callable[[str, bytes], object]
"""Told each line of the dialogue, secrets blanked: ("C" or "S", octets without line end)."""

MOST_WORDS: Final = 3
"""Lines that an error quotes: the latest ones say why."""


class Telling:
    """The trace of a connection, its secrets, and what the server said that answered nothing."""

    __slots__ = ("_lines", "_secrets", "_trace", "heard", "remembers")

    def __init__(self, trace: Trace | None = None) -> None:
        self.heard: int = 0
        """Lines heard so far: what `words()` takes as a beginning."""
        self.remembers: bool = False
        """Whether there are words to `forget()`."""
        self._lines: deque[tuple[int, str]] = deque(maxlen=MOST_WORDS)
        self._trace = trace
        self._secrets = Blanking()

    @property
    def traces(self) -> bool:
        """Whether anybody is told of all lines."""
        return self._trace is not None

    # -- secrets ----------------------------------------------------------------------------

    def log_in(self, secrets: Iterable[Secret]) -> None:
        """Blank these from here on, as they are and in base64, instead of earlier ones."""
        self._secrets.forget()
        for secret in secrets:
            self._secrets.keep(secret.reveal().encode())

    def hidden(self, data: bytes) -> bytes:
        """The octets without the secrets in them."""
        return self._secrets.blanked(data)

    def hidden_text(self, text: str) -> str:
        """The same of a text."""
        return decode_text(self.hidden(text.encode(errors="surrogateescape")))

    def hidden_frame(self, frame: Frame) -> Frame:
        """The same of a response."""
        literals = (self.hidden(x) if isinstance(x, bytes) else x for x in frame.literals)
        return Frame(self.hidden(frame.text), tuple(literals))

    def hidden_status(self, status: Status) -> Status:
        """The same of what an error will say."""
        return status.shown(self.hidden_text, self.hidden) if self._secrets else status

    # -- the trace --------------------------------------------------------------------------

    def sent(self, segment: Segment) -> None:
        """This goes out. What of it is secret is blanked from here on."""
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
            else b"(%d octets)" % piece.data.size
            for piece in segment
        )
        self._trace("C", shown.removesuffix(b"\r\n"))

    def came(self, frame: Frame, *, confidential: bool) -> None:
        """This came in, to a command that is `confidential` or not."""
        if self._trace is None:
            return
        if confidential and frame.text.startswith(b"+"):
            self._trace("S", b"+ " + BLANK)
        else:
            self._trace("S", self.hidden(frame.whole))

    # -- last words -------------------------------------------------------------------------

    def hear(self, line: bytes) -> None:
        """The server said this to nobody's question."""
        self.heard += 1
        self.remembers = True
        text = decode_text(self.hidden(shortened(line, 1 << 12)))
        self._lines.append((self.heard, shortened(text)))

    def malformed(self, value: Malformed, *, utf8: bool, limits: Limits) -> Malformed:
        """What could not be read, without secrets. What is no response at all is heard."""
        if self._secrets:
            hidden = self.hidden_frame(value.frame)
            again = parse(hidden, utf8=utf8, limits=limits)
            error = again.error if isinstance(again, Malformed) else ProtocolError("a secret came")
            value = Malformed(value.name, hidden, error)
        if not value.name:
            self.hear(value.frame.text)
        return value

    def words(self, since: int = 0) -> tuple[str, ...]:
        """The latest lines that were heard after so many others."""
        return tuple(text for number, text in self._lines if number > since)

    def forget(self) -> None:
        """All commands are over: the words explain nothing any more. Secrets are kept: a server may
        repeat one long after the login."""
        self._lines.clear()
        self.remembers = False


def may_be_words(line: bytes) -> bool:
    """Whether the beginning of a line, at which the stream ended, is no data of a mailbox."""
    return bool(line) and (line[:2] != b"* " or line[2:5] in (b"NO ", b"BAD", b"BYE"))

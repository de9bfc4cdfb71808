"""Bytes to frames: where one server response ends and the next begins.

There is one rule: a line that ends in `{n}` is followed by n bytes and then by more of the same
response (RFC 9051, 4.3). Content is never parsed here, so a response that no parser accepts cannot
put the stream out of step. The one exception is a quoted string that continues on the next line
(`wire/quoted.py`). The frames do not depend on how the stream was cut into pieces, and the time is
linear in its length.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from imaplus.errors import ProtocolError
from imaplus.wire.frames import DEFAULT_LIMITS, Frame, Limits
from imaplus.wire.literals import Literals
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.quoted import Broken, begins_response, find_broken, may_go_on
from imaplus.wire.sinks import Sink, SinkChooser
from imaplus.wire.whole import cut_whole, will_be_whole

# A well-formed `{n}`, or what broken servers make of it: `{012}`, `{4096+    }`, `{3} `.
_LITERAL: Final = lazy_pattern(rb"\{([0-9]{1,20})(\+?)[ \t]*\}\Z")
_QUOTED: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_LINE_END: Final = b" \t\r\n"
_NAMES: Final = lazy_pattern(rb"\* (?:LIST|LSUB) ", re.IGNORECASE)  # end in a mailbox's name


class Window(NamedTuple):
    """Received bytes that are not cut into frames yet: `data` from `start` on."""

    data: bytes
    start: int
    feeds: int
    """Number of `feed()` calls so far: as long as it is the same, so is `data`."""
    keep_below: int
    """Literals shorter than this, in bytes, stay in memory; no sink is chosen for them."""


class Framer:
    """Cuts a stream of bytes into frames.

    Call `feed()` with bytes from the stream, then `next_frame()` until it returns None.
    `choose(text_so_far, size)` returns the sink for a literal.
    """

    __slots__ = (
        *("_balance", "_balanced", "_broken", "_data", "_early", "_feeds", "_limits", "_line"),
        *("_literals", "_pads", "_position", "_text", "_text_size", "eager", "keep_below"),
    )

    def __init__(self, limits: Limits = DEFAULT_LIMITS, choose: SinkChooser | None = None) -> None:
        self.eager: bool = False
        """Whether the latest literal was `{n+}`, non-synchronizing (RFC 7888)."""
        self.keep_below: int = 0
        """Literals shorter than this, in bytes, may stay in memory without a call of `choose`."""
        self._limits = limits
        self._data = b""  # received and not yet consumed, from _position on
        self._position = 0
        self._feeds = 0
        self._line = bytearray()  # the beginning of an incomplete line
        self._early = b""  # a line that was read ahead
        self._broken: Broken | None = None  # a quoted string that continues on the next line
        self._text = bytearray()  # this response up to its latest literal
        self._text_size = 0  # bytes of this response's text, including its incomplete line
        self._balance = 0  # open parentheses in the text, up to _balanced
        self._balanced = 0
        self._literals = Literals(limits, choose)
        self._pads = False  # the server puts spaces before the ends of lines of all kinds

    def feed(self, data: bytes) -> None:
        """Add bytes from the stream."""
        if self._position < len(self._data):
            data = self._data[self._position :] + data
        self._data = data
        self._position = 0
        self._feeds += 1

    def window(self) -> Window | None:
        """Received bytes that are not cut yet; None inside a response that is read in pieces."""
        if self._is_in_pieces:
            return None
        return Window(self._data, self._position, self._feeds, self.keep_below)

    def move_to(self, position: int) -> None:
        """Skip complete responses that were read from the window; the next one begins here."""
        self._position = position

    @property
    def inside_response(self) -> bool:
        """Whether a response is incomplete, after `next_frame()` has returned None."""
        return self._is_in_pieces or self._position < len(self._data)

    @property
    def unfinished(self) -> int:
        """Bytes of text of the incomplete response; 0 if there is none."""
        return self._text_size + len(self._data) - self._position

    @property
    def unfinished_line(self) -> bytes:
        """The beginning of the incomplete line, if it is the first of a response."""
        if self._text or self._early or self._broken or self._literals.coming:
            return b""
        return bytes(self._line) + self._data[self._position :]

    @property
    def keeps_literal(self) -> bool:
        """Whether a literal is incomplete, and is not being discarded."""
        return self._literals.kept

    @property
    def _is_in_pieces(self) -> bool:
        """Whether the beginning of a response has been taken from `_data` already."""
        return bool(
            self._line or self._text or self._early or self._broken or self._literals.coming
        )

    def take_rest(self) -> bytes:
        """Remove and return the bytes that follow the last frame."""
        rest = self._early + bytes(self._line) + self._data[self._position :]
        self._early = b""
        self._line.clear()
        self._data = b""
        self._position = 0
        return rest

    @property
    def held(self) -> int:
        """Bytes of the incomplete response's literals that are in memory."""
        return self._literals.held

    def next_frame(self) -> Frame | None:
        """The next complete response, or None: call `feed()` with more bytes first.

        Raises:
            ProtocolError: a limit was exceeded. The stream cannot be read any further.
        """
        if not self._is_in_pieces:
            data, start, limits = self._data, self._position, self._limits
            cut = cut_whole(data, start, limits, self.keep_below, self._sink_at)
            if cut is not None:
                frame, self._position = cut
                return frame
            if will_be_whole(data, start, limits, self.keep_below):
                return None
        while True:
            if self._literals.coming and not self._fill():
                return None
            whole = self._next_line()
            if whole is None:
                return None
            if self._broken is not None:
                whole = self._go_on(self._broken, whole)
                if not whole:
                    continue
            elif not self._text:
                whole = whole.lstrip(b"\0")  # quirk 2: NUL bytes before a response
            line = self._without_end(whole)
            if not self._text:
                if not line:
                    continue  # quirk 5: an empty line between responses
            elif not line and self._is_open():
                continue  # quirk 5, 6: an empty line inside a list, after a literal
            if not self._early:  # else, the response ends here
                if line.endswith(b"}") and (match := _LITERAL.search(line)):
                    self.eager = bool(match[2])
                    self._begin_literal(line[: match.start()], int(match[1]))
                    continue
                if self._is_broken(line, whole):
                    continue
            return self._finish(line) if self._text else Frame(line)

    def _finish(self, last_line: bytes) -> Frame:
        self._text += last_line
        frame = Frame(bytes(self._text), self._literals.take())
        self._text.clear()
        self._text_size = self._balance = self._balanced = 0
        return frame

    def _next_line(self) -> bytes | None:
        """The next line with its end, or None if it is incomplete."""
        if self._early:
            piece, self._early = self._early, b""
            return piece
        end = self._data.find(b"\n", self._position)
        piece = self._data[self._position : end + 1 or None]
        self._position += len(piece)
        self._text_size += len(piece)
        if self._text_size > self._limits.text:
            raise ProtocolError(f"a response exceeds the limit of {self._limits.text} bytes")
        if end < 0:
            self._line += piece
            return None
        if self._line:
            piece = bytes(self._line) + piece
            self._line.clear()
        if not self._text and self._broken is None:
            self._text_size = 0  # if more follows, it is counted there
        return piece

    def _without_end(self, whole: bytes) -> bytes:
        """A line without its end, and without spaces before the end (quirk 1).

        Spaces that belong to a mailbox name are kept.
        """
        line = whole.rstrip(_LINE_END)
        if len(whole) - len(line) > len(b"\r\n") and not self._text and not _LITERAL.search(line):
            if not _NAMES.match(whole):
                self._pads = True
            elif not self._pads:
                return whole.rstrip(b"\r\n")  # quirk 40: the spaces belong to the name
        return line

    def _is_broken(self, line: bytes, whole: bytes) -> bool:
        """Whether a quoted string continues on the next line; if so, begin to read it."""
        if b'"' in line and may_go_on(line, 0, len(line)):
            self._broken = find_broken(line, whole, self._text or line)
        if self._broken is not None and not self._text:
            self._text_size = len(whole)
        return self._broken is not None

    def _go_on(self, string: Broken, line: bytes) -> bytes:
        """Read the next line of a quoted string; return what follows the string, or nothing yet.

        The string becomes a literal, which may contain line breaks.
        """
        if begins_response(line):  # the quote did not open a string
            self._broken, self._early = None, line
            if not self._text:
                self._text_size = 0
            return string.line
        rest = string.add(line)
        if rest:
            self._broken = None
            value = string.value
            self._literals.add(value)
            self._text += b"%b{%d}\r\n" % (string.before, len(value))
        return rest

    def _begin_literal(self, text: bytes, size: int) -> None:
        if not self._text:
            self._text_size = len(text)
        self._text += text
        self._literals.begin(self._text, size)
        self._text += b"{%d}\r\n" % size

    def _sink_at(self, position: int, text: bytearray, size: int) -> Sink:
        """Choose the sink for a complete literal. If that raises, the stream stays before it."""
        self.eager = False
        self._position = position
        return self._literals.sink_for(text, size)

    def _fill(self) -> bool:
        """Write received bytes to the literal; return whether it is complete."""
        piece = self._data[self._position : self._position + self._literals.missing]
        self._position += len(piece)
        return self._literals.fill(piece)

    def _is_open(self) -> bool:
        """Whether a parenthesis of this response is still open. Each byte is counted once."""
        text = _QUOTED.sub(b"", self._text[self._balanced :])
        self._balance += text.count(b"(") - text.count(b")")
        self._balanced = len(self._text)
        return self._balance > 0

    def discard_literal(self) -> None:
        """Discard the rest of the incomplete literal."""
        self._literals.discard()

    def abandon(self) -> None:
        """Abort the incomplete literal: the stream has ended."""
        self._literals.abandon()

"""Bytes to frames: where one server response ends and the next begins.

One rule is known here: a line that ends in `{n}` is followed by n octets, and then by more of the
same response (RFC 9051, 4.3). Nothing looks inside, so a response that no parser accepts cannot
put the stream out of step; the one exception, a quoted string that goes on on the next line, ends
where another response begins (`quoted`). Any cutting of the bytes gives the same frames, in linear
time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from imaplus.errors import ProtocolError
from imaplus.wire.frames import ANNOUNCED, DEFAULT_LIMITS, Frame, Limits
from imaplus.wire.literals import Literals, closed, given
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.quoted import BEFORE_LAST, Broken, begins_response, broken, may_go_on
from imaplus.wire.sinks import SinkChooser

# A well-formed `{n}`, or what broken servers make of it: `{012}`, `{4096+    }`, `{3} `.
_LITERAL: Final = lazy_pattern(rb"\{([0-9]{1,20})(\+?)[ \t]*\}\Z")
_QUOTED: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_LINE_END: Final = b" \t\r\n"
_NAMES: Final = lazy_pattern(rb"\* (?:LIST|LSUB) ", re.IGNORECASE)  # end in a mailbox's name
# For what is whole and plain, and cut in fewer steps:
_CR: Final = ord("\r")
_ENDS_ODDLY: Final = frozenset(b"} \t\r")
_LITERAL_LINE: Final = lazy_pattern(rb"\{(0|[1-9][0-9]{0,6})\}\r\n\Z")
LONGEST_COUNT: Final = len("{1234567}")
MOST_AT_HAND: Final = 1000
"""Literals of a response that is cut at once; one that has more is read bit by bit."""


Rows = list[tuple[bytes, ...]]
"""The groups that a pattern has in each of many responses."""


class Framer:
    """Cuts a stream of octets into frames.

    `feed()` gives it octets, `next_frame()` takes one frame out; None means: feed me.
    `choose(text_so_far, size)` gives the sink for a literal.
    """

    __slots__ = (
        "_balance",
        "_balanced",
        "_broken",
        "_data",
        "_early",
        "_limits",
        "_line",
        "_literals",
        "_pads",
        "_plain_until",
        "_position",
        "_text",
        "_text_size",
        "eager",
        "keep_below",
    )

    def __init__(self, limits: Limits = DEFAULT_LIMITS, choose: SinkChooser | None = None) -> None:
        self.eager: bool = False
        """The latest literal was `{n+}`: its sender did not wait (RFC 7888)."""
        self.keep_below: int = 0
        """Octets of a literal that is kept without asking `choose`, if all of it has come."""
        self._limits = limits
        self._data = b""  # fed and not yet consumed, from _position on
        self._position = 0
        self._plain_until = 0  # up to where all literals are as `next_responses()` wants them
        self._line = bytearray()  # of a line whose end has not come
        self._early = b""  # a line that was read too soon, and comes next
        self._broken: Broken | None = None  # a quoted string that goes on on the next line
        self._text = bytearray()  # this response up to its latest literal
        self._text_size = 0  # octets of this response's text, its unfinished line included
        self._balance = 0  # open parentheses in the text, up to _balanced
        self._balanced = 0
        self._literals = Literals(limits, choose)
        self._pads = False  # the server puts spaces before the ends of all kinds of lines

    def feed(self, data: bytes) -> None:
        """Take octets as they came from the stream."""
        if self._position < len(self._data):
            data = self._data[self._position :] + data
        self._data = data
        self._position = 0
        self._plain_until = 0

    @property
    def inside_response(self) -> bool:
        """Whether a response has begun and not ended: an end of the stream would truncate it.

        It is known when `next_frame()` has said that there is none.
        """
        return self._is_in_pieces or self._position < len(self._data)

    @property
    def unfinished(self) -> int:
        """Octets of text of the response that has begun and not ended; 0 if none has."""
        return self._text_size + len(self._data) - self._position

    @property
    def unfinished_line(self) -> bytes:
        """The beginning of a line whose end has not come, if it is the first of a response."""
        if self._text or self._early or self._broken or self._literals.coming:
            return b""
        return bytes(self._line) + self._data[self._position :]

    @property
    def keeps_literal(self) -> bool:
        """Whether a literal is coming in, and goes somewhere."""
        return self._literals.kept

    @property
    def _is_in_pieces(self) -> bool:
        """Whether the beginning of a response has been taken from what was fed."""
        return bool(
            self._line or self._text or self._early or self._broken or self._literals.coming
        )

    def take_rest(self) -> bytes:
        """Hand over the octets that follow the last frame, and forget them."""
        rest = self._early + bytes(self._line) + self._data[self._position :]
        self._early = b""
        self._line.clear()
        self._data = b""
        self._position = 0
        return rest

    @property
    def held(self) -> int:
        """Octets of the present response's literals that are in memory."""
        return self._literals.held

    def next_frame(self) -> Frame | None:
        """The next complete response, or None until more octets have come.

        Raises:
            ProtocolError: a limit was exceeded. The stream cannot be read any further.
        """
        if not self._is_in_pieces:
            if (frame := self._frame_at_hand()) is not None:
                return frame
            if self._will_be_at_hand():
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
                whole = whole.lstrip(b"\0")  # quirk 2: NUL octets before a response
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

    def next_responses(
        self, beginning: re.Pattern[bytes], whole: re.Pattern[bytes], *, literals: bool
    ) -> tuple[bytes, Rows]:
        """The next responses that a pattern matches: their octets, and the groups of each.

        A short way past `next_frame()` for what comes by the thousand. `beginning` matches how each
        of them begins, and `whole` all of it, its CRLF included, or in its last group all that is
        left. It takes lines that end in `{n}` for no end of a response only if there are to be
        `literals`; each of those must then stand on the line behind it, and two octets more, or its
        response is left to `next_frame()`, as is one that comes alone.
        """
        data, start = self._data, self._position
        if self._is_in_pieces or not beginning.match(data, start):
            return b"", []
        end = data.rfind(b"\n", start) + 1
        if end - start > self._limits.text:
            return b"", []
        if literals:
            last = data.rfind(b"\n", start, end - 1) + 1 or start
            if may_go_on(data, last, end) and broken(data[last : end - 2]):
                end = last  # it may go on on the line that comes next
            if self._plain_until <= start:
                self._plain_until = self._before_odd_literal(start, end)
            end = self._plain_until
        elif not data.startswith(b"* ", data.find(b"\n", start) + 1):
            return b"", []
        rows: Rows = whole.findall(data, start, end) if start < end else []
        if rows and rows[-1][-1]:
            end -= len(rows.pop()[-1])
        if rows:
            self._position = end
        return data[start : self._position], rows

    def next_with_literal(self, beginning: re.Pattern[bytes]) -> tuple[bytes, Rows]:
        """The next responses that have one literal, and nothing but `)` behind it, as bodies have:
        their octets, and of each the groups but for the last, the literal, and nothing.

        A short way as `next_responses()`. `beginning` matches up to the literal, whose size is its
        last group. What has not come whole, or may not simply be kept, is left to `next_frame()`.
        """
        data, start = self._data, self._position
        rows: Rows = []
        if self._is_in_pieces or not self._limits.literals:
            return b"", rows
        most = min(self._limits.text, self._limits.held)
        position = start
        while match := beginning.match(data, position):
            begin = match.end()
            *groups, size = match.groups()
            behind = begin + int(size)
            if behind - begin >= self.keep_below or behind - position >= most:
                break
            if not data.startswith(b")\r\n", behind):
                break
            rows.append((*groups, data[begin:behind], b""))
            position = behind + len(b")\r\n")
        self._position = position
        return data[start:position], rows

    def _before_odd_literal(self, start: int, end: int) -> int:
        """Where the line begins that announces the first literal which has a line break in it, or
        is one that `choose` must be asked for; the end, if there is none."""
        data, behind = self._data, start
        most = self._limits.literals
        for count, match in enumerate(ANNOUNCED.finditer(data, start, end)):
            begin, size = match.end(), int(match[1])
            # What ends the line and the response is no literal's.
            room = data.find(b"\n", begin, end) - len(b"))\r") - begin
            odd = match.start() < behind or not size <= room or size >= self.keep_below
            if odd or count >= most:
                return data.rfind(b"\n", start, match.start()) + 1 or start
            behind = begin + size
        return end

    def _frame_at_hand(self) -> Frame | None:
        """The next response, if all of it has come and nothing is odd about it."""
        data, start = self._data, self._position
        end = data.find(b"\n", start) - 1  # of the line, without its end
        if end <= start or end + 2 - start > self._limits.text:
            return None
        if data[end] != _CR or not data[start]:
            return None
        if data[end - 1] not in _ENDS_ODDLY:
            quote = data.rfind(b'"', start, end)  # as `may_go_on()`, of which this is too much
            if quote > 0 and data[quote - 1] in BEFORE_LAST and broken(data[start:end]):
                return None
            self._position = end + 2
            return Frame(data[start:end])
        most = min(self._limits.literals, MOST_AT_HAND)
        literals: list[tuple[int, int]] = []  # where each begins, and what follows it
        position = start
        while match := _LITERAL_LINE.search(data, max(position, end - LONGEST_COUNT), end + 2):
            literal = end + 2
            position = literal + int(match[1])
            end = data.find(b"\n", position) - 1
            if end <= position or data[end] != _CR or len(literals) >= most:
                return None
            literals.append((literal, position))
            if may_go_on(data, position, end):
                return None
            if data[end - 1] not in _ENDS_ODDLY:
                if end - start > min(self._limits.text, self._limits.held):
                    return None
                # Nothing is missing and nothing is odd, so that no sink is asked for twice.
                return self._hand_over(data, start, literals, end)
        return None

    def _will_be_at_hand(self) -> bool:
        """Whether a response has begun that can be cut at once, as it seems, when more has come.

        It waits for that where it is, but not twice: so no octet is copied more than once for it.
        """
        data, start = self._data, self._position
        if not 0 < start < len(data) <= start + self._limits.text:
            return False
        end = data.find(b"\n", start) + 1
        if not end:
            return True
        match = _LITERAL_LINE.search(data, max(start, end - 2 - LONGEST_COUNT), end)
        if match is None:
            return False
        size = int(match[1])
        return size < self.keep_below and len(data) <= end + size

    def _hand_over(
        self, data: bytes, start: int, literals: list[tuple[int, int]], end: int
    ) -> Frame:
        """The response from `start` to `end`, all of whose literals have come."""
        text = bytearray()
        values: list[object] = []
        for begin, behind in literals:
            octets = data[begin:behind]
            if len(octets) < self.keep_below:
                text += data[start:begin]
                values.append(octets)
            else:
                brace = data.rindex(b"{", start, begin)
                text += data[start:brace]
                self.eager = False
                self._position = begin  # which is where a refusal leaves the stream
                sink = self._literals.sink_for(text, len(octets))
                self._position = end + 2
                values.append(closed(given(sink, octets) if octets else sink))
                text += data[brace:begin]
            start = behind
        text += data[start:end]
        self._position = end + 2
        return Frame(bytes(text), tuple(values))

    def _finish(self, last_line: bytes) -> Frame:
        self._text += last_line
        frame = Frame(bytes(self._text), self._literals.take())
        self._text.clear()
        self._text_size = self._balance = self._balanced = 0
        return frame

    def _next_line(self) -> bytes | None:
        """A line with its end, or None while that has not come."""
        if self._early:
            piece, self._early = self._early, b""
            return piece
        end = self._data.find(b"\n", self._position)
        piece = self._data[self._position : end + 1 or None]
        self._position += len(piece)
        self._text_size += len(piece)
        if self._text_size > self._limits.text:
            raise ProtocolError(f"a response exceeds the limit of {self._limits.text} octets")
        if end < 0:
            self._line += piece
            return None
        if self._line:
            piece = bytes(self._line) + piece
            self._line.clear()
        if not self._text and self._broken is None:
            self._text_size = 0  # what follows, if anything, is counted where that is found
        return piece

    def _without_end(self, whole: bytes) -> bytes:
        """A line without its end, nor spaces before it (quirk 1) that belong to no name."""
        line = whole.rstrip(_LINE_END)
        if len(whole) - len(line) > len(b"\r\n") and not self._text and not _LITERAL.search(line):
            if not _NAMES.match(whole):
                self._pads = True
            elif not self._pads:
                return whole.rstrip(b"\r\n")  # quirk 40: here they belong to the name
        return line

    def _is_broken(self, line: bytes, whole: bytes) -> bool:
        """Whether a quoted string goes on on the next line; then it is begun."""
        if b'"' in line and may_go_on(line, 0, len(line)):
            self._broken = broken(line, whole, self._text or line)
        if self._broken is not None and not self._text:
            self._text_size = len(whole)
        return self._broken is not None

    def _go_on(self, string: Broken, line: bytes) -> bytes:
        """Read a line on which a quoted string goes on; what follows that, or nothing yet.

        The string becomes a literal, which may hold what it holds.
        """
        if begins_response(line):  # the quote was a stray one
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

    def _fill(self) -> bool:
        """Give the literal what has come; whether it is complete."""
        piece = self._data[self._position : self._position + self._literals.missing]
        self._position += len(piece)
        return self._literals.fill(piece)

    def _is_open(self) -> bool:
        """Whether a parenthesis of this response is still open. Each octet is counted once."""
        text = _QUOTED.sub(b"", self._text[self._balanced :])
        self._balance += text.count(b"(") - text.count(b")")
        self._balanced = len(self._text)
        return self._balance > 0

    def discard_literal(self) -> None:
        """Nobody wants the literal that is coming in: swallow the rest of it."""
        self._literals.discard()

    def abandon(self) -> None:
        """The stream has ended: tell the sink of an unfinished literal."""
        self._literals.abandon()


def frames_in(octets: bytes, limits: Limits) -> Iterator[Frame]:
    """The frames of whole responses."""
    framer = Framer(limits)
    framer.feed(octets)
    while (frame := framer.next_frame()) is not None:
        yield frame

"""Bytes to frames: where one server response ends and the next begins.

One rule is known here: a line that ends in `{n}` is followed by n octets, and then by more of the
same response (RFC 9051, 4.3). Nothing looks inside, so a response that no parser accepts cannot
put the stream out of step. Any cutting of the bytes gives the same frames, in linear time.
"""

from __future__ import annotations

import re
from typing import Final

from imaplus.errors import ProtocolError
from imaplus.wire.frames import ANNOUNCED, DEFAULT_LIMITS, Frame, Limits
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.sinks import Discard, Lost, Memory, Sink, SinkChooser

# A well-formed `{n}`, or what broken servers make of it: `{012}`, `{4096+    }`, `{3} `.
_LITERAL: Final = lazy_pattern(rb"\{([0-9]{1,20})(\+?)[ \t]*\}\Z")
_QUOTED: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_LINE_END: Final = b" \t\r\n"
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
        "_choose",
        "_data",
        "_held",
        "_limits",
        "_line",
        "_literals",
        "_missing",
        "_plain_until",
        "_position",
        "_sink",
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
        self._choose = choose or self._in_memory
        self._data = b""  # fed and not yet consumed, from _position on
        self._position = 0
        self._plain_until = 0  # up to where all literals are as `next_responses()` wants them
        self._line = bytearray()  # of a line whose end has not come
        self._text = bytearray()  # this response up to its latest literal
        self._text_size = 0  # octets of this response's text, its unfinished line included
        self._balance = 0  # open parentheses in the text, up to _balanced
        self._balanced = 0
        self._literals: list[object] = []
        self._held = 0  # octets of this response's literals in memory
        self._sink: Sink | None = None
        self._missing = 0  # octets of the literal still to come

    def _in_memory(self, text: bytearray, size: int) -> Sink:
        if size > self._limits.literal:
            raise ProtocolError(
                f"a literal of {size} octets exceeds the limit of {self._limits.literal}"
            )
        return Memory()

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
    def _is_in_pieces(self) -> bool:
        """Whether the beginning of a response has been taken from what was fed."""
        return bool(self._line or self._text or self._sink)

    def take_rest(self) -> bytes:
        """Hand over the octets that follow the last frame, and forget them."""
        rest = bytes(self._line) + self._data[self._position :]
        self._line.clear()
        self._data = b""
        self._position = 0
        return rest

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
            if self._sink is not None and not self._fill():
                return None
            line = self._next_line()
            if line is None:
                return None
            if not self._text:
                line = line.lstrip(b"\0")  # quirk 2: NUL octets before a response
                if not line:
                    continue  # quirk 5: an empty line between responses
            elif not line and self._is_open():
                continue  # quirk 5, 6: an empty line inside a list, after a literal
            if line.endswith(b"}") and (match := _LITERAL.search(line)):
                self.eager = bool(match[2])
                self._begin_literal(line[: match.start()], int(match[1]))
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
                sink = self._sink_for(text, len(octets))
                self._position = end + 2
                values.append(_closed(_given(sink, octets) if octets else sink))
                text += data[brace:begin]
            start = behind
        text += data[start:end]
        self._position = end + 2
        return Frame(bytes(text), tuple(values))

    def _finish(self, last_line: bytes) -> Frame:
        self._text += last_line
        frame = Frame(bytes(self._text), tuple(self._literals))
        self._text.clear()
        self._text_size = self._balance = self._balanced = self._held = 0
        self._literals.clear()
        return frame

    def _next_line(self) -> bytes | None:
        """A line without its end, or None while its end has not come."""
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
        if not self._text:
            self._text_size = 0  # what follows, if anything, is counted by _begin_literal
        return piece.rstrip(_LINE_END)  # quirk 1: spaces before the line's end

    def _begin_literal(self, text: bytes, size: int) -> None:
        if len(self._literals) >= self._limits.literals:
            raise ProtocolError(f"a response has more than {self._limits.literals} literals")
        if not self._text:
            self._text_size = len(text)
        self._text += text
        self._missing = size
        self._sink = self._sink_for(self._text, size)
        self._text += b"{%d}\r\n" % size

    def _sink_for(self, text: bytearray, size: int) -> Sink:
        try:
            return self._choose(text, size)
        except ProtocolError:
            raise
        except Exception as error:
            return Discard(error)

    def _fill(self) -> bool:
        """Give the literal what has come; whether it is complete."""
        assert self._sink is not None
        piece = self._data[self._position : self._position + self._missing]
        self._position += len(piece)
        self._missing -= len(piece)
        if piece:
            if isinstance(self._sink, Memory):
                self._held += len(piece)
                if self._held > self._limits.held:
                    raise ProtocolError(
                        f"the literals of a response exceed the limit of {self._limits.held} octets"
                    )
            self._sink = _given(self._sink, piece)
        if self._missing:
            return False
        self._literals.append(_closed(self._sink))
        self._sink = None
        return True

    def _is_open(self) -> bool:
        """Whether a parenthesis of this response is still open. Each octet is counted once."""
        text = _QUOTED.sub(b"", self._text[self._balanced :])
        self._balance += text.count(b"(") - text.count(b")")
        self._balanced = len(self._text)
        return self._balance > 0

    def discard_literal(self) -> None:
        """Nobody wants the literal that is coming in: swallow the rest of it."""
        if self._sink is not None:
            self._sink.abort()
            self._sink = Discard()

    def abandon(self) -> None:
        """The stream has ended: tell the sink of an unfinished literal."""
        if self._sink is not None:
            self._sink.abort()
            self._sink = None


def _given(sink: Sink, octets: bytes) -> Sink:
    """The sink that has taken these octets; one that forgets them, if it could not."""
    try:
        sink.write(octets)
    except Exception as error:
        sink.abort()
        return Discard(error)
    return sink


def _closed(sink: Sink) -> object:
    """The value that stands for the literal."""
    try:
        return sink.close()
    except Exception as error:
        return Lost(error)

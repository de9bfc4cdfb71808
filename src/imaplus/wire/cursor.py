"""Reading one frame: a position, and methods named after the grammar rules of RFC 9051 (9).

Methods named `accept...` read a token if it comes next, and return it, or whether it came. All
others raise a ProtocolError that says what was expected and quotes what was found. Where servers
break the grammar of a token, one line marked with the number of the quirk accepts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

from imaplus.errors import ProtocolError, quote
from imaplus.wire import mailbox_names
from imaplus.wire.frames import DEFAULT_LIMITS, Frame, Limits
from imaplus.wire.tokens import (
    ASTRING,
    ATOM,
    ESCAPED,
    FLAG,
    FLAGS,
    LIST,
    LITERAL,
    NESTED,
    NIL,
    NUMBER,
    ODD_NUMBER,
    ODD_QUOTED,
    QUOTED,
    SKIP,
    SPACES,
    TOKEN_END,
    decode_text,
    flag_set,
    flag_text,
)

if TYPE_CHECKING:
    from datetime import datetime

MAX_NUMBER64: Final = (1 << 64) - 1
Mark = tuple[int, int]
"""A position of a cursor, for `Cursor.reset()`."""


class Cursor:
    """Reads a frame from left to right."""

    __slots__ = ("_depth", "_limits", "_literals", "_next_literal", "pos", "text", "utf8")

    def __init__(
        self,
        frame: Frame,
        *,
        utf8: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.text: bytes = frame.text
        self.pos: int = 0
        self.utf8: bool = utf8  # mailbox names are UTF-8: IMAP4rev2 or UTF8=ACCEPT is enabled
        self._literals = frame.literals
        self._next_literal = 0
        self._limits = limits
        self._depth = 0

    # -- the primitives ---------------------------------------------------------------------

    def fail(self, expected: str) -> NoReturn:
        """Raise a ProtocolError that quotes what was found instead."""
        came = self.text[self.pos : self.pos + 40]
        raise ProtocolError(f"expected {expected} at byte {self.pos}, found {quote(came)}")

    def coming_text(self) -> str | None:
        """The rest of the frame, as text; None if it is not UTF-8."""
        try:
            return self.text[self.pos :].decode()
        except UnicodeDecodeError:
            return None

    def coming_literals(self) -> Iterator[object]:
        """The values of the literals in `coming_text()`."""
        return iter(self._literals[self._next_literal :])

    def take_text(self, text: str) -> None:
        """Skip a value at the beginning of `coming_text()`."""
        self.pos += len(text if text.isascii() else text.encode())
        if self._literals:
            self._next_literal += text.count("\r\n")

    @property
    def depth(self) -> int:
        """Limit on open parentheses."""
        return self._limits.depth

    def mark(self) -> Mark:
        """The current position, for `reset()`."""
        return self.pos, self._next_literal

    def reset(self, mark: Mark) -> None:
        """Go back to a position from `mark()`."""
        self.pos, self._next_literal = mark

    def at_end(self) -> bool:
        """Skip spaces; return whether nothing else is left."""
        self.accept_sp()
        return self.pos >= len(self.text)

    def peek(self) -> bytes:
        """The next byte; empty at the end."""
        return self.text[self.pos : self.pos + 1]

    def accept(self, token: bytes) -> bool:
        """Take exactly these bytes, if they come next."""
        if self.text.startswith(token, self.pos):
            self.pos += len(token)
            return True
        return False

    def expect(self, token: bytes) -> None:
        """Take exactly these bytes; a space matches any number of spaces (quirk 14, 22)."""
        if token == b" ":
            self.sp()
        elif not self.accept(token):
            self.fail(repr(token))

    def accept_sp(self) -> bool:
        """Take a run of spaces, if there is one."""
        if match := SPACES.match(self.text, self.pos):
            self.pos = match.end()
            return True
        return False

    def sp(self) -> None:
        """Take one or more spaces."""
        if not self.accept_sp():
            self.fail("a space")

    def accept_word(self, word: bytes) -> bool:
        """Take a keyword in any case (quirk 19), if it comes next and ends there."""
        end = self.pos + len(word)
        if self.text[self.pos : end].upper() != word:
            return False
        if self.text[end : end + 1].isalnum():
            return False
        self.pos = end
        return True

    def take_match(self, pattern: re.Pattern[bytes], expected: str) -> bytes:
        """Take what a pattern matches here; `expected` describes it for the error."""
        match = pattern.match(self.text, self.pos)
        if match is None:
            self.fail(expected)
        self.pos = match.end()
        return match[0]

    def accept_match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Take what a pattern matches here; None if it does not match."""
        if match := pattern.match(self.text, self.pos):
            self.pos = match.end()
        return match

    # -- atoms and numbers ------------------------------------------------------------------

    def atom(self) -> str:
        """atom, unchanged."""
        return decode_text(self.take_match(ATOM, "an atom"))

    def keyword(self) -> str:
        """An atom in capitals: keywords are case-insensitive (quirk 19)."""
        return self.atom().upper()

    def number(self) -> int:
        """number or number64: at most 64 bits; a negative number counts as 0 (quirk 12)."""
        match = NUMBER.match(self.text, self.pos)
        if match is not None:
            value = int(match[0])
        else:
            match = ODD_NUMBER.match(self.text, self.pos)
            if match is None:
                self.fail("a number")
            value = max(0, int(float(match[0])))
        if value > MAX_NUMBER64:
            self.fail("a number of at most 64 bits")
        self.pos = match.end()
        return value

    def accept_number(self) -> int | None:
        """number, or None if none comes next."""
        return self.number() if ODD_NUMBER.match(self.text, self.pos) else None

    # -- strings ----------------------------------------------------------------------------

    def _accept_literal(self) -> tuple[object] | None:
        match = LITERAL.match(self.text, self.pos)
        if match is None:
            return None
        self.pos = match.end()
        if self._next_literal >= len(self._literals):
            self.fail("a literal")
        value = self._literals[self._next_literal]
        self._next_literal += 1
        return (value,)

    def _accept_quoted(self) -> bytes | None:
        if not self.text.startswith(b'"', self.pos):
            return None
        match = QUOTED.match(self.text, self.pos) or ODD_QUOTED.match(self.text, self.pos)
        if match is None:
            self.fail("the end of a quoted string")
        self.pos = match.end()
        value = match[1]
        return ESCAPED.sub(rb"\1", value) if b"\\" in value else value

    def accept_string(self) -> bytes | None:
        """string = quoted / literal, or None if neither comes next."""
        if (quoted := self._accept_quoted()) is not None:
            return quoted
        if (literal := self._accept_literal()) is None:
            return None
        if not isinstance(literal[0], bytes):
            raise ProtocolError("expected text, found a literal that was written to a sink")
        return literal[0]

    def string(self) -> bytes:
        """string = quoted / literal."""
        if (value := self.accept_string()) is None:
            self.fail("a string")
        return value

    def astring(self) -> bytes:
        """astring = 1*ASTRING-CHAR / string."""
        if (value := self.accept_string()) is not None:
            return value
        return self.take_match(ASTRING, "an astring")

    def accept_nil(self) -> bool:
        """Take NIL, if it comes next."""
        if match := NIL.match(self.text, self.pos):
            self.pos = match.end()
            return True
        return False

    def nstring(self) -> bytes | None:
        """nstring = string / nil."""
        if self.accept_nil():
            return None
        if (value := self.accept_string()) is not None:
            return value
        return self.take_match(ASTRING, "a string or NIL")  # quirk 66, 70: strings without quotes

    def payload(self) -> object:
        """nstring or literal8: the bytes, or what the sink returned if they went to one."""
        if (literal := self._accept_literal()) is not None:
            return literal[0]
        if self.peek() in (b")", b""):  # quirk 75: Yandex omits the value
            return None
        return self.nstring()

    def string_text(self) -> str:
        """string, decoded."""
        return decode_text(self.string())

    def astring_text(self) -> str:
        """astring, decoded."""
        return decode_text(self.astring())

    def nstring_text(self) -> str | None:
        """nstring, decoded."""
        value = self.nstring()
        return None if value is None else decode_text(value)

    def mailbox(self) -> str:
        """mailbox = "INBOX" / astring. INBOX is returned in capitals (quirk 56)."""
        if self.accept_nil():
            return "NIL"  # quirk 46: a mailbox of that name, unquoted
        return self.decode_mailbox(self.astring())

    def decode_mailbox(self, raw: bytes) -> str:
        """Decode a mailbox name: from modified UTF-7, or from UTF-8 if that is enabled."""
        name = mailbox_names.decode_utf8(raw) if self.utf8 else mailbox_names.decode(raw)
        return mailbox_names.normalise(name)

    def date_time(self) -> datetime | None:
        """date-time; None for NIL and for text that is not a date (quirk 41, 72, 79)."""
        from imaplus.wire import dates  # which loads datetime

        value = self.nstring()
        return None if value is None else dates.parse_internaldate(value)

    # -- lists ------------------------------------------------------------------------------

    def items(self) -> Iterator[int]:
        """Iterate over a parenthesised list: read one item at each step of the loop.

        Yields the index of each item. There may be any number of spaces between items.
        """
        self.expect(b"(")
        with self.nest():
            index = 0
            self.accept_sp()
            while not self.accept(b")"):
                before = self.pos
                yield index
                index += 1
                self.accept_sp()
                if self.pos == before:
                    self.fail("an item of a list")

    @contextmanager
    def nest(self) -> Iterator[None]:
        """Enter a list; raise ProtocolError if the limit on depth is exceeded."""
        self._depth += 1
        if self._depth > self._limits.depth:
            raise ProtocolError(f"more than {self._limits.depth} levels of parentheses")
        try:
            yield
        finally:
            self._depth -= 1

    def flag_list(self) -> frozenset[str]:
        """`flag-list = "(" [flag *(SP flag)] ")"`; also NIL and quoted flags (quirk 17)."""
        if match := FLAGS.match(self.text, self.pos):
            self.pos = match.end()
            return flag_set(match[1])
        if self.accept_nil():
            return frozenset()
        return frozenset(self._flag() for _ in self.items())

    def _flag(self) -> str:
        if (value := self.accept_string()) is None:
            value = self.take_match(FLAG, "a flag")
        return flag_text(value)

    def strings(self) -> list[bytes]:
        """A list of strings, one string alone, or NIL (empty)."""
        if self.accept_nil():
            return []
        if self.peek() != b"(":
            return [self.astring()]
        found = [self.nstring() for _ in self.items()]
        return [value for value in found if value is not None]  # quirk 71: NIL inside

    # -- values of any kind ------------------------------------------------------------------

    def rest(self) -> bytes:
        """Take the rest of the frame, without the contents of literals."""
        value = self.text[self.pos :]
        self.pos = len(self.text)
        return value

    def raw(self) -> Frame:
        """Take one value, an atom, a string or a list, as a frame without parsing it."""
        start, first = self.pos, self._next_literal
        self.skip()
        return Frame(self.text[start : self.pos], self._literals[first : self._next_literal])

    def sub(self, frame: Frame) -> Cursor:
        """A cursor over a value that `raw()` returned, under the same rules."""
        return Cursor(frame, utf8=self.utf8, limits=self._limits)

    def skip(self) -> None:
        """Skip one value of any kind."""
        if self._limits.depth >= NESTED and (match := self.accept_match(LIST)):
            if self._literals:
                self._next_literal += match[0].count(b"\r\n")
            return
        if self.peek() != b"(":
            self._skip_token()
            return
        depth = 0
        while match := SKIP.match(self.text, self.pos):
            self.pos = match.end()
            token = match[0]
            if token == b"(":
                depth += 1
                if depth > self._limits.depth:
                    raise ProtocolError(f"more than {self._limits.depth} levels of parentheses")
            elif token == b")":
                depth -= 1
                if depth == 0:
                    return
            elif token == b'"':
                self.pos -= 1
                self._accept_quoted()
            elif token[:1] == b"{" and len(token) > 1:
                self._next_literal += 1
        self.fail("the end of a list")

    def _skip_token(self) -> None:
        """Skip a string, a literal, or everything up to a space or parenthesis."""
        if self._accept_literal() is None and self._accept_quoted() is None:
            self.take_match(TOKEN_END, "a value")

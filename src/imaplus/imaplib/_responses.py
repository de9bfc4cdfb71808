"""Reading and storing responses.

Responses are stored in `untagged_responses` and `tagged_commands`, which programs read and assign.
Except for BYE and the response types a command requests, their meaning is not interpreted. `limits`
bounds the memory that stored responses take.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any, Final, TypeAlias
from typing import Literal as Exactly

from imaplus.errors import shorten
from imaplus.imaplib._functions import balance
from imaplus.imaplib._odd import read_oddly
from imaplus.imaplib._public import public
from imaplus.imaplib._selected import Selected
from imaplus.imaplib._transport import Transport, with_words
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.quoted import Broken, begins_response, find_broken, may_go_on

Data: TypeAlias = "bytes | tuple[bytes, bytes]"
"""One response: its line, or a pair of the line before a literal and the literal."""
Results: TypeAlias = "tuple[str, list[Any]]"

MOST_DIGITS: Final = 20
"""Maximum number of digits in a literal's size; a 64-bit number has no more."""
MOST_WORDS: Final = 3
"""Number of the latest untagged NO and BAD lines that an error quotes."""
MOST_EMPTY: Final = 10_000
"""Maximum number of consecutive empty lines; servers that send any send one."""
MOST_PLUSES: Final = 1000
"""Maximum number of continuation requests for one command; real ones have one per literal."""
SHOWN: Final = 1000
"""Maximum number of bytes of a line in the log; `limits` allow much longer lines."""

# Quirk 9: spaces inside and after the braces, or a "+".
_ODD_LITERAL: Final = lazy_pattern(rb".*\{(?P<size>[0-9]+)\+? *\}[ \t]*\Z")


_ENDS: Final = frozenset((b"}", b" ", b"\t"))
_USUAL: Final = {b"FETCH": "FETCH", b"LIST": "LIST", b"EXPUNGE": "EXPUNGE", b"OK": "OK"}


class Responses(Transport):
    """Reading, checking and storing the server's responses."""

    state: str
    untagged_responses: dict[str, list[bytes | tuple[bytes, bytes]]]
    """Stored untagged responses by type, until `response()` returns them."""
    tagged_commands: dict[bytes, tuple[str, list[bytes]] | None]
    """Commands in progress by tag: None, or the status and data of the tagged response."""
    continuation_response: Any
    """The text of the latest continuation request."""
    tagre: re.Pattern[bytes]
    mo: Any
    """The match object of the latest `_match`; None if it did not match."""
    Literal: re.Pattern[bytes]
    Untagged_status: re.Pattern[bytes]
    _idle_capture: bool = False
    """Whether an `Idler` is active: untagged responses go to `_idle_responses`."""
    _idle_responses: list[tuple[str, list[bytes | tuple[bytes, bytes]]]]
    _held: int = 0  # upper bound of the size of stored responses, in bytes
    _unasked: int = 0  # the same for those that the current command did not request
    _asked: Container[str] = frozenset()
    _responses: int = 0  # number of responses since the latest command
    _pluses: int = 0  # number of continuation requests since then
    _selected: Selected | None = None
    _early: bytes | None = None  # a line that was read ahead; the next `_get_line` returns it
    _line_end: bytes = b"\r\n"  # of the latest line
    _begun: bytes = b""  # first line of the response being read
    _in_string: bool = False  # the line being read continues a quoted string
    _words: list[str] = []  # noqa: RUF012 - untagged NO and BAD since the latest command

    def _get_tagged_response(self, tag: bytes, expect_bye: bool = False) -> Results:
        """Read responses until a command's tagged response, and return status and data."""
        while (result := self.tagged_commands[tag]) is None:
            if expect_bye and (bye := self.untagged_responses.pop("BYE", None)) is not None:
                return "BYE", bye
            self._check_bye()  # nothing follows a BYE
            try:
                self._get_response()
            except self.abort:
                if self.debug >= 1:
                    self.print_log()
                raise
        del self.tagged_commands[tag]
        typ, data = result
        if typ == "BYE" and not expect_bye:  # quirk 31: to LOGOUT it is an answer
            raise self.abort(shorten(self._server_text(data[-1])))
        return result

    def _check_bye(self) -> None:
        if bye := self.untagged_responses.get("BYE"):
            last = bye[-1]
            raise self.abort(
                shorten(self._server_text(last if isinstance(last, bytes) else last[0]))
            )

    def _untagged_response(self, typ: str, dat: list[Any], name: str) -> Results:
        """Return and forget the stored responses of one type; `dat` if the status is NO."""
        if typ == "NO":
            return typ, dat
        if name not in self.untagged_responses:
            return typ, [None]
        data = self.untagged_responses.pop(name)
        if self.debug >= 5:
            self._mesg(f"untagged_responses[{name}] => {data}")
        return typ, data

    def _get_response(self, start_timeout: float | Exactly[False] | None = False) -> bytes | None:
        """Read and store one response; return its first line, or None for a continuation request.

        With `start_timeout`, raise `_responsetimeout` if the response does not begin within that
        many seconds; None waits without limit. A partial line stays in the buffer.
        """
        try:
            if start_timeout is False:
                return self._take_response(self._get_line())
            return self._take_response(self._get_first_line(start_timeout))
        except self.abort as error:
            with_words(error, tuple(self._words))
            raise
        except self._responsetimeout:
            raise
        except TimeoutError as error:
            if not self._words:
                raise
            late = with_words(self._timed_out(str(error)), tuple(self._words))
            raise late from error

    def _get_first_line(self, patience: float | None) -> bytes:
        try:
            with self._limit_wait(patience):
                return self._get_line()
        except TimeoutError as error:
            raise self._responsetimeout from error

    def _take_response(self, line: bytes) -> bytes | None:
        if not line:  # some servers send an empty line after a literal that ends a response
            line = self._next_line_with_text()
        self._responses += 1
        if self._responses > self.limits.responses:
            raise self.abort(f"more than {self.limits.responses} responses to one command")
        if line[:1] == b"*":
            typ, dat = self._take_untagged(line)
        elif self._match(self.tagre, line):
            tag = self.mo["tag"]
            typ, dat = self.mo["type"].decode("ascii").upper(), self.mo["data"] or b""
            if tag not in self.tagged_commands:
                raise self.abort(f"unexpected tagged response: {self._quote_line(line)}")
            self.tagged_commands[tag] = (typ, [dat])
        elif self._match(public.Continuation, line):
            self._take_continuation(self.mo["data"])
            return None
        else:
            if line[:1] == b"\0" or line.isspace():
                return self._take_response(self._next_line_with_text(line))
            typ, dat = self._take_odd(line)
        if typ in ("NO", "BAD") and line[:1] == b"*":
            self._words = [*self._words, self._line_as_text(line)][-MOST_WORDS:]
        if typ in ("OK", "NO", "BAD", "PREAUTH") and self._match(public.Response_code, dat):
            typ = self.mo["type"].decode("ascii").upper()
            self._append_untagged(typ, self.mo["data"])
        if self.debug >= 1 and typ in ("NO", "BAD", "BYE"):
            self._mesg(f"{typ} response: {dat!r}")
        return line

    def _take_continuation(self, data: bytes | None) -> None:
        self._pluses += 1
        if self._pluses > MOST_PLUSES:
            raise self.abort(f"more than {MOST_PLUSES} continuations to one command")
        self.continuation_response = data

    def _take_odd(self, line: bytes) -> tuple[str, bytes]:
        """Store an invalid response that a known server sends; raise IMAP4.abort for others."""
        if (understood := read_oddly(line)) is not None:
            return self._take_untagged(understood)
        if line[:1] == b" " and "FETCH" in self.untagged_responses:
            self._append_untagged("FETCH", line)  # quirk 21: Xeams, the rest of a response
            return "FETCH", line
        raise self.abort(f"unexpected response: {self._quote_line(line)}")

    def _take_untagged(self, line: bytes) -> tuple[str, bytes]:
        """Store an untagged response with its literals; return its type and its last line."""
        numbered = False
        if not self._match(public.Untagged_response, line):
            numbered = self._match(self.Untagged_status, line)
            if not numbered:
                understood = read_oddly(line)
                if understood is None or understood == line:
                    raise self.abort(f"unexpected response: {self._quote_line(line)}")
                return self._take_untagged(understood)
        dat: bytes = self.mo["data"] or b""
        if numbered and (rest := self.mo["data2"]):
            dat = dat + b" " + rest
        kind = self.mo["type"]
        typ: str = _USUAL.get(kind) or kind.decode("ascii").upper()
        depth, self._begun = 0, line
        dat = self._with_whole_strings(typ, line, dat)
        while dat[-1:] in _ENDS and (size := self._literal_size(typ, dat)) is not None:
            data = self._read_literal(typ, size)
            self._append_untagged(typ, (dat, data))
            depth += balance(dat)
            dat = self._get_line()
            if not dat and depth > 0:  # an empty line inside parentheses
                dat = self._next_line_with_text()
            dat = self._with_whole_strings(typ, line, dat)
        self._begun = b""
        self._append_untagged(typ, dat)
        return typ, dat

    def _literal_size(self, typ: str, dat: bytes) -> bytes | None:
        """Return the digits of the announced literal size; None if no literal follows."""
        last = dat[dat.rfind(b"\n") + 1 :]
        if dat.endswith(b"}") and self._match(self.Literal, last):
            found: bytes = self.mo["size"]
            return found
        odd = _ODD_LITERAL.match(last) if typ == "FETCH" else None
        return odd["size"] if odd else None

    def _with_whole_strings(self, typ: str, response: bytes, dat: bytes) -> bytes:
        """Return a line, joined with the following lines while a quoted string is unterminated.

        The line breaks stay in the text.
        """
        if (string := self._broken(typ, response, dat)) is None:
            return dat
        text = bytearray(dat)
        while string is not None:
            end, self._in_string = self._line_end, True
            try:
                line = self._get_line()
            finally:
                self._in_string = False
            if begins_response(line):  # the quote did not begin a string
                self._early = line
                break
            text += end + line
            if len(text) > self.limits.text:
                raise self.abort(f"a response exceeds the limit of {self.limits.text} bytes")
            if rest := string.add(line + self._line_end):
                string = self._broken(typ, response, rest.removesuffix(self._line_end))
        return bytes(text)

    def _broken(self, typ: str, response: bytes, line: bytes) -> Broken | None:
        """Return the unterminated quoted string on a line; None if there is none."""
        if b'"' not in line or not may_go_on(line, 0, len(line)):
            return None
        if line[-1:] in _ENDS and self._literal_size(typ, line) is not None:
            return None
        return find_broken(line, response=response)

    def _next_line_with_text(self, line: bytes = b"") -> bytes:
        """Return this line or the next with text, without leading NUL bytes (quirks 2 and 5)."""
        empty = 0
        while not (line := line.lstrip(b"\0")) or line.isspace():
            empty += 1
            if empty > MOST_EMPTY:
                raise self.abort(f"more than {MOST_EMPTY} empty lines")
            line = self._get_line()
        return line

    def _read_literal(self, typ: str, digits: bytes) -> bytes:
        size = int(digits) if len(digits) <= MOST_DIGITS else 1 << 64
        most = self.limits.literal
        if typ not in self._asked:
            most = min(most, self.limits.unasked)
        if size > most:
            raise self.abort(f"a literal of {size} bytes exceeds the limit of {most}")
        if self.debug >= 4:
            self._mesg(f"read literal size {size}")
        data = self.read(size)
        if len(data) < size:
            raise self.abort("socket error: EOF")
        return data

    def _append_untagged(self, typ: str, dat: Data | None) -> None:
        """Store an untagged response, or the part of one up to the end of a literal."""
        if dat is None:
            dat = b""
        size = _size(dat)
        self._held += size
        if self._held > self.limits.held:
            self._count_held(dat)
        if typ in self._asked:
            self._progressed = True
        else:
            self._unasked += size
            if self._unasked > self.limits.unasked:
                self._count_unasked(typ, dat)
        if self.debug >= 5:
            self._mesg(f'untagged_responses[{typ}] += ["{dat!r}"]')
        if typ in Selected.KINDS and self._selected is not None and isinstance(dat, bytes):
            self._selected.apply(typ, dat)
        if self._idle_capture:
            self._append_idle(typ, dat)
        elif typ in self.untagged_responses:
            self.untagged_responses[typ].append(dat)
        else:
            self.untagged_responses[typ] = [dat]

    def _append_idle(self, typ: str, dat: Data) -> None:
        """Store a response for the `Idler`; the line after a literal joins its response."""
        if self._idle_responses and isinstance(self._idle_responses[-1][1][-1], tuple):
            self._idle_responses[-1][1].append(dat)
        else:
            self._idle_responses.append((typ, [dat]))

    def _count_held(self, newest: Data) -> None:
        """Recount the size of stored responses. Raises IMAP4.abort above the limit."""
        waiting = [*self.untagged_responses.values(), *(data for _, data in self._idle_responses)]
        self._held = _size(newest) + sum(_size(each) for data in waiting for each in data)
        if self._held > self.limits.held:
            raise self.abort(f"stored responses exceed the limit of {self.limits.held} bytes")

    def _count_unasked(self, typ: str, newest: Data) -> None:
        """Recount the size of unrequested responses. Raises IMAP4.abort above the limit."""
        waiting = [*self.untagged_responses.items(), *self._idle_responses]
        self._unasked = _size(newest) + sum(
            _size(each) for kind, data in waiting if kind not in self._asked for each in data
        )
        if self._unasked > self.limits.unasked:
            raise self.abort(
                f"unrequested {typ} responses exceed the limit of {self.limits.unasked} bytes"
            )

    def _get_line(self) -> bytes:
        """Read a line and return it without its end."""
        if self._early is not None:
            line, self._early = self._early, None
            return line
        line = self.readline()
        if not line:
            raise self.abort("socket error: EOF")
        self._line_end = b"\r\n" if line[-2:] == b"\r\n" else b"\n"
        if self._line_end == b"\n" and not self._may_end_bare(line):
            raise self.abort(f"socket error: unterminated line: {self._quote_line(line)}")
        line = line.removesuffix(self._line_end)
        if self._confidential and line[:1] == b"+":
            shown = "< b'+ ***'"
        elif len(line) <= SHOWN or self.debug >= 4:
            shown = f"< {line!r}"
        else:
            shown = f"< {line[:SHOWN]!r} and {len(line) - SHOWN} more bytes"
        if self.debug >= 4:
            self._mesg(shown)
        else:
            self._log(shown)
        return line

    def _may_end_bare(self, line: bytes) -> bool:
        """Return whether a line may end with LF alone: inside a quoted string, and after a literal
        whose announced size was one byte too small (quirk 6)."""
        if line[-1:] != b"\n":
            return False
        if line == b"\n" or self._in_string:
            return True
        return find_broken(line[:-1], response=self._begun) is not None

    def _quote_line(self, line: bytes) -> str:
        """Quote a line of the server's for an error message, with secrets blanked."""
        return repr(shorten(self._secrets.blank(line)))

    def _line_as_text(self, line: bytes) -> str:
        return shorten(self._secrets.blank(line)).decode("utf-8", "replace")

    def _match(self, cre: re.Pattern[bytes], s: bytes) -> bool:
        """Match a pattern and store the match object in `mo`; return whether it matched."""
        self.mo = found = cre.match(s)
        if found is None:
            return False
        if self.debug >= 5 and not self._confidential:
            self._mesg(f"\tmatched {cre.pattern!r} => {found.groups()!r}")
        return True


def _size(data: Data) -> int:
    """Return the memory that a response takes, in bytes."""
    if isinstance(data, bytes):
        return 48 + len(data)
    return 144 + len(data[0]) + len(data[1])

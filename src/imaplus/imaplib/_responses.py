"""Reading and keeping responses, until somebody takes them or a command is over.

What has come is in `untagged_responses` and `tagged_commands`, which programs read and assign. It
knows the form of responses, and of their meaning only BYE. What it keeps is bounded by `limits`.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

from imaplus.errors import shortened
from imaplus.imaplib._public import public
from imaplus.imaplib._selected import Selected
from imaplus.imaplib._transport import Transport, with_words
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.quoted import Broken, begins_response, broken, may_go_on

Data: TypeAlias = "bytes | tuple[bytes, bytes]"
"""One response: its line, or what stands before a literal, and the literal."""
Results: TypeAlias = "tuple[str, list[Any]]"

MOST_DIGITS: Final = 20
"""Of a literal's size: more cannot be a 64-bit number."""
MOST_WORDS: Final = 3
"""Lines that an error quotes: the latest ones say why."""
OVERHEAD: Final = 100
"""Octets of memory that a response takes beside its text."""

_QUOTED: Final = lazy_pattern(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')


class Responses(Transport):
    """The responses of a server."""

    state: str
    untagged_responses: dict[str, list[bytes | tuple[bytes, bytes]]]
    """What came and nobody has taken, by its kind."""
    tagged_commands: dict[bytes, tuple[str, list[bytes]] | None]
    """The commands under way: None, or what they came to."""
    continuation_response: Any
    """What stood behind the latest `+`."""
    tagre: re.Pattern[bytes]
    mo: Any
    """What the latest `_match` came to."""
    Literal: re.Pattern[bytes]
    Untagged_status: re.Pattern[bytes]
    _idle_capture: bool = False
    """Untagged responses go to `_idle_responses`: an `Idler` is at work."""
    _idle_responses: list[tuple[str, list[bytes | tuple[bytes, bytes]]]]
    _held: int = 0  # octets of responses that wait to be taken, at most
    _responses: int = 0  # how many have come since the latest command
    _selected: Selected | None = None
    _early: bytes | None = None  # a line that was read too soon, and comes next
    _words: list[str] = []  # noqa: RUF012 - untagged NO and BAD since the latest command; replaced

    def _get_tagged_response(self, tag: bytes, expect_bye: bool = False) -> Results:
        """Read on until a command is over."""
        while (result := self.tagged_commands[tag]) is None:
            if expect_bye and (bye := self.untagged_responses.pop("BYE", None)) is not None:
                return "BYE", bye
            self._check_bye()  # no more will come
            try:
                self._get_response()
            except self.abort:
                if self.debug >= 1:
                    self.print_log()
                raise
        del self.tagged_commands[tag]
        return result

    def _check_bye(self) -> None:
        if bye := self.untagged_responses.get("BYE"):
            last = bye[-1]
            text = self._secrets.blanked(last if isinstance(last, bytes) else last[0])
            raise self.abort(shortened(text.decode("utf-8", "replace")))

    def _untagged_response(self, typ: str, dat: list[Any], name: str) -> Results:
        """What came of one kind, which is forgotten here; the status' text after a NO."""
        if typ == "NO":
            return typ, dat
        if name not in self.untagged_responses:
            return typ, [None]
        data = self.untagged_responses.pop(name)
        if self.debug >= 5:
            self._mesg(f"untagged_responses[{name}] => {data}")
        return typ, data

    def _get_response(self) -> bytes | None:
        """Read one response and store it: its first line, None for a continuation."""
        try:
            return self._take_response(self._get_line())
        except self.abort as error:
            with_words(error, tuple(self._words))
            raise
        except TimeoutError as error:
            if not self._words:
                raise
            late = with_words(self._timed_out(str(error)), tuple(self._words))
            raise late from error

    def _take_response(self, line: bytes) -> bytes | None:
        if not line:  # some servers send an empty line after a literal that ends a response
            line = self._next_line_with_text()
        self._responses += 1
        if self._responses > self.limits.responses:
            self._count()
        if line[:1] == b"*":
            typ, dat = self._take_untagged(line)
        elif self._match(self.tagre, line):
            tag, typ, dat = self.mo["tag"], self.mo["type"].decode("ascii"), self.mo["data"]
            if tag not in self.tagged_commands:
                raise self.abort(f"unexpected tagged response: {self._quoted(line)}")
            self.tagged_commands[tag] = (typ, [dat])
        elif self._match(public.Continuation, line):
            self.continuation_response = self.mo["data"]
            return None
        else:
            raise self.abort(f"unexpected response: {self._quoted(line)}")
        if typ in ("OK", "NO", "BAD") and self._match(public.Response_code, dat):
            self._append_untagged(self.mo["type"].decode("ascii"), self.mo["data"])
        if typ in ("NO", "BAD") and line[:1] == b"*":
            self._words = [*self._words, self._plain(line)][-MOST_WORDS:]
        if self.debug >= 1 and typ in ("NO", "BAD", "BYE"):
            self._mesg(f"{typ} response: {dat!r}")
        return line

    def _take_untagged(self, line: bytes) -> tuple[str, bytes]:
        """Store an untagged response with its literals; its kind, and the last of its text."""
        numbered = line[2:3].isdigit()
        pattern = self.Untagged_status if numbered else public.Untagged_response
        if not self._match(pattern, line):
            raise self.abort(f"unexpected response: {self._quoted(line)}")
        dat: bytes = self.mo["data"] or b""
        if numbered and (rest := self.mo["data2"]):
            dat = dat + b" " + rest
        typ: str = self.mo["type"].decode("ascii")
        depth = 0
        dat = self._with_whole_strings(line, dat)
        while self._announces_literal(dat):
            data = self._read_literal(self.mo["size"])
            self._append_untagged(typ, (dat, data))
            depth += _balance(dat)
            dat = self._get_line()
            if not dat and depth > 0:  # an empty line where the response cannot have ended
                dat = self._next_line_with_text()
            dat = self._with_whole_strings(line, dat)
        self._append_untagged(typ, dat)
        return typ, dat

    def _announces_literal(self, dat: bytes) -> bool:
        """Whether a literal follows; its size is in `mo`."""
        return dat.endswith(b"}") and self._match(self.Literal, dat[dat.rfind(b"\n") + 1 :])

    def _with_whole_strings(self, response: bytes, dat: bytes) -> bytes:
        """A line, and those on which a quoted string goes on that has begun on it.

        Nothing is changed in it: the line breaks are where the server put them.
        """
        if (string := self._broken(response, dat)) is None:
            return dat
        text = bytearray(dat)
        while string is not None:
            line = self._get_line()
            if begins_response(line):  # the quote was a stray one
                self._early = line
                break
            text += b"\r\n" + line
            if len(text) > self.limits.text:
                raise self.abort(f"a response exceeds the limit of {self.limits.text} octets")
            if rest := string.add(line + b"\r\n"):
                string = self._broken(response, rest[:-2])
        return bytes(text)

    def _broken(self, response: bytes, line: bytes) -> Broken | None:
        """The quoted string on a line that has no end there, if there is one."""
        if b'"' not in line or not may_go_on(line, 0, len(line)) or self._announces_literal(line):
            return None
        return broken(line, response=response)

    def _next_line_with_text(self) -> bytes:
        while not (line := self._get_line()):
            self._count()
        return line

    def _count(self) -> None:
        self._responses += 1
        if self._responses > self.limits.responses:
            raise self.abort(f"more than {self.limits.responses} responses to one command")

    def _read_literal(self, digits: bytes) -> bytes:
        size = int(digits) if len(digits) <= MOST_DIGITS else 1 << 64
        if size > self.limits.literal:
            raise self.abort(
                f"a literal of {size} octets exceeds the limit of {self.limits.literal}"
            )
        if self.debug >= 4:
            self._mesg(f"read literal size {size}")
        data = self.read(size)
        if len(data) < size:
            raise self.abort("socket error: EOF")
        return data

    def _append_untagged(self, typ: str, dat: Data | None) -> None:
        """Store an untagged response, or a part of one that ends in a literal."""
        if dat is None:
            dat = b""
        self._held += _size(dat)
        if self._held > self.limits.held:
            self._count_held(dat)
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
        """Responses are apart here, so what follows a literal joins the response it is of."""
        if self._idle_responses and isinstance(self._idle_responses[-1][1][-1], tuple):
            self._idle_responses[-1][1].append(dat)
        else:
            self._idle_responses.append((typ, [dat]))

    def _count_held(self, newest: Data) -> None:
        """What was taken since is found out only now, when it matters."""
        waiting = [*self.untagged_responses.values(), *(data for _, data in self._idle_responses)]
        self._held = _size(newest) + sum(_size(each) for data in waiting for each in data)
        if self._held > self.limits.held:
            raise self.abort(f"more than {self.limits.held} octets of responses have collected")

    def _get_line(self) -> bytes:
        """A line without its end."""
        if self._early is not None:
            line, self._early = self._early, None
            return line
        line = self.readline()
        if not line:
            raise self.abort("socket error: EOF")
        if line[-2:] != b"\r\n":
            raise self.abort(f"socket error: unterminated line: {self._quoted(line)}")
        line = line[:-2]
        shown = "< b'+ ***'" if self._confidential and line[:1] == b"+" else f"< {line!r}"
        if self.debug >= 4:
            self._mesg(shown)
        else:
            self._log(shown)
        return line

    def _quoted(self, line: bytes) -> str:
        """A line of the server's as an error shows it."""
        return repr(shortened(self._secrets.blanked(line)))

    def _plain(self, line: bytes) -> str:
        return shortened(self._secrets.blanked(line)).decode("utf-8", "replace")

    def _match(self, cre: re.Pattern[bytes], s: bytes) -> bool:
        """Match a pattern; what it found is in `mo`."""
        self.mo = found = cre.match(s)
        if found is None:
            return False
        if self.debug >= 5 and not self._confidential:
            self._mesg(f"\tmatched {cre.pattern!r} => {found.groups()!r}")
        return True


def _size(data: Data) -> int:
    """Octets of memory that a response takes."""
    if isinstance(data, bytes):
        return OVERHEAD + len(data)
    return OVERHEAD + len(data[0]) + len(data[1])


def _balance(text: bytes) -> int:
    """How many more parentheses it opens than it closes."""
    text = _QUOTED.sub(b"", text)
    return text.count(b"(") - text.count(b")")

"""Writing one command: methods with the names of RFC 9051's grammar rules (9).

This is the only place that decides whether a text travels as an atom, a quoted string or a
literal, and of which kind (RFC 7888). Only `raw()` writes octets as they are, so no argument can
become a second command. It knows tokens, not commands.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from imaplus.errors import InvalidArgument
from imaplus.records import record
from imaplus.wire import mailbox_names
from imaplus.wire.flags import FlagsLike, encode_flag, flags_of
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.secret import Secret
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sources import Octets, Source

if TYPE_CHECKING:
    from datetime import date, datetime

LONGEST_QUOTED: Final = 1000
"""Limit on a quoted string, in bytes: servers limit lines (RFC 2683, 3.2.1.5; RFC 7162, 4)."""
EAGER_LITERAL: Final = 1 << 20
"""Larger literals wait for `+` even with LITERAL+, so that the server can refuse them first."""

_ATOM: Final = lazy_pattern(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
_BASE64: Final = lazy_pattern(rb"[A-Za-z0-9+/]*={0,2}")
_MUST_TRAVEL_IN_A_LITERAL: Final = lazy_pattern(rb"[\r\n]")
_QUOTED_SPECIALS: Final = lazy_pattern(rb'(["\\])')

T = TypeVar("T")
Text = str | bytes | Secret
"""A value that can be written as a string; str is encoded as UTF-8."""


@record(kw_only=True)
class Rules:
    """The rules for literals and strings that hold for a connection now."""

    eager: int = 0
    """The largest literal that need not wait for a `+` (RFC 7888); 0: every literal waits."""
    utf8: bool = False
    """Quoted strings and mailbox names are UTF-8: IMAP4rev2 or UTF8=ACCEPT is enabled."""


DEFAULT_RULES: Final = Rules()


class Piece(NamedTuple):
    """Part of a command: bytes, or a source of bytes. Traces do not show secret ones."""

    data: bytes | Source
    secret: bool = False


Segment = tuple[Piece, ...]
"""Pieces to write at once. Between two segments the server must send `+`."""


class Writer:
    """Collects one command. `finish()` returns its segments."""

    __slots__ = ("_listed", "_pieces", "_plain", "_segments", "rules")

    def __init__(self, rules: Rules = DEFAULT_RULES, listed: Container[str] = ()) -> None:
        self.rules: Rules = rules
        self._listed = listed  # mailbox names that the server writes like this, if not in form C
        self._segments: list[Segment] = []
        self._pieces: list[Piece] = []
        self._plain = bytearray()

    def finish(self) -> list[Segment]:
        """End the command's last line and return all segments."""
        self._plain += b"\r\n"
        self._end_segment()
        return self._segments

    def _end_segment(self) -> None:
        self._end_piece()
        self._segments.append(tuple(self._pieces))
        self._pieces = []

    def _end_piece(self) -> None:
        if self._plain:
            self._pieces.append(Piece(bytes(self._plain)))
            self._plain.clear()

    # -- tokens -----------------------------------------------------------------------------

    def raw(self, data: bytes) -> None:
        """Write bytes unchanged: only constants, and text checked by a regular expression."""
        self._plain += data

    def sp(self) -> None:
        """One space."""
        self._plain += b" "

    def atom(self, text: str) -> None:
        """atom: a keyword, a capability, a mechanism."""
        self._plain += _atom(text)

    def atom_list(self, texts: Iterable[str]) -> None:
        """Write atoms in parentheses, such as names of items."""
        self._plain += _atom_list(tuple(texts))

    def number(self, value: int) -> None:
        """number and number64."""
        if not 0 <= value < 1 << 64:
            raise InvalidArgument(f"expected a number of at most 64 bits, found {value!r}")
        self._plain += b"%d" % value

    def sequence_set(self, numbers: SequenceSet) -> None:
        """sequence-set."""
        if not numbers:
            raise InvalidArgument("expected at least one number, found an empty set")
        self._plain += str(numbers).encode("ascii")

    def flag(self, text: str) -> None:
        """flag = "\\" atom / atom."""
        self._plain += encode_flag(text)

    def flag_list(self, flags: FlagsLike) -> None:
        """`flag-list = "(" [flag *(SP flag)] ")"`, in alphabetical order."""
        self._plain += _flag_list(tuple(sorted(flags_of(flags))))

    def date(self, day: date) -> None:
        """date, for SEARCH."""
        from imaplus.wire import dates

        self._plain += dates.format_search_date(day)

    def date_time(self, moment: datetime) -> None:
        """date-time, in quotes."""
        from imaplus.wire import dates

        self._plain += b'"%b"' % dates.format_internaldate(moment).strip(b'"')

    @contextmanager
    def parens(self) -> Iterator[None]:
        """Put what is written inside into parentheses."""
        self._plain += b"("
        yield
        self._plain += b")"

    def separate(self, items: Iterable[T]) -> Iterator[tuple[int, T]]:
        """Step through items, with a space before each but the first."""
        for index, item in enumerate(items):
            if index:
                self._plain += b" "
            yield index, item

    def secret(self, text: Secret) -> None:
        """Write base64 that traces do not show: an initial response (RFC 9051, 9: base64)."""
        data = _ascii(text.reveal(), "base64")
        if not _BASE64.fullmatch(data):
            raise InvalidArgument("expected base64")
        self._end_piece()
        self._pieces.append(Piece(data, secret=True))

    # -- strings ----------------------------------------------------------------------------

    def astring(self, text: Text) -> None:
        """astring: an atom if possible, otherwise as `string()`."""
        data, secret = _octets(text)
        if not secret and _ATOM.fullmatch(data) and data.upper() != b"NIL":
            self._plain += data
        else:
            self._string(data, secret)

    def string(self, text: Text) -> None:
        """string = quoted / literal. A `Secret` stays out of traces.

        Raises:
            InvalidArgument: the text has a NUL, which no string can carry (RFC 9051, 4.3).
        """
        self._string(*_octets(text))

    def nstring(self, text: Text | None) -> None:
        """nstring = string / nil."""
        if text is None:
            self._plain += b"NIL"
        else:
            self.string(text)

    def mailbox(self, name: str) -> None:
        """mailbox, in modified UTF-7 or, where that is enabled, in UTF-8.

        As UTF-8 it is in Unicode's form C (RFC 9051, 5.1), unless the server has listed it as it
        is: some find a name that was made under IMAP4rev1 by its own octets only.
        """
        self.astring(self._encode_name(name))

    def list_mailbox(self, pattern: str) -> None:
        """list-mailbox: a mailbox name in which `*` and `%` are wildcards."""
        self.string(self._encode_name(pattern))

    def _encode_name(self, name: str) -> bytes:
        if not isinstance(name, str):
            raise InvalidArgument(f"expected a mailbox name as str, found {name!r}")
        name = mailbox_names.normalise(name)
        if not self.rules.utf8:
            return mailbox_names.encode(name)
        if not name.isascii() and name not in self._listed:
            name = mailbox_names.compose(name)
        return mailbox_names.encode_utf8(name)

    def _string(self, data: bytes, secret: bool) -> None:
        if b"\0" in data:
            raise InvalidArgument("a NUL cannot travel in an IMAP string (RFC 9051, 4.3)")
        if (
            len(data) > LONGEST_QUOTED
            or _MUST_TRAVEL_IN_A_LITERAL.search(data)
            or not (data.isascii() or (self.rules.utf8 and _is_utf8(data)))
        ):
            self._literal(Octets(data), secret=secret)
            return
        quoted = b'"%b"' % _QUOTED_SPECIALS.sub(rb"\\\1", data)
        if secret:
            self._end_piece()
            self._pieces.append(Piece(quoted, secret=True))
        else:
            self._plain += quoted

    # -- literals ---------------------------------------------------------------------------

    def literal(self, source: Source, *, binary: bool = False) -> None:
        """literal, or literal8 (RFC 3516), which alone may carry NUL."""
        self._literal(source, binary=binary)

    def _literal(self, source: Source, *, secret: bool = False, binary: bool = False) -> None:
        if binary:
            self._plain += b"~"
        if self.rules.eager and source.size <= min(self.rules.eager, EAGER_LITERAL):
            self._plain += b"{%d+}\r\n" % source.size
            self._end_piece()
        else:
            self._plain += b"{%d}\r\n" % source.size
            self._end_segment()
        if source.size:
            data = source.data if isinstance(source, Octets) else source
            self._pieces.append(Piece(data, secret))


def _atom(text: str) -> bytes:
    data = _ascii(text, "an atom")
    if not _ATOM.fullmatch(data):
        raise InvalidArgument(f"expected an atom (RFC 9051, 9), found {text!r}")
    return data


# Of thousands of commands that are given together, most ask for the same.
@lru_cache(maxsize=256)
def _atom_list(texts: tuple[str, ...]) -> bytes:
    return b"(%b)" % b" ".join(map(_atom, texts))


@lru_cache(maxsize=256)
def _flag_list(flags: tuple[str, ...]) -> bytes:
    return b"(%b)" % b" ".join(map(encode_flag, flags))


def _ascii(text: str, what: str) -> bytes:
    try:
        return text.encode("ascii")
    except (UnicodeEncodeError, AttributeError):
        raise InvalidArgument(f"expected {what} in ASCII, found {text!r}") from None


def _octets(text: Text) -> tuple[bytes, bool]:
    secret = isinstance(text, Secret)
    if isinstance(text, Secret):
        text = text.reveal()
    if isinstance(text, str):
        try:
            return text.encode(), secret
        except UnicodeEncodeError:
            shown = "***" if secret else repr(text)
            raise InvalidArgument(f"a lone surrogate cannot travel: {shown}") from None
    if isinstance(text, bytes):
        return text, secret
    raise InvalidArgument(f"expected a text, found {type(text).__name__}")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True

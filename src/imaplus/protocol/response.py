"""Frames to values: the registries of parsers, and the responses that every server gives.

A parser is registered for a name (`* QUOTA`, `* 12 EXISTS`, `[UIDNEXT 5]`) where its value is
defined; nothing here lists them. What no parser accepts becomes `Malformed`, what no parser knows
becomes `Unknown`: neither ends anything. Nothing here has state.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, TypeVar

from imaplus.errors import ProtocolError
from imaplus.records import field, record
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import DEFAULT_LIMITS, Frame, Limits
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tokens import decode_text

Parser = Callable[[Cursor], object]
NumberedParser = Callable[[Cursor, int], object]
P = TypeVar("P", bound=Parser)
N = TypeVar("N", bound=NumberedParser)

_responses: Final[dict[str, Parser]] = {}
_numbered: Final[dict[str, NumberedParser]] = {}
_codes: Final[dict[str, Parser]] = {}


def register(registry: dict[str, Any], name: str, parser: object) -> None:
    """Add a parser to a registry, where a name stands once: at import, and never later."""
    if name in registry:
        raise ValueError(f"{name} has a parser already")
    registry[name] = parser


def response(name: str) -> Callable[[P], P]:
    """Register the parser of `* NAME ...`; its cursor stands behind the name."""

    def decorate(parser: P) -> P:
        register(_responses, name, parser)
        return parser

    return decorate


def numbered_response(name: str) -> Callable[[N], N]:
    """Register the parser of `* n NAME ...`; its cursor stands behind the name."""

    def decorate(parser: N) -> N:
        register(_numbered, name, parser)
        return parser

    return decorate


def code(name: str) -> Callable[[P], P]:
    """Register the parser of `[NAME ...]`; its cursor stands behind the name."""

    def decorate(parser: P) -> P:
        register(_codes, name, parser)
        return parser

    return decorate


@record
class Continuation:
    """`+`: the server waits for more of a command (RFC 9051, 7.6)."""

    text: bytes


@record
class Unknown:
    """A response that no parser is registered for, kept as it came."""

    name: str
    frame: Frame


@record
class Malformed:
    """A response that its parser did not accept. `name` is "" where not even that was clear."""

    name: str
    frame: Frame
    error: ProtocolError

    def __post_init__(self) -> None:
        # A traceback keeps alive whatever the functions on the stack had in hand: here, all that
        # came in with this response.
        error: BaseException | None = self.error
        while error is not None:
            error.__traceback__ = None
            error = error.__cause__ or error.__context__


@record
class Status:
    """OK, NO, BAD, BYE or PREAUTH, tagged or not (RFC 9051, 7.1).

    `text` is for people. `code` is the response code's name in capitals, or None; `argument` is
    what follows it, as it came, and `data` what its parser made of that; None without either.
    """

    kind: str
    text: str
    code: str | None = None
    tag: str | None = None
    _argument: Cursor | None = field(default=None, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.kind == "OK"

    @property
    def argument(self) -> str | None:
        """The argument of the code as the server wrote it; None if it has none."""
        if self._argument is None:
            return None
        return decode_text(self._argument.text.partition(b" ")[2].strip()) or None

    def rewrite(self, text: Callable[[str], str], argument: Callable[[bytes], bytes]) -> Status:
        """A copy in which functions have replaced the text and the argument of the code."""
        cursor = None
        if self._argument is not None:
            name, space, rest = self._argument.text.partition(b" ")
            cursor = Cursor(Frame(name + space + argument(rest)), utf8=self._argument.utf8)
            cursor.pos = len(name + space)
        return Status(self.kind, text(self.text), self.code, self.tag, cursor)

    @cached_property
    def data(self) -> object:
        """The typed argument of the code; None if it has none, or one that does not parse."""
        parser = _codes.get(self.code or "")
        if parser is None or self._argument is None:
            return None
        try:
            return parser(self._argument)
        except ProtocolError:
            return None


@code("WEBALERT")
def webalert(c: Cursor) -> str:
    """A page where the user must log in first (quirk 36: Gmail)."""
    return decode_text(c.rest())


_STATUS: Final = frozenset({"OK", "NO", "BAD", "BYE", "PREAUTH"})
_TAGGED: Final = frozenset({"OK", "NO", "BAD", "BYE"})  # quirk 31: a tagged BYE for LOGOUT
# A code ends at its own "]"; flags inside may have brackets too (quirk 15).
_CODE: Final = lazy_pattern(
    rb"\[([A-Za-z0-9][A-Za-z0-9_.+/-]*+)(?=[ \]])"
    rb'((?:\([^()"]*+\)|\(|[^(\[\]"]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"|\[[^\[\]]*+\])*+)\]'
)
_CODE_TO_FIRST_BRACKET: Final = lazy_pattern(
    rb"\[([A-Za-z0-9][A-Za-z0-9_.+/-]*)(?=[ \]])([^\]]*)\]"
)


# The usual beginning of what comes most: one match instead of five steps.
_NUMBERED: Final = lazy_pattern(rb"\* ([1-9][0-9]{0,9}) ([A-Z]++)(?: |\Z)")
_NAMED: Final = lazy_pattern(rb"\* ([A-Z]++)(?= )")
_TAGGED_TEXT: Final = lazy_pattern(rb"([A-Z0-9-]++) (OK|NO|BAD) (?=[^ \t\[])")


def parse(frame: Frame, *, utf8: bool = False, limits: Limits = DEFAULT_LIMITS) -> object:
    """The value of one frame. Never raises: see `Malformed` and `Unknown`."""
    text = frame.text
    if (match := _TAGGED_TEXT.match(text)) is not None:
        return Status(match[2].decode(), decode_text(text[match.end() :]), None, match[1].decode())
    c = Cursor(frame, utf8=utf8, limits=limits)
    if (match := _NUMBERED.match(text)) and (numbered := _numbered.get(match[2].decode())):
        c.pos = match.end()
        return _parse_with(frame, match[2].decode(), numbered, c, int(match[1]))
    if (match := _NAMED.match(text)) and (parser := _responses.get(match[1].decode())):
        c.pos = match.end()
        return _parse_with(frame, match[1].decode(), parser, c)
    try:
        if c.accept(b"*"):
            return _read_untagged(c, frame)
        if c.accept(b"+"):  # quirk 3: "+" alone, without a space
            c.accept_sp()
            return Continuation(c.rest())
        if c.peek() == b"[":
            return _read_status(c, "OK", None)  # quirk 23: Office 365 forgets "* OK"
        if c.accept(b"Server Unavailable"):
            return Status("BYE", decode_text(c.text))  # quirk 20: Exchange's last words
        return _read_tagged(c)
    except ProtocolError as error:
        return Malformed("", frame, error)


def _read_untagged(c: Cursor, frame: Frame) -> object:
    c.accept_sp()
    if c.peek() == b"[":
        return _read_status(c, "OK", None)  # quirk 23
    number = c.accept_number()
    if number is not None:
        c.sp()
    name = c.keyword()
    if number is None and name in _STATUS:
        return _read_status(c, name, None)
    if number == 0 and name in ("FETCH", "EXPUNGE"):
        return Unknown(name, frame)  # quirk 32: Courier's message 0
    if number is not None and (numbered := _numbered.get(name)) is not None:
        return _parse_with(frame, name, numbered, c, number)
    if number is None and (parser := _responses.get(name)) is not None:
        return _parse_with(frame, name, parser, c)
    return Unknown(name, frame)


def _parse_with(
    frame: Frame, name: str, parser: Callable[..., object], *arguments: object
) -> object:
    try:
        return parser(*arguments)
    except ProtocolError as error:
        return Malformed(name, frame, error)


def _read_tagged(c: Cursor) -> Status:
    tag = c.atom()
    c.sp()
    kind = c.keyword()
    if kind not in _TAGGED:
        c.fail("OK, NO or BAD")
    return _read_status(c, kind, tag)


def _read_status(c: Cursor, kind: str, tag: str | None) -> Status:
    """resp-text = ["[" resp-text-code "]" SP] [text]; a code that is none is text (quirk 25)."""
    c.accept_sp()
    start, match = c.pos, None
    if c.peek() == b"[":
        match = c.accept_match(_CODE) or c.accept_match(_CODE_TO_FIRST_BRACKET)
    if match is None:
        return Status(kind, decode_text(c.rest()), None, tag)
    argument = Cursor(Frame(c.text[start + 1 : match.end() - 1]), utf8=c.utf8)
    argument.pos = match.end(1) - start - 1
    argument.accept_sp()
    c.accept_sp()
    return Status(kind, decode_text(c.rest()), decode_text(match[1]).upper(), tag, argument)

"""Frames to values: the registries of response parsers, and `parse()`.

A parser is registered for a name (`* QUOTA`, `* 12 EXISTS`) in the module that defines its value.
A response whose parser fails becomes `Malformed`, one without a parser `Unknown`; the connection
goes on after both. Status responses are in `status.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from imaplus.errors import ProtocolError
from imaplus.protocol.registry import Parser, register
from imaplus.protocol.status import Status, read_status
from imaplus.protocol.usual import usual_heading, usual_tagged
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import DEFAULT_LIMITS, Frame, Limits
from imaplus.wire.tokens import decode_text

NumberedParser = Callable[[Cursor, int], object]
P = TypeVar("P", bound=Parser)
N = TypeVar("N", bound=NumberedParser)

_responses: Final[dict[str, Parser]] = {}
_numbered: Final[dict[str, NumberedParser]] = {}


def response(name: str) -> Callable[[P], P]:
    """Register the parser of `* NAME ...`. It gets a cursor that stands after the name."""

    def decorate(parser: P) -> P:
        register(_responses, name, parser)
        return parser

    return decorate


def numbered_response(name: str) -> Callable[[N], N]:
    """Register the parser of `* n NAME ...`. It gets a cursor that stands after the name, and n."""

    def decorate(parser: N) -> N:
        register(_numbered, name, parser)
        return parser

    return decorate


@record
class Continuation:
    """`+`: the server waits for more of a command (RFC 9051, 7.6)."""

    text: bytes


@record
class Unknown:
    """A response without a registered parser, as it came."""

    name: str
    frame: Frame


@record
class Malformed:
    """A response whose parser failed. `name` is "" if it could not be read either."""

    name: str
    frame: Frame
    error: ProtocolError

    def __post_init__(self) -> None:
        # A traceback keeps the local variables of its functions alive: here, all data that was
        # received together with this response.
        error: BaseException | None = self.error
        while error is not None:
            error.__traceback__ = None
            error = error.__cause__ or error.__context__


_STATUS: Final = frozenset({"OK", "NO", "BAD", "BYE", "PREAUTH"})
_TAGGED: Final = frozenset({"OK", "NO", "BAD", "BYE"})  # quirk 31: a tagged BYE for LOGOUT


def parse(frame: Frame, *, utf8: bool = False, limits: Limits = DEFAULT_LIMITS) -> object:
    """Parse one frame. Never raises: the value is `Malformed` or `Unknown` if need be."""
    if (status := usual_tagged(frame.text)) is not None:
        return status
    heading = usual_heading(frame.text)
    if heading is None:
        return parse_by_rule(frame, utf8=utf8, limits=limits)
    c = Cursor(frame, utf8=utf8, limits=limits)
    c.pos = heading.end
    name = heading.name
    if heading.number is None:
        if (parser := _responses.get(name)) is not None:
            return _parse_with(frame, name, parser, c)
    elif (numbered := _numbered.get(name)) is not None:
        return _parse_with(frame, name, numbered, c, heading.number)
    return parse_by_rule(frame, utf8=utf8, limits=limits)


def parse_by_rule(frame: Frame, *, utf8: bool = False, limits: Limits = DEFAULT_LIMITS) -> object:
    """As `parse()`, without the fast path for usual responses. The value is the same."""
    c = Cursor(frame, utf8=utf8, limits=limits)
    try:
        if c.accept(b"*"):
            return _read_untagged(c, frame)
        if c.accept(b"+"):  # quirk 3: "+" alone, without a space
            c.accept_sp()
            return Continuation(c.rest())
        if c.peek() == b"[":
            return read_status(c, "OK", None)  # quirk 23: Office 365 forgets "* OK"
        if c.accept(b"Server Unavailable"):
            return Status("BYE", decode_text(c.text))  # quirk 20: Exchange's last words
        return _read_tagged(c)
    except ProtocolError as error:
        return Malformed("", frame, error)


def _read_untagged(c: Cursor, frame: Frame) -> object:
    c.accept_sp()
    if c.peek() == b"[":
        return read_status(c, "OK", None)  # quirk 23
    number = c.accept_number()
    if number is not None:
        c.sp()
    name = c.keyword()
    if number is None and name in _STATUS:
        return read_status(c, name, None)
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
    return read_status(c, kind, tag)

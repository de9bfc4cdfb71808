"""FETCH (RFC 9051, 6.4.5 and 7.5.2): asking for data of messages, and what comes back.

An item that an extension adds is registered with `@fetch_item`. Bodies go where the command says;
everything else is kept, and large structures are parsed when they are touched. Which messages
exist, and in which portions to ask for them, is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from imaplus.core.bodystructure import Part, bodystructure
from imaplus.core.envelope import Envelope, envelope
from imaplus.core.messages import MessageCommand
from imaplus.core.parameters import FetchModifier, needs_of, write_list
from imaplus.errors import InvalidArgument, ProtocolError
from imaplus.protocol.command import Reply
from imaplus.protocol.data import MessageData
from imaplus.protocol.response import Malformed, Parser, Status, numbered_response, register
from imaplus.wire.cursor import Cursor
from imaplus.wire.framing import Frame
from imaplus.wire.sinks import Sink
from imaplus.wire.writer import Writer

if TYPE_CHECKING:
    from email.message import EmailMessage

P = TypeVar("P", bound=Parser)

_items: Final[dict[str, Parser]] = {}
_lazy_items: Final[dict[str, Parser]] = {}


def fetch_item(name: str, *, lazy: bool = False) -> Callable[[P], P]:
    """Register the parser of a FETCH item's value; a lazy one runs when its value is touched."""

    def decorate(parser: P) -> P:
        register(_lazy_items if lazy else _items, name, parser)
        return parser

    return decorate


# -- what to ask for -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Body:
    """BODY[section], or a part of it (RFC 9051, 6.4.5.1).

    `section` is "" for the whole message, "HEADER", "TEXT", "1.2", "1.2.MIME", and so on. `fields`
    are header fields, with "HEADER.FIELDS" or "HEADER.FIELDS.NOT" as the section's end. `partial`
    is (first octet, octets at most). `peek` leaves \\Seen alone; `binary` has the server undo the
    transfer encoding (RFC 3516), and `size` asks for nothing but how many octets that gives.

    Raises:
        InvalidArgument: there is no such section.
    """

    section: str = ""
    fields: tuple[str, ...] = ()
    partial: tuple[int, int] | None = None
    peek: bool = True
    binary: bool = False
    size: bool = False

    def __post_init__(self) -> None:
        if not _SECTION.fullmatch(self.section):
            raise InvalidArgument(f"expected a section (RFC 9051, 6.4.5.1): {self.section!r}")
        if bool(self.fields) != bool(_FIELDS.search(self.section)):
            raise InvalidArgument("header fields go with the section HEADER.FIELDS[.NOT], only")
        if self.partial is not None and not (self.partial[0] >= 0 and self.partial[1] > 0):
            raise InvalidArgument(f"expected (first octet, octets), found {self.partial!r}")
        if (self.binary or self.size) and not _PART.fullmatch(self.section):
            raise InvalidArgument("BINARY takes the number of a part (RFC 3516, 4.2)")

    def encode(self, out: Writer) -> None:
        """fetch-att."""
        out.atom(self._kind + (".PEEK" if self.peek and not self.size else ""))
        out.raw(b"[")
        if self.section:
            out.atom(self.section.upper())
        if self.fields:
            out.raw(b" ")
            with out.parens():
                for _, name in out.spaced(self.fields):
                    out.astring(name)
        out.raw(b"]")
        if self.partial is not None:
            out.raw(b"<%d.%d>" % self.partial)

    @property
    def _kind(self) -> str:
        return "BINARY.SIZE" if self.size else "BINARY" if self.binary else "BODY"

    @property
    def key(self) -> str:
        """The name under which its value comes back."""
        fields = f" ({' '.join(name.upper() for name in self.fields)})" if self.fields else ""
        origin = f"<{self.partial[0]}>" if self.partial is not None else ""
        return f"{self._kind}[{self.section.upper()}{fields}]{origin}"


_PART: Final = re.compile(r"(?:[1-9][0-9]*(?:\.[1-9][0-9]*)*)?")
_SECTION: Final = re.compile(
    r"(?:[1-9][0-9]*(?:\.[1-9][0-9]*)*)?"
    r"(?:(?:^|(?<=[0-9])\.)(?:HEADER(?:\.FIELDS(?:\.NOT)?)?|TEXT|MIME))?",
    re.IGNORECASE,
)
_FIELDS: Final = re.compile(r"HEADER\.FIELDS(?:\.NOT)?\Z", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")
_MACROS: Final = {
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
}

Item = str | Body
"""What can be asked of a message: "FLAGS", "ENVELOPE", ..., a macro, or a `Body`."""


# -- what comes back -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Later:
    """An item's value that is parsed when it is touched."""

    cursor: Cursor
    parser: Parser


@dataclass(frozen=True, slots=True)
class Fetched(MessageData):
    """What a FETCH response says of one message.

    `items` has it by name, as RFC 9051 writes it: `message["RFC822.SIZE"]`. Values are typed; what
    no parser knows is a raw `Frame`. Partial sections are named by their first octet: `BODY[]<0>`.
    """

    items: dict[str, object] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """An item's value.

        Raises:
            KeyError: the server did not send the item.
            ProtocolError: it sent what does not parse; other items are not affected.
        """
        value = self.items[name]
        if isinstance(value, Later):
            value = self._parse(name, value)
        if isinstance(value, Malformed):
            raise value.error
        return value

    def _parse(self, name: str, later: Later) -> object:
        value: object
        try:
            value = later.parser(later.cursor)
        except ProtocolError as error:
            value = Malformed(name, Frame(later.cursor.text), error)
        self.items[name] = value
        return value

    def __contains__(self, name: object) -> bool:
        return name in self.items

    def get(self, name: str, default: Any = None) -> Any:
        """An item's value, or the default if the server did not send it."""
        return self[name] if name in self.items else default

    # -- the usual items, by name -----------------------------------------------------------

    @property
    def flags(self) -> frozenset[str]:
        """Its flags and keywords. Raises KeyError, like all of these, if FLAGS was not fetched."""
        return cast(frozenset[str], self["FLAGS"])

    @property
    def size(self) -> int:
        """Its octets, as the server counts them: RFC822.SIZE."""
        return cast(int, self["RFC822.SIZE"])

    @property
    def internaldate(self) -> datetime | None:
        """When the server received it; None if the server sent what is no date."""
        return cast("datetime | None", self["INTERNALDATE"])

    @property
    def modseq(self) -> int:
        """The number of its latest change (RFC 7162)."""
        return cast(int, self["MODSEQ"])

    @property
    def envelope(self) -> Envelope:
        """Subject, date, and who wrote to whom."""
        return cast(Envelope, self["ENVELOPE"])

    @property
    def bodystructure(self) -> Part:
        """Its MIME structure: BODYSTRUCTURE, or BODY where that was fetched instead."""
        return cast(Part, self["BODYSTRUCTURE" if "BODYSTRUCTURE" in self.items else "BODY"])

    def body(self, section: str = "") -> bytes:
        """The octets of a section that was fetched whole; b"" if the server has none."""
        value = self[f"BODY[{section.upper()}]"]
        if value is not None and not isinstance(value, bytes):
            raise InvalidArgument("this body went elsewhere: it is not in memory")
        return value or b""

    def email(self) -> EmailMessage:
        """The whole message, parsed by Python's `email` package. Needs BODY[], as of `Body()`."""
        from email import message_from_bytes, policy  # slow to import, and seldom needed

        return message_from_bytes(self.body(), policy=policy.default)

    def merged(self, other: Fetched) -> Fetched:
        """This and what came later for the same message."""
        return Fetched(other.seq, other.uid or self.uid, {**self.items, **other.items})


_ITEM: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9.:/_-]*")
# section = "[" [section-spec] "]", then the first octet; quirk 77: a count after it, as was asked.
_SECTION_SPEC: Final = re.compile(rb"\[([^\]\r\n\"{]*)\](?:<([0-9]+)(?:\.[0-9]+)?>)?")
_ORIGIN: Final = re.compile(rb"<([0-9]+)(?:\.[0-9]+)?>")


@numbered_response("FETCH")
def fetched(c: Cursor, seq: int) -> Fetched:
    # msg-att = "(" (msg-att-dynamic / msg-att-static) *(SP ...) ")"
    items: dict[str, object] = {}
    c.accept_sp()
    c.expect(b"(")
    extra = 0  # quirk 41: Domino's parentheses around an item
    while True:
        c.accept_sp()
        if c.accept(b")"):
            if extra == 0:
                break
            extra -= 1
        elif c.accept(b"("):
            extra += 1
        else:
            _fetch_item(c, items)
    uid = items.get("UID")
    return Fetched(seq, uid if isinstance(uid, int) and uid else None, items)


def _fetch_item(c: Cursor, items: dict[str, object]) -> None:
    match = c.accept_match(_ITEM)
    if match is None:
        c.fail("the name of a FETCH item")
    name = match[0].decode("ascii").upper()
    if c.peek() == b"[":
        name += _section(c)
        c.accept_sp()
        items[name] = c.number() if name.startswith("BINARY.SIZE[") else _body(c)
        return
    c.sp()
    if (lazy := _lazy_items.get(name)) is not None:
        items[name] = Later(c.sub(c.raw()), lazy)
        return
    parser = _items.get(name)
    if parser is None:  # quirk 76: items that nobody asked for, such as AOL's
        items[name] = c.raw()
        return
    start = c.mark()
    try:
        items[name] = parser(c)
    except ProtocolError as error:  # costs this item only
        c.reset(start)
        items[name] = Malformed(name, c.raw(), error)


def _section(c: Cursor) -> str:
    """Its normal form: capitals, no quotes (quirk 77), one space."""
    if match := c.accept_match(_SECTION_SPEC):
        spec = b" ".join(match[1].split()).decode("latin-1").upper()
        return f"[{spec}]" + (f"<{int(match[2])}>" if match[2] else "")
    c.expect(b"[")
    words = [c.astring_text().upper()]
    c.sp()
    fields = " ".join(c.astring_text().upper() for _ in c.items())
    c.expect(b"]")
    origin = c.accept_match(_ORIGIN)
    return f"[{words[0]} ({fields})]" + (f"<{int(origin[1])}>" if origin else "")


def _body(c: Cursor) -> object:
    c.accept(b"~")
    return c.payload()


@fetch_item("FLAGS")
def flags(c: Cursor) -> frozenset[str]:
    return c.flag_list()


@fetch_item("UID")
@fetch_item("RFC822.SIZE")
def number(c: Cursor) -> int:
    return c.number()


@fetch_item("INTERNALDATE")
def internaldate(c: Cursor) -> object:
    return c.date_time()


fetch_item("ENVELOPE", lazy=True)(envelope)
fetch_item("BODYSTRUCTURE", lazy=True)(bodystructure)
fetch_item("BODY", lazy=True)(bodystructure)


@fetch_item("RFC822")
@fetch_item("RFC822.HEADER")
@fetch_item("RFC822.TEXT")
def rfc822(c: Cursor) -> object:
    return c.payload()


# -- the command -----------------------------------------------------------------------------------

BodySink = Callable[[int | None, int], Sink]
"""Gives the sink for a body of so many octets; the UID is None if the server sends it later."""

_UID_SO_FAR: Final = re.compile(rb"\* [0-9]+ FETCH \((?:[^\[{\"]* )?UID ([0-9]{1,10}) ", re.I)
_BODY_SO_FAR: Final = re.compile(
    rb"((?:BODY|BINARY)\[[^\[\]{\"]*\](?:<[0-9.]+>)?|RFC822(?:\.\w+)?) ~?\Z", re.I
)
_FETCH_SO_FAR: Final = re.compile(rb"\* +[0-9]+ FETCH ", re.I)
HEAD, TAIL = 300, 2000
"""Octets at either end of a response in which its UID and the name of a body are looked for."""


@dataclass(frozen=True)
class Fetch(MessageCommand[list[Fetched]]):
    """Ask for data of messages, by UID (RFC 9051, 6.4.5).

    The values come one by one, and are not collected where the caller takes them from the pending
    command. An item that is a text must be one of the protocol's names, or a macro.

    Raises:
        InvalidArgument: an item is not the name of one.
    """

    name = b"UID FETCH"
    collects = (Fetched,)
    items: tuple[Item, ...] = ("FLAGS",)
    modifiers: tuple[FetchModifier, ...] = ()
    into: BodySink | None = None
    """Where bodies go; in memory, unless this says otherwise."""

    def __post_init__(self) -> None:
        for item in self.items:
            if not isinstance(item, Body) and not _NAME.fullmatch(item):
                raise InvalidArgument(f"expected a FETCH item or Body(...), found {item!r}")

    @cached_property
    def keys(self) -> frozenset[str]:
        """The names under which what was asked for comes back."""
        keys: set[str] = set()
        for item in self.items:
            if isinstance(item, Body):
                keys.add(item.key)
            else:
                keys.update(_MACROS.get(item.upper(), (item.upper(),)))
        return frozenset(keys - {"UID"} or keys)  # every answer has a UID: it tells nothing

    def needs(self) -> Iterable[str]:
        if any(isinstance(item, Body) and (item.binary or item.size) for item in self.items):
            yield "BINARY"
        yield from needs_of(self.modifiers)

    def encode(self, out: Writer) -> None:
        super().encode(out)
        out.sp()
        with out.parens():
            for _, item in out.spaced(self._spelled_out()):
                if isinstance(item, Body):
                    item.encode(out)
                else:
                    out.atom(item.upper())
        if self.modifiers:
            out.sp()
            write_list(out, self.modifiers)

    def _spelled_out(self) -> Iterable[Item]:
        """The items without macros, which may not stand in a list."""
        for item in self.items:
            yield from _MACROS.get(item.upper(), (item,)) if isinstance(item, str) else (item,)

    def wants(self, data: object) -> bool:
        return (
            isinstance(data, Fetched)
            and data.uid is not None
            and self.covers(data.uid)
            and not self.keys.isdisjoint(data.items)
        )

    def sink(self, text: bytearray, size: int) -> Sink | None:
        if self.into is None or not _FETCH_SO_FAR.match(text):
            return None
        asked = _BODY_SO_FAR.search(text, max(0, len(text) - TAIL))
        if asked is None or asked[1].decode("latin-1").upper() not in self.keys:
            return None
        told = _UID_SO_FAR.match(text, 0, HEAD)
        uid = int(told[1]) if told else None
        if uid is not None and not self.covers(uid):
            return None
        return self.into(uid, size)

    def forgives(self, status: Status) -> bool:
        """Messages that another session removed are gaps, not failures (quirk 35; RFC 5530)."""
        return status.kind == "NO" and (
            status.code == "EXPUNGEISSUED" or "no longer exist" in status.text
        )

    def result(self, reply: Reply) -> list[Fetched]:
        merged: dict[int | None, Fetched] = {}
        for value in reply.all(Fetched):  # quirk 76: several responses for one message
            before = merged.get(value.uid)
            merged[value.uid] = value if before is None else before.merged(value)
        return list(merged.values())

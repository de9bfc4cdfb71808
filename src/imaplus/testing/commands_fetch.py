"""FETCH and UID FETCH: RFC 9051, 6.4.5, with RFC 7162 (CONDSTORE, QRESYNC) and 3516 (BINARY)."""

from __future__ import annotations

import re
from typing import Final

from imaplus.records import field, record
from imaplus.testing import fetch_items, sections
from imaplus.testing.commands_select import find_vanished
from imaplus.testing.fetch_items import REQUIRES, Item
from imaplus.testing.message_limit import make_ok, take_limited
from imaplus.testing.mishaps import AtMessage, OtherBody, ShiftedPartials, ShortFetch, Shown
from imaplus.testing.outgoing import Piece
from imaplus.testing.personality import Quirk
from imaplus.testing.registry import SELECTED, Bad, No, Ok, command
from imaplus.testing.replies import literal
from imaplus.testing.sections import Section, parse_section
from imaplus.testing.session import Session, end
from imaplus.testing.store import Message
from imaplus.wire.cursor import Cursor

_NAME: Final = re.compile(rb"[A-Za-z0-9.-]+")
MACROS: Final = {
    "FAST": "FLAGS INTERNALDATE RFC822.SIZE",
    "ALL": "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE",
    "FULL": "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY",
}


@record(frozen=False)
class Request:
    """The arguments of a FETCH."""

    items: dict[str, Item] = field(default_factory=dict)
    sets_seen: bool = False
    reads_body: bool = False
    """Whether it requests bytes of the message itself."""
    reads_content: bool = False
    """Whether it requests data that depends on the bytes of the message."""
    changed_since: int | None = None
    vanished: bool = False


@command("FETCH", states=SELECTED, hides_expunges=True)
async def fetch(session: Session, c: Cursor) -> Ok:
    return await _fetch(session, c, by_uid=False)


@command("UID FETCH", states=SELECTED)
async def uid_fetch(session: Session, c: Cursor) -> Ok:
    return await _fetch(session, c, by_uid=True)


async def _fetch(session: Session, c: Cursor, *, by_uid: bool) -> Ok:
    c.expect(b" ")
    numbers = session.sequence_set(c)
    c.expect(b" ")
    request = _parse(session, c, by_uid=by_uid)
    found, complete = session.messages(numbers, by_uid=by_uid)
    view = session.selected()
    if request.vanished and request.changed_since is not None:
        known = view.saved if numbers is None else numbers
        known = known.resolve(max(view.mailbox.uidnext - 1, 1))
        if gone := find_vanished(view.mailbox, since=request.changed_since, known=known):
            session.out.say(b"VANISHED (EARLIER) " + bytes(gone))
    partly = take_limited(session, found)
    if short := session.find_mishap(ShortFetch, view.mailbox.name):
        del found[short.first :]
    for seq, message in found if partly is None else reversed(found):
        if request.changed_since is None or message.modseq > request.changed_since:
            if session.fault.mishaps:
                await _go_wrong(session, request, seq, message)
            await session.out.respond(_response(session, request, seq, message))
    if not complete and not by_uid:
        raise No("Some of the requested messages no longer exist", "EXPUNGEISSUED")
    return make_ok(session, partly)


async def _go_wrong(session: Session, request: Request, seq: int, message: Message) -> None:
    """Hang up at this message, or raise No, if a mishap says so."""
    where = session.selected().mailbox.name, message.uid
    mishap = session.find_mishap(
        AtMessage, *where, when=lambda it: it.items == "any" or request.reads_body
    )
    if mishap is None:
        return
    if mishap.how == "no":
        raise No(mishap.text)
    if mishap.after:
        await session.out.begin(_response(session, request, seq, message), mishap.after)
    elif mishap.how == "bye":
        session.out.say(f"BYE {mishap.text}".encode())
    await session.out.flush()
    if mishap.how == "stall":
        await session.stream.stall()
    await session.stream.hang_up()


def _apply_mishap(session: Session, request: Request, message: Message) -> Message:
    """Return the message as a mishap changes it; the message itself without one.

    A request for bytes of the message counts towards `times`; one for its size does not.
    """
    where = session.selected().mailbox.name, message.uid
    counts = request.reads_body
    other = session.find_mishap(OtherBody, *where, counts=counts)
    shifted = session.find_mishap(ShiftedPartials, *where, counts=counts)
    if other is not None:
        return other.show(message)
    return message if shifted is None else shifted.show(message)


def _response(session: Session, request: Request, seq: int, message: Message) -> list[Piece]:
    items = request.items
    view = session.selected()
    if request.sets_seen and "\\Seen" not in message.flags and not view.read_only:
        if message.uid in view.mailbox.messages:
            view.mailbox.set_flags(message.uid, message.flags | {"\\Seen"}, origin=view)
        items = items | {"FLAGS": ITEMS["FLAGS"]}
        if session.condstore:
            items |= {"MODSEQ": ITEMS["MODSEQ"]}
    if session.fault.mishaps and request.reads_content:
        message = _apply_mishap(session, request, message)
    pieces: list[Piece] = [b"%d FETCH (" % seq]
    for item in items.values():
        if value := item(session, message):
            pieces += value if len(pieces) == 1 else [b" ", *value]
    pieces.append(b")")
    return pieces


def _parse(session: Session, c: Cursor, *, by_uid: bool) -> Request:
    request = Request()
    if by_uid:
        request.items["UID"] = ITEMS["UID"]
    if c.peek() == b"(":
        for _ in c.items():
            _item(session, request, c)
    else:
        start = c.pos
        match = c.accept_match(_NAME)
        macro = MACROS.get(match[0].decode().upper()) if match else None
        for name in macro.split() if macro else ():
            request.items[name] = ITEMS[name]
            request.reads_content |= name in OF_CONTENT
        if macro is None:
            c.pos = start
            _item(session, request, c)
    if c.accept(b" ") and c.peek():
        _modifiers(session, request, c, by_uid=by_uid)
    end(c)
    if not request.items:
        raise Bad("FETCH takes at least one item")
    return request


def _modifiers(session: Session, request: Request, c: Cursor, *, by_uid: bool) -> None:
    for _ in c.items():
        match c.keyword():
            case "CHANGEDSINCE" if session.can("CONDSTORE", "QRESYNC"):
                c.expect(b" ")
                request.changed_since = c.number()
                session.enabled.add("CONDSTORE")
                request.items["MODSEQ"] = ITEMS["MODSEQ"]
            case "VANISHED" if session.qresync and by_uid:
                request.vanished = True
            case name:
                raise Bad(f"Unknown modifier {name!a}")
    if request.vanished and request.changed_since is None:
        raise Bad("VANISHED needs CHANGEDSINCE")


def _item(session: Session, request: Request, c: Cursor) -> None:
    match = c.accept_match(_NAME)
    name = match[0].decode().upper() if match else ""
    if c.peek() == b"[":
        _section_item(session, request, c, name)
        return
    if name in ("RFC822", "RFC822.TEXT"):
        request.sets_seen = True
    request.reads_body |= name in ("RFC822", "RFC822.HEADER", "RFC822.TEXT")
    request.reads_content |= name in OF_CONTENT
    if name not in ITEMS or (name in REQUIRES and not session.can(*REQUIRES[name])):
        raise Bad(f"Unknown item {name[:40]!a}")
    if name == "MODSEQ":
        session.enabled.add("CONDSTORE")
    request.items[name] = ITEMS[name]


def _section_item(session: Session, request: Request, c: Cursor, name: str) -> None:
    offered = session.can("BINARY", "IMAP4rev2")
    if name not in ("BODY", "BODY.PEEK") and not (
        offered and name in ("BINARY", "BINARY.PEEK", "BINARY.SIZE")
    ):
        raise Bad(f"Unknown item {name[:40]!a}")
    section = parse_section(c, binary=name.startswith("BINARY"))
    if name in ("BODY", "BINARY"):
        request.sets_seen = True
    request.reads_body = request.reads_content = True
    label = section.label(full_partial=session.has(Quirk.FULL_PARTIAL))
    if name.startswith("BODY"):
        shown = b"BODY" + label
        request.items[shown.decode("latin-1")] = _body_section(shown, section)
    elif name == "BINARY.SIZE":
        shown = b"BINARY.SIZE" + label
        request.items[shown.decode("latin-1")] = _binary_size(shown, section)
    else:
        shown = b"BINARY" + label
        request.items[shown.decode("latin-1")] = _binary(shown, section)


def _body_section(name: bytes, section: Section) -> Item:
    def item(session: Session, message: Message) -> list[Piece]:
        shift = message.shift if isinstance(message, Shown) else 0
        return _value(session, name, message, section.find(message.content, shift=shift))

    return item


def _value(session: Session, name: bytes, message: Message, found: sections.Stretch) -> list[Piece]:
    missing = message.missing if isinstance(message, Shown) else ""
    if missing == "item":
        return []
    if found is None or missing == "NIL":
        return [name + b" NIL"]
    if isinstance(found, bytes):
        return [name + b" " + literal(found)]
    start, stop = found
    if start == stop:
        return [name + (b" " if session.has(Quirk.BODY_VALUE_MISSING) else b' ""')]
    return [b"%b {%d}\r\n" % (name, stop - start), (message.content, start, stop)]


def _binary(name: bytes, section: Section) -> Item:
    def item(session: Session, message: Message) -> list[Piece]:
        found = section.cut(sections.decode_part(message.content, section.path))
        if isinstance(found, bytes) and b"\0" in found:
            return [name + b" ~" + literal(found)]
        return _value(session, name, message, found)

    return item


def _binary_size(name: bytes, section: Section) -> Item:
    def item(session: Session, message: Message) -> list[Piece]:
        found = sections.decode_part(message.content, section.path)
        if found is None:
            raise No("No such part")
        size = len(found) if isinstance(found, bytes) else found[1] - found[0]
        return [b"%b %d" % (name, size)]

    return item


ITEMS: Final[dict[str, Item]] = {
    **fetch_items.ITEMS,
    "RFC822": _body_section(b"RFC822", Section()),
    "RFC822.HEADER": _body_section(b"RFC822.HEADER", Section(text="HEADER")),
    "RFC822.TEXT": _body_section(b"RFC822.TEXT", Section(text="TEXT")),
}
"""The items without brackets."""
OF_CONTENT: Final = frozenset(
    "RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE RFC822 RFC822.HEADER RFC822.TEXT".split()
)
"""The items that depend on the bytes of the message."""

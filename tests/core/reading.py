"""What the tests of this folder share: from a server's octets to a cursor, and values as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from imaplus.core.envelope import Address, Envelope
from imaplus.core.parts import MessagePart, Part, TextPart
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame
from imaplus.wire.framing import Framer

CORPUS = Path(__file__).parents[1] / "corpus"


def frames(data: bytes) -> list[Frame]:
    """The responses in a stream of octets."""
    framer = Framer()
    framer.feed(data)
    return list(iter(framer.next_frame, None))


def cursor(value: bytes) -> Cursor:
    """A cursor over one value."""
    (frame,) = frames(value + b"\r\n")
    return Cursor(frame)


def items(frame: Frame) -> Iterator[tuple[str, Cursor]]:
    """The items of a FETCH response, the cursor before each one's value."""
    c = Cursor(frame)
    c.expect(b"* ")
    c.number()
    c.sp()
    assert c.keyword() == "FETCH"
    c.sp()
    c.expect(b"(")
    while not c.at_end():
        c.accept_sp()
        if not c.accept(b"(") and not c.accept(b")"):  # quirk 41: more of them than is due
            name = c.keyword()
            c.sp()
            yield name, c.sub(c.raw())


def address_text(address: Address) -> str:
    group = f" in {address.group}" if address.group else ""
    return f"{address.raw_name}|{address.mailbox}|{address.host}{group}"


def envelope_text(envelope: Envelope) -> list[str]:
    """What there is in an envelope, a line for each field."""
    lines = []
    for name in Envelope.__dataclass_fields__:
        value = getattr(envelope, name)
        if isinstance(value, tuple):
            value = ", ".join(map(address_text, value))
        if value:
            lines.append(f"{name}: {value}")
    return lines


def part_text(part: Part) -> list[str]:
    """A line for each part: number, type, encoding, size, and what else there is."""
    return [" ".join(_facts(each)) for each in part.walk()]


def _facts(part: Part) -> Iterator[str]:
    yield part.section
    yield part.content_type
    if part.type != "multipart" or part.size:
        yield f"{part.encoding} {part.size}"
    if isinstance(part, TextPart | MessagePart) and part.lines:
        yield f"lines={part.lines}"
    if isinstance(part, MessagePart):
        yield f"envelope={part.envelope is not None}"
    if part.params:
        yield str(part.params)
    for name in ("content_id", "description", "md5", "filename", "location"):
        if value := getattr(part, name):
            yield f"{name}={value}"
    if part.disposition is not None:
        yield f"disposition={part.disposition.type}"
    if part.language:
        yield f"language={','.join(part.language)}"

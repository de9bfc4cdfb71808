"""What is fuzzed. A target takes octets; whatever it raises that it does not expect is a bug.

Each one states its promise: which errors are allowed, and what must hold of what comes out.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import methodcaller, or_
from pathlib import Path
from random import Random
from typing import Any, Final

from imaplus.core.append import Append, Outgoing
from imaplus.core.bodystructure import bodystructure
from imaplus.core.bulk import bulk_reader
from imaplus.core.encoded_words import decode_words
from imaplus.core.envelope import envelope
from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.core.fetched import FetchData
from imaplus.core.idle import Idle
from imaplus.core.listing import GetNamespaces, List
from imaplus.core.mailboxes import GetStatus, Select
from imaplus.core.messages import Change, Copy, Store
from imaplus.core.search import Search
from imaplus.core.session import Authenticate, Enable, GetCapability, Login, Logout, Noop, StartTls
from imaplus.errors import ImapError, InvalidArgument, ProtocolError
from imaplus.extensions.compress import Compress
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.refusals import error_for
from imaplus.protocol.response import Malformed, parse
from imaplus.protocol.status import Status
from imaplus.sasl import Password, Plain
from imaplus.testing.faults import Fault
from imaplus.testing.server import AsyncServer
from imaplus.testing.session import Session
from imaplus.wire import dates, mailbox_names
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame
from imaplus.wire.framing import Framer
from imaplus.wire.secret import Secret
from imaplus.wire.set_reading import (
    read_numbers,
    read_sequence_set,
    read_uid_ranges,
    read_uid_set,
)
from imaplus.wire.sets import EMPTY, SequenceSet, parse_ranges
from imaplus.wire.sources import Octets
from parts.reading import SEEDS as READING_SEEDS
from parts.reading import reading
from parts.short_ways import SEEDS, short_ways

TESTS: Final = Path(__file__).resolve().parents[2] / "tests"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to be fuzzed: `run(octets, random)`."""

    run: Callable[[bytes, Random], None]
    seeds: Sequence[bytes]


def server_lines() -> list[bytes]:
    """What servers say in the tests: the corpus, and the S: lines of the transcripts."""
    found = {b""}
    for path in (*TESTS.glob("corpus/*.txt"), *TESTS.glob("transcripts/*.txt")):
        text = path.read_bytes()
        if b"\nS: " in text:  # a transcript
            said = [line[3:] for line in text.split(b"\n") if line.startswith(b"S: ")]
            text = b"\n".join([*said, b""])
        found.add(text.replace(b"\n", b"\r\n"))
    return sorted(found)


def client_lines() -> list[bytes]:
    """What clients say in the tests."""
    found = {b"t1 NOOP\r\n", b"t1 APPEND INBOX {3}\r\nabc\r\n", b"t1 UID FETCH 1:* (FLAGS)\r\n"}
    for path in TESTS.glob("transcripts/*.txt"):
        lines = path.read_bytes().split(b"\n")
        said = b"".join(line[3:] + b"\r\n" for line in lines if line[:3] == b"C: ")
        found.add(said.replace(b"$", b"t"))
    return sorted(found)


SERVER: Final = server_lines()
LINES: Final = sorted({line + b"\r\n" for text in SERVER for line in text.split(b"\r\n")})
VALUES: Final = sorted(
    {b"(" + line.split(b" (", 1)[-1] for line in LINES if b" (" in line} | {b"NIL"}
)


def fed(data: bytes, random: Random) -> list[bytes]:
    """The octets, cut at random."""
    cuts = sorted(random.choices(range(len(data) + 1), k=random.choice((0, 1, 5))))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


# -- wire ------------------------------------------------------------------------------------------


def framed(data: bytes, random: Random) -> list[Frame]:
    """Frames, the same however the octets are cut."""
    framer = Framer()
    found: list[Frame] = []
    for piece in fed(data, random):
        framer.feed(piece)
        found += iter(framer.next_frame, None)
    return found


def framing_and_parse(data: bytes, random: Random) -> None:
    """A limit is a ProtocolError; a value comes of each frame, whole or cut."""
    try:
        frames = framed(data, random)
        assert frames == framed(data, Random(7)), "another cutting gives other frames"
    except ProtocolError:
        return
    for frame in frames:
        value = parse(frame, utf8=random.random() < 0.3)
        repr(value)
        if isinstance(value, Status):
            _ = value.data
            error_for(value, "NOOP")
        elif isinstance(value, FetchData):
            touch(value)


def touch(value: FetchData) -> None:
    """Read each item, and each property of what was read."""
    for name in value.items:
        try:
            found = value[name]
        except ProtocolError:
            continue
        if name in ("ENVELOPE", "BODYSTRUCTURE", "BODY"):
            read_properties(found)


def read_properties(value: Any) -> None:
    for each in value.walk() if hasattr(value, "walk") else (value,):
        for name, _ in inspect.getmembers_static(type(each), lambda m: isinstance(m, property)):
            getattr(each, name)
        for address in getattr(each, "to", ()):
            str(address)


METHODS: Final = (
    "accept_nil accept_number accept_sp accept_string astring astring_text at_end atom date_time "
    "flag_list keyword mailbox nstring nstring_text number payload peek raw rest skip sp string "
    "string_text strings"
).split()
READERS: Final = (
    *(methodcaller(name) for name in METHODS),
    *(read_numbers, read_sequence_set, read_uid_ranges, read_uid_set),
)


def cursor_methods(data: bytes, random: Random) -> None:
    """Nothing but ProtocolError, and never backwards."""
    for frame in framed_or_none(data)[:20]:
        c = Cursor(frame, utf8=random.random() < 0.3)
        for _ in range(30):
            before = c.pos
            try:
                random.choice(READERS)(c)
                assert before <= c.pos <= len(c.text)
                if random.random() < 0.1:
                    for _ in c.items():
                        c.skip()
            except ProtocolError:
                c.reset((min(before + 1, len(c.text)), 0))


def framed_or_none(data: bytes) -> list[Frame]:
    try:
        return framed(data + b"\r\n", Random(1))
    except ProtocolError:
        return []


def value_parser(parser: Callable[[Cursor], Any]) -> Callable[[bytes, Random], None]:
    """The parser of one value: nothing but ProtocolError, and then its properties never raise."""

    def run(data: bytes, random: Random) -> None:
        for frame in framed_or_none(data)[:3]:
            try:
                value = parser(Cursor(frame))
            except ProtocolError:
                continue
            read_properties(value)

    return run


def names(data: bytes, random: Random) -> None:
    """Each name that a server lists can be sent back, octet for octet."""
    assert mailbox_names.encode(mailbox_names.decode(data)) == data
    assert mailbox_names.encode_utf8(mailbox_names.decode_utf8(data)) == data
    decode_words(data.decode("latin-1"))


def sets(data: bytes, random: Random) -> None:
    """InvalidArgument, or a set that says the same when it is read again."""
    try:
        found = SequenceSet.parse(data)
        parse_ranges(data)
    except InvalidArgument:
        return
    assert SequenceSet.parse(bytes(found)) == found
    assert (found | found) == (found & found) == found
    assert not found - found
    assert reduce(or_, found.split(60), EMPTY) == found
    if found and not found.open_ended:
        assert found.first in found
        assert len(found) >= len(found.ranges)


def moments(data: bytes, random: Random) -> None:
    """A moment that can be written again, or None."""
    moment = dates.parse_internaldate(data)
    if moment is not None:
        assert dates.parse_internaldate(dates.format_internaldate(moment)) == moment


# -- protocol --------------------------------------------------------------------------------------

COMMANDS: Final[tuple[Callable[[], Command[Any]], ...]] = (
    lambda: Fetch(SequenceSet.parse("1:*"), ("FLAGS", "ENVELOPE", "BODYSTRUCTURE", BodySection())),
    lambda: Fetch(SequenceSet.parse("3"), (BodySection("1.2"),)),
    lambda: Search(),
    lambda: Store(SequenceSet.parse("1:3"), Change.ADD, frozenset({"\\Seen"})),
    lambda: Copy(SequenceSet.parse("1:3"), "Trash"),
    lambda: Select("INBOX"),
    lambda: List(),
    lambda: GetNamespaces(),
    lambda: GetStatus("a b"),
    lambda: GetCapability(),
    lambda: Noop(),
    lambda: Idle(),
    lambda: Login("ada", Secret("a\r\nb")),
    lambda: Authenticate(Plain(Password("ada", Secret("x")))),
    lambda: Enable(("IMAP4REV2", "QRESYNC")),
    lambda: StartTls(),
    lambda: Compress(),
    lambda: Append("INBOX", (Outgoing(Octets(b"From: x\r\n\r\n")),)),
    lambda: Logout(),
)
GREETINGS: Final = (
    b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE ENABLE NAMESPACE COMPRESS=DEFLATE LITERAL+] hi\r\n",
    b"* PREAUTH [CAPABILITY IMAP4rev2] hi\r\n",
    b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=SCRAM-SHA-256 ID] hi\r\n",
    b"",
)


def connection(data: bytes, random: Random) -> None:
    """It never raises; whatever is sent is over in the end; what was refused wrote nothing."""
    made = Connection(bulk=bulk_reader)
    made.receive_data(random.choice(GREETINGS))
    pending = []
    if random.random() < 0.7:
        pending += queued(made, Select("INBOX"))
        for each in pending:
            made.data_to_send()
            made.receive_data(b"* 5 EXISTS\r\n%b OK [READ-WRITE] x\r\n" % each.tag.encode())
    pending += [p for make in random.choices(COMMANDS, k=3) for p in queued(made, make())]
    for number, each in enumerate(pending[-3:], 1):
        data = data.replace(b"$%d" % number, each.tag.encode())
    for piece in fed(data, random):
        while made.data_to_send():
            pass
        for event in made.receive_data(piece):
            assert not isinstance(event, Malformed) or repr(event)
        while made.has_more:
            made.receive_data(b"")
        if random.random() < 0.05 and pending:
            made.give_up(random.choice(pending))
        if made.mailbox is not None:
            assert made.mailbox.exists >= 0
            _ = made.mailbox.uids, made.mailbox.vanished_earlier, made.mailbox.seq_of(2)
    made.receive_eof()
    assert made.error is not None
    for each in pending:
        assert each.done or each.ignored, each.name
        with contextlib.suppress(ImapError):
            if each.done:
                each.result()


def queued(made: Connection, command: Command[Any]) -> list[Any]:
    try:
        return [made.send(command)]
    except ImapError:
        return []


# -- testing ---------------------------------------------------------------------------------------


class Wire:
    """A stream for the embedded server: what the client says, then the end."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = iter(pieces)

    async def read(self) -> bytes:
        return next((piece for piece in self._pieces if piece), b"")

    async def write(self, data: bytes) -> None:
        pass

    async def close(self, *, politely: bool = True) -> None:
        pass


LOOP: Final = asyncio.new_event_loop()


def testing_server(data: bytes, random: Random) -> None:
    """A session of the embedded server ends without an error, whatever the client says."""

    async def serve() -> None:
        server = AsyncServer(personality=random.choice(("rev1", "rev2")))
        server.add_message("INBOX", b"Subject: x\r\n\r\nhello\r\n")
        session = Session(
            Wire(fed(data, random)), server.hub, fault=Fault(), secure=True, context=None
        )
        task = asyncio.ensure_future(session.run(account=server.account()))
        await asyncio.wait([task], timeout=0.02)
        if not task.done():  # IDLE, for one
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for left in asyncio.all_tasks() - {asyncio.current_task()}:
            left.cancel()

    LOOP.run_until_complete(serve())


TARGETS: Final[dict[str, Target]] = {
    "framing-and-parse": Target(framing_and_parse, SERVER),
    "cursor-methods": Target(cursor_methods, LINES),
    "envelope": Target(value_parser(envelope), VALUES),
    "bodystructure": Target(value_parser(bodystructure), VALUES),
    "mailbox-names": Target(names, [b"INBOX", b"&AOQ-", b"a&-b/&ZeVnLIqe-", b"=?utf-8?q?=C3=A4?="]),
    "sets": Target(sets, [b"1", b"1:*", b"2,4:7,9,12:*", b"4294967295", b"9:6"]),
    "dates": Target(moments, [b"17-Jul-1996 02:44:25 -0700", b" 1-Feb-1994 21.52.25 +0000"]),
    "connection": Target(connection, SERVER),
    "short-ways": Target(short_ways, SEEDS),
    "reading": Target(reading, READING_SEEDS),
    "testing-server": Target(testing_server, client_lines()),
}

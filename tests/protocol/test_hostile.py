"""The worst that a server can send: nothing is lost, nothing grows beyond what came, nothing hangs.

What is asserted are counts and sizes; `bench/hostile.py` prints the times of the same shapes.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import chain

import pytest

from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.core.fetched import FetchData, Fetched
from imaplus.core.search import Search
from imaplus.errors import ProtocolError
from imaplus.protocol.body_names import name_of_body
from imaplus.protocol.bulk import MessageRun
from imaplus.protocol.data import Exists, Expunged, Vanished
from imaplus.protocol.response import Continuation, Malformed, Unknown, parse
from imaplus.protocol.status import Status
from imaplus.wire.frames import Frame, Limits
from imaplus.wire.sets import SequenceSet

from .talking import Talk, selected

pytestmark = pytest.mark.usefixtures("lane")

KIB = 1 << 10
SIZE = 128 * KIB
EVERYTHING = SequenceSet.parse("1:*")
# Small limits, so that an eighth of a megabyte is far too much; the way to them is the same.
SMALL = Limits(text=32 * KIB, literal=64 * KIB, small_literal=KIB, literals=100, held=128 * KIB)
Steps = pytest.mark.parametrize("step", [SIZE, 61])


def fed(talk: Talk, data: bytes, step: int) -> int:
    """Give it the octets in pieces; the most memory that was in use, in octets."""
    for _ in range(2):  # patterns compile at first use
        parse(Frame(b"* 1 FETCH (UID 1 BODY[] {1}\r\n)", (b"x",)))
    name_of_body(bytearray(b"* 1 FETCH (UID 1 BODY[] "))
    tracemalloc.start()
    try:
        for at in range(0, len(data), step):
            talk.connection.receive_data(data[at : at + step])
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def fed_by(flood: Callable[[Talk], None]) -> int:
    """What is left in memory after a flood, in octets."""
    talk = selected()
    tracemalloc.start()
    try:
        flood(talk)
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@Steps
@pytest.mark.parametrize(
    "data",
    [
        b"* OK " + b"x" * SIZE,
        b"x" * SIZE,
        b"* " + b"9" * SIZE,
        b'* LIST () "/" "' + b"\\" * SIZE,
        b"* 1 FETCH (ENVELOPE " + b"(" * SIZE,
        b"* X {10}\r\n0123456789" * (SIZE // 20),
        b"* X ({0}\r\n" + b" {0}\r\n" * (SIZE // 6),
        b"* 1 FETCH (X {0}\r\n" + b"\r\n" * (SIZE // 2),
    ],
    ids=lambda data: data[:12].decode(),
)
def test_what_does_not_end_meets_a_limit(data: bytes, step: int) -> None:
    talk = selected(limits=SMALL)
    peak = fed(talk, data, step)
    assert isinstance(talk.connection.error, ProtocolError)
    assert peak < 3 * SIZE


@Steps
@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"* OK\r\n", Status),
        (b"* X\r\n", Unknown),
        (b"+\r\n", Continuation),
        (b"* 1 FETCH (\r\n", Malformed),
        (b"* 4294967295 EXISTS\r\n", Exists),
        (b"* 4294967295 EXPUNGE\r\n", Expunged),
        (b"* VANISHED 1:4294967295\r\n", Vanished),
        (b"* 4294967295 FETCH (FLAGS ())\r\n", FetchData),
        (b"* OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n", Status),
        (b"* SEARCH 1\r\n", object),
        (b"A1 OK\r\n", Status),
        (b"x\r\n", Malformed),
    ],
)
def test_floods_are_events_of_which_nothing_stays(line: bytes, kind: type, step: int) -> None:
    talk = selected(limits=SMALL)
    count = 8 * KIB // len(line)
    data = line * count
    found = []
    for at in range(0, len(data), step):
        found += talk.connection.receive_data(data[at : at + step])
    assert len(found) == count
    assert all(isinstance(event, kind) for event in found)
    assert talk.connection.error is None
    found.clear()
    assert fed(talk, data, 61) < 100 * KIB  # all of them would be half a megabyte at least


SHAPES: dict[str, Callable[[int], bytes]] = {
    "nested": lambda n: b"BODYSTRUCTURE " + b"(" * (n // 2) + b")" * (n // 2),
    "nested a little": lambda n: b"BODYSTRUCTURE " + (b"(" * 20 + b")" * 20) * (n // 40),
    "empty lists": lambda n: b"BODYSTRUCTURE (" + b"()" * (n // 2) + b")",
    "open": lambda n: b"ENVELOPE " + b"(" * n,
    "quotes": lambda n: b"ENVELOPE (" + b'"' * n + b")",
    "quotes that close nothing": lambda n: b"ENVELOPE (" + b'"a"b' * (n // 4) + b")",
    "escaped quotes": lambda n: b"ENVELOPE " + b'\\"' * (n // 2),
    "escaped quotes in quotes": lambda n: b'ENVELOPE ("' + b'\\"' * (n // 2) + b'")',
    "backslashes": lambda n: b'ENVELOPE ("' + b"\\" * n + b'")',
    "braces": lambda n: b"ENVELOPE (" + b"{1" * (n // 2) + b")",
    "digits": lambda n: b"UID " + b"9" * n,
    "flags": lambda n: b"FLAGS (" + b"a " * (n // 2) + b")",
    "items": lambda n: b"X 1 " * (n // 4),
    "bodies without values": lambda n: b"BODY[] " * (n // 7),
    "section": lambda n: b"BODY[" + b"a" * n + b"] NIL",
    "fields": lambda n: b"BODY[HEADER.FIELDS (" + b"a " * (n // 2) + b")] NIL",
    "addresses": lambda n: b"ENVELOPE (NIL NIL (" + b'(NIL NIL "a" "b")' * (n // 17) + b"))",
    "encoded words": lambda n: b'ENVELOPE (NIL "' + b"=?utf-8?q?a?= " * (n // 14) + b'")',
    "open encoded words": lambda n: b'ENVELOPE (NIL "' + b"=?a?" * (n // 4) + b'")',
    "parts": lambda n: (
        b"BODYSTRUCTURE (" + b'("a" "b" NIL NIL NIL "7bit" 1)' * (n // 31) + b' "mixed")'
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_values_cost_their_response_only_and_memory_of_their_size(name: str) -> None:
    def response(octets: int) -> bytes:
        return b"* 1 FETCH (UID 1 " + SHAPES[name](octets) + b")\r\n* 2 EXISTS\r\n"

    read_everything(response(40))  # what is compiled at first use is nobody's response
    data = response(20 * KIB)
    tracemalloc.start()
    try:
        read_everything(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 105 * len(data)  # a list for each pair of octets is the worst


def read_everything(data: bytes) -> None:
    """Have a connection read a message, and touch each of its items."""
    talk = selected()
    pending = talk.send(
        Fetch(EVERYTHING, ("UID", "FLAGS", "ENVELOPE", "BODYSTRUCTURE", "X", BodySection()))
    )
    events = talk.connection.receive_data(data)
    for value in chain.from_iterable(
        each if isinstance(each, MessageRun) else [each] for each in pending.take()
    ):
        assert isinstance(value, Fetched)
        for item in value.items:
            try:
                found = value[item]
            except ProtocolError:
                continue
            if item == "ENVELOPE":
                assert isinstance(found.subject, str | None)
    assert talk.connection.error is None
    assert events[-1] == Exists(2)


@Steps
def test_literals_of_bodies_are_held_within_limits(step: int) -> None:
    talk = selected(limits=SMALL)
    pending = talk.send(Fetch(EVERYTHING, (BodySection(),)))
    line = b"* 1 FETCH (UID 1 BODY[] {40000}\r\n" + b"x" * 40000 + b")\r\n"
    assert fed(talk, line * 6, step) < 6 * 40000 + 2 * SIZE
    assert talk.connection.error is None
    assert pending.values == []


def test_an_announced_literal_takes_no_room_before_it_comes() -> None:
    talk = selected()
    talk.send(Fetch(EVERYTHING, (BodySection(),)))
    assert fed(talk, b"* 1 FETCH (UID 1 BODY[] {200000000}\r\nabc", 1000) < 50 * KIB
    assert talk.connection.inside_response


def test_ranges_stay_ranges() -> None:
    talk = selected()
    search = talk.send(Search())
    ranges = b",".join(b"%d:%d" % (n, n + 400_000) for n in range(1, 1 << 32, 1 << 20))
    assert fed(talk, b"* ESEARCH (TAG x) UID ALL " + ranges + b"\r\n", 5000) < 4 << 20
    talk.hear(f"* ESEARCH UID ALL {ranges.decode()}", "{} OK done", after=search)
    assert len(search.result().uids) == 4096 * 400_001


def test_a_mailbox_that_is_emptied_message_by_message() -> None:
    count = 20_000
    talk = selected()
    talk.hear(f"* {count} EXISTS")
    mailbox = talk.connection.mailbox
    assert mailbox is not None
    for seq in range(1, count + 1):
        talk.feed(b"* %d FETCH (UID %d FLAGS ())\r\n" % (seq, 2 * seq))
    assert mailbox.complete
    talk.events.clear()
    talk.feed(b"* 1 EXPUNGE\r\n" * (count // 2))
    assert talk.events == [Expunged(1, 2 * seq) for seq in range(1, count // 2 + 1)]
    for seq in range(count // 2, 0, -1):
        talk.feed(b"* %d EXPUNGE\r\n" % seq)
    assert (mailbox.exists, bool(mailbox.uids)) == (0, False)


def test_a_search_of_a_hundred_thousand() -> None:
    talk = selected()
    search = talk.send(Search())
    talk.feed(b"* SEARCH " + b" ".join(b"%d" % n for n in range(1, 300_000, 3)) + b"\r\n")
    talk.hear("{} OK done", after=search)
    assert search.result().count == 100_000


def test_any_cutting_gives_the_same_values() -> None:
    data = b"".join(
        [
            b"* 5 FETCH (UID 9 FLAGS (a))\r\n",
            b"* 5 FETCH (UID 9 FLAGS (a) ENVELOPE (NIL {3}\r\nabc))\r\n",
            b"* 5 FETCH (FLAGS (b) UID 9 MODSEQ (3))\r\n",
            b"* 5 FETCH (UID 9\r\n",
            b"* 5 EXPUNGE\r\n\r\n",
        ]
        * 20
    )
    expected = [repr(event) for event in selected().connection.receive_data(data)]
    assert len(expected) == 100
    for step in (1, 2, 3, 7, 64, 1000):
        talk = selected()
        for at in range(0, len(data), step):
            talk.feed(data[at : at + step])
        shown = [repr(event) for event in talk.events]
        assert [text.split(" object")[0] for text in shown] == [
            text.split(" object")[0] for text in expected
        ]


def test_extensions_without_end_are_an_error() -> None:
    talk = selected()
    for n in range(1002):
        talk.hear(f"* ENABLED X{n}")
    assert isinstance(talk.connection.error, ProtocolError)


def test_flags_that_nobody_has_are_not_remembered() -> None:
    def flood(talk: Talk) -> None:
        for n in range(500):
            talk.connection.receive_data(b"* FLAGS (a%d %b)\r\n" % (n, b"x" * 1000))

    assert fed_by(flood) < 50 * KIB


def test_many_answers_to_one_search() -> None:
    talk = selected()
    search = talk.send(Search())
    for n in range(1, 5001):
        talk.feed(b"* SEARCH %d\r\n" % (3 * n))
    talk.hear("{} OK done", after=search)
    assert search.result().count == 5000


@pytest.mark.parametrize(
    "line",
    [
        "* 7 EXISTS",
        "* 3 FETCH (UID 3 FLAGS (\\Seen))",
        "* 9 FETCH (UID 9 BODY[] {5}\r\nhello)",
        "* OK [ALERT] look out",
        "* X-NOISE of some kind",
        "+ go on",
    ],
)
def test_what_no_command_asked_for_is_bounded(line: str) -> None:
    talk = selected(limits=Limits(unasked=32 * KIB))
    pending = talk.send(Fetch(SequenceSet.parse("1"), ("UID", BodySection())))
    count = 0
    while talk.connection.error is None:
        talk.connection.receive_data(line.encode() + b"\r\n")
        count += 1
        assert count * len(line) < 64 * KIB
    with pytest.raises(ProtocolError, match="no command asked for"):
        pending.result()


def test_what_was_asked_for_is_not_counted_with_it() -> None:
    talk = selected(limits=Limits(unasked=KIB))
    pending = talk.send(Fetch(EVERYTHING, ("UID", BodySection())))
    for uid in range(1, 6):
        talk.hear("* 7 EXISTS", f"* {uid} FETCH (UID {uid} BODY[] {{3000}}\r\n{'x' * 3000})")
    talk.hear("{} OK done", after=pending)
    assert len(pending.result()) == 5
    talk.hear(*["* 7 EXISTS"] * 20)
    talk.do(Search())
    talk.hear(*["* 7 EXISTS"] * 20)
    assert talk.connection.error is None


def test_a_body_that_no_command_asked_for() -> None:
    talk = selected(limits=Limits(unasked=64 * KIB))
    pending = talk.send(Search())
    half = f"* 1 FETCH (BODY[1] {{{40 * KIB}}}\r\n{'x' * 40 * KIB} BODY[2] {{{40 * KIB}}}"
    talk.hear(half)
    with pytest.raises(ProtocolError, match="no command asked for"):
        pending.result()

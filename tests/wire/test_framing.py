"""Where responses end: the same frames at any cutting, within limits, whatever the sinks do."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import ProtocolError
from imaplus.wire.frames import Frame, Limits
from imaplus.wire.framing import Framer
from imaplus.wire.sinks import Digest, Discard, File, Lost, Memory, Sink

STREAM = (
    b"* OK hello\r\n"
    b'* LIST () "/" {5}\r\nINBOX\r\n'
    b"* 1 FETCH (BODY[] {14}\r\n\r\n* OK {3}\r\n\r\n FLAGS () X {0}\r\n)\r\n"
    b"+\r\nA1 OK done  \r\n\r\n\0\0* BYE {x}\n"
)
FRAMES = [
    Frame(b"* OK hello"),
    Frame(b'* LIST () "/" {5}\r\n', (b"INBOX",)),
    Frame(b"* 1 FETCH (BODY[] {14}\r\n FLAGS () X {0}\r\n)", (b"\r\n* OK {3}\r\n\r\n", b"")),
    Frame(b"+"),
    Frame(b"A1 OK done"),
    Frame(b"* BYE {x}"),
]
# What framing looks at, over and over.
octets = st.lists(
    st.sampled_from(
        [
            b"\r\n",
            b"\n",
            b" ",
            b"(",
            b")",
            b'"',
            b"\\",
            b"\0",
            b"x",
            b"{0}\r\n",
            b'* X ("',
            b'* OK "',
            b"A1 OK",
            b"* ",
            b"+",
            b"{2}\r\n",
            b"{3",
            b"}",
        ]
    )
    | st.binary(max_size=3),
    max_size=40,
).map(b"".join)


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


def frames(pieces: Iterable[bytes], framer: Framer | None = None) -> list[Frame]:
    framer = framer or Framer()
    found: list[Frame] = []
    for piece in pieces:
        framer.feed(piece)
        found += iter(framer.next_frame, None)
    return found


def test_frames_of_a_dialogue() -> None:
    assert frames([STREAM]) == FRAMES


@given(octets, st.lists(st.integers(0, 200)))
def test_any_cutting_gives_the_same_frames(data: bytes, places: list[int]) -> None:
    whole = Framer()
    expected = frames([data], whole)
    for pieces in (cut(data, places), cut(data, range(len(data)))):
        framer = Framer()
        assert frames(pieces, framer) == expected
        assert framer.inside_response == whole.inside_response


@given(octets)
def test_the_size_of_a_frame_is_what_it_holds(data: bytes) -> None:
    for frame in frames([data]):
        assert frame.size == len(frame.text) + sum(map(len, frame.literals))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"* OK x \t \r\n", Frame(b"* OK x")),  # quirk 1
        (b"\0\0\0* OK x\r\n", Frame(b"* OK x")),  # quirk 2
        (b"\r\n\r\n* OK x\r\n", Frame(b"* OK x")),  # quirk 5
        (b"* X ({1}\r\na\r\n)\r\n", Frame(b"* X ({1}\r\n)", (b"a",))),  # quirk 5, 6
        (b'* X (")" {1}\r\na\r\n\r\n)\r\n', Frame(b'* X (")" {1}\r\n)', (b"a",))),
        (b"* X {012}\r\nabcdefghijkl\r\n", Frame(b"* X {12}\r\n", (b"abcdefghijkl",))),  # quirk 9
        (b"* X {2+    }  \r\nab\r\n", Frame(b"* X {2}\r\n", (b"ab",))),
        (b"* X {2}\nab\n", Frame(b"* X {2}\r\n", (b"ab",))),
        (b"* X {99999999999999999999999}\r\n", Frame(b"* X {99999999999999999999999}")),
        (b"* X {1} y\r\n", Frame(b"* X {1} y")),
        (b'* X "{1}"\r\n', Frame(b'* X "{1}"')),
    ],
)
def test_what_broken_servers_send(data: bytes, expected: Frame) -> None:
    assert frames([data]) == [expected]


NAME = b"a rather long name of\r\n a file.pdf"
IN_LITERAL = Frame(b'* 1 FETCH (X ("name" {%d}\r\n))' % len(NAME), (NAME,))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'* 1 FETCH (X ("name" "%b"))\r\n' % NAME, [IN_LITERAL]),
        (
            b'* LIST () "/" "a\n\r\n\tb" \r\n* OK x\r\n',
            [Frame(b'* LIST () "/" {6}\r\n', (b"a\n\r\n\tb",)), Frame(b"* OK x")],
        ),
        (
            b'* X ("a\\"\r\nb\\\\" "c \r\nd" {1}\r\n" "e\r\n")\r\n',
            [
                Frame(
                    b"* X ({6}\r\n {5}\r\n {1}\r\n {3}\r\n)",
                    (b'a"\r\nb\\', b"c \r\nd", b'"', b"e\r\n"),
                )
            ],
        ),
        # quirk 10: a quote inside that nobody escaped
        (b'* X ("a\r\nb"c" d)\r\n', [Frame(b"* X ({6}\r\n d)", (b'a\r\nb"c',))]),
        (b'* X ("Re: OK\r\n OK")\r\n', [Frame(b"* X ({11}\r\n)", (b"Re: OK\r\n OK",))]),
    ],
)
def test_a_line_break_inside_a_quoted_string(data: bytes, expected: list[Frame]) -> None:
    assert frames([data]) == expected
    assert frames(cut(data, range(len(data)))) == expected


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"* OK don't \"panic", None),
        (b'* NO [ALERT] ("', None),
        (b'A1 BAD what is "this', None),
        (b'+ say "it', None),
        (b'* 1 FETCH (FLAGS (a"b))', None),  # no string begins here
        (b'* 1 FETCH (FLAGS ("a))', None),
        (b'* LIST () "\\" INBOX', None),  # quirk 41: Domino does not escape its delimiter
        (b'* X ("a\r\nb\r\n\r\nc', b'* X ("a b  c'),  # as one response, which no parser takes
    ],
)
@pytest.mark.parametrize("after", [b"* 2 FETCH (UID 5)", b"A1 OK done", b"+ go on", b"+"])
def test_a_stray_quote_costs_its_own_response(
    line: bytes, text: bytes | None, after: bytes
) -> None:
    data = line + b"\r\n" + after + b"\r\n"
    for pieces in ([data], cut(data, range(len(data)))):
        framer = Framer()
        assert frames(pieces, framer) == [Frame(text or line), Frame(after)]
        assert not framer.inside_response
        assert frames([b"* OK x\r\n"], framer) == [Frame(b"* OK x")]


def test_what_follows_a_stray_quote_is_handed_over_too() -> None:
    framer = Framer()
    framer.feed(b'* X ("a\r\n* Y {1}\r\nz')
    assert framer.next_frame() == Frame(b'* X ("a')
    assert framer.inside_response
    assert framer.take_rest() == b"* Y {1}\r\nz"


@pytest.mark.parametrize("unit", [b'* X ("\r\n', b'* X ("\r\n"\r\n', b'("\r\n" ', b'"\r\n', b'" '])
def test_a_megabyte_of_quotes_is_no_work(unit: bytes) -> None:
    framer = Framer(Limits(literals=1 << 20))
    data = b"* X " + unit * (2**20 // len(unit))
    found = frames([data[at : at + 4096] for at in range(0, len(data), 4096)], framer)
    assert sum(frame.size for frame in found) + len(framer.take_rest()) <= 8 * len(data)


def test_an_empty_line_ends_a_response_whose_lists_are_closed() -> None:
    assert frames([b"* X {1}\r\na\r\n* Y\r\n"]) == [Frame(b"* X {1}\r\n", (b"a",)), Frame(b"* Y")]


@pytest.mark.parametrize(
    ("limits", "within", "beyond"),
    [
        (Limits(text=9), b"* OK 12\r\n", b"* OK 123\r\n"),
        (Limits(text=20), b"* OK {1}\r\nx 12345678\r\n", b"* OK {1}\r\nx 1234567890123\r\n"),
        (Limits(literal=3), b"* {3}\r\nabc\r\n", b"* {4}\r\nabcd\r\n"),
        (Limits(literals=2), b"* {0}\r\n{0}\r\n\r\n", b"* {0}\r\n{0}\r\n{0}\r\n\r\n"),
        (Limits(text=17), b'* X "1\r\n345678"\r\n', b'* X "1\r\n3456789"\r\n'),
        (Limits(literals=1), b'* X "\r\n"\r\n', b'* X "\r\n" "\r\n"\r\n'),
        (Limits(held=4), b'* X "a\r\nb"\r\n', b'* X "a\r\nbc"\r\n'),
        (Limits(held=4), b"* {2}\r\nab{2}\r\nab\r\n", b"* {2}\r\nab{3}\r\nabc\r\n"),
    ],
)
def test_limits(limits: Limits, within: bytes, beyond: bytes) -> None:
    assert len(frames([within], Framer(limits))) == 1
    assert len(frames([within] * 3, Framer(limits))) == 3  # each response counts for itself
    with pytest.raises(ProtocolError, match=r"limit|more than"):
        frames([beyond], Framer(limits))
    with pytest.raises(ProtocolError, match=r"limit|more than"):
        frames(cut(beyond, range(len(beyond))), Framer(limits))


def test_a_line_without_end_meets_the_limit_before_it_ends() -> None:
    framer = Framer(Limits(text=1000))
    with pytest.raises(ProtocolError, match="1000 bytes"):
        frames([b"x" * 100] * 11, framer)


def test_memory_grows_with_what_arrives_not_with_what_is_announced() -> None:
    framer = Framer(Limits(literal=1 << 40))
    tracemalloc.start()
    try:
        assert frames([b"* X {%d}\r\n" % (1 << 39), b"a" * 1000], framer) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
    assert framer.inside_response


def test_a_line_that_comes_octet_by_octet_takes_no_more_room_than_it_has() -> None:
    framer = Framer()
    tracemalloc.start()
    try:
        for _ in range(50_000):
            framer.feed(b"x")
            assert framer.next_frame() is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200_000


class Failing(Memory):
    """A sink that fails at one of its methods."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at = at
        self.aborted = False

    def write(self, data: object, /) -> None:
        if self.at == "write":
            raise OSError("disk full")

    def close(self) -> bytes:
        if self.at == "close":
            raise OSError("disk full")
        return b""

    def abort(self) -> None:
        self.aborted = True


@pytest.mark.parametrize("at", ["choose", "write", "close"])
@pytest.mark.parametrize("step", [1, 7, 100])
def test_a_sink_that_fails_loses_its_literal_and_nothing_else(at: str, step: int) -> None:
    made: list[Failing] = []

    def choose(text: bytearray, size: int) -> Sink:
        if at == "choose":
            raise OSError("disk full")
        made.append(Failing(at))
        return made[-1]

    data = b"* 1 FETCH (BODY[] {9}\r\n)\r\n* X {1 X)\r\n* OK next\r\n"
    first, second = frames(cut(data, range(0, len(data), step)), Framer(choose=choose))
    assert first.text == b"* 1 FETCH (BODY[] {9}\r\n X)"
    assert isinstance(first.literals[0], Lost)
    assert str(first.literals[0].error) == "disk full"
    assert second == Frame(b"* OK next")
    if at == "write":
        assert made[0].aborted


def test_a_protocol_error_of_the_chooser_ends_the_stream() -> None:
    def choose(text: bytearray, size: int) -> Sink:
        raise ProtocolError("too large")

    with pytest.raises(ProtocolError, match="too large"):
        frames([b"* {1}\r\n"], Framer(choose=choose))


def test_the_chooser_sees_the_text_so_far_and_the_size() -> None:
    seen: list[tuple[bytes, int]] = []

    def choose(text: bytearray, size: int) -> Sink:
        seen.append((bytes(text), size))
        return Digest() if size else Discard()

    (frame,) = frames([b"* X {3}\r\nabc Y {0}\r\n\r\n"], Framer(choose=choose))
    assert seen == [(b"* X ", 3), (b"* X {3}\r\n Y ", 0)]
    assert frame.literals[1] is None
    assert str(frame.literals[0]).startswith("ba7816bf")


def test_a_literal_to_a_file_in_pieces() -> None:
    file = io.BytesIO()
    (frame,) = frames(
        [b"* X {10}\r\n0123", b"456789", b"\r\n"],
        Framer(choose=lambda text, size: File(file, size)),
    )
    assert (frame.literals, file.getvalue()) == ((10,), b"0123456789")


@pytest.mark.parametrize("at", range(1, 12))
def test_a_literal_that_nobody_wants_any_more(at: int) -> None:
    sink = Failing("never")
    framer = Framer(choose=lambda text, size: sink)
    data = b"* X {10}\r\n0123456789 Y\r\n* OK\r\n"
    assert frames([data[: 9 + at]], framer) == []
    framer.discard_literal()
    assert [frame.text for frame in frames([data[9 + at :]], framer)] == [
        b"* X {10}\r\n Y",
        b"* OK",
    ]
    assert sink.aborted is (at < 11)  # at 11 the literal was complete


@pytest.mark.parametrize("keep_below", [0, 4, 100])
@pytest.mark.parametrize("step", [1, 7, 100])
def test_a_sink_is_chosen_once_for_each_literal_however_it_is_cut(
    step: int, keep_below: int
) -> None:
    asked: list[tuple[bytes, int]] = []

    def choose(text: bytearray, size: int) -> Sink:
        asked.append((bytes(text), size))
        return Memory()

    data = b"* X {3}\r\nabc Y {5}\r\ndefgh Z {0}\r\n)\r\n* OK next\r\n"
    framer = Framer(choose=choose)
    framer.keep_below = keep_below
    found = frames(cut(data, range(0, len(data), step)), framer)
    text = b"* X {3}\r\n Y {5}\r\n Z {0}\r\n)"
    assert found == [Frame(text, (b"abc", b"defgh", b"")), Frame(b"* OK next")]
    all_there_is = [(b"* X ", 3), (b"* X {3}\r\n Y ", 5), (b"* X {3}\r\n Y {5}\r\n Z ", 0)]
    if step < 100:
        assert asked == all_there_is
    else:
        assert asked == [each for each in all_there_is if each[1] >= keep_below]


@pytest.mark.parametrize(
    ("pieces", "keep_below", "asked"),
    [
        ([b"01234", b"56789 Y\r\n"], 11, 0),  # it waits where it is, and is cut when it has come
        ([b"01234", b"56789", b" Y\r\n"], 11, 1),  # but not twice
        ([b"0123456789 ", b"Y\r\n"], 11, 1),  # it has come
        ([b"01234", b"56789 Y\r\n"], 10, 1),  # it may have a sink that wants what there is
    ],
)
def test_a_small_literal_behind_others_waits_for_its_rest(
    pieces: list[bytes], keep_below: int, asked: int
) -> None:
    sizes: list[int] = []

    def choose(text: bytearray, size: int) -> Sink:
        sizes.append(size)
        return Memory()

    framer = Framer(choose=choose)
    framer.keep_below = keep_below
    first, *others = pieces
    assert frames([b"* OK\r\n* X {10}\r\n" + first], framer) == [Frame(b"* OK")]
    assert framer.inside_response
    assert frames(others, framer) == [Frame(b"* X {10}\r\n Y", (b"0123456789",))]
    assert not framer.inside_response
    assert sizes == [10] * asked


@pytest.mark.parametrize("rest", [b"\0", b"\r", b"*", b"* O"])
def test_a_line_behind_others_waits_for_its_rest(rest: bytes) -> None:
    framer = Framer()
    assert frames([b"* OK\r\n" + rest], framer) == [Frame(b"* OK")]
    assert framer.inside_response
    last = b"\n* OK\r\n" if rest == b"\r" else b"* OK\r\n"[len(rest.strip(b"\0")) :]
    assert frames([last], framer) == [Frame(b"* OK")]
    assert not framer.inside_response


def test_a_line_that_waits_is_not_longer_than_a_response_may_be() -> None:
    framer = Framer(Limits(text=10))
    framer.feed(b"* OK\r\n" + b"x" * 11)
    assert framer.next_frame() == Frame(b"* OK")
    with pytest.raises(ProtocolError, match="limit of 10 bytes"):
        framer.next_frame()


def test_a_literal_that_is_refused_leaves_the_stream_behind_its_announcement() -> None:
    def choose(text: bytearray, size: int) -> Sink:
        raise ProtocolError("no")

    framer = Framer(choose=choose)
    framer.feed(b"* X {3}\r\nabc Y\r\n")
    with pytest.raises(ProtocolError, match="no"):
        framer.next_frame()
    assert framer.take_rest() == b"abc Y\r\n"


def test_the_end_of_the_stream_aborts_a_sink() -> None:
    sink = Failing("never")
    framer = Framer(choose=lambda text, size: sink)
    frames([b"* X {10}\r\n0123"], framer)
    framer.abandon()
    assert sink.aborted


@pytest.mark.parametrize("at", range(len(b"A1 OK go\r\n* injected\r\n{") + 1))
def test_the_rest_is_what_follows_the_last_frame(at: int) -> None:
    data = b"A1 OK go\r\n* injected\r\n{"
    framer = Framer()
    rest = None
    for piece in (data[:at], data[at:]):
        framer.feed(piece)
        if rest is None and framer.next_frame() is not None:
            rest = framer.take_rest()
    assert rest == (data[10:] if at < 10 else data[10:at])


@pytest.mark.parametrize(
    ("data", "inside"),
    [
        (b"", False),
        (b"* OK\r\n", False),
        (b"*", True),
        (b"* X {3}\r\n", True),
        (b"* X {3}\r\nabc", True),
        (b"* X {3}\r\nabc\r\n", False),
    ],
)
def test_inside_a_response(data: bytes, inside: bool) -> None:
    framer = Framer()
    frames([data], framer)
    assert framer.inside_response is inside


@pytest.mark.parametrize(("data", "eager"), [(b"A {1+}\r\n", True), (b"A {1}\r\n", False)])
def test_whether_the_sender_waits(data: bytes, eager: bool) -> None:
    framer = Framer()
    frames([data], framer)
    assert framer.eager is eager

"""What is written when: segments, large literals, the lines of an exchange, compression."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import pytest

from imaplus.core.idle import Idle
from imaplus.core.session import Noop
from imaplus.errors import InvalidArgument
from imaplus.protocol.outbox import ENOUGH, Outbox
from imaplus.protocol.pending import Pending
from imaplus.protocol.telling import Telling
from imaplus.wire.secret import Secret
from imaplus.wire.sources import CHUNK, FileSource, Octets, Source
from imaplus.wire.writer import Rules, Writer

PLUS = Rules(eager=1 << 62)


def a_text(out: Writer) -> None:
    out.raw(b"A1 X ")
    out.string("a\nb")


def a_literal(source: Source) -> Callable[[Writer], None]:
    def write(out: Writer) -> None:
        out.raw(b"A1 X ")
        out.literal(source)

    return write


def pending(
    write: Callable[[Writer], object], rules: Rules = PLUS, tag: str = "A1"
) -> Pending[None]:
    out = Writer(rules)
    write(out)
    made = Pending(Noop(), tag)
    made.segments.extend(reversed(out.finish()))
    return made


def everything(outbox: Outbox) -> bytes:
    return b"".join(iter(outbox.take, b""))


def test_one_command() -> None:
    outbox = Outbox()
    assert not outbox.has_data
    assert outbox.take() == b""
    one = pending(lambda out: out.raw(b"A1 NOOP"))
    outbox.begin(one)
    assert outbox.has_data
    assert not one.written
    assert outbox.take() == b"A1 NOOP\r\n"
    assert one.written
    assert not outbox.has_data


def test_small_commands_travel_together() -> None:
    outbox = Outbox()
    for number in range(100):
        outbox.begin(pending(lambda out, n=number: out.raw(b"A%d NOOP" % n)))  # type: ignore[misc]
    assert outbox.take().count(b"\r\n") == 100


def test_a_literal_waits_for_leave() -> None:
    outbox = Outbox()
    one = pending(a_text, Rules())
    outbox.begin(one)
    assert everything(outbox) == b"A1 X {3}\r\n"
    assert outbox.blocked
    assert not one.written
    outbox.proceed()
    assert not outbox.blocked
    assert everything(outbox) == b"a\nb\r\n"
    assert one.written


def test_a_refused_literal_is_not_sent() -> None:
    outbox = Outbox()
    one = pending(a_text, Rules())
    outbox.begin(one)
    everything(outbox)
    outbox.refuse(one)
    assert not outbox.blocked
    assert everything(outbox) == b""


def test_a_literal_that_did_not_wait_goes_out_though_it_was_refused() -> None:
    outbox = Outbox()
    one = pending(a_literal(Octets(b"abc")))
    outbox.begin(one)
    outbox.refuse(one)
    assert everything(outbox) == b"A1 X {3+}\r\nabc\r\n"


def test_a_large_file_is_read_as_it_is_written() -> None:
    file = io.BytesIO(b"x" * (3 * CHUNK + 5))
    source = FileSource.of(file)
    one = pending(a_literal(source), Rules())
    outbox = Outbox()
    outbox.begin(one)
    assert everything(outbox) == b"A1 X {%d}\r\n" % source.size
    outbox.proceed()
    first = outbox.take()
    assert ENOUGH <= len(first) <= CHUNK + ENOUGH
    assert file.tell() <= 2 * CHUNK
    assert not one.written
    assert len(first) + len(everything(outbox)) == source.size + 2
    assert one.written


def test_a_source_that_fails_raises() -> None:
    file = io.BytesIO(b"abc")
    source: Source = FileSource.of(file)
    file.truncate(1)
    outbox = Outbox()
    outbox.begin(pending(lambda out: out.literal(source)))
    with pytest.raises(InvalidArgument, match="too early"):
        everything(outbox)


def test_lines_of_an_exchange() -> None:
    outbox = Outbox()
    one = pending(lambda out: out.raw(b"A1 AUTHENTICATE X"))
    outbox.begin(one)
    everything(outbox)
    outbox.answer(one, Secret("YWJj"))
    outbox.answer(one, None)
    outbox.answer(one, b"*")
    assert everything(outbox) == b"YWJj\r\n*\r\n"


@pytest.mark.parametrize("early", [True, False])
def test_an_interruption_waits_for_the_continuation_and_happens_once(early: bool) -> None:
    outbox = Outbox()
    one = Pending(Idle(), "A1")
    one.segments.extend(Writer().finish())
    outbox.begin(one)
    everything(outbox)
    if early:
        outbox.interrupt(one, b"DONE")
        outbox.interrupt(one, b"DONE")
        assert everything(outbox) == b""
    outbox.answer(one, None)
    if not early:
        assert everything(outbox) == b""
        outbox.interrupt(one, b"DONE")
        outbox.interrupt(one, b"DONE")
    assert everything(outbox) == b"DONE\r\n"
    outbox.answer(one, None)
    assert everything(outbox) == b""


def test_compression_begins_where_it_is_asked_for() -> None:
    outbox = Outbox()
    outbox.begin(pending(lambda out: out.raw(b"A1 COMPRESS DEFLATE")))
    assert everything(outbox) == b"A1 COMPRESS DEFLATE\r\n"
    outbox.compress()
    outbox.begin(pending(lambda out: out.raw(b"A2 NOOP")))
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    assert inflate.decompress(everything(outbox)) == b"A2 NOOP\r\n"
    outbox.begin(pending(lambda out: out.raw(b"A3 NOOP")))
    assert inflate.decompress(everything(outbox)) == b"A3 NOOP\r\n"


def test_the_trace_shows_lines_and_no_secrets() -> None:
    shown: list[tuple[str, bytes]] = []
    outbox = Outbox(Telling(lambda who, line: shown.append((who, line))))

    def write(out: Writer) -> None:
        out.raw(b"A1 X ")
        out.string(Secret("pass word"))
        out.sp()
        out.literal(FileSource.of(io.BytesIO(b"abc")))

    one = pending(write)
    outbox.begin(one)
    outbox.answer(one, Secret("YWJj"))
    assert shown == [("C", b"A1 X *** {3+}\r\n(3 bytes)"), ("C", b"***")]


def test_clear_forgets_everything() -> None:
    outbox = Outbox()
    outbox.begin(pending(a_text, Rules()))
    outbox.clear()
    assert not outbox.blocked
    assert not outbox.has_data
    assert outbox.take() == b""

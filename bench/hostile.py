"""Measure the time that parsing hostile input takes, and how it grows with its size.

Each shape is a byte stream of any size, given to a sans-IO `Connection` with a selected mailbox and
a FETCH in progress. Linear growth has the exponent 1; a much larger exponent is a bug. Tests limit
counts and sizes; this program only prints times.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import math
import time
from collections.abc import Callable
from typing import Final

from imaplus.core.bodystructure import Part
from imaplus.core.bulk import bulk_reader
from imaplus.core.envelope import Envelope
from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.core.fetched import FetchData
from imaplus.core.listing import ListEntry
from imaplus.core.mailboxes import GetStatus, Select
from imaplus.core.search import Search
from imaplus.errors import ProtocolError
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.wire.sets import SequenceSet

MIB: Final = 1 << 20
Shape = Callable[[int], bytes]


def repeated(unit: bytes, *, before: bytes = b"", after: bytes = b"\r\n") -> Shape:
    """Make a shape of repeated bytes between a beginning and an end."""
    return lambda size: before + unit * (size // len(unit)) + after


def in_fetch(name: bytes, unit: bytes, closing: bytes = b"", *, end: bytes = b"") -> Shape:
    """Make a shape of repeated bytes in the value of a FETCH item; `end` completes the value."""
    begin = b"* 1 FETCH (UID 1 " + name + b" "

    def make(size: int) -> bytes:
        count = size // len(unit + closing)
        return begin + unit * count + closing * count + end + b")\r\n"

    return make


def numbered(form: bytes) -> Shape:
    """Make a shape of one response for each number."""
    return lambda size: b"".join(form % number for number in range(1, size // (len(form) + 4)))


def searched(separator: bytes, before: bytes, step: int) -> Shape:
    """Make a shape of one response with non-adjacent UIDs."""
    return lambda size: (
        before + separator.join(b"%d" % n for n in range(1, size // 8 * step, step)) + b"\r\n"
    )


def emptied(unit: bytes) -> Shape:
    """Make a shape that announces the UIDs of a mailbox, then expunges the messages singly."""

    def make(size: int) -> bytes:
        count = size // 64
        known = b"".join(b"* %d FETCH (UID %d)\r\n" % (n, 2 * n) for n in range(1, count + 1))
        return b"* %d EXISTS\r\n" % count + known + unit * count

    return make


def vanishing(size: int) -> bytes:
    """Announce every second UID, then expunge ranges."""
    count = size // 64
    known = b"".join(b"* %d FETCH (UID %d)\r\n" % (n, 4 * n) for n in range(2, count, 2))
    gone = b"".join(b"* VANISHED %d:%d\r\n" % (8 * n, 8 * n + 3) for n in range(1, count // 2))
    return b"* %d EXISTS\r\n" % count + known + gone


def merging(size: int) -> bytes:
    """Send many VANISHED (EARLIER) with one UID each."""
    return b"".join(b"* VANISHED (EARLIER) %d\r\n" % (2 * n) for n in range(1, size // 28))


ENVELOPE: Final = (
    b'* %%d FETCH (UID 7 ENVELOPE ("d" {1}\r\n%b NIL NIL NIL NIL NIL NIL NIL NIL))\r\n'
)
SHAPES: Final[dict[str, Shape]] = {
    "endless line": lambda size: b"* OK " + b"x" * size,
    "endless atom, ended": repeated(b"x", before=b"* "),
    "untagged OK": repeated(b"* OK\r\n"),
    "unknown responses": repeated(b"* X\r\n"),
    "malformed responses": repeated(b"* 1 FETCH (\r\n"),
    "continuations": repeated(b"+ \r\n"),
    "blank lines": repeated(b"\r\n"),
    "NUL bytes": repeated(b"\0"),
    "spaces": repeated(b" ", before=b"* OK"),
    "open parentheses": in_fetch(b"BODYSTRUCTURE", b"("),
    "nested parentheses": in_fetch(b"BODYSTRUCTURE", b"(", b")"),
    "nested twenty deep": in_fetch(b"BODYSTRUCTURE (", b"(" * 20 + b")" * 20, end=b")"),
    "empty lists": in_fetch(b"BODYSTRUCTURE (", b"()", end=b")"),
    "quotes": in_fetch(b"ENVELOPE", b'"'),
    "quotes that close nothing": in_fetch(b"ENVELOPE", b'"a"b'),
    "quotes in a list": in_fetch(b"ENVELOPE (", b'"a"b ', end=b")"),
    "escaped quotes": in_fetch(b"ENVELOPE", b'\\"'),
    "escaped, within quotes": in_fetch(b'ENVELOPE ("', b'\\"', end=b'")'),
    "backslashes": in_fetch(b'ENVELOPE ("', b"\\\\", end=b'")'),
    "empty literals": in_fetch(b"ENVELOPE (", b"{0}\r\n ", end=b")"),
    "empty literals of bodies": in_fetch(b"X", b"BODY[] {0}\r\n "),
    "BODY[ before literals": in_fetch(b"X", b"BODY[" * 40 + b" {0}\r\n"),
    "blank lines after a literal": in_fetch(b"ENVELOPE ({0}\r\n", b"\r\n"),
    "braces": in_fetch(b"ENVELOPE (", b"{", end=b")"),
    "braces that end lines": in_fetch(b"ENVELOPE (", b"{1} ", end=b")"),
    "unsolicited items": in_fetch(b"X 1", b"Y 1 "),
    "digits": repeated(b"9", before=b"* "),
    "digits as a UID": in_fetch(b"UID", b"9"),
    "digits and dots": repeated(b"9.", before=b"* "),
    "VANISHED": repeated(b"1:4294967295,", before=b"* VANISHED ", after=b"1\r\n"),
    "VANISHED, scattered": searched(b",", b"* VANISHED ", 3),
    "VANISHED among gaps": vanishing,
    "VANISHED (EARLIER), in small": merging,
    "COPYUID": repeated(b"1:4294967295,", before=b"* OK [COPYUID 1 ", after=b"1 1:9]\r\n"),
    "code without end": repeated(b"a", before=b"* OK [X "),
    "code of quotes": repeated(b'"\\"" ', before=b"* OK [X "),
    "code of brackets": repeated(b"[]", before=b"* OK [X "),
    "code of open brackets": repeated(b"[", before=b"* OK [X "),
    "ESEARCH": searched(b",", b"* ESEARCH UID ALL ", 3),
    "ESEARCH, open": repeated(b"1:*,", before=b"* ESEARCH UID ALL ", after=b"1\r\n"),
    "SEARCH, scattered": searched(b" ", b"* SEARCH ", 3),
    "SEARCH, consecutive": searched(b" ", b"* SEARCH ", 1),
    "SEARCH of spaces": repeated(b" ", before=b"* SEARCH 1"),
    "EXISTS": repeated(b"* 4294967295 EXISTS\r\n"),
    "EXPUNGE from the front": emptied(b"* 1 EXPUNGE\r\n"),
    "EXPUNGE from both ends": emptied(b"* 1 EXPUNGE\r\n* 99 EXPUNGE\r\n"),
    "flags of each message": numbered(b"* %d FETCH (UID 7 FLAGS (\\Seen))\r\n"),
    "flags, all different": numbered(b"* 1 FETCH (UID 7 FLAGS (k%d))\r\n"),
    "flags of one message": in_fetch(b"FLAGS (", b"a ", end=b")"),
    "envelopes": numbered(ENVELOPE % b"a"),
    "envelopes with a line break": numbered(ENVELOPE % b"\n"),
    "envelopes that end oddly": numbered((ENVELOPE % b"a").replace(b"))\r", b") )\r")),
    "bodies": numbered(b"* %d FETCH (UID 7 BODY[] {1}\r\na)\r\n"),
    "bodies that end oddly": numbered(b"* %d FETCH (UID 7 BODY[] {1}\r\na )\r\n"),
    "quoted flags": in_fetch(b"FLAGS (", b'"a" ', end=b")"),
    "huge sequence number": repeated(b"* 4294967295 FETCH (UID 1 FLAGS ())\r\n"),
    "items without values": in_fetch(b"X", b"BODY[] "),
    "section without end": in_fetch(b"BODY[", b"a"),
    "section of fields": in_fetch(b"BODY[HEADER.FIELDS (", b"a "),
    "encoded words": in_fetch(b'ENVELOPE (NIL "', b"=?utf-8?q?a?= ", end=b'")'),
    "encoded words, all of it": in_fetch(b'ENVELOPE (NIL "', b"=?utf-8?b?YQ==?=", end=b'")'),
    "encoded words, open": in_fetch(b'ENVELOPE (NIL "', b"=?a?", end=b'")'),
    "encoded words, without end": in_fetch(b'ENVELOPE (NIL "', b"=?a?q?", end=b'")'),
    "addresses": in_fetch(b"ENVELOPE (NIL NIL (", b'(NIL NIL "a" "b")', end=b"))"),
    "groups": in_fetch(b"ENVELOPE (NIL NIL (", b'(NIL NIL "a" NIL)', end=b"))"),
    "a long address": in_fetch(b"ENVELOPE (NIL NIL ((", b'"a" ', end=b")))"),
    "parts": in_fetch(b"BODYSTRUCTURE (", b'("a" "b" NIL NIL NIL "7bit" 1)', end=b' "mixed")'),
    "parameters": in_fetch(b'BODYSTRUCTURE ("a" "b" (', b'"a*1" "b" ', end=b') NIL NIL "7bit" 1)'),
    "LIST": repeated(b'* LIST () "/" a\r\n'),
    "LIST, a name of shifts": repeated(b"&AOQ-", before=b'* LIST () "/" '),
    "LIST, a name of ampersands": repeated(b"&", before=b'* LIST () "/" '),
    "LIST, a name of open shifts": repeated(b"&AOQ", before=b'* LIST () "/" '),
    "STATUS of parentheses": repeated(b"(", before=b"* STATUS a"),
    "CAPABILITY": repeated(b" + A", before=b"* CAPABILITY"),
}


def connection(*commands: Command[object]) -> Connection:
    """Make a connection with a selected mailbox and commands in progress."""
    made = Connection(bulk=bulk_reader)
    made.receive_data(b"* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] ready\r\n")
    select = made.send(Select("INBOX"))
    made.data_to_send()
    made.receive_data(b"* 4294967295 EXISTS\r\n%b OK done\r\n" % select.tag.encode())
    for command in commands:
        made.send(command)
    made.data_to_send()
    return made


def touch(values: list[object]) -> None:
    """Read every lazily parsed field."""
    for value in values:
        if isinstance(value, FetchData):
            for name in value.items:
                with contextlib.suppress(ProtocolError):
                    item = value[name]
                    if isinstance(item, Envelope):
                        _ = item.subject, *map(str, item.from_)
                    elif isinstance(item, Part):
                        _ = [part.filename for part in item.walk()]
        elif isinstance(value, ListEntry):
            _ = value.selectable


def seconds(data: bytes, step: int) -> float:
    """Measure the seconds that a connection takes for `data`, received `step` bytes at once."""
    everything = SequenceSet.parse("1:*")
    made = connection(Fetch(everything, (BodySection(), "FLAGS", "ENVELOPE", "BODYSTRUCTURE")))
    made.send(Search())
    made.data_to_send()
    pending = list(made._in_flight)
    gc.collect()
    start = time.process_time()
    for at in range(0, len(data), step):
        touch(made.receive_data(data[at : at + step]))
        for each in pending:
            touch(each.take())
    return time.process_time() - start


def pipelined(count: int) -> float:
    """Measure pipelined STATUS of `count` mailboxes, answered in reverse order, in seconds."""
    made = connection()
    start = time.process_time()
    sent = {made.send(GetStatus(f"m{n}")): f"m{n}".encode() for n in range(count)}
    while waiting := [each for each in sent if made._in_flight.get(each.tag)]:
        while made.data_to_send():
            pass
        for each in reversed(waiting):
            tag = each.tag.encode()
            made.receive_data(b"* STATUS %b (MESSAGES 1)\r\n%b OK done\r\n" % (sent[each], tag))
    assert all(each.done for each in sent)
    return time.process_time() - start


def show(name: str, sizes: list[float], times: list[float]) -> None:
    """Print a line with the times, and the exponent between the smallest and the largest."""
    grown = math.log(max(times[-1], 1e-6) / max(times[0], 1e-6)) / math.log(sizes[-1] / sizes[0])
    remark = "  superlinear?" if grown > 1.3 and times[-1] > 0.1 else ""
    print(f"{name:32}" + "".join(f"{t:9.3f}" for t in times) + f"{grown:8.2f}{remark}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="shapes whose name has this in it")
    parser.add_argument("--sizes", default="1,2,4,8", help="in MiB")
    parser.add_argument("--step", type=int, default=1 << 16, help="bytes received at once")
    options = parser.parse_args()
    sizes = [float(size) for size in options.sizes.split(",")]
    print(f"{'seconds for MiB':32}" + "".join(f"{size:9g}" for size in sizes) + "  growth")
    for name, shape in SHAPES.items():
        if options.only in name:
            times = [seconds(shape(int(size * MIB)), options.step) for size in sizes]
            show(name, sizes, times)
    if options.only in "pipelined":
        counts = [1250.0 * size for size in sizes]
        show("pipelined, 1250 a MiB", counts, [pipelined(int(count)) for count in counts])


if __name__ == "__main__":
    main()

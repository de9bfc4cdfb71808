"""The bulk reader gives what parsing each response on its own gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import imaplus.extensions.condstore
import imaplus.extensions.gmail
import imaplus.extensions.objectid  # noqa: F401  (their items register themselves)
from imaplus.core.bulk.reader import Reader
from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.core.fetched import FetchData
from imaplus.core.mailboxes import MailboxStatus, Select, status, status_by_rule
from imaplus.errors import ProtocolError
from imaplus.protocol.bulk import Bulk, MessageRun
from imaplus.protocol.connection import Connection
from imaplus.protocol.response import parse, parse_by_rule
from imaplus.protocol.status import Status
from imaplus.protocol.usual import Heading, usual_heading, usual_tagged
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import DEFAULT_LIMITS, Frame, Limits
from imaplus.wire.framing import Window
from imaplus.wire.sets import SequenceSet

MESSAGES = 12
EAGER = partial(Reader, least=0)
"""Makes a bulk reader that looks at every read, however short."""


def told(value: Any) -> object:
    """All that can be learnt from a value, each item by itself."""
    if not isinstance(value, FetchData):
        return repr(value)
    return value.seq, value.uid, {name: item(value, name) for name in value.names}


def item(value: FetchData, name: str) -> str:
    try:
        return repr(value[name])
    except Exception as error:  # it says at which octet, which is another one
        return re.sub(r"at byte \d+, found .*", "", repr(error))


def backwards(value: Any) -> object:
    """The same, touched in another order."""
    if isinstance(value, FetchData):
        for name in reversed(list(value.claims)):
            item(value, name)
    return told(value)


def heard(
    data: bytes, *, cuts: int = 0, bulk: Bulk | None = EAGER, ask: Any = told
) -> list[object]:
    """What a command and the events have, and what the mailbox then knows."""
    connection = Connection(bulk=bulk)
    events = connection.receive_data(b"* PREAUTH [CAPABILITY IMAP4rev1] x\r\n")
    opened = connection.send(Select("INBOX"))
    connection.data_to_send()
    connection.receive_data(b"* %d EXISTS\r\n%b OK x\r\n" % (MESSAGES, opened.tag.encode()))
    fetch = connection.send(
        Fetch(SequenceSet.of("1:75,85:*"), ("FLAGS", "RFC822.SIZE", "ENVELOPE"))
    )
    connection.data_to_send()
    for at in range(0, len(data), cuts or len(data)):
        events += connection.receive_data(data[at : at + (cuts or len(data))])
    values: list[object] = []
    for value in fetch.values:
        assert bulk is not None or not isinstance(value, MessageRun)
        values += map(ask, value) if isinstance(value, MessageRun) else [ask(value)]
    mailbox = connection.mailbox
    assert mailbox is not None
    known = [mailbox.uid_of(seq) for seq in range(1, MESSAGES + 1)]
    return [values, list(map(ask, events)), known, mailbox.exists, repr(connection.error)]


# -- responses of any items ------------------------------------------------------------------------

ITEMS = {
    "UID": ["1", "4294967295", "0", "01", "x", "99999999999"],
    "FLAGS": ["()", "(\\Seen $x)", "(\xe4 [css3])", '("a")', "NIL", "(\\*)"],
    "INTERNALDATE": ['"01-Jan-2015 00:00:00 +0000"', '" 1-Jan-2015 00:00:00 +0000"', '"x"', "NIL"],
    "RFC822.SIZE": ["0", "99", "9.3e+06", "-1", "99999999999999999999"],
    "MODSEQ": ["(1)", "(9223372036854775807)", "(-1)", "()"],
    "ENVELOPE": [
        '("d" "s" (("n" NIL "m" "h")) NIL NIL NIL NIL NIL NIL "<i>")',
        '("d" "s (x) BODYSTRUCTURE (y)" NIL NIL NIL NIL NIL NIL NIL "<i>")',
        '("d" {} (({} NIL "m" "h")) NIL NIL NIL NIL NIL NIL "<i>")',
        '("d" "a folded\r\n one" (("n\r\n\tn" NIL "m" "h")) NIL NIL NIL NIL NIL NIL "<i>")',
        '("d" "smile :))\r\n (and go on" NIL NIL NIL NIL NIL NIL NIL "<i>")',
        '("d" "stray NIL NIL NIL NIL NIL NIL NIL NIL)',
        '(NIL "a"b" NIL)',
        "(NIL {} NIL)",
        "(((((((((1)))))))))",
        "NIL",
        "(",
    ],
    "BODYSTRUCTURE": [
        '("text" "plain" NIL NIL NIL "7bit" 1 2)',
        '(("text" "plain" NIL NIL NIL "7bit" 1 2) "mixed" ("boundary" ")"))',
        '("text" {} NIL NIL NIL "7bit" 1 2)',
        "(x)",
        "(x) FLAGS (x)",
        "(x {}",
        "(x {})",
    ],
    "BODY[]": ["{}", "NIL", '"x"', "{} junk"],
    "BODY[1.MIME]": ["{}", "~{}"],
    "EMAILID": ["(M6d99ac3275bb4e)", "(NIL)", "(M-_)", "NIL", "(a b)", "()", '("M1")', "M1"],
    "THREADID": ["NIL", "(T64b478a75b7ea9)", "(nil)", "nil", "(NILS)", "(x", "({}"],
    "X-GM-MSGID": ["1278455344230334865", "0", "18446744073709551615", "99999999999999999999"],
    "X-GM-LABELS": [
        '(\\Inbox \\Sent "a b" \\"c" x)',
        '("\\\\Important" "" "a)b" "q\\"q" +x ~x NIL inbox)',
        "()",
        "(&AOQ- a&-b)",
        '("&AOQ-")',
        "(\xc3\xa4 x)",
        "({} x)",
        "(x  y)",
        "NIL",
        '("a"b")',
        '("a" (b))',
    ],
    "X-ODD": ["1", "(a b)"],
}
LITERALS = [
    "li",
    "",
    "))",
    "(",
    '"',
    ")",
    "\r\n",
    "a\nb",
    "{1}",
    "{3}\r\n",
    "* 1 FETCH (UID 1",
    "))\r\n* ",
]
names = st.lists(st.sampled_from(sorted(ITEMS)), min_size=1, max_size=4)
usual = st.lists(
    st.sampled_from(
        "UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ EMAILID THREADID X-GM-MSGID X-GM-LABELS".split()
    ),
    max_size=3,
).flatmap(
    lambda plain: st.sampled_from(
        [
            ["UID", *plain],
            ["UID", *plain, "ENVELOPE"],
            ["UID", *plain, "ENVELOPE", "BODYSTRUCTURE"],
            ["UID", *plain, "BODY[]"],
        ]
    )
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Responses that have the same items, more or less."""
    shape = draw(usual | names)
    odd = draw(st.booleans())
    lines = []
    last = 0
    for at in range(1, draw(st.integers(2, 8))):
        seq, uid = at, str(10 * at)
        if odd:
            # They ascend, as they do where all is well: of plain lines only the ends are looked at.
            last += draw(st.sampled_from([1, 1, 2]))
            seq = draw(st.sampled_from([last, last, last, 0]))
            uid = draw(st.sampled_from([uid, uid, *ITEMS["UID"]]))
        values = []
        for name in draw(names) if odd and draw(st.integers(0, 5)) == 5 else shape:
            text = (
                uid if name == "UID" else draw(st.sampled_from(ITEMS[name][: None if odd else 3]))
            )
            while "{}" in text:
                literal = draw(st.sampled_from(LITERALS))
                text = text.replace("{}", f"{{{len(literal)}}}\r\n{literal}", 1)
            values.append(f"{name} {text}")
        space, ending = draw(
            st.sampled_from([(" ", ""), (" ", ""), ("  ", ""), (" ", " "), (" ", " X")])
        )
        lines.append(f"* {seq} FETCH ({space.join(values)}){ending}\r\n")
    return "".join(lines).encode("latin-1")


ENVELOPES = b"".join(
    b'* %d FETCH (UID %d ENVELOPE ("d" {%d}\r\n%b NIL NIL NIL NIL NIL NIL NIL "<i>"))\r\n'
    % (seq, seq, len(subject), subject)
    for seq, subject in enumerate([b"a", b"b {3}", b"* 3 FETCH (UID 9", b"c", b"x\r\ny", b"d"], 1)
)


DATE = b'INTERNALDATE "01-Jan-2015 00:00:00 +0000"'
ON_TWO_LINES = (
    b"* 1 FETCH (UID 10 %b ENVELOPE NIL)\r\n" % DATE
    + b'* 2 FETCH (UID 20 %b ENVELOPE ("d" "stray NIL NIL NIL NIL NIL NIL NIL NIL))\r\n' % DATE
    + b'* 3 FETCH (BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 1 2))\r\n'
    + b"* 4 FETCH (UID 40 %b ENVELOPE NIL)\r\n" % DATE
    + b'* 5 FETCH (UID 50 %b ENVELOPE ("d" "smile :))\r\n (and go on"' % DATE
    + b' NIL NIL NIL NIL NIL NIL NIL "<i>"))\r\n'
)
GOES_ON = (
    b'* 1 FETCH (UID 10 ENVELOPE ("d" "s" NIL NIL NIL NIL NIL NIL NIL "<i>") BODYSTRUCTURE (x))\r\n'
    b'* 2 FETCH (UID 20 ENVELOPE ("d" "smile :))\r\n%b(and go on" NIL NIL NIL NIL NIL NIL "<i>")'
    b' BODYSTRUCTURE ("text" {2}\r\n\r\n NIL NIL NIL "7bit" 1 2))\r\n* 3 EXISTS\r\n'
)
"""A string goes on on a line with an odd literal: nothing ends before that line."""
CUT = ON_TWO_LINES.index(b" (and") // 2 + 1
"""The second piece begins inside a response, and ends behind the line break."""


@settings(max_examples=600)
@given(streams(), st.integers(1, 400))
@example(ENVELOPES, 400)
@example(ON_TWO_LINES, CUT)
@example(GOES_ON % b" ", 400)
@example(GOES_ON % b"", 400)
def test_responses_that_look_alike_are_worth_what_their_items_are(data: bytes, cuts: int) -> None:
    expected = heard(data, bulk=None)
    assert heard(data) == expected
    assert heard(data, cuts=cuts) == expected
    assert heard(data, ask=backwards) == expected


def runs_of(data: bytes) -> list[int]:
    """How many responses were read at once, each time, of those that a FETCH of everything gets."""
    connection = Connection(bulk=EAGER)
    connection.receive_data(b"* PREAUTH [CAPABILITY IMAP4rev1 OBJECTID] x\r\n")
    opened = connection.send(Select("INBOX"))
    connection.data_to_send()
    connection.receive_data(b"* %d EXISTS\r\n%b OK x\r\n" % (MESSAGES, opened.tag.encode()))
    items = (
        "FLAGS",
        "RFC822.SIZE",
        "ENVELOPE",
        "EMAILID",
        BodySection(),
        "BODYSTRUCTURE",
        "MODSEQ",
    )
    fetch = connection.send(Fetch(SequenceSet.of("1:*"), items))
    connection.data_to_send()
    connection.receive_data(data)
    return [len(value) if isinstance(value, MessageRun) else 1 for value in fetch.values]


@pytest.mark.parametrize(
    "items", "UF FU UFM FUM UFSE UFES USDB UE UFT FUST UIHF FUGL IUE LGUFT".split()
)
def test_responses_of_one_shape_are_a_run(items: str) -> None:
    spelled = {
        "U": "UID %d",
        "F": "FLAGS (\\Seen)",
        "M": "MODSEQ (7)",
        "S": "RFC822.SIZE 5",
        "I": "EMAILID (M1)",
        "H": "THREADID NIL",
        "G": "X-GM-MSGID 1278455344230334865",
        "L": 'X-GM-LABELS (\\Inbox "a b" c)',
        "D": 'INTERNALDATE "01-Jan-2015 00:00:00 +0000"',
        "E": "ENVELOPE " + ITEMS["ENVELOPE"][2].replace("{}", "{3}\r\nabc"),
        "B": "BODYSTRUCTURE " + ITEMS["BODYSTRUCTURE"][1],
        "T": "BODY[] {12}\r\n)\r\n* 3 FETCH",
    }
    line = " ".join(spelled[key] for key in items)
    data = "".join(f"* {n} FETCH ({line % n})\r\n" for n in range(1, 10)).encode()
    lists_last = items != "UFES"  # else each is read by itself
    assert runs_of(data) == ([1, 8] if lists_last else [1] * 9)


def test_scattered_messages_are_a_run_too() -> None:
    data = b"".join(b"* %d FETCH (UID %d FLAGS ())\r\n" % (n, 10 * n) for n in (1, 2, 5, 6, 9))
    assert runs_of(data) == [1, 4]


def test_a_literal_with_a_line_break_ends_a_run() -> None:
    assert runs_of(ENVELOPES) == [1, 3, 1, 1]


@pytest.mark.parametrize(
    ("limits", "keep_below", "read"),
    [
        (Limits(), 100, 2),
        (Limits(), 3, 1),
        (Limits(text=32), 100, 1),
        (Limits(held=32), 100, 1),
        (Limits(literals=0), 100, 0),
        (Limits(), 0, 0),
    ],
)
def test_a_body_that_may_not_simply_be_kept_is_left(
    limits: Limits, keep_below: int, read: int
) -> None:
    data = b"* 1 FETCH (UID 1 BODY[] {2}\r\nab)\r\n* 2 FETCH (UID 2 BODY[] {3}\r\nabc)\r\n"
    reader = taught(Frame(b"* 9 FETCH (UID 9 BODY[] {1}\r\n)", (b"x",)), limits=limits)
    taken = reader.take(Window(data, 0, 1, keep_below), utf8=False)
    assert (0 if taken is None else len(taken.values)) == read
    if taken is not None:
        assert [value["BODY[]"] for value in taken.values] == [b"ab", b"abc"][:read]
        assert data[taken.end :].startswith(b"* " if read < 2 else b"")


def test_thousands_of_lines_are_one_run() -> None:
    data = b"".join(b"* %d FETCH (UID %d FLAGS ())\r\n" % (n, n) for n in range(1, 5001))
    reader = taught(Frame(b"* 1 FETCH (UID 1 FLAGS ())"))
    taken = reader.take(Window(data + b"* 9 EXISTS\r\n", 0, 1, 0), utf8=False)
    assert taken is not None
    assert (taken.end, len(taken.values)) == (len(data), 5000)


def taught(*frames: Frame, limits: Limits = DEFAULT_LIMITS) -> Reader:
    """A reader that has learnt what these responses look like."""
    reader = Reader(limits)
    for frame in frames:
        value = parse(frame)
        assert isinstance(value, FetchData)
        reader.learn(value)
    return reader


def response(pairs: Iterable[tuple[str, str]]) -> Frame:
    return Frame(f"* 1 FETCH ({' '.join(f'{name} {text}' for name, text in pairs)})".encode())


def test_no_more_shapes_are_kept_than_a_few() -> None:
    frames = [
        Frame(b"* 1 FETCH (UID 1 BODY[%d] {2}\r\n)" % number, (b"li",)) for number in range(50)
    ]
    reader = taught(*frames)
    known = [frame for frame in frames if reader.recognise(frame, utf8=False) is not None]
    assert known == frames[-len(known) :]
    assert 0 < len(known) < 10


def test_what_was_recognised_has_all_its_items() -> None:
    data = ENVELOPES.replace(b"ENVELOPE", b"FLAGS (x) ENVELOPE")
    reader = taught(response([("UID", "1"), ("FLAGS", "()"), ("ENVELOPE", ITEMS["ENVELOPE"][0])]))
    taken = reader.take(Window(data, 0, 1, 100), utf8=False)
    assert taken is not None
    assert [value.names for value in taken.values] == [{"UID", "FLAGS", "ENVELOPE"}] * 4


def test_one_connection_does_not_learn_from_another() -> None:
    data = b"* 1 FETCH (UID 1 FLAGS ())"
    assert taught(Frame(data)).recognise(Frame(data), utf8=False) is not None
    assert taught().recognise(Frame(data), utf8=False) is None


# -- lines of flags --------------------------------------------------------------------------------

lines_ = st.tuples(
    st.sampled_from(["UF", "FU", "UFM", "FUM", "F", "UM", "other"]),
    st.integers(1, MESSAGES),
    st.integers(-1, 3),
    st.sampled_from(["", "\\Seen", "\\Seen $x", "[a]", '"q"', "a) (b", "\xe4"]),
)


def spell(at: int, line: tuple[str, int, int, str], *, in_order: bool) -> bytes:
    kind, seq, skew, flags = line
    if in_order:
        seq, skew = at, 0
    spelled = {"U": f"UID {10 * seq + skew}", "F": f"FLAGS ({flags})", "M": f"MODSEQ ({7 * seq})"}
    if kind == "other":
        return f"* {seq} EXPUNGE\r\n".encode() if skew > 1 else b"* OK still here\r\n"
    return f"* {seq} FETCH ({' '.join(spelled[key] for key in kind)})\r\n".encode("latin-1")


@settings(max_examples=300)
@given(st.lists(lines_, max_size=MESSAGES), st.booleans(), st.integers(1, 400))
def test_lines_read_together_are_worth_what_each_of_them_is(
    lines: list[tuple[str, int, int, str]], in_order: bool, cuts: int
) -> None:
    # A message keeps its UID: of lines whose UIDs ascend, only the first and last number are read.
    skews: dict[int, int] = {}
    lines = [(kind, n, skews.setdefault(n, skew), flags) for kind, n, skew, flags in lines]
    data = b"".join(spell(at, line, in_order=in_order) for at, line in enumerate(lines, 1))
    assert heard(data or b"* OK\r\n", cuts=cuts) == heard(data or b"* OK\r\n", bulk=None)


# -- the usual form of what comes for every command ------------------------------------------------

WORDS = """* A1-7 a1
    OK NO BAD BYE ok STATUS status [ALERT] [X SEARCH 1 FLAGS INBOX inbox nil NIL a[b
    &AGE- \xe4 a\\b "x" () (MESSAGES) (MESSAGES""".split()
ITEMS_OF_STATUS = ["MESSAGES 3", "unseen 1", "X-NEW 5", "X (1)", "SIZE 99999999999999999999", "A"]
words = st.sampled_from([*WORDS, "", " ", '"a b"'])
responses_ = st.one_of(
    st.lists(words, max_size=6).map(" ".join),
    st.builds("{} {} {}".format, words, st.sampled_from(["OK", "NO", "BAD", "BYE"]), words),
    st.builds(
        lambda name, items, end: f"* STATUS {name} ({' '.join(items)}{end}",
        words,
        st.lists(st.sampled_from(ITEMS_OF_STATUS), max_size=3),
        st.sampled_from([")", ") ", " )", ") x", ""]),
    ),
)


@settings(max_examples=1000)
@given(responses_, st.booleans())
def test_the_fast_path_of_parse_gives_the_value_of_the_rule(line: str, utf8: bool) -> None:
    frame = Frame(line.encode("latin-1"))
    assert repr(parse(frame, utf8=utf8)) == repr(parse_by_rule(frame, utf8=utf8))


@settings(max_examples=1000)
@given(responses_.filter(lambda line: line.startswith("* STATUS ")), st.booleans())
def test_the_fast_path_of_status_gives_the_value_of_the_rule(line: str, utf8: bool) -> None:
    def read(parser: Callable[[Cursor], MailboxStatus]) -> str:
        c = Cursor(Frame(line.encode("latin-1")), utf8=utf8)
        c.pos = len("* STATUS")
        try:
            return repr(parser(c))
        except ProtocolError as error:
            return repr(error)

    assert read(status) == read(status_by_rule)


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        (b"* STATUS INBOX (MESSAGES 3)", Heading(None, "STATUS", 8)),
        (b"* 12 EXISTS", Heading(12, "EXISTS", 11)),
        (b"* 12 FETCH (UID 1)", Heading(12, "FETCH", 11)),
    ],
)
def test_usual_headings_are_recognised(text: bytes, heading: Heading) -> None:
    assert usual_heading(text) == heading


def test_a_usual_tagged_status_is_recognised() -> None:
    found = usual_tagged(b"B0F1-12 OK Fetch completed (0.001 secs).")
    assert found == Status("OK", "Fetch completed (0.001 secs).", tag="B0F1-12")

"""Responses that are recognised by a pattern are worth what reading them item by item gives."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imaplus.extensions.condstore  # noqa: F401  (its patterns register themselves)
from imaplus.core import mailboxes, shapes
from imaplus.core.fetch import Fetch
from imaplus.core.fetched import Fetched
from imaplus.core.mailboxes import Select
from imaplus.core.runs import FlagsRun
from imaplus.protocol import response as responses
from imaplus.protocol.connection import Connection
from imaplus.protocol.response import Malformed, parse, runs
from imaplus.wire.framing import Frame, Framer
from imaplus.wire.sets import SequenceSet

MESSAGES = 12


def told(value: Any) -> object:
    """All that can be learnt from a value, each item by itself."""
    if isinstance(value, FlagsRun):
        return [told(each) for each in value]
    if not isinstance(value, Fetched):
        return repr(value)
    return value.seq, value.uid, {name: item(value, name) for name in value.names}


def item(value: Fetched, name: str) -> str:
    try:
        return repr(value[name])
    except Exception as error:
        return repr(error)


def step_by_step(text: bytes) -> Any:
    """What a response is worth to the parser that looks at every item."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "_recent", [])
        return parse(Frame(text))


# -- shapes: one response --------------------------------------------------------------------------

ITEMS = {
    "UID": ["1", "4294967295", "0", "01", "x"],
    "FLAGS": ["()", "(\\Seen $x)", "(\xe4 [css3])", '("a")', "NIL", "(\\*)"],
    "INTERNALDATE": ['"01-Jan-2015 00:00:00 +0000"', '" 1-Jan-2015 00:00:00 +0000"', '"x"', "NIL"],
    "RFC822.SIZE": ["0", "99", "9.3e+06", "-1", "99999999999999999999"],
    "MODSEQ": ["(1)", "(9223372036854775807)", "(-1)", "()"],
    "ENVELOPE": [
        '("d" "s" (("n" NIL "m" "h")) NIL NIL NIL NIL NIL NIL "<i>")',
        '("d" "s (x" NIL NIL NIL NIL NIL NIL NIL "<i>")',
        '(NIL "a"b" NIL)',
        "(NIL {2}\r\n NIL)",
        "(((((((((1)))))))))",
        "NIL",
        "(",
    ],
    "BODYSTRUCTURE": [
        '("text" "plain" NIL NIL NIL "7bit" 1 2)',
        '(("text" "plain" NIL NIL NIL "7bit" 1 2) "mixed" ("boundary" ")"))',
        '("text" {2}\r\n NIL NIL NIL "7bit" 1 2)',
        "(x)",
    ],
    "BODY[]": ["{2}\r\n", "NIL", '"x"', "{2}\r\n junk"],
    "BODY[1.MIME]": ["{2}\r\n", "~{2}\r\n"],
    "X-ODD": ["1", "(a b)"],
}
pairs = st.sampled_from(sorted(ITEMS)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(ITEMS[name]))
)
endings = st.sampled_from(["", " ", " X", ")", "("])


def response(items: list[tuple[str, str]], ending: str = "", separator: str = " ") -> Frame:
    listed = separator.join(f"{name} {text}" for name, text in items)
    text = f"* 1 FETCH ({listed}){ending}".encode("latin-1")
    return Frame(text, (b"li",) * text.count(b"\r\n"))


@settings(max_examples=400)
@given(
    st.lists(pairs, min_size=1, max_size=5),
    st.data(),
    endings,
    st.sampled_from([" ", " ", " ", "  "]),
)
def test_a_response_that_looks_as_another_did_is_worth_what_its_items_are(
    first: list[tuple[str, str]], data: st.DataObject, ending: str, separator: str
) -> None:
    second = [(name, data.draw(st.sampled_from(ITEMS[name]))) for name, _ in first]
    frame = response(second, ending, separator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "_recent", [])
        expected = parse(frame)
        patch.setattr(shapes, "_recent", [])
        parse(response(first))  # it may be learnt from
        found = parse(frame)
    assert told(found) == told(expected)


def test_what_is_usual_is_recognised() -> None:
    items = [(name, ITEMS[name][0]) for name in ("UID", "FLAGS", "RFC822.SIZE", "ENVELOPE")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "_recent", [])
        parse(response(items))
        again = parse(response(items))
    assert isinstance(again, Fetched)
    assert again._shape is not None
    assert again.flags == frozenset()
    assert again.envelope.message_id == "<i>"
    assert list(again.items) == ["UID", "FLAGS", "RFC822.SIZE", "ENVELOPE"]
    with pytest.raises(KeyError):
        again["BODY"]


def test_no_more_shapes_are_kept_than_a_few() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "_recent", [])
        for number in range(50):
            parse(response([("UID", "1"), (f"BODY[{number}]", "{2}\r\n")]))
        assert len(shapes._recent) == shapes.MOST_RECENT


# -- runs: many lines ------------------------------------------------------------------------------

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


def heard(data: bytes, cuts: int, *, traced: bool) -> list[object]:
    """What a command and the events have, and what the mailbox then knows."""
    connection = Connection(trace=(lambda *line: None) if traced else None)
    events = connection.receive_data(b"* PREAUTH [CAPABILITY IMAP4rev1] x\r\n")
    opened = connection.send(Select("INBOX"))
    connection.data_to_send()
    connection.receive_data(b"* %d EXISTS\r\n%b OK x\r\n" % (MESSAGES, opened.tag.encode()))
    fetch = connection.send(Fetch(SequenceSet.of("1:75,85:*"), ("FLAGS",)))
    connection.data_to_send()
    for at in range(0, len(data), cuts):
        events += connection.receive_data(data[at : at + cuts])
    values: list[object] = []
    for value in fetch.values:
        values += told(value) if isinstance(value, FlagsRun) else [told(value)]  # type: ignore[operator]
    mailbox = connection.mailbox
    assert mailbox is not None
    known = [mailbox.uid_of(seq) for seq in range(1, MESSAGES + 1)]
    return [values, [told(event) for event in events], known, mailbox.exists]


@settings(max_examples=300)
@given(st.lists(lines_, max_size=MESSAGES), st.booleans(), st.integers(1, 400))
def test_lines_read_together_are_worth_what_each_of_them_is(
    lines: list[tuple[str, int, int, str]], in_order: bool, cuts: int
) -> None:
    data = b"".join(spell(at, line, in_order=in_order) for at, line in enumerate(lines, 1))
    # A traced connection reads response by response.
    assert heard(data, cuts, traced=False) == heard(data, len(data) or 1, traced=True)


@pytest.mark.parametrize("items", ["UF", "FU", "UFM", "FUM"])
def test_lines_in_order_are_a_run(items: str) -> None:
    data = b"".join(spell(at, (items, 0, 0, "\\Seen"), in_order=True) for at in range(1, 10))
    framer = Framer()
    framer.feed(data + b"* 10 EXISTS\r\n")
    found = [(parser, framer.next_lines(pattern)) for pattern, parser in runs]
    made = [parser(*given) for parser, given in found if given[1]]
    assert [(len(run), run.first) for run in made if run is not None] == [(9, 1)]
    assert framer.next_frame() == Frame(b"* 10 EXISTS")


@pytest.mark.parametrize(
    "line",
    [
        b'* 1 FETCH (UID 7 FLAGS ("a"))',
        b"* 1 FETCH (UID 7 FLAGS ({1}",
        b"* 1 FETCH (UID 7 FLAGS NIL)",
        b"* 1 FETCH (UID 99999999999 FLAGS ())",
        b"* 0 FETCH (UID 7 FLAGS ())",
        b"\0* 1 FETCH (UID 7 FLAGS ())",
    ],
)
def test_other_lines_are_not(line: bytes) -> None:
    framer = Framer()
    framer.feed(line + b"\r\n")
    assert not any(framer.next_lines(pattern)[1] for pattern, _ in runs)


def test_lines_in_the_thousands_are_one_or_few_runs() -> None:
    data = b"".join(b"* %d FETCH (UID %d FLAGS ())\r\n" % (n, n) for n in range(1, 5001))
    framer = Framer()
    framer.feed(data)
    lines, rows = framer.next_lines(runs[0][0])
    assert (lines, len(rows)) == (data, 5000)


def test_malformed_responses_are_not_learnt_from() -> None:
    assert isinstance(step_by_step(b"* 1 FETCH (UID"), Malformed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "_recent", [])
        parse(Frame(b"* 1 FETCH (UID x)"))
        assert shapes._recent == []


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
def test_the_usual_form_is_worth_what_any_form_is(line: str, utf8: bool) -> None:
    frame = Frame(line.encode("latin-1"))
    short = repr(parse(frame, utf8=utf8))
    with pytest.MonkeyPatch.context() as patch:
        for module, name in [
            (responses, "_TAGGED_TEXT"),
            (responses, "_NAMED"),
            (mailboxes, "_PLAIN_STATUS"),
        ]:
            patch.setattr(module, name, re.compile(b"(?!)"))
        assert repr(parse(frame, utf8=utf8)) == short


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (responses._TAGGED_TEXT, b"B0F1-12 OK Fetch completed (0.001 secs)."),
        (responses._NAMED, b"* STATUS INBOX (MESSAGES 3)"),
        (mailboxes._PLAIN_STATUS, b" INBOX (MESSAGES 3 UIDNEXT 5)"),
    ],
)
def test_the_usual_form_is_recognised(pattern: re.Pattern[bytes], line: bytes) -> None:
    assert pattern.match(line)

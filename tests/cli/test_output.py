"""Data on standard output, everything else on standard error, and nothing acts on a terminal."""

from __future__ import annotations

import errno
import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.cli.errors import Exit, Failure
from imaplus.cli.output import Console, Form, OutputClosed
from imaplus.cli.text import count, escape, shorten, size, to_json, width

ANYTHING = st.text(st.characters(exclude_categories=[]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANYTHING,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANYTHING, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Gelöscht 送信済み 🎉", "Gelöscht 送信済み 🎉"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\tb\r\nc\x7f", "a\\tb\\r\\nc\\x7f"),
        ("\x9b2J", "\\x9b2J"),
        ("\udcff\udc80", "\\xff\\x80"),
        ("\ud800", "\\ud800"),
        ("exe.\u202egpj", "exe.\\u202egpj"),
        ("a\u2028b", "a\\u2028b"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(ANYTHING)
def test_escaped_text_is_one_line_that_can_be_encoded_and_acts_on_nothing(text: str) -> None:
    shown = escape(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs") for letter in shown)
    assert escape(shown) == shown


@given(JSON, st.sampled_from([None, 2]))
def test_json_comes_back_exactly_and_acts_on_nothing(value: object, indent: int | None) -> None:
    text = to_json(value, indent=indent)
    text.encode()
    assert json.loads(text) == value
    assert not any(
        unicodedata.category(letter) in ("Cc", "Cs") for letter in text if letter != "\n"
    )


def test_json_keeps_letters_readable() -> None:
    assert to_json("Gelöscht\x9b") == '"Gelöscht\\u009b"'


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_949, "99.9 kB"), (99_950, "100 kB"),
     (999_499, "999 kB"), (1_500_000, "1.5 MB"), (2**31, "2.1 GB"), (5 * 10**15, "5,000.0 TB")],
)  # fmt: skip
def test_sizes(octets: int, text: str) -> None:
    assert size(octets) == text


def test_counts() -> None:
    assert count(1, "message") == "1 message"
    assert count(12000, "message") == "12,000 messages"
    assert count(0, "mailbox", "mailboxes") == "0 mailboxes"


def test_streams() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err)
    console.line("data\x1b")
    console.note("note\x1b")
    console.warn("warning\nsecond line")
    assert out.getvalue() == "data\\x1b\n"
    assert err.getvalue() == "note\\x1b\nimaplus: warning: warning\\nsecond line\n"


def test_quiet_keeps_back_notes_but_no_warnings_and_no_errors() -> None:
    err = io.StringIO()
    console = Console(io.StringIO(), err, quiet=True)
    console.note("note")
    console.warn("w")
    console.failure(Failure(Exit.REFUSED, "m"))
    assert err.getvalue() == "imaplus: warning: w\nimaplus: m\n"


ROWS = [{"name": "a", "size": 1}, {"name": "b", "size": 2}]


@pytest.mark.parametrize(
    ("form", "fields", "expected"),
    [
        (Form.JSON, (), json.dumps(ROWS, indent=2) + "\n"),
        (Form.JSONL, (), '{"name": "a", "size": 1}\n{"name": "b", "size": 2}\n'),
        (Form.JSONL, ("size",), '{"size": 1}\n{"size": 2}\n'),
    ],
)
def test_rows(form: Form, fields: tuple[str, ...], expected: str) -> None:
    out = io.StringIO()
    Console(out, io.StringIO(), form=form, fields=fields).rows(ROWS)
    assert out.getvalue() == expected


def test_fields_come_in_the_order_asked_for() -> None:
    out = io.StringIO()
    Console(out, io.StringIO(), form=Form.JSONL, fields=("b", "a")).document(
        {"a": 1, "b": 2, "c": 3}
    )
    assert out.getvalue() == '{"b": 2, "a": 1}\n'


FAILURE = Failure(Exit.AUTHENTICATION, "not \x1baccepted", "try again", "[ALERT] no\x07")


def test_a_failure_for_people() -> None:
    err = io.StringIO()
    Console(io.StringIO(), err).failure(FAILURE)
    assert err.getvalue().splitlines() == [
        "imaplus: not \\x1baccepted",
        "  the server said: [ALERT] no\\x07",
        "  try again",
    ]


@pytest.mark.parametrize("form", [Form.JSON, Form.JSONL])
def test_a_failure_for_programs(form: Form) -> None:
    out, err = io.StringIO(), io.StringIO()
    Console(out, err, form=form).failure(FAILURE)
    assert out.getvalue() == ""
    assert json.loads(err.getvalue()) == {"error": FAILURE.as_json()}


def test_a_reader_that_has_gone() -> None:
    class Gone(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    with pytest.raises(OutputClosed):
        Console(Gone(), io.StringIO()).line("x")


def test_a_terminal_that_has_gone_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str, /) -> int:
            raise OSError(errno.EIO, "Input/output error")

    console = Console(io.StringIO(), Gone())
    console.note("to nobody")
    console.failure(FAILURE)


@pytest.mark.parametrize(
    ("text", "columns"),
    [("INBOX", 5), ("送信済み", 8), ("e\u0301\u0301", 1), ("שלום", 4), ("🎉", 2), ("ﾊﾝ", 2)],
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("INBOX", 5, "INBOX"),
        ("abcdefghijkl", 9, "abc...jkl"),
        ("abcdefghijkl", 10, "abcd...jkl"),
        ("送信済みメール", 11, "送信...ール"),
        ("送信済みメール", 10, "送信...ル"),
        ("e\u0301" * 9, 7, "e\u0301e\u0301...e\u0301e\u0301"),
        ("abcdefghijkl", 4, "..."),
        ("abcdefghijkl", 2, ".."),
        ("abcdefghijkl", 0, ""),
    ],
)
def test_shorten(text: str, columns: int, shown: str) -> None:
    assert shorten(text, columns) == shown


@given(ANYTHING, st.integers(0, 30))
def test_what_is_shortened_fits_and_keeps_both_ends(text: str, columns: int) -> None:
    shown = shorten(escape(text), columns)
    assert width(shown) <= columns
    if width(escape(text)) <= columns:
        assert shown == escape(text)

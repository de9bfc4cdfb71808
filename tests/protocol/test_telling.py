"""A trace tells what happened, and changes nothing: the same code reads, traced or not."""

from __future__ import annotations

from typing import Any

import pytest

from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.protocol.bulk import MessageRun
from imaplus.protocol.telling import MOST_WORDS, Telling
from imaplus.wire.blanking import Blanking
from imaplus.wire.frames import DEFAULT_LIMITS
from imaplus.wire.secret import Secret
from imaplus.wire.sets import SequenceSet
from imaplus.wire.writer import Piece

from .talking import Talk, selected

COUNT = 300
ANSWERS = {
    "flags": (
        ("UID", "FLAGS"),
        lambda n: b"* %d FETCH (UID %d FLAGS (\\Seen))\r\n" % (n, n * 2),
    ),
    "bodies": (
        ("UID", BodySection("HEADER")),
        lambda n: b"* %d FETCH (UID %d BODY[HEADER] {7}\r\na: b\r\n\n)\r\n" % (n, n * 2),
    ),
    "envelopes": (
        ("UID", "ENVELOPE"),
        lambda n: (
            b'* %d FETCH (UID %d ENVELOPE (NIL "s%d" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n'
            % (n, n * 2, n)
        ),
    ),
}


def read(items: tuple[Any, ...], data: bytes, **options: Any) -> list[object]:
    """What a FETCH gets whose answers come at once."""
    talk = selected(**options)
    talk.hear(f"* {COUNT} EXISTS")
    pending = talk.send(Fetch(SequenceSet.of("1:*"), items))
    first, _, rest = data.partition(b"* 2 FETCH")
    talk.feed(first)  # it teaches what the others look like
    talk.feed(b"* 2 FETCH" + rest)
    talk.hear("{} OK done", after=pending)
    assert pending.done
    return pending.values


@pytest.mark.parametrize(("items", "answer"), ANSWERS.values(), ids=ANSWERS)
def test_answers_are_read_by_the_same_code(items: tuple[Any, ...], answer: Any) -> None:
    data = b"".join(map(answer, range(1, COUNT + 1)))
    lines: list[bytes] = []
    traced = read(items, data, trace=lambda side, line: lines.append(line) if side == "S" else 0)
    untraced = read(items, data)
    assert list(map(type, traced)) == list(map(type, untraced))
    assert any(isinstance(value, MessageRun) and len(value) > COUNT // 2 for value in traced)
    assert b"".join(line + b"\r\n" for line in lines[-COUNT - 1 : -1]) == data


def test_a_limit_strikes_the_same() -> None:
    for trace in (None, lambda side, line: None):
        talk = Talk(trace=trace)
        talk.feed(b"* 1 EXISTS\r\n" + b"x" * (DEFAULT_LIMITS.text + 1))
        assert "exceeds the limit" in str(talk.connection.error)


def test_secrets_are_blanked_in_all_their_forms() -> None:
    lines: list[tuple[str, bytes]] = []
    telling = Telling(lambda *line: lines.append(line))
    telling.keep_secrets([Secret("hunter2"), Secret("abc")])
    telling.show_sent((Piece(b"A1 LOGIN ann "), Piece(b'"hunter2"', secret=True), Piece(b"\r\n")))
    assert lines == [("C", b"A1 LOGIN ann ***")]
    for said in (b"hunter2", b"HUNTER2", b'"hunter2"', b"aHVudGVyMg=="):
        assert telling.hide(b"no: %b!" % said) == b"no: ***!"
    assert telling.hide(b"abc") == b"abc"  # so short that it is in any text
    telling.forget()
    assert telling.hide(b"hunter2") == b"***"


def test_secrets_of_an_earlier_login_are_forgotten() -> None:
    telling = Telling()
    for number in range(100):
        telling.keep_secrets([Secret(f"password {number}")])
    assert telling.hide(b"password 1, password 99") == b"password 1, ***"


def test_the_longest_secret_is_blanked_first() -> None:
    blanking = Blanking()
    assert not blanking
    blanking.keep(b"pass")
    blanking.keep(b"password")
    assert blanking
    assert blanking.blank(b"password pass") == b"*** ***"


def test_words_are_those_since_a_moment() -> None:
    telling = Telling()
    telling.hear(b"one")
    began = telling.heard
    assert telling.words(began) == ()
    for number in range(MOST_WORDS + 2):
        telling.hear(b"%d" % number)
    assert telling.words(began) == ("2", "3", "4")
    assert telling.words() == ("2", "3", "4")
    telling.forget()
    assert telling.words() == ()

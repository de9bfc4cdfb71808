"""Frames to values: statuses and their codes, what is unknown, and what does not parse."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import imaplus.core.listing
import imaplus.core.mailboxes
import imaplus.core.search
import imaplus.extensions.condstore  # noqa: F401  (their parsers register themselves)
from imaplus.core.append import AppendUid
from imaplus.core.messages import Copied, Modified
from imaplus.errors import (
    AlreadyExists,
    AuthenticationFailed,
    CommandError,
    NoSuchMailbox,
    ProtocolError,
    Refused,
    Rejected,
    Throttled,
)
from imaplus.protocol import data
from imaplus.protocol.refusals import error_for
from imaplus.protocol.response import Continuation, Malformed, Unknown, parse, register
from imaplus.protocol.status import Status
from imaplus.wire.frames import Frame
from imaplus.wire.sets import SequenceSet


def value(text: bytes) -> Any:
    return parse(Frame(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"* OK", Status("OK", "")),  # quirk 4
        (b"* OK hello", Status("OK", "hello")),
        (b"* ok hello", Status("OK", "hello")),  # quirk 19
        (b"* BYE see you", Status("BYE", "see you")),
        (b"* PREAUTH x", Status("PREAUTH", "x")),
        (b"A1 NO \xc3\xa4", Status("NO", "ä", tag="A1")),
        (b"A1 NO \xe4", Status("NO", "ä", tag="A1")),
        (b"Server Unavailable. 15", Status("BYE", "Server Unavailable. 15")),  # quirk 20
        (b"A1 BYE x", Status("BYE", "x", tag="A1")),  # quirk 31
        (b"* [ALERT] x", Status("OK", "x", "ALERT")),  # quirk 23
        (b"[COPYUID 55 31 6]", Status("OK", "", "COPYUID")),
        (b"* OK [READ-WRITE]", Status("OK", "", "READ-WRITE")),  # quirk 4
        (b"* OK [read-only] x", Status("OK", "x", "READ-ONLY")),
        (b"* NO [X.Y a \"]\" [b] c] d", Status("NO", "d", "X.Y")),
        (b"* OK [X a \"b] c", Status("OK", "c", "X")),  # to the first bracket
        (b'A OK [E="a: x" P=y] done', Status("OK", '[E="a: x" P=y] done', tag="A")),  # quirk 25
        (b"* OK [ALERT", Status("OK", "[ALERT")),  # quirk 25
        (b"* OK [] x", Status("OK", "[] x")),
        (b"*  OK  [A]  x", Status("OK", "x", "A")),
        (b"+", Continuation(b"")),  # quirk 3
        (b"+ ", Continuation(b"")),
        (b"+ YWJj", Continuation(b"YWJj")),
        (b"* 3 EXISTS", data.Exists(3)),
        (b"*  3 exists", data.Exists(3)),  # quirk 22
        (b"* 0 RECENT", data.Recent(0)),
        (b"* 7 EXPUNGE", data.Expunged(7)),
        (b"* VANISHED 1:3,9", data.Vanished(SequenceSet.parse("1:3,9"))),
        (b"* VANISHED (EARLIER) 4", data.Vanished(SequenceSet.parse("4"), earlier=True)),
        (b"* FLAGS (a \\*)", data.Flags(frozenset({"a", "\\*"}))),
        (b"* CAPABILITY A LITERAL + b", data.Capability(frozenset({"A", "LITERAL+", "B"}))),
        (b"* ENABLED", data.Enabled(frozenset())),
        (b"* ENABLED condstore X", data.Enabled(frozenset({"CONDSTORE", "X"}))),
        (b"* NOOP", Unknown("NOOP", Frame(b"* NOOP"))),  # quirk 22
        (b"* 99 NOOP", Unknown("NOOP", Frame(b"* 99 NOOP"))),
        (b"* 3 CAPABILITY", Unknown("CAPABILITY", Frame(b"* 3 CAPABILITY"))),
        (b"* EXISTS", Unknown("EXISTS", Frame(b"* EXISTS"))),
    ],
)  # fmt: skip
def test_values(text: bytes, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"", ""),
        (b"*", ""),
        (b"* (", ""),
        (b"A1 MAYBE x", ""),
        (b"A1", ""),
        (b"* 99999999999999999999 EXISTS", ""),
        (b"* VANISHED 1:*", "VANISHED"),
        (b"* VANISHED 0", "VANISHED"),
        (b"* VANISHED (LATER) 1", "VANISHED"),
        (b"* FLAGS", "FLAGS"),
        (b"* 1 FETCH", "FETCH"),
        (b"* 1 FETCH (", "FETCH"),
        (b"* SEARCH 0", "SEARCH"),
        (b"* SEARCH 4294967296", "SEARCH"),
        (b"* SEARCH " + b"9" * 5000, "SEARCH"),
        (b"* ESEARCH UID ALL 1:*", "ESEARCH"),
        (b"* STATUS INBOX", "STATUS"),
        (b"* LIST x", "LIST"),
    ],
)
def test_what_does_not_parse(text: bytes, name: str) -> None:
    found = value(text)
    assert isinstance(found, Malformed)
    assert (found.name, found.frame) == (name, Frame(text))
    assert isinstance(found.error, ProtocolError)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (b"UIDNEXT 5", data.UidNext(5)),
        (b"UIDNEXT 0", data.UidNext(0)),  # quirk 27
        (b"UIDVALIDITY 4294967295", data.UidValidity(4294967295)),
        (b"UNSEEN 3", data.Unseen(3)),
        (b"HIGHESTMODSEQ 9223372036854775807", data.HighestModSeq((1 << 63) - 1)),
        (b"PERMANENTFLAGS (a \\*)", data.PermanentFlags(frozenset({"a", "\\*"}))),
        (b"PERMANENTFLAGS (x-[G] [y])", data.PermanentFlags(frozenset({"x-[G]", "[y]"}))),
        (b"CAPABILITY A B", data.Capability(frozenset("AB"))),
        (b"APPENDUID 1 2:3", AppendUid(1, ((2, 3),))),
        (b"COPYUID 1 9:6 1:4", Copied(1, ((9, 6),), ((1, 4),))),
        (b"COPYUID 701  ", Copied(701)),  # quirk 24
        (b"MODIFIED 7,9", Modified(SequenceSet.parse("7,9"))),
        (b"WEBALERT https://x/?y=]", None),
        (b"UIDNEXT", None),
        (b"UIDNEXT x", None),
        (b"UIDNEXT 99999999999999999999", None),
        (b"PERMANENTFLAGS (a", None),
        (b"COPYUID 1 0 1", None),
        (b"COPYUID 1 1:* 1", None),
        (b"APPENDUID 1 *", None),
        (b"NOSUCHCODE 1 2", None),
    ],
)
def test_codes_fall_back_to_text(argument: bytes, expected: object) -> None:
    found = value(b"A1 OK [" + argument + b"] done")
    assert isinstance(found, Status)
    assert found.ok
    assert found.code == argument.split()[0].decode()
    if expected is None and argument.startswith(b"WEBALERT"):
        assert found.data == "https://x/?y="
    else:
        assert found.data == expected
    assert found.data is found.data  # parsed once


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"A NO [NONEXISTENT] x", NoSuchMailbox),
        (b"A NO [TRYCREATE] x", NoSuchMailbox),
        (b"A NO [ALREADYEXISTS] x", AlreadyExists),
        (b"A NO [X] x", Refused),
        (b"A NO x", Refused),
        (b"A BAD x", Rejected),
        (b"A NO [AUTHENTICATIONFAILED] x", AuthenticationFailed),
        (b"A BAD User is authenticated but not connected.", AuthenticationFailed),  # quirk 26
        (b"A BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds", Throttled),
    ],
)
def test_errors(text: bytes, kind: type[CommandError]) -> None:
    found = value(text)
    error = error_for(found, "SELECT")
    assert type(error) is kind
    assert (error.command, error.status, error.code) == ("SELECT", found.kind, found.code)
    if isinstance(error, Throttled):
        assert error.retry_after == pytest.approx(92.415)


def test_what_does_not_parse_keeps_nothing_else_alive() -> None:
    for text in (b"* SEARCH 0", b"* VANISHED 1:*", b"x", b"* 1 FETCH (BODYSTRUCTURE"):
        error: BaseException | None = value(text).error
        while error is not None:
            assert error.__traceback__ is None
            error = error.__cause__ or error.__context__


def test_a_name_has_one_parser() -> None:
    registry: dict[str, object] = {}
    register(registry, "X", 1)
    with pytest.raises(ValueError, match="X has a parser"):
        register(registry, "X", 2)


@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"* ", b"A1 ", b"* 1 FETCH (", b"* OK [", b"* 1 "]),
)
def test_anything_is_some_value(text: bytes, before: bytes) -> None:
    found = value(before + text)
    repr(found)
    if isinstance(found, Status):
        _ = found.data
        error_for(found, "NOOP")


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        (b"* 1 FETCH (UID 7 BODY[] {x", "BODY[]"),
        (b"* 1 FETCH (UID 7 FLAGS (a", "FLAGS"),
        (b"* 1 FETCH (UID 7 ENVELOPE (NIL", "ENVELOPE"),
        (b"* 1 FETCH (UID 7 ENVELOPE (NIL FLAGS ()", "ENVELOPE"),
    ],
)
def test_of_a_fetch_that_breaks_off_the_rest_is_lost(text: bytes, broken: str) -> None:
    found = value(text)
    assert (found.uid, list(found.names)) == (7, ["UID", broken])
    with pytest.raises(ProtocolError):
        found[broken]


def test_of_an_item_that_comes_twice_the_first_counts() -> None:
    assert value(b"* 1 FETCH (UID 7 FLAGS (a) FLAGS (b) UID 8)").flags == {"a"}


def test_a_cursor_of_a_code_stands_behind_its_name() -> None:
    found = value(b"* OK [UIDNEXT   7 ] x")
    assert found.data == data.UidNext(7)
    assert found.argument == "7"

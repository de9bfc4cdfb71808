"""The state machine: what it believes, what it lets out, what belongs to what, and how it ends."""

from __future__ import annotations

import io
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.core.append import Append, Outgoing
from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.core.fetched import Fetched
from imaplus.core.idle import Idle
from imaplus.core.listing import GetNamespaces, List, Lsub, WithStatus
from imaplus.core.mailboxes import (
    Close,
    Create,
    GetStatus,
    MailboxStatus,
    Select,
    Unselect,
)
from imaplus.core.messages import Change, Copy, Expunge, ExpungeAll, Move, Store
from imaplus.core.search import Search
from imaplus.core.session import (
    Authenticate,
    Enable,
    GetCapability,
    Login,
    Logout,
    Noop,
    StartTls,
)
from imaplus.errors import (
    CapabilityMissing,
    ConnectionLost,
    ImapError,
    ProtocolError,
    Refused,
    StateError,
    UidValidityChanged,
)
from imaplus.extensions.compress import Compress
from imaplus.protocol.body_names import name_of_body
from imaplus.protocol.bulk import MessageRun
from imaplus.protocol.command import Command
from imaplus.protocol.data import Exists, Expunged
from imaplus.protocol.deflate import STEP
from imaplus.protocol.in_flight import MOST
from imaplus.protocol.response import Continuation, Malformed, Unknown
from imaplus.protocol.state import State
from imaplus.protocol.status import Status
from imaplus.records import replace
from imaplus.sasl import Password, Plain
from imaplus.wire.frames import Limits
from imaplus.wire.secret import Secret
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sinks import File, Sink
from imaplus.wire.sources import FileSource, Octets

from .talking import Talk, selected

pytestmark = pytest.mark.usefixtures("lane")

LOGIN = Login("ada", Secret("pass word"))
APPEND = Append("x", (Outgoing(Octets(b"a\nb")),))


def uids(text: str) -> SequenceSet:
    return SequenceSet.parse(text)


def fetch(text: str, *items: str | BodySection) -> Fetch:
    return Fetch(uids(text), items or ("FLAGS",))


def store(text: str) -> Store:
    return Store(uids(text), Change.ADD, frozenset({"\\Seen"}))


# -- greeting and capabilities ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("greeting", "state", "capabilities"),
    [
        ("* OK hi", State.NOT_AUTHENTICATED, set()),
        ("* OK [CAPABILITY imap4rev1 idle] hi", State.NOT_AUTHENTICATED, {"IMAP4REV1", "IDLE"}),
        ("* PREAUTH hi", State.AUTHENTICATED, set()),
        ("* BYE busy", State.LOGOUT, set()),
        ("HTTP/1.1 400 Bad Request", State.LOGOUT, set()),
        ("+OK POP3", State.LOGOUT, set()),
        ("220 smtp", State.LOGOUT, set()),
        ("* CAPABILITY IMAP4rev1", State.LOGOUT, set()),
        ("* NO x", State.LOGOUT, set()),
    ],
)
def test_greetings(greeting: str, state: State, capabilities: set[str]) -> None:
    talk = Talk(greeting)
    assert talk.connection.state is state
    assert talk.connection.capabilities == capabilities
    if greeting.startswith("* BYE"):
        assert isinstance(talk.connection.error, ConnectionLost)
        assert talk.connection.error.bye == "busy"
    elif state is State.LOGOUT:
        assert isinstance(talk.connection.error, ImapError)
    else:
        assert talk.connection.error is None
        assert talk.connection.greeting is not None


def test_nothing_is_sent_before_the_greeting() -> None:
    talk = Talk("")
    with pytest.raises(StateError, match="greeting"):
        talk.send(Noop())
    talk.hear("* OK hi")
    assert talk.send(Noop()).tag


def test_capabilities_from_everywhere_and_forgotten() -> None:
    talk = Talk("* OK [CAPABILITY IMAP4rev1 STARTTLS A] hi")
    connection = talk.connection
    assert connection.can("A")
    talk.do(StartTls())
    assert connection.wants_tls
    connection.confirm_tls()
    assert (connection.secure, connection.capabilities) == (True, frozenset())
    assert talk.do(GetCapability(), "* CAPABILITY IMAP4rev1 B") == {"IMAP4REV1", "B"}
    assert connection.capabilities == {"IMAP4REV1", "B"}
    talk.do(LOGIN)
    assert connection.capabilities == frozenset()
    talk.hear("* OK [CAPABILITY C] by the way")
    assert connection.capabilities == {"C"}


@pytest.mark.parametrize("lines", [("* CAPABILITY X", "{} OK x"), ("{} OK [CAPABILITY X] x",)])
def test_capabilities_that_come_with_login_stay(lines: tuple[str, ...]) -> None:
    talk = Talk("* OK [CAPABILITY IMAP4rev1 A] hi")
    pending = talk.send(LOGIN)
    talk.hear(*lines, after=pending)
    assert talk.connection.capabilities == {"X"}


def test_a_login_that_fails_changes_nothing() -> None:
    talk = Talk("* OK [CAPABILITY IMAP4rev1 A] hi")
    pending = talk.send(LOGIN)
    talk.hear("{} NO [AUTHENTICATIONFAILED] no", after=pending)
    with pytest.raises(Refused):
        pending.result()
    assert talk.connection.state is State.NOT_AUTHENTICATED
    assert talk.connection.can("A")


def test_rev2_includes_what_it_includes() -> None:
    talk = Talk("* PREAUTH [CAPABILITY IMAP4rev2] hi")
    assert talk.connection.can("MOVE")
    assert not talk.connection.can("CONDSTORE")


# -- states ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("greeting", "command"),
    [
        ("* OK hi", Select("x")),
        ("* OK hi", fetch("1")),
        ("* PREAUTH hi", LOGIN),
        ("* PREAUTH hi", fetch("1")),
        ("* PREAUTH hi", Close()),
    ],
)
def test_commands_of_another_state(greeting: str, command: Command[Any]) -> None:
    talk = Talk(greeting)
    with pytest.raises(StateError, match="cannot be sent while"):
        talk.connection.send(command)
    assert talk.wrote() == b""


def test_commands_that_need_a_capability() -> None:
    talk = selected("IMAP4rev1")
    with pytest.raises(CapabilityMissing, match="MOVE"):
        talk.connection.send(Move(uids("1"), "x"))
    assert talk.wrote() == b""


def test_a_queued_command_is_judged_when_its_turn_comes() -> None:
    talk = selected()
    leaving = talk.send(Unselect())
    waiting = talk.send(fetch("1"))
    talk.hear("{} OK done", after=leaving)
    assert leaving.done
    assert isinstance(waiting.error, StateError)
    assert talk.wrote() == b""


def test_selecting_and_leaving() -> None:
    talk = selected()
    first = talk.connection.mailbox
    assert first is not None
    assert (talk.connection.state, first.name, first.exists) == (State.SELECTED, "INBOX", 5)
    pending = talk.send(Select("other"))
    talk.hear("* OK [CLOSED] x", "* 2 EXISTS", "{} OK [READ-ONLY] x", after=pending)
    second = talk.connection.mailbox
    assert second is not None
    assert (second.name, second.exists, second.read_only, first.exists) == ("other", 2, True, 5)
    refused = talk.send(Select("none"))
    talk.hear("{} NO x", after=refused)
    assert talk.connection.mailbox is None
    assert talk.connection.state is State.AUTHENTICATED


@pytest.mark.parametrize("command", [Close(), Unselect()])
def test_closing(command: Command[Any]) -> None:
    talk = selected()
    pending = talk.send(command)
    talk.hear("{} NO x", after=pending)
    assert talk.connection.state is State.SELECTED
    talk.do(command)
    assert talk.connection.mailbox is None
    assert talk.connection.state.name == "AUTHENTICATED"


def test_enable() -> None:
    talk = Talk()
    assert talk.do(Enable(("UTF8=ACCEPT",)), "* ENABLED UTF8=ACCEPT") == {"UTF8=ACCEPT"}
    assert talk.connection.utf8
    pending = talk.connection.send(Create("ü"))
    assert talk.wrote() == f'{pending.tag} CREATE "ü"\r\n'.encode()


# -- pipelining (RFC 9051, 5.5) --------------------------------------------------------------------

TOGETHER: list[tuple[Command[Any], Command[Any]]] = [
    (Noop(), Noop()),
    (Create("a"), Create("b")),
    (GetStatus("a"), GetStatus("b")),
    (List(), Lsub()),
    (List(), GetNamespaces()),
    (fetch("1"), fetch("2")),
    (fetch("1:3"), fetch("4:9")),
    (fetch("1"), Search()),
    (fetch("1"), store("2")),
    (store("1"), store("2")),
    (store("1:3"), Copy(uids("4"), "x")),
    (Copy(uids("1"), "x"), Copy(uids("2:3"), "y")),
    (Search(), GetStatus("a")),
    (fetch("1"), Noop()),
    (fetch("1"), GetCapability()),
]
APART: list[tuple[Command[Any], Command[Any]]] = [
    (GetStatus("a"), GetStatus("a")),
    (GetStatus("inbox"), GetStatus("INBOX")),
    (GetStatus("a"), List(returns=(WithStatus(),))),
    (List(), List()),
    (fetch("1"), fetch("1")),
    (fetch("1:3"), fetch("3:9")),
    (fetch("1:*"), fetch("3")),
    (fetch("3"), fetch("1:*")),
    (fetch("1"), store("1")),
    (store("1"), fetch("1")),
    (store("1"), store("1")),
    (store("1"), Copy(uids("1"), "x")),
    (Copy(uids("1"), "x"), store("1")),
    (Search(), Search()),
    (store("1"), Search()),
    (Search(), store("1")),
    (Expunge(uids("1")), Search()),
    (Select("a"), Noop()),
    (Noop(), Select("a")),
    (Idle(), Idle()),
    (Logout(), Noop()),
    (ExpungeAll(), fetch("1")),
    (GetCapability(), GetCapability()),
]


@pytest.mark.parametrize(("first", "second"), TOGETHER)
def test_commands_that_share_the_wire(first: Command[Any], second: Command[Any]) -> None:
    talk = selected()
    talk.connection.send(first)
    talk.connection.send(second)
    assert talk.wrote().count(b"\r\n") == 2


@pytest.mark.parametrize(("first", "second"), APART)
def test_commands_that_wait_for_each_other(first: Command[Any], second: Command[Any]) -> None:
    talk = selected()
    one = talk.connection.send(first)
    other = talk.connection.send(second)
    assert talk.wrote().count(b"\r\n") == 1
    if not isinstance(first, Select | Idle | Logout):
        talk.hear("{} OK done", after=one)
        assert talk.wrote().startswith(other.tag.encode())


def test_nothing_overtakes() -> None:
    talk = selected()
    talk.connection.send(fetch("1"))
    talk.connection.send(fetch("1"))
    talk.connection.send(Noop())
    assert talk.wrote().count(b"\r\n") == 1


def test_thousands_of_commands_are_on_their_way_in_portions() -> None:
    talk = selected()
    sent = [talk.connection.send(GetStatus(f"m{n}")) for n in range(2 * MOST)]
    assert talk.wrote().count(b"\r\n") == MOST
    for number, each in enumerate(sent):
        talk.hear(f"* STATUS m{number} (MESSAGES {number})", "{} OK done", after=each)
        talk.wrote()
    assert [each.result().messages for each in sent] == list(range(2 * MOST))


@pytest.mark.parametrize("same", [False, True])
def test_subjects_speak_for_single_messages_only(same: bool) -> None:
    talk = selected()
    for number in range(1, 50):
        talk.connection.send(fetch(str(number)))
    talk.connection.send(fetch("49" if same else "50:60"))
    assert talk.wrote().count(b"\r\n") == (49 if same else 50)


def test_answers_go_to_whom_they_belong() -> None:
    talk = selected()
    one, other, third = talk.send(fetch("1")), talk.send(fetch("2")), talk.send(GetStatus("a"))
    talk.hear(
        "* 2 FETCH (UID 2 FLAGS (b))",
        "* STATUS a (MESSAGES 3)",
        "* 1 FETCH (UID 1 FLAGS (a))",
        "* 3 FETCH (UID 3 FLAGS (c))",
        "* STATUS b (MESSAGES 4)",
        f"{other.tag} OK done",
        f"{one.tag} OK done",
        f"{third.tag} OK done",
    )
    assert [value.flags for value in one.result()] == [{"a"}]
    assert [value.flags for value in other.result()] == [{"b"}]
    assert third.result().messages == 3
    assert list(map(isinstance, talk.events, (Fetched, MailboxStatus))) == [True, True]


# -- continuations ---------------------------------------------------------------------------------


def test_a_literal_waits_and_so_does_what_follows() -> None:
    talk = Talk()
    one = talk.connection.send(APPEND)
    other = talk.connection.send(Noop())
    assert talk.wrote() == f"{one.tag} APPEND x {{3}}\r\n".encode()
    talk.hear("+ go")
    assert talk.wrote() == f"a\nb\r\n{other.tag} NOOP\r\n".encode()
    talk.hear(f"{one.tag} OK", f"{other.tag} OK")
    assert one.done
    assert other.done


@pytest.mark.parametrize(
    ("capability", "size", "segments"),
    [("LITERAL+", 5000, 1), ("LITERAL-", 4096, 1), ("LITERAL-", 4097, 2), ("X", 5, 2)],
)
def test_which_literals_wait(capability: str, size: int, segments: int) -> None:
    talk = Talk(f"* PREAUTH [CAPABILITY IMAP4rev1 {capability}] hi")
    pending = talk.connection.send(Append("x", (Outgoing(Octets(b"x" * size)),)))
    first = talk.wrote()
    assert (f"{{{size}}}\r\n" if segments == 2 else f"{{{size}+}}\r\n").encode() in first
    assert pending.written == (segments == 1)


def test_a_refused_literal() -> None:
    talk = Talk()
    one = talk.send(APPEND)
    other = talk.send(Noop())
    talk.hear("{} NO [OVERQUOTA] full", after=one)
    with pytest.raises(Refused):
        one.result()
    assert talk.wrote() == f"{other.tag} NOOP\r\n".encode()


@pytest.mark.parametrize("stage", [0, 1])
def test_ok_before_the_command_was_sent_is_no_success(stage: int) -> None:
    talk = Talk()
    pending = talk.connection.send(APPEND)
    if stage:
        talk.wrote()
    talk.hear("{} OK [APPENDUID 1 2] done", after=pending)
    assert isinstance(talk.connection.error, ProtocolError)
    with pytest.raises(ProtocolError, match="before the command"):
        pending.result()


@pytest.mark.parametrize("tag", ["A1", "{}", "x"])
def test_tags_of_nobody_are_events(tag: str) -> None:
    talk = Talk()
    done = talk.send(Noop())
    talk.hear("{} OK done", after=done)
    talk.hear(f"{tag} OK again", after=done)
    assert [type(event) for event in talk.events] == [Status]
    assert talk.connection.error is None


def test_tags_cannot_be_guessed() -> None:
    tags = {Talk().connection.send(Noop()).tag for _ in range(5)}
    assert len(tags) > 1


def test_continuations_that_nobody_waits_for() -> None:
    talk = Talk()
    talk.send(Noop())
    talk.hear("+ what", "+")
    assert talk.events == [Continuation(b"what"), Continuation(b"")]
    assert talk.wrote() == b""


def test_authenticate() -> None:
    talk = Talk("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi")
    pending = talk.send(Authenticate(Plain(Password("ada", Secret("x")))))
    talk.hear("+ ")
    assert talk.wrote() == b"AGFkYQB4\r\n"
    talk.hear("+ YQ==")  # one challenge too many
    assert talk.wrote() == b"*\r\n"
    assert isinstance(pending.error, ProtocolError)
    talk.hear("{} BAD cancelled", after=pending)
    assert talk.connection.error is None
    assert talk.connection.state is State.NOT_AUTHENTICATED


def test_idle_ends_for_another_command() -> None:
    talk = selected()
    idle = talk.send(Idle())
    other = talk.send(Noop())
    assert talk.wrote() == b""  # not before its `+`
    talk.hear("+ idling")
    assert talk.wrote() == b"DONE\r\n"
    talk.hear("* 6 EXISTS", "{} OK done", after=idle)
    assert talk.wrote() == f"{other.tag} NOOP\r\n".encode()
    assert talk.events == [Exists(6)]


def test_idle_ends_when_it_is_told_to() -> None:
    talk = selected()
    idle = talk.send(Idle())
    talk.hear("+")
    assert talk.wrote() == b""
    talk.connection.interrupt(idle)
    talk.connection.interrupt(idle)
    assert talk.wrote() == b"DONE\r\n"
    talk.hear("{} OK done", after=idle)
    idle.result()


def test_idle_that_is_refused() -> None:
    talk = selected()
    idle, other = talk.send(Idle()), talk.send(Noop())
    talk.hear("{} NO not now", after=idle)
    assert talk.wrote() == f"{other.tag} NOOP\r\n".encode()


# -- unsolicited data, and what is wrong with one response -----------------------------------------


def test_unsolicited_data_is_applied_and_told() -> None:
    talk = selected()
    talk.do(fetch("1:*"), *(f"* {n} FETCH (UID {n * 10} FLAGS ())" for n in range(1, 6)))
    talk.hear("* 2 EXPUNGE", "* 9 EXISTS", "* 2 FETCH (FLAGS (x))", "* XYZZY 1 2", "* 1 FETCH (")
    assert talk.events[:2] == [Expunged(2, 20), Exists(9)]
    assert isinstance(talk.events[2], Fetched)
    assert talk.events[2].uid == 30
    assert [type(event) for event in talk.events[3:]] == [Unknown, Malformed]
    assert talk.connection.error is None


def test_a_malformed_answer_is_the_cause_of_a_missing_one() -> None:
    talk = Talk()
    pending = talk.send(GetNamespaces())
    talk.hear("* NAMESPACE (oops", "{} OK done", after=pending)
    with pytest.raises(ProtocolError, match=r"cannot be read.*NAMESPACE") as caught:
        pending.result()
    assert isinstance(caught.value.__cause__, ProtocolError)


def test_only_the_last_malformed_answer_is_kept() -> None:
    talk = Talk()
    pending = talk.send(GetNamespaces())
    talk.hear(*(f"* NAMESPACE (oops {n}" for n in range(1000)))
    assert [each.frame.text for each in pending.malformed] == [b"* NAMESPACE (oops 999"]


def count(value: object) -> int:
    """How many messages a value that a FETCH collects is about."""
    return len(value) if isinstance(value, MessageRun) else 1


@pytest.mark.parametrize("limits", [Limits(responses=3), Limits(held=100)])
def test_a_command_keeps_so_much_until_it_is_taken(limits: Limits) -> None:
    talk = selected(limits=limits)
    pending = talk.send(fetch("1:*"))
    line = "* 1 FETCH (UID 1 FLAGS ())"
    for _ in range(5):
        talk.hear(line, line, line)
        assert sum(map(count, pending.take())) == 3
    talk.hear(*[line] * 5)
    assert pending.values == []
    with pytest.raises(ProtocolError, match="waiting to be taken"):
        pending.result()
    assert talk.connection.error is None


# -- the end ---------------------------------------------------------------------------------------


def three(talk: Talk) -> list[Any]:
    """One command on the wire, one partly on it, one in the queue."""
    return [talk.send(fetch("1")), talk.send(APPEND), talk.send(Noop())]


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (None, ConnectionLost, "closed the connection"),
        (b"* 1 FETCH (", ConnectionLost, "inside a response"),
        (b"* BYE tired\r\n", ConnectionLost, "tired"),
        (b"* X {99999999}\r\n", ProtocolError, "no body was asked for"),
    ],
)
def test_every_pending_command_carries_the_cause(
    data: bytes | None, kind: type[ImapError], text: str
) -> None:
    talk = selected()
    pending = three(talk)
    if data is not None:
        talk.feed(data)
    talk.connection.receive_eof()
    for each in pending:
        with pytest.raises(kind, match=text):
            each.result()
    with pytest.raises(kind, match=text):
        talk.connection.send(Noop())
    assert talk.wrote() == b""
    assert talk.connection.receive_data(b"* 1 EXISTS\r\n") == []
    assert (talk.connection.state, talk.connection.mailbox) == (State.LOGOUT, None)


@pytest.mark.parametrize(
    "lines", [("* BYE", "{} OK"), ("{} OK",), ("* BYE",), (), ("{} BYE see you",), ("{} NO never",)]
)
def test_logout_succeeds_however_it_ends(lines: tuple[str, ...]) -> None:
    talk = selected()
    pending = talk.send(Logout())
    talk.hear(*lines, after=pending)
    talk.connection.receive_eof()
    if lines == ("{} NO never",):
        with pytest.raises(Refused):
            pending.result()
    else:
        pending.result()
    assert talk.connection.state is State.LOGOUT


@pytest.mark.parametrize("at", range(3))
def test_giving_up_one_leaves_the_others(at: int) -> None:
    talk = selected()
    pending = three(talk)
    talk.connection.give_up(pending[at])
    talk.hear("+ go", "* 1 FETCH (UID 1 FLAGS ())")
    talk.wrote()
    for each in pending:
        talk.hear("{} OK done", after=each)
        talk.wrote()
    for number, each in enumerate(pending):
        if number != at:
            each.result()
    assert pending[at].values == []
    assert talk.connection.error is None


def test_giving_up_idle_ends_it() -> None:
    talk = selected()
    idle = talk.send(Idle())
    talk.hear("+")
    talk.connection.give_up(idle)
    assert talk.wrote() == b"DONE\r\n"


def download(file: io.BytesIO) -> Fetch:
    def into(uid: int | None, size: int) -> Sink:
        return File(file, size)

    return Fetch(uids("1:2"), (BodySection(),), into=into)


@pytest.mark.parametrize("step", [1, 1000])
def test_of_commands_with_sinks_each_says_from_which_size_on(step: int) -> None:
    talk = selected()
    files = io.BytesIO(), io.BytesIO()
    every = talk.send(download(files[0]))
    large = talk.send(replace(download(files[1]), uids=uids("3:4"), into_from=4))
    for uid, body in (1, b"abc"), (3, b"abc"), (4, b"abcd"):
        data = b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (uid, uid, len(body), body)
        for start in range(0, len(data), step):
            talk.feed(data[start : start + step])
    talk.hear(f"{every.tag} OK", f"{large.tag} OK")
    assert [each["BODY[]"] for each in every.result()] == [3]
    assert [each["BODY[]"] for each in large.result()] == [b"abc", 4]
    assert [file.getvalue() for file in files] == [b"abc", b"abcd"]


@pytest.mark.parametrize("after", [0, 3, 9, 10])
def test_giving_up_while_a_body_comes_in(after: int) -> None:
    talk = selected()
    file = io.BytesIO()
    pending = talk.send(download(file))
    talk.feed(b"* 1 FETCH (UID 1 BODY[] {10}\r\n" + b"0123456789"[:after])
    talk.connection.give_up(pending)
    talk.feed(b"0123456789"[after:] + b")\r\n* 2 FETCH (UID 2 BODY[] {3}\r\nabc)\r\n")
    talk.hear("{} OK done", after=pending)
    assert file.getvalue() == b"0123456789"[:after]
    assert pending.values == []
    assert talk.do(Noop()) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"* 1 FETCH (BODY[] ", "BODY[]"),
        (b"* 1 FETCH (UID 1 body[1.2.mime] ", "BODY[1.2.MIME]"),
        (b"* 1 FETCH (BODY[]<0> ", "BODY[]<0>"),
        (b"* 1 FETCH (BODY[]<0.1024> ", "BODY[]<0.1024>"),
        (b"* 1 FETCH (BINARY[1] ~", "BINARY[1]"),
        (b"* 1 FETCH (BODY[HEADER.FIELDS (A B)] ", "BODY[HEADER.FIELDS (A B)]"),
        (b"* 1 FETCH (RFC822 ", "RFC822"),
        (b"* 1 FETCH (RFC822.HEADER ", "RFC822.HEADER"),
        (b"* 1 FETCH (BODY[] {3}\r\n BODY[TEXT] ", "BODY[TEXT]"),
        (b"* 1 FETCH (BODY[] {3}\r\n ENVELOPE (", None),
        (b"* 1 FETCH (BODY[" + b"x" * 3000 + b"] ", None),
        (b"* 1 FETCH (ENVELOPE (NIL ", None),
        (b'* LIST () "/" ', None),
        (b"BODY[", None),
        (b"[] ", None),
        (b"", None),
    ],
)
def test_which_body_a_literal_is(text: bytes, name: str | None) -> None:
    assert name_of_body(bytearray(text)) == name


def test_a_sink_that_fails_fails_its_command_only() -> None:
    class Full(io.BytesIO):
        def write(self, data: Any, /) -> int:
            raise OSError("disk full")

    talk = selected()
    pending, other = talk.send(download(Full())), talk.send(fetch("7"))
    talk.feed(b"* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n* 7 FETCH (UID 7 FLAGS ())\r\n")
    with pytest.raises(OSError, match="disk full"):
        pending.result()
    talk.hear(f"{pending.tag} OK", f"{other.tag} OK")
    assert len(other.result()) == 1
    assert talk.connection.error is None


def test_a_source_that_ends_early_fails_the_connection() -> None:
    talk = Talk("* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] hi")
    file = io.BytesIO(b"abc")
    source = FileSource.of(file)
    file.truncate(1)
    pending = talk.connection.send(Append("x", (Outgoing(source),)))
    talk.wrote()
    with pytest.raises(ConnectionLost, match="cut midway"):
        pending.result()


# -- STARTTLS and compression ----------------------------------------------------------------------

INJECTED = b"* CAPABILITY IMAP4rev1 AUTH=EVIL\r\n"


@pytest.mark.parametrize("at", range(len(b"OK go\r\n") + 1))
@pytest.mark.parametrize("cut", range(0, len(INJECTED), 5))
def test_octets_injected_before_the_handshake(at: int, cut: int) -> None:
    talk = Talk("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi")
    pending = talk.send(StartTls())
    data = pending.tag.encode() + b" OK go\r\n"
    split = len(data) - at
    talk.feed(data[:split])
    talk.feed(data[split:] + INJECTED[:cut])
    if cut or talk.connection.wants_tls:
        talk.feed(INJECTED[cut:])
    assert isinstance(talk.connection.error, ProtocolError)
    assert "EVIL" not in str(talk.connection.capabilities)
    assert not talk.connection.can("AUTH=EVIL")
    with pytest.raises(ImapError):
        talk.connection.send(LOGIN)


def deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)


@given(st.lists(st.integers(0, 200)), st.booleans())
def test_compression_at_any_cutting(places: list[int], together: bool) -> None:
    talk = Talk()
    pending = talk.send(Compress())
    begin = pending.tag.encode() + b" OK go\r\n"
    rest = deflated(b"* 1 EXISTS\r\n* 2 EXISTS\r\n* XYZZY\r\n")
    data = begin + rest
    cuts = sorted({min(place, len(data)) for place in places} | {len(data)})
    if not together:
        cuts = sorted({*cuts, len(begin)})
    start = 0
    for end in cuts:
        talk.feed(data[start:end])
        start = end
    assert [type(event) for event in talk.events] == [Exists, Exists, Unknown]
    talk.connection.send(Noop())
    assert zlib.decompressobj(-zlib.MAX_WBITS).decompress(talk.wrote()).endswith(b" NOOP\r\n")


def test_a_compression_bomb_meets_the_limits_in_small_steps() -> None:
    talk = Talk(limits=Limits(text=4 * STEP))
    talk.do(Compress())
    talk.feed(deflated(b"x" * (64 << 20)))
    assert isinstance(talk.connection.error, ProtocolError)
    assert talk.connection.progress.received <= 6 * STEP


def test_what_was_compressed_is_taken_in_step_by_step() -> None:
    connection = (talk := Talk()).connection
    talk.do(Compress())
    before = connection.progress.received
    events = connection.receive_data(deflated(b"* 1 EXISTS\r\n" * 100_000))
    steps = 1
    while connection.has_more:
        events += connection.receive_data(b"")
        steps += 1
        assert connection.progress.received - before <= steps * STEP
    assert len(events) == 100_000


@pytest.mark.parametrize("together", [True, False])
def test_what_follows_the_end_of_a_deflate_stream(together: bool) -> None:
    talk = Talk()
    talk.do(Compress())
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    whole = deflate.compress(b"* 1 EXISTS\r\n") + deflate.flush()
    talk.feed(whole + b"* OK\r\n" * together)
    assert talk.events == [Exists(1)] or together
    assert (talk.connection.error is not None) is together
    talk.feed(b"* OK more\r\n")
    assert isinstance(talk.connection.error, ProtocolError)
    assert "after the end" in str(talk.connection.error)


def test_what_is_no_deflate_stream_fails_the_connection() -> None:
    talk = Talk()
    talk.do(Compress())
    talk.feed(b"\xff\xff\xff")
    assert isinstance(talk.connection.error, ProtocolError)


# -- traces ----------------------------------------------------------------------------------------


def test_the_trace_has_both_sides_and_no_secret() -> None:
    lines: list[tuple[str, bytes]] = []
    talk = Talk("* OK [CAPABILITY IMAP4rev1] hi", trace=lambda who, line: lines.append((who, line)))
    talk.do(LOGIN)
    talk.do(Select("INBOX"), "* 1 EXISTS")
    talk.do(fetch("1:*"), "* 1 FETCH (UID 1 FLAGS ())")
    whole = b"\n".join(line for _, line in lines)
    assert b"pass word" not in whole
    assert b'LOGIN "ada" ***' in whole
    assert ("S", b"* 1 FETCH (UID 1 FLAGS ())") in lines


def test_challenges_stay_out_of_the_trace() -> None:
    lines: list[bytes] = []
    talk = Talk("* OK hi", trace=lambda who, line: lines.append(line))
    talk.send(Authenticate(Plain(Password("ada", Secret("x")))))
    talk.hear("+ c2VjcmV0")
    talk.wrote()
    assert b"c2VjcmV0" not in b"".join(lines)
    assert b"AGFkYQB4" not in b"".join(lines)


@pytest.mark.parametrize("told", ["* OK [UIDVALIDITY 2] anew", "{} OK [UIDVALIDITY 2] done"])
def test_a_uidvalidity_that_changes_voids_all_uids(told: str) -> None:
    talk = Talk()
    talk.do(Select("INBOX"), "* 5 EXISTS", "* OK [UIDVALIDITY 1] valid")
    noop = talk.send(Noop())
    talk.hear("* OK [UIDVALIDITY 0] unknown", "* OK [UIDVALIDITY 1] still", "{} OK", after=noop)
    noop.result()
    pending = talk.send(Fetch(SequenceSet.parse("1:*"), ("UID", "FLAGS")))
    talk.hear("* 1 FETCH (UID 7 FLAGS ())", told, after=pending)
    with pytest.raises(UidValidityChanged) as caught:
        pending.result()
    assert (caught.value.mailbox, caught.value.expected, caught.value.found) == ("INBOX", 1, 2)
    talk.hear("* 2 FETCH (UID 8 FLAGS ())", "{} OK done", after=pending)
    for command in (Search(), Store(SequenceSet.parse("7"), Change.ADD, frozenset({"\\Deleted"}))):
        with pytest.raises(UidValidityChanged):
            talk.connection.send(command)
    assert talk.wrote() == b""
    mailbox = talk.connection.mailbox
    assert mailbox is not None
    assert mailbox.uidvalidity == 1
    talk.do(Select("INBOX"), "* 5 EXISTS", "* OK [UIDVALIDITY 2] valid")
    assert talk.do(Search(), "* SEARCH 1").uids == SequenceSet.parse("1")


def test_another_uidvalidity_while_another_mailbox_is_opened_is_that_ones() -> None:
    talk = Talk()
    talk.do(Select("INBOX"), "* 5 EXISTS", "* OK [UIDVALIDITY 1] valid")
    pending = talk.send(Select("Other"))
    talk.hear("* 1 EXISTS", "* OK [UIDVALIDITY 2] valid", "{} NO not now", after=pending)
    with pytest.raises(Refused):
        pending.result()

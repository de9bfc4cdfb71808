"""No argument becomes a second command: whatever text it is, it arrives intact or is refused.

Every argument of every command that takes text, on servers with every kind of literal. The embedded
server is the witness: it has seen one command, in which the text is one token; or none, and the
caller has a UsageError.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaplus import Client, CommandError, Security, UsageError
from imaplus.endpoints import Tcp
from imaplus.protocol.state import State
from imaplus.testing import Personality, Server
from imaplus.testing.personality import REV1
from imaplus.wire import mailbox_names
from imaplus.wire.sets import SequenceSet

from .arguments import PLACES, Place, uncovered
from .harness import letter

NASTY = [
    "",
    "\r\nx1 DELETE INBOX\r\n",
    "a\nb",
    "a\rb",
    "a\0b",
    '"',
    '"\r\nx1 LOGOUT\r\n"',
    "\\",
    '\\"',
    "\\Seen)\r\nx2 NOOP",
    "{5}",
    "{5}\r\n",
    "{5+}\r\nhello",
    "~{5}\r\n",
    "x {3}",
    "(", ")", "()", "[]", "BODY[", "*", "%", "NIL", "nil", "INBOX", "inbox",
    " ", "\t", "a b",
    "Grüße",
    "日本語",
    "&AOQ-", "&", "&-",
    "\ud800",
    "\udc80\udcff",
    "\udc0d\udc0ax NOOP\udc0d\udc0a",
    "\U0001f600",
    '"\\' * 2000,
    "x" * 1001,
    "x" * 4097,
]  # fmt: skip
LARGE = ["x" * 100_000, "ü" * 50_000, ("x" * 98 + "\r\n") * 1000]

texts = st.lists(
    st.one_of(
        st.sampled_from(
            ["\r", "\n", "\r\n", "\0", '"', "\\", "{", "}", "{5}", "+}", " ", "(", ")"]
        ),
        st.sampled_from(
            ["&", "-", "*", "%", "[", "]", "~", "NIL", "a", "x NOOP", "\udc8d", "\udfff"]
        ),
        st.text(max_size=6),
        st.integers(0xD800, 0xDFFF).map(chr),
    ),
    max_size=8,
).map("".join)

ALL = REV1 | {"OBJECTID", "X-GM-EXT-1", "XLIST"}
VARIANTS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "synchronising": (ALL - {"LITERAL+"}, ()),
    "LITERAL+": (ALL, ()),
    "LITERAL-": (ALL - {"LITERAL+"} | {"LITERAL-"}, ()),
    "UTF8=ACCEPT": (ALL, ("UTF8=ACCEPT",)),
    "IMAP4rev2": (ALL - {"LITERAL+"} | {"LITERAL-", "IMAP4rev2"}, ("IMAP4REV2",)),
}

KEPT = re.compile("[\udc00-\udcff]")
TOKEN = re.compile(
    rb'"(?P<quoted>(?:[^"\\\r\n]|\\["\\])*)"|~?\{(?P<size>[0-9]+)\}\r\n|[() ]'
    rb'|[^\x00-\x20(){"\x7f-\xff]+'
)


def tokens(command: bytes) -> list[bytes]:
    """The strings and atoms of a command as the server recorded it, literals in their place."""
    found, at = [], 0
    while at < len(command):
        match = TOKEN.match(command, at)
        assert match is not None, f"no token: {command[at : at + 50]!r}"
        at = match.end()
        if match["quoted"] is not None:
            found.append(re.sub(rb"\\(.)", rb"\1", match["quoted"]))
        elif match["size"] is not None:
            found.append(command[at : at + int(match["size"])])
            at += int(match["size"])
        else:
            found.append(match[0])
    return found


class Wire:
    """A server of one kind, with a client that has INBOX open, and one that has not logged in."""

    def __init__(self, capabilities: frozenset[str], enable: tuple[str, ...]) -> None:
        self.server = Server(personality=Personality(name="witness", capabilities=capabilities))
        self.server.start()
        self.server.mailbox().add_many([letter(), letter()])
        where = Tcp(self.server.host, self.server.port, Security.PLAIN)
        self.inside = Client.connect(
            where, user="ada", password=self.server.password, security=Security.PLAIN, enable=enable
        )
        self.lobby = Client.connect(where, security=Security.PLAIN)
        assert self.inside.connection.enabled == set(enable)

    def stop(self) -> None:
        self.inside.close()
        self.lobby.close()
        self.server.stop()

    def try_out(self, place: Place, text: str) -> None:
        """Run the command with this text in this place, and see what the server has seen."""
        client = self.lobby if place.lobby else self.inside
        if not place.lobby and client.connection.state is not State.SELECTED:
            client.select("INBOX")
        seen = self.server.sessions[1 if place.lobby else 0].commands
        before = len(seen)
        received = self.server.sessions[1 if place.lobby else 0].stream.received
        try:
            client.run(place.make(text))
        except UsageError:
            now = self.server.sessions[1 if place.lobby else 0].stream.received
            assert (len(seen), now) == (before, received), "refused, but written"
            return
        except CommandError:
            pass
        assert len(seen) == before + 1, list(seen)[before:]
        self.check(place, text, seen[-1].encode())

    def check(self, place: Place, text: str, command: bytes) -> None:
        """The text is one token of the command, and none other has anything of it."""
        if KEPT.search(text) and place.kind == "mailbox":
            return  # octets that are no text are recorded as "\\xff"
        given = tokens(command)
        match place.kind:
            case "text":
                assert text.encode() in given
            case "word":
                assert text.upper().encode() in [token.upper() for token in given]
            case "mailbox":
                utf8 = bool(self.inside.connection.enabled)
                decode = mailbox_names.decode_utf8 if utf8 else mailbox_names.decode
                assert mailbox_names.normalise(text) in map(decode, given)
            case "set":
                assert bytes(SequenceSet.of(text)) in given or not SequenceSet.of(text)
            case "base64":
                initial = given[-1]
                assert text.encode() in base64.b64decode(b"" if initial == b"=" else initial)

    def tidy(self) -> None:
        """Take away what was made: a name of 100 kB would come back in every LIST."""
        account = self.server.account()
        for name in sorted(account.mailboxes, key=len, reverse=True):
            if name != "INBOX" and name in account.mailboxes:
                account.delete(name)
        account.subscriptions.clear()
        self.server.mailbox().expunge(self.server.mailbox().uids[2:])


@pytest.fixture(scope="module", params=VARIANTS)
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("imaplus.testing.command_log.SHOWN_LITERAL", 1 << 20)
        patch.setattr("imaplus.testing.incoming.LONGEST_LINE", 1 << 20)
        wire = Wire(*VARIANTS[request.param])
        yield wire
        wire.stop()


def test_every_argument_is_in_the_table() -> None:
    assert uncovered() == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].__name__}.{place[1]}")
def test_known_attacks(wire: Wire, place: tuple[type, str]) -> None:
    for text in NASTY:
        wire.try_out(PLACES[place], text)
    wire.tidy()


@pytest.mark.parametrize("wire", ["synchronising", "UTF8=ACCEPT"], indirect=True)
@pytest.mark.parametrize("text", LARGE, ids=["ASCII", "beyond ASCII", "lines"])
def test_large_texts(wire: Wire, text: str) -> None:
    for place in PLACES.values():
        wire.try_out(place, text)
        wire.tidy()


@given(text=texts)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_text_anywhere(wire: Wire, text: str) -> None:
    for place in PLACES.values():
        wire.try_out(place, text)
    wire.tidy()


def test_the_witness_can_tell() -> None:
    """The test itself would see an injected command: what is raw shows as more tokens, or none."""
    assert tokens(b'a SELECT "x \\" y"') == [b"a", b" ", b"SELECT", b" ", b'x " y']
    assert tokens(b"a LOGIN {3}\r\nx y {0}\r\n")[4] == b"x y"
    with pytest.raises(AssertionError):
        tokens(b'a SELECT "x\r\ny NOOP"')

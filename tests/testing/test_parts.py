"""Contents, the sample, personalities, transcripts, the plugin, and standard input and output."""

from __future__ import annotations

import asyncio
import imaplib
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import InvalidArgument
from imaplus.testing import (
    PERSONALITIES,
    AsyncServer,
    Generated,
    InMemory,
    ScriptServer,
    Transcript,
    sample_mailbox,
)
from imaplus.testing.content import read
from imaplus.testing.mime import parse
from imaplus.testing.personality import (
    backslash_star_everywhere,
    exchange_error,
    nul_padding,
    small_letters,
)
from imaplus.testing.transcript import byte_by_byte, randomly, whole


@given(st.integers(0, 200_000), st.integers(0, 200_000), st.integers(0, 200_000))
def test_generated_stretches_agree_with_the_whole(size, one, other):
    content = Generated(size, seed=size)
    start, stop = sorted((min(one, size), min(other, size)))
    assert read(content, start, stop) == read(content)[start:stop]


@given(st.integers(0, 1000))
def test_a_generated_message_is_valid(size):
    content = Generated(size, seed=1)
    data = read(content)
    assert len(data) == content.size == size
    part, real = parse(content), parse(InMemory(data))
    if size > len(Generated(10_000, 1).header):
        assert (part.header, part.lines, part.body) == (real.header, real.lines, real.body)


def test_a_gigabyte_costs_nothing_until_read():
    content = Generated(1 << 30)
    assert read(content, (1 << 30) - 2) == b"\r\n"
    assert sum(map(len, content.chunks(1 << 29, (1 << 29) + 1000))) == 1000


def test_a_hundred_thousand_messages_are_cheap(server, dial):
    content = InMemory(b"Subject: shared\r\n\r\nx\r\n")
    began = time.monotonic()
    server.mailbox().add_many([content] * 100_000, ["\\Seen"])
    talk = dial(server, select="INBOX")
    answer = talk.ok("UID FETCH 1:* (FLAGS)")
    assert answer.count(b" FETCH (") == 100_000
    assert b"ALL 1:100000" in talk.ok("UID SEARCH RETURN (ALL) SEEN")
    assert time.monotonic() - began < 20


def test_the_sample_is_always_the_same():
    def snapshot():
        server = AsyncServer()
        sample_mailbox(server)
        return {
            name: [(m.uid, m.data, m.flags, m.internaldate) for m in box.messages.values()]
            for name, box in server.account().mailboxes.items()
        }

    first = snapshot()
    assert first == snapshot()
    assert sum(map(len, first.values())) == 60
    assert len(first["INBOX"]) > 20


@pytest.mark.parametrize("name", sorted(set(PERSONALITIES) - {"sloppy"}))
def test_every_personality_serves_imaplib(start, letter, name):
    server = start(personality=name)
    server.add_message("INBOX", letter())
    with imaplib.IMAP4(server.host, server.port) as client:
        client.login(server.user, server.password)
        if "ID" in server.personality.capabilities:
            client.xatom("ID", "NIL")
        assert client.select()[0] == "OK"
        assert client.fetch("1", "(FLAGS BODY[])")[0] == "OK"
        assert client.search(None, "ALL")[0] == "OK"
        assert client.store("1", "+FLAGS", "x")[0] == "OK"


def test_unknown_personality():
    with pytest.raises(InvalidArgument, match="dovecot"):
        AsyncServer(personality="nobody")


def test_rewrites():
    assert small_letters(b"* 3 EXISTS\r\n") == b"* 3 exists\r\n"
    assert small_letters(b"a1 OK Done\r\n") == b"a1 ok Done\r\n"
    assert nul_padding(b"* OK\r\n") == b"\0\0\0* OK\r\n"
    assert b"\\*)" in backslash_star_everywhere(b"* FLAGS (\\Seen)\r\n")
    assert b"WrongServer" in exchange_error(b"a1 OK AUTHENTICATE completed\r\n")


def test_odd_dates_codes_and_numbers(start, dial, letter):
    server = start(personality="domino")
    server.add_message("INBOX", letter())
    talk = dial(server, select="INBOX")
    assert b'INTERNALDATE "00-Jan-0000 00:00:00 +0000"' in talk.ok("FETCH 1 INTERNALDATE")
    assert b'"\\\\" INBOX' in talk.ok('LIST "" *')
    server = start(personality="zoho")
    server.add_message("INBOX", letter())
    assert b"MODSEQ (0)" in dial(server, select="INBOX").ok("FETCH 1 MODSEQ")
    server = start(personality="office365")
    server.add_message("INBOX", b"To: a@x, b@x\r\n\r\n")
    talk = dial(server, select="INBOX")
    assert b'"a" "x") (NIL' in talk.ok("FETCH 1 ENVELOPE")
    assert talk("MOVE 1 INBOX").startswith(b"* [COPYUID ")


def test_sloppy(start, dial):
    talk = dial(start(personality="sloppy"), login=False)
    assert talk.greeting.startswith(b"* ok [CAPABILITY ")
    assert talk.line() == b"\r\n"
    assert b"* capability " in talk("CAPABILITY")


def test_exchange_sends_an_invalid_code(start, dial):
    talk = dial(start(personality="exchange"), login=False)
    assert b"OK [Error=" in talk("AUTHENTICATE PLAIN AGFkYQBjb3JyZWN0IGhvcnNl")


def test_longest_line(start, dial):
    talk = dial(start(personality="yahoo"))
    assert b" BAD " in talk('LIST "" ' + "x" * 1000)


# -- transcripts ----------------------------------------------------------------------------------

SCRIPT = """
    # a session
    S: * OK ready
    C: $1 LOGIN ada {2}
    S: + go
    C: pw
    S: $1 OK in
    S= b'* 1 FETCH (BODY[] {3}\\r\\n\\x00\\x01\\x02)\\r\\n'
    C: $2 LOGOUT
    S: * BYE
    S: $2 OK
    S.
"""


class Client:
    """Says what it is told to, one thing for each `+` or tagged line that came."""

    def __init__(self, *says: bytes) -> None:
        self.says = list(says)
        self.came = b""
        self.lines = 0

    def receive(self, data: bytes) -> None:
        self.came += data

    def take(self) -> bytes:
        done = [x for x in self.came.split(b"\r\n")[:-1] if x[:1] == b"+" or b" OK" in x]
        said = b"".join(self.says[self.lines : len(done)])
        self.lines = len(done)
        return said


@pytest.mark.parametrize("cut", [whole, byte_by_byte, randomly(1), randomly(2)])
def test_transcript_without_a_socket(cut):
    script = Transcript.parse(SCRIPT)
    peer = Client(b"x1 LOGIN ada {2}\r\n", b"pw\r\n", b"x2 LOGOUT\r\n")
    script.play(peer, cut)
    assert b"x1 OK in\r\n* 1 FETCH (BODY[] {3}\r\n\0\1\2)\r\n* BYE\r\nx2 OK" in peer.came


def test_a_client_that_deviates_from_the_transcript():
    script = Transcript.parse(SCRIPT, "name.txt")
    with pytest.raises(AssertionError, match=r"name.txt, line 6: expected b'pw"):
        script.play(Client(b"x1 LOGIN ada {2}\r\n", b"no\r\n"))
    with pytest.raises(AssertionError, match="line 4"):
        script.play(Client(b"x1 NOOP\r\n"))
    with pytest.raises(AssertionError, match="also sent"):
        script.play(Client(b"x1 LOGIN ada {2}\r\n", b"pw\r\n", b"x2 LOGOUT\r\nx3 NOOP\r\n"))


def test_an_invalid_transcript():
    with pytest.raises(InvalidArgument, match="t, line 2"):
        Transcript.parse("S: * OK\nX: what\n", "t")


@pytest.mark.parametrize("cut", [whole, byte_by_byte, randomly(3)])
def test_transcript_as_a_server(cut):
    script = Transcript.parse(
        "S: * OK ready\nC: $1 CAPABILITY\n"
        "S: * CAPABILITY IMAP4rev1\nS: $1 OK x\nC: $2 NOOP\nS: $2 OK x\nC: $3 LOGOUT\n"
        "S: * BYE x\nS: $3 OK x\n"
    )
    with ScriptServer(script, cut) as server:
        client = imaplib.IMAP4(server.host, server.port)
        client.noop()
        client.logout()


def test_script_server_complains():
    script = Transcript.parse("S: * OK ready\nC: $1 NOOP\n")
    server = ScriptServer(script)
    complaint = pytest.raises(AssertionError, match="CAPABILITY")
    with complaint, server, pytest.raises(imaplib.IMAP4.abort):
        imaplib.IMAP4(server.host, server.port)


# -- elsewhere ------------------------------------------------------------------------------------


def test_standard_input_and_output():
    command = [sys.executable, "-W", "error", "-m", "imaplus.testing"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline().startswith(b"* PREAUTH ")
        child.stdin.write(b"a SELECT INBOX\r\nb LOGOUT\r\n")
        child.stdin.flush()
        assert b"b OK LOGOUT" in child.stdout.read()
    assert child.returncode == 0


def test_the_fixture(imap_server):
    with imaplib.IMAP4(imap_server.host, imap_server.port) as client:
        assert client.login(imap_server.user, imap_server.password)[0] == "OK"


async def test_changes_from_other_threads(letter):
    async with AsyncServer() as server:
        uids = await asyncio.gather(
            *(asyncio.to_thread(server.add_message, "INBOX", letter()) for _ in range(20))
        )
        assert sorted(uids) == list(range(1, 21))

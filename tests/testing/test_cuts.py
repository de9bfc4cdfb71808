"""However a client's bytes are cut on their way, the server does and says the same."""

from __future__ import annotations

import asyncio
import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaplus.testing import AsyncServer, Fault
from imaplus.testing.session import Session

DIALOGUE = (
    b'a LOGIN {3}\r\nada {13+}\r\ncorrect horse\r\nb CREATE "x y"\r\nc SELECT INBOX\r\n'
    b"d APPEND INBOX (\\Seen) {12+}\r\nSubject: a\r\n\r\ne FETCH 1 (FLAGS BODY[] ENVELOPE)\r\n"
    b"f IDLE\r\nDONE\r\ng SEARCH SUBJECT {1+}\r\na\r\nh STORE 1 +FLAGS (\\Deleted)\r\n"
    b"i EXPUNGE\r\n\r\nj NONSENSE {0+}\r\n\r\nk LIST {0}\r\n *\r\nl LOGOUT\r\n"
)


class Pieces:
    """A stream that gives these pieces, and keeps what is sent."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.sent = bytearray()

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        return self.pieces.pop(0) if self.pieces else b""

    async def write(self, data: bytes) -> None:
        self.sent += data

    async def close(self, *, politely: bool = True) -> None:
        pass


async def serve(pieces: list[bytes]) -> bytes:
    server = AsyncServer()
    stream = Pieces([piece for piece in pieces if piece])
    await Session(stream, server.hub, fault=Fault(), secure=True, context=None).run()
    assert server.mailbox().uids == []
    return bytes(stream.sent)


def pieces_at(cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cuts), len(DIALOGUE)]
    return [DIALOGUE[a:b] for a, b in itertools.pairwise(edges)]


async def test_the_dialogue_is_what_it_should_be():
    answer = await serve([DIALOGUE])
    for tag in b"abcdefghikl":
        assert b"\r\n%c OK " % tag in answer
    assert b"\r\nj BAD " in answer


@given(st.lists(st.integers(0, len(DIALOGUE)), max_size=40))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=100)
def test_any_cut_gives_the_same(cuts):
    assert asyncio.run(serve(pieces_at(cuts))) == asyncio.run(serve([DIALOGUE]))


async def test_one_byte_at_a_time():
    octets = [DIALOGUE[at : at + 1] for at in range(len(DIALOGUE))]
    assert await serve(octets) == await serve([DIALOGUE])


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_handled(data):
    """Nothing a client sends is an exception; a session logged in is the larger target."""

    async def serve_nonsense() -> None:
        server = AsyncServer()
        stream = Pieces([b"a SELECT INBOX\r\nb " + data + b"\r\n", b"c LOGOUT\r\n"])
        session = Session(stream, server.hub, fault=Fault(), secure=True, context=None)
        await session.run(account=server.account())

    asyncio.run(serve_nonsense())


WORDS = [
    "FETCH", "UID", "STORE", "SEARCH", "(", ")", "1", "1:*", "*", "$", "FLAGS", "BODY[", "]",
    "BODY[1.2.HEADER]", "<0.1>", "RETURN", "LIST", '""', "%", "APPEND", "INBOX", "{1+}\r\nx", "NIL",
    "STATUS", "OR", "NOT", "CHARSET", "utf-8", "QRESYNC", "ENABLE", "COPY", "MOVE", "BINARY[1]",
    "CHANGEDSINCE", "MODSEQ", "18446744073709551615", "4294967295", "HEADER", "SINCE", "1-Jan-2025",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
@settings(deadline=None, max_examples=300)
def test_any_words_are_handled(line):
    async def serve_words() -> bytes:
        server = AsyncServer()
        server.add_message("INBOX", b"Subject: x\r\n\r\nbody\r\n")
        stream = Pieces([b"a SELECT INBOX\r\nb %b .\r\n" % line.encode(), b"c LOGOUT\r\n"])
        session = Session(stream, server.hub, fault=Fault(), secure=True, context=None)
        await session.run(account=server.account())
        return bytes(stream.sent)

    assert b"* BYE Logging out" in asyncio.run(serve_words())

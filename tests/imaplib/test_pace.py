"""Servers that never finish a response, with a clock that only received data advances.

What makes progress may take a day; what drips, or says what nobody asked for, ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from imaplus import imaplib
from imaplus.imaplib._responses import MOST_PLUSES

DAY = 24 * 3600.0
Pieces = Iterable[tuple[float, bytes]]
"""What the server says, and how many seconds each piece takes."""


class Slow:
    """A socket, and the clock on its server's wall."""

    def __init__(self, pieces: Pieces, timeout: float | None) -> None:
        self.now = 1000.0
        self.sent = b""
        self._pieces = iter(pieces)
        self._timeout = timeout

    def recv(self, size: int, flags: int = 0) -> bytes:
        seconds, data = next(self._pieces, (0.0, b""))
        assert len(data) <= size
        if self._timeout is not None and seconds > self._timeout:
            self.now += self._timeout
            raise TimeoutError
        self.now += seconds
        return data

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def gettimeout(self) -> float | None:
        return self._timeout

    def settimeout(self, seconds: float | None) -> None:
        self._timeout = seconds

    def fileno(self) -> int:
        return 3

    def shutdown(self, how: int) -> None:
        pass

    close = mock.Mock()


Meet = Callable[..., tuple[imaplib.IMAP4, Slow]]


@pytest.fixture
def meet() -> Iterator[Meet]:
    """`meet(pieces, timeout)`: a client in state SELECTED, and its slow server."""
    with mock.patch("imaplus.imaplib.time") as time:

        def begin(pieces: Pieces, timeout: float | None = None) -> tuple[imaplib.IMAP4, Slow]:
            client: Any = imaplib.IMAP4.__new__(imaplib.IMAP4)
            client._reset()
            client.state, client.capabilities = "SELECTED", ("IMAP4REV1", "IDLE")
            client.tagpre = b"T"
            client.tagre = imaplib.re.compile(rb"(?P<tag>T[0-9]+) (?P<type>[A-Z]+) (?P<data>.*)")
            client.sock = server = Slow(pieces, timeout)
            time.monotonic = lambda: server.now
            time.time = lambda: server.now
            return client, server

        yield begin


def drip(data: bytes, seconds: float = 1.0) -> Pieces:
    return ((seconds, data[at : at + 1]) for at in range(len(data)))


@pytest.mark.parametrize("timeout", [None, 5.0, 30.0])
@pytest.mark.parametrize(
    "pieces",
    [
        [*drip(b"* SEARCH" + b" 1" * 1000)],
        [(0.0, b"* 1 FETCH (BODY[] {1000000}\r\n"), *drip(b"x" * 2000)],
        [(0.0, b"* 1 FETCH (BODY[] {5}\r\nhello "), *drip(b"x" * 2000)],
        [*drip(b"T0 OK" + b"." * 3000, 0.1)],
    ],
    ids=["line", "literal", "behind a literal", "status"],
)
def test_a_response_that_drips(meet: Meet, pieces: Pieces, timeout: float | None) -> None:
    client, server = meet(pieces, timeout)
    with pytest.raises(imaplib.IMAP4.abort, match="too slow"):
        client.fetch("1", "BODY[]")
    assert server.now - 1000 < 1.1 * (timeout or 120) + 10


@pytest.mark.parametrize(
    "line", [b"* 7 EXISTS", b"* OK wait", b"+ go on", b"* 1 FETCH (FLAGS ())", b"* X-NOISE"]
)
@pytest.mark.parametrize(("timeout", "most"), [(None, 125.0), (5.0, 25.0), (60.0, 65.0)])
def test_only_unrequested_responses(
    meet: Meet, line: bytes, timeout: float | None, most: float
) -> None:
    client, server = meet(((1.0, line + b"\r\n") for _ in range(10_000)), timeout)
    with pytest.raises(imaplib.IMAP4.abort, match="only unrequested responses"):
        client.noop()
    assert server.now - 1000 < most


def test_endless_continuations(meet: Meet) -> None:
    client, _ = meet(itertools.repeat((0.0, b"+ x\r\n" * 100)))
    with pytest.raises(imaplib.IMAP4.abort, match=f"more than {MOST_PLUSES} continuations"):
        client.noop()


def test_endless_challenges(meet: Meet) -> None:
    client, server = meet(itertools.repeat((0.0, b"+ eA==\r\n")))
    client.state = "NONAUTH"
    with pytest.raises(imaplib.IMAP4.abort, match="more than 10 SASL challenges"):
        client.authenticate("X", lambda challenge: b"y")
    assert server.sent.count(b"eQ==") == 10


def test_a_fetch_that_takes_a_day(meet: Meet) -> None:
    count = int(DAY / 30)
    lines = (b"* %d FETCH (FLAGS ())\r\n" % number for number in range(1, count + 1))
    client, server = meet(itertools.chain(((30.0, line) for line in lines), [(1.0, b"T0 OK\r\n")]))
    client.tagre = imaplib.re.compile(rb"(?P<tag>T[0-9]+) (?P<type>[A-Z]+)(?: (?P<data>.*))?")
    assert len(client.fetch("1:*", "FLAGS")[1]) == count
    assert server.now - 1000 > DAY - 60


def test_a_fetch_whose_lines_come_each_second(meet: Meet) -> None:
    lines = [(1.0, b"* %d FETCH (FLAGS ())\r\n" % number) for number in range(1, 4000)]
    client, _ = meet([*lines, (1.0, b"T0 OK done\r\n")], 5.0)
    assert client.fetch("1:*", "FLAGS")[0] == "OK"


def test_a_body_over_a_slow_line(meet: Meet) -> None:
    """300 bytes a second, for an hour; then a search result of half a megabyte, as slowly."""
    size = 300 * 3600
    body = [(0.0, b"* 1 FETCH (BODY[] {%d}\r\n" % size), *[(1.0, b"x" * 300)] * 3600]
    found = [(0.0, b"* SEARCH"), *[(1.0, b" 12345678" * 34)] * 1500, (0.0, b"\r\nT1 OK done\r\n")]
    client, _ = meet([*body, (0.0, b")\r\nT0 OK done\r\n"), *found], 5.0)
    typ, data = client.fetch("1", "BODY[]")
    assert (typ, len(data[0][1])) == ("OK", size)
    assert len(client.search(None, "ALL")[1][0]) > 400_000


def test_signs_of_life_during_a_long_command(meet: Meet) -> None:
    """As Dovecot's `* OK Hang in there..`, every fifteen seconds, for six hours."""
    signs = [(15.0, b"* OK Hang in there..\r\n")] * 1440
    client, _ = meet([*signs, (15.0, b"T0 OK done\r\n")], 30.0)
    assert client.copy("1:*", "Archive") == ("OK", [b"done"])


def test_silence_is_the_time_out_s(meet: Meet) -> None:
    client, _ = meet([(7200.0, b"T0 OK done\r\n")])
    assert client.copy("1:*", "Archive")[0] == "OK"
    client, server = meet([(7200.0, b"T0 OK done\r\n")], 30.0)
    with pytest.raises(TimeoutError):
        client.copy("1:*", "Archive")
    assert server.now == 1030.0


def test_idling_for_a_day_in_a_busy_mailbox(meet: Meet) -> None:
    news = ((1.0, b"* %d EXISTS\r\n" % number) for number in range(1, 20_000))
    client, _ = meet(itertools.chain([(0.0, b"+ idling\r\n")], news), 30.0)
    client.limits = imaplib.IMAP4.limits
    with client.idle() as idler:
        for expected in range(1, 19_000):
            assert next(idler) == ("EXISTS", [b"%d" % expected])
        client.sock._pieces = iter([(0.0, b"T0 OK done\r\n")])


def test_idle_waits_longer_than_the_socket_s_time_out(meet: Meet) -> None:
    pieces = [(0.0, b"+ idling\r\n"), (1200.0, b"* 1 EXISTS\r\n"), (0.0, b"T0 OK done\r\n")]
    client, _ = meet(pieces, 30.0)
    with client.idle() as idler:
        assert next(idler) == ("EXISTS", [b"1"])
    assert client.sock.gettimeout() == 30.0


def test_a_line_in_pieces_while_idling(meet: Meet) -> None:
    """A burst looks for a tenth of a second at a time; the line's own pace is another matter."""
    pieces = [
        (0.0, b"+ idling\r\n* 1 EXISTS\r\n* 2 EX"),
        (0.2, b""),
        (0.05, b"IS"),
        (0.06, b"TS\r\n"),
    ]
    client, server = meet(pieces)
    with client.idle() as idler:
        assert list(idler.burst(0.1)) == [("EXISTS", [b"1"])]
        assert server.gettimeout() is None
        server._pieces = iter(pieces[2:])
        assert idler._pop(1.0) == ("EXISTS", [b"2"])
        assert idler._pop(0) == ("", None)
        assert idler._pop(0, "nothing") == "nothing"
        server._pieces = iter([(0.0, b"T0 OK done\r\n")])


def test_a_line_that_drips_does_not_outlast_a_time_out(meet: Meet) -> None:
    client, server = meet(drip(b"* SEARCH" + b" 1" * 1000, 0.01))
    began = server.now
    with pytest.raises(client._responsetimeout):
        client._get_response(1.0)
    assert server.now - began < 1.1
    assert server.gettimeout() is None
    assert client._readbuf  # what has come is not lost


def test_get_response_with_a_time_out(meet: Meet) -> None:
    client, _ = meet([(0.5, b"* 1 EX"), (5.0, b"ISTS\r\n")], 30.0)
    with pytest.raises(client._responsetimeout):
        client._get_response(1.0)
    assert isinstance(imaplib.IMAP4._responsetimeout(), TimeoutError)
    client.sock._pieces = iter([(5.0, b"ISTS\r\n")])
    assert client._get_response() == b"* 1 EXISTS"
    client.sock._pieces = iter([(500.0, b"* 2 EXISTS\r\n")])
    assert client._get_response(None) == b"* 2 EXISTS"


def test_a_handshake_has_an_end_too() -> None:
    """Where the program has set no time-out, the context is given a socket that has one."""
    seen = []
    wrapped = SimpleNamespace(selected_alpn_protocol=lambda: None, settimeout=seen.append)
    sock = SimpleNamespace(gettimeout=lambda: None, settimeout=seen.append)
    context = SimpleNamespace(wrap_socket=lambda sock, server_hostname: wrapped)
    client = imaplib.IMAP4.__new__(imaplib.IMAP4)
    client.host = "h"
    assert client._under_tls(sock, context) is wrapped  # type: ignore[arg-type,comparison-overlap]
    assert seen == [120.0, None]

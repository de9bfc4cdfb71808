"""Faults: cut, stalled, slow, refused; and that they combine."""

from __future__ import annotations

import contextlib

import pytest

from imaplus.testing import Fault, Generated


@pytest.mark.parametrize("octets", [0, 1, 10, 400, 700])
def test_cut_after_sent(server, dial, octets):
    whole = dial(server, login=False)
    whole("NOOP")
    server.fail_next(Fault.cut_after_sent(octets))
    talk = dial(server, login=False, greeting=False)
    with contextlib.suppress(ConnectionError):
        talk.send(b"t1 LOGIN ada x\r\n" * 10)
    assert len(talk.rest()) == octets
    dial(server).ok("NOOP")  # the next connection is whole


def test_cut_within_a_large_body(server, dial):
    server.add_message("INBOX", Generated(3_000_000))
    server.fail_next(Fault.cut_after_sent(1_000_000))
    talk = dial(server, select="INBOX")
    talk.send(b"x FETCH 1 BODY[]\r\n")
    talk.rest()
    assert server.sessions[-1].stream.sent == 1_000_000


@pytest.mark.parametrize("octets", [1, 5, 40])
def test_cut_after_received(server, dial, octets):
    server.fail_next(Fault.cut_after_received(octets))
    talk = dial(server, login=False)
    talk.send(b"a NOOP\r\nb NOOP\r\nc NOOP\r\nd NOOP\r\ne NOOP\r\n")
    answers = talk.rest()
    assert answers.count(b" OK NOOP") == octets // 8
    assert server.sessions[-1].stream.received == octets


def test_stall(server, dial):
    server.fail_next(Fault.stall_after_sent(20))
    talk = dial(server, login=False, greeting=False)
    assert len(talk.sock.recv(100)) == 20
    talk.sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        talk.sock.recv(1)


def test_slow(server, dial):
    server.fail_next(Fault.slow(7, 0.0001))
    talk = dial(server, login=False, greeting=False)
    assert len(talk.sock.recv(7)) <= 7
    talk.line()
    talk.ok("CAPABILITY")


def test_bye(server, dial):
    server.fail_next(Fault.bye(3, "too many"))
    talk = dial(server)
    talk.ok("NOOP")
    talk.send(b"x SELECT INBOX\r\n")
    assert talk.rest() == b"* BYE too many\r\n"


def test_refuse_by_name(server, dial):
    server.fail_next(Fault.refuse("select", text="[UNAVAILABLE] Later"))
    talk = dial(server)
    assert talk("SELECT INBOX") == b"t2 NO [UNAVAILABLE] Later\r\n"
    assert b" NO " in talk("SELECT INBOX")
    talk.ok("EXAMINE INBOX")


def test_refuse_the_nth(server, dial):
    server.fail_next(Fault.refuse(nth=3, status="BAD", text="no") | Fault.refuse("NOOP", nth=2))
    talk = dial(server)
    talk.ok("NOOP")
    assert talk("CAPABILITY") == b"t3 BAD no\r\n"
    assert talk("NOOP") == b"t4 NO [UNAVAILABLE] Not now\r\n"
    talk.ok("NOOP")


def test_refuse_uid_commands(server, dial):
    server.fail_next(Fault.refuse("UID FETCH"))
    talk = dial(server, select="INBOX")
    assert b" NO " in talk("uid fetch 1 FLAGS")
    talk.ok("UID SEARCH ALL")


def test_fail_login(server, dial):
    server.fail_next(Fault.fail_login())
    talk = dial(server, login=False)
    assert b"NO [AUTHENTICATIONFAILED]" in talk(f'LOGIN ada "{server.password}"')
    assert b"NO [AUTHENTICATIONFAILED]" in talk("AUTHENTICATE PLAIN =")


def test_another_greeting(server, dial):
    server.fail_next(Fault.greet(b"HTTP/1.1 400 Bad Request\r\n"))
    assert dial(server, login=False).greeting == b"HTTP/1.1 400 Bad Request\r\n"


def test_every_connection(server, dial):
    server.fail_always(Fault.refuse("NOOP"))
    assert b" NO " in dial(server)("NOOP")
    assert b" NO " in dial(server)("NOOP")
    server.fail_always(Fault())
    dial(server).ok("NOOP")


def test_faults_combine():
    fault = (
        Fault.cut_after_sent(5) | Fault.slow(1, 0.5) | Fault.refuse("X") | Fault.cut_after_sent(9)
    )
    assert (fault.sent, fault.piece, fault.delay, len(fault.refusals)) == (9, 1, 0.5, 1)
    assert fault | Fault() == fault == Fault() | fault

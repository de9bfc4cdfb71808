"""Mishaps: hanging up at a message, substituted bodies, and false answers."""

from __future__ import annotations

import re

import pytest

from imaplus.testing import COURIER, MICROSOFT_365, Fault, Generated, Personality, Quirk

BODIES = re.compile(rb"BODY\[\](?:<\d+>)? \{(\d+)\}\r\n")


@pytest.fixture
def three(server, letter):
    """INBOX with three messages; 2 is the one that something happens to."""
    for number in (1, 2, 3):
        server.add_message("INBOX", letter(f"number {number}"))
    return server


def ask(talk, command):
    """Send a command, and give all up to the end of the stream."""
    talk.send(f"x {command}\r\n".encode())
    return talk.rest()


# -- hanging up at a message ------------------------------------------------------------------


@pytest.mark.parametrize("items", ["BODY.PEEK[]", "RFC822", "BODY[HEADER]", "BINARY.PEEK[]"])
def test_bye_at_a_message(three, dial, items):
    three.fail_always(Fault.at_message("inbox", 2, "bye", text="Internal error"))
    for _ in range(2):  # on every connection
        answer = ask(dial(three, select="INBOX"), f"UID FETCH 1:3 ({items})")
        assert b"Subject: number 1\r\n" in answer
        assert b"* 2 FETCH" not in answer
        assert answer.endswith(b")\r\n* BYE Internal error\r\n")


def test_what_comes_before_the_message_is_whole(server, dial):
    server.add_message("INBOX", Generated(300_000))
    server.add_message("INBOX", b"poison")
    server.fail_always(Fault.at_message("INBOX", 2, "close"))
    answer = ask(dial(server, select="INBOX"), "FETCH 1:* BODY.PEEK[]")
    assert len(answer) == len(b"* 1 FETCH (BODY[] {300000}\r\n") + 300_000 + len(b")\r\n")


def test_only_the_body_is_dangerous(three, dial):
    three.fail_always(Fault.at_message("INBOX", 2))
    talk = dial(three, select="INBOX")
    assert talk.ok("FETCH 1:3 (FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE)").count(b" FETCH (") == 3
    talk.ok("UID FETCH 1,3 BODY.PEEK[]")


def test_any_item_is_dangerous(three, dial):
    three.fail_always(Fault.at_message("INBOX", 2, "close", items="any"))
    answer = ask(dial(three, select="INBOX"), "UID FETCH 1:3 FLAGS")
    assert answer == b"* 1 FETCH (UID 1 FLAGS (\\Recent))\r\n"


def test_close_in_the_middle_of_the_message(server, dial):
    server.add_message("INBOX", Generated(200_000))
    server.fail_always(Fault.at_message("INBOX", 1, "close", after=150_000))
    talk = dial(server, select="INBOX")
    assert len(ask(talk, "FETCH 1 BODY.PEEK[]")) == 150_000


def test_stall_at_a_message(three, dial):
    three.fail_always(Fault.at_message("INBOX", 2, "stall"))
    talk = dial(three, select="INBOX")
    talk.send(b"x FETCH 1:3 (UID BODY.PEEK[TEXT])\r\n")
    assert talk.line() + talk.line() + talk.line() == (
        b"* 1 FETCH (UID 1 BODY[TEXT] {7}\r\nworld\r\n)\r\n"
    )
    talk.sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        talk.line()


def test_no_at_a_message(three, dial):
    three.fail_always(Fault.at_message("INBOX", 2, "no"))
    talk = dial(three, select="INBOX")
    answer = talk("FETCH 1:3 BODY.PEEK[]")
    assert answer.count(b" FETCH (") == 1
    assert answer.endswith(b"NO [SERVERBUG] Internal error occurred\r\n")
    talk.ok("FETCH 3 BODY.PEEK[]")


def test_a_mishap_counts_over_all_connections(three, dial):
    three.fail_always(Fault.at_message("INBOX", 2, "close", times=2))
    for _ in range(2):
        assert ask(dial(three, select="INBOX"), "FETCH 2 BODY.PEEK[]") == b""
    dial(three, select="INBOX").ok("FETCH 2 BODY.PEEK[]")


def test_other_mailboxes_are_safe(three, dial, letter):
    three.add_mailbox("Other")
    three.mailbox("Other").add_many([letter()] * 3)
    three.fail_always(Fault.at_message("INBOX", 2))
    dial(three, select="Other").ok("FETCH 1:3 BODY.PEEK[]")


# -- other bodies -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", [MICROSOFT_365, COURIER])
def test_another_text_in_its_place(three, dial, text):
    assert b"\n" not in text.replace(b"\r\n", b"")
    three.fail_always(Fault.substitute("INBOX", 2, text))
    talk = dial(three, select="INBOX")
    answer = talk.ok("FETCH 2 (RFC822.SIZE BODY.PEEK[] ENVELOPE)")
    assert b"RFC822.SIZE %d BODY[] {%d}\r\n%b" % (len(text), len(text), text) in answer
    assert b"number 2" not in answer
    assert b"number 3" in talk.ok("FETCH 3 BODY.PEEK[]")


def test_another_text_under_the_size_of_the_message(three, dial):
    three.fail_always(Fault.substitute("INBOX", 2, b"gone", size="real"))
    answer = dial(three, select="INBOX").ok("FETCH 2 (RFC822.SIZE BODY.PEEK[])")
    real = three.mailbox().messages[2].size
    assert b"RFC822.SIZE %d BODY[] {4}\r\ngone)" % real in answer


@pytest.mark.parametrize("octets", [20, 2_000])
def test_another_text_of_the_same_size(server, dial, octets):
    server.add_message("INBOX", Generated(octets))
    server.fail_always(Fault.substitute("INBOX", 1, COURIER, size="fitted"))
    answer = dial(server, select="INBOX").ok("FETCH 1 (RFC822.SIZE BODY.PEEK[])")
    start = b"* 1 FETCH (RFC822.SIZE %d BODY[] {%d}\r\n" % (octets, octets)
    assert answer.startswith(start + COURIER[:octets])


def test_the_message_comes_when_it_is_asked_for_again(three, dial):
    three.fail_always(Fault.substitute("INBOX", 2, b"gone", times=1))
    talk = dial(three, select="INBOX")
    for _ in range(2):  # asking for the size does not count
        assert b"RFC822.SIZE 4)" in talk.ok("FETCH 2 RFC822.SIZE")
    assert b"gone" in talk.ok("FETCH 2 BODY.PEEK[]")
    assert b"number 2" in talk.ok("FETCH 2 BODY.PEEK[]")
    assert b"RFC822.SIZE 4)" not in talk.ok("FETCH 2 RFC822.SIZE")


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("NIL", b"(UID 2 BODY[] NIL FLAGS ())"),
        ("empty", b'(UID 2 BODY[] "" FLAGS ())'),
        ("item", b"(UID 2 FLAGS ())"),
    ],
)
def test_ok_without_a_body(three, dial, missing, told):
    three.fail_always(Fault.no_body("INBOX", 2, missing))
    talk = dial(three, select="INBOX")
    talk.ok("EXAMINE INBOX")
    assert told in talk.ok("UID FETCH 2 (BODY.PEEK[] FLAGS)")
    assert b"RFC822.SIZE 0" not in talk.ok("UID FETCH 2 RFC822.SIZE")


def test_partials_that_disagree(server, dial):
    server.add_message("INBOX", bytes(range(65, 91)))
    server.fail_always(Fault.shift_partials("INBOX", 1))
    talk = dial(server, select="INBOX")
    assert b"{26}\r\nABCDEFGHIJKLMNOPQRSTUVWXYZ)" in talk.ok("FETCH 1 BODY.PEEK[]")
    assert b"BODY[]<0> {10}\r\nABCDEFGHIJ)" in talk.ok("FETCH 1 BODY.PEEK[]<0.10>")
    assert b"BODY[]<10> {10}\r\nLMNOPQRSTU)" in talk.ok("FETCH 1 BODY.PEEK[]<10.10>")
    assert b"BODY[]<20> {5}\r\nVWXYZ)" in talk.ok("FETCH 1 BODY.PEEK[]<20.10>")


def test_partials_that_disagree_and_have_the_right_size(server, dial):
    server.add_message("INBOX", b"0123456789")
    server.fail_always(Fault.shift_partials("INBOX", 1, -1))
    talk = dial(server, select="INBOX")
    answer = talk.ok("FETCH 1 (BODY.PEEK[]<0.5> BODY.PEEK[]<5.5>)")
    assert b"BODY[]<0> {5}\r\n01234 BODY[]<5> {5}\r\n45678)" in answer


# -- wrong in fact ----------------------------------------------------------------------------


def test_a_short_search(three, dial):
    three.fail_always(Fault.short_search(2))
    talk = dial(three, select="INBOX")
    assert b"* SEARCH 1 2\r\n" in talk.ok("UID SEARCH ALL")
    answer = talk.ok("UID SEARCH RETURN (ALL COUNT MAX) ALL")
    assert b"UID MAX 2 ALL 1:2 COUNT 2" in answer


def test_a_short_fetch(three, dial):
    three.fail_always(Fault.short_fetch(2))
    talk = dial(three, select="INBOX")
    assert talk.ok("UID FETCH 1:* FLAGS").count(b" FETCH (") == 2
    assert b"* 3 FETCH" in talk.ok("FETCH 3 FLAGS")


def test_short_answers_of_one_mailbox(three, dial):
    three.fail_always(Fault.short_search(1, "Other") | Fault.short_fetch(1, "Other"))
    talk = dial(three, select="INBOX")
    assert b"* SEARCH 1 2 3\r\n" in talk.ok("UID SEARCH ALL")
    assert talk.ok("FETCH 1:* FLAGS").count(b" FETCH (") == 3


@pytest.mark.parametrize("command", ['LIST "" *', 'LSUB "" *', 'LIST "" * RETURN (CHILDREN)'])
def test_an_empty_list(server, dial, command):
    server.fail_always(Fault.hide_mailboxes(times=1))
    talk = dial(server)
    assert b"INBOX" not in talk.ok(command)
    assert b"INBOX" in talk.ok(command)


def test_a_list_without_some_mailboxes(server, dial):
    for name in ("Kept", "Hidden"):
        server.add_mailbox(name, subscribed=True)
    server.fail_always(Fault.hide_mailboxes("Hidden", "inbox"))
    talk = dial(server)
    assert talk.ok('LIST "" *').count(b"* LIST ") == 1
    assert talk.ok('LSUB "" *').count(b"* LSUB ") == 1
    talk.ok("SELECT Hidden")


def test_a_status_that_differs_from_select(three, dial):
    three.fail_always(Fault.status_says("INBOX", messages=7, uidnext=100))
    talk = dial(three)
    answer = talk.ok("STATUS INBOX (MESSAGES UIDNEXT UNSEEN)")
    assert b"(MESSAGES 7 UIDNEXT 100 UNSEEN 3)" in answer
    assert b"(UNSEEN 3)" in talk.ok("STATUS INBOX (UNSEEN)")
    assert b"* 3 EXISTS" in talk.ok("EXAMINE INBOX")
    answer = talk.ok('LIST "" INBOX RETURN (STATUS (MESSAGES))')
    assert b"STATUS INBOX (MESSAGES 7)" in answer


def test_no_uidvalidity(three, dial):
    three.fail_next(Fault.quirk(Quirk.NO_UIDVALIDITY))
    talk = dial(three)
    assert b"UIDVALIDITY" not in talk.ok("SELECT INBOX")
    assert b"(UIDNEXT 4)" in talk.ok("STATUS INBOX (UIDVALIDITY UIDNEXT)")
    assert b"COPYUID" not in talk.ok("UID COPY 1 INBOX")
    assert b"UIDVALIDITY" in dial(three).ok("SELECT INBOX")


def test_uids_that_do_not_stick(three, dial):
    three.fail_always(Fault.quirk(Quirk.UIDNOTSTICKY))
    talk = dial(three)
    first = talk.ok("SELECT INBOX")
    assert b"NO [UIDNOTSTICKY]" in first
    second = dial(three).ok("SELECT INBOX")  # somebody has it selected: nothing changes
    talk.ok("UNSELECT")
    validity = re.compile(rb"UIDVALIDITY (\d+)")
    assert validity.search(first)[1] == validity.search(second)[1]
    three.disconnect()
    third = dial(three).ok("SELECT INBOX")
    assert validity.search(first)[1] < validity.search(third)[1]


def test_quirks_of_a_personality_and_of_a_connection_add_up(start, dial):
    server = start(personality=Personality(name="x", quirks=frozenset({Quirk.NO_LSUB})))
    server.fail_next(Fault.quirk(Quirk.NO_ENABLED))
    talk = dial(server)
    assert b" BAD " in talk('LSUB "" *')
    assert b"* ENABLED" not in talk.ok("ENABLE CONDSTORE")
    assert b"* ENABLED" in dial(server).ok("ENABLE CONDSTORE")


# -- which connections ------------------------------------------------------------------------


def test_a_fault_of_open_connections(three, dial):
    talk = dial(three, select="INBOX")
    three.fail_now(Fault.short_search(1) | Fault.refuse("NOOP", nth=2))
    assert b"* SEARCH 1\r\n" in talk.ok("UID SEARCH ALL")
    talk.ok("NOOP")
    assert b" NO " in talk("NOOP")
    assert b"* SEARCH 1 2 3\r\n" in dial(three, select="INBOX").ok("UID SEARCH ALL")


def test_every_connection_is_cut_after_a_number_of_bytes(server, dial):
    server.add_message("INBOX", Generated(50_000))
    server.fail_always(Fault.cut_after_sent(20_000))
    for _ in range(3):
        ask(dial(server, select="INBOX"), "FETCH 1 BODY.PEEK[]")
    assert [session.stream.sent for session in server.sessions] == [20_000] * 3


def test_a_number_of_connections(server, dial):
    server.fail_next(Fault.cut_after_sent(9), times=2)
    for _ in range(2):
        assert len(dial(server, login=False, greeting=False).rest()) == 9
    dial(server).ok("NOOP")


# -- a part of what was asked -----------------------------------------------------------------


@pytest.fixture
def limited(server, letter):
    """INBOX with five messages, of which a command works on two."""
    server.mailbox().add_many([letter()] * 5)
    server.add_mailbox("Other")
    server.fail_always(Fault.message_limit(2))
    return server


def test_a_limit_is_announced(limited, dial):
    assert b"MESSAGELIMIT=2" in dial(limited).ok("CAPABILITY")
    limited.fail_always(Fault())
    assert b"MESSAGELIMIT" not in dial(limited).ok("CAPABILITY")


def test_a_limited_fetch_goes_on_below(limited, dial):
    talk = dial(limited, select="INBOX")
    answer = talk.ok("UID FETCH 1:* (FLAGS)")
    assert re.findall(rb"UID (\d)", answer) == [b"5", b"4"]
    assert b" OK [MESSAGELIMIT 2 4] " in answer
    answer = talk.ok("UID FETCH 1:3 (FLAGS)")
    assert re.findall(rb"UID (\d)", answer) == [b"3", b"2"]
    assert b"MESSAGELIMIT" not in talk.ok("UID FETCH 1:2 (FLAGS)")


def test_a_limited_search(limited, dial):
    talk = dial(limited, select="INBOX")
    answer = talk.ok("UID SEARCH ALL")
    assert answer.startswith(b"* SEARCH 4 5\r\n")
    assert b" OK [MESSAGELIMIT 2 4] " in answer
    assert b"MESSAGELIMIT" not in talk.ok("UID SEARCH UID 1:2")


def test_a_limited_store(limited, dial):
    talk = dial(limited, select="INBOX")
    assert b"MESSAGELIMIT 2 4" in talk.ok("UID STORE 1:* +FLAGS (\\Seen)")
    assert [uid for uid in range(1, 6) if limited.mailbox().flags(uid)] == [4, 5]
    answer = talk.ok("UID STORE 1:3 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)")
    assert b"* NO [MESSAGELIMIT 2 2] " in answer
    assert b" OK [MODIFIED 2:3] " in answer


def test_a_limited_copy_does_nothing(limited, dial):
    talk = dial(limited, select="INBOX")
    assert b" NO [MESSAGELIMIT 2] " in talk("UID COPY 1:3 Other")
    assert limited.mailbox("Other").uids == []
    talk.ok("UID COPY 1:2 Other")


def test_a_limited_move(limited, dial):
    talk = dial(limited, select="INBOX")
    assert b"MESSAGELIMIT 2 4" in talk.ok("UID MOVE 1:* Other")
    assert limited.mailbox().uids == [1, 2, 3]


def test_a_limited_expunge(limited, dial):
    for uid in limited.mailbox().uids:
        limited.mailbox().set_flags(uid, ["\\Deleted"])
    talk = dial(limited, select="INBOX")
    assert b"MESSAGELIMIT 2 4" in talk.ok("UID EXPUNGE 1:*")
    assert limited.mailbox().uids == [1, 2, 3]
    assert b"MESSAGELIMIT" not in talk.ok("EXPUNGE")
    assert limited.mailbox().uids == []


def test_a_limit_in_an_untagged_response(limited, dial):
    limited.fail_always(Fault.message_limit(2, untagged=True))
    answer = dial(limited, select="INBOX").ok("UID FETCH 1:* (FLAGS)")
    assert b"* NO [MESSAGELIMIT 2 4] " in answer
    assert answer.splitlines()[-1].startswith(b"t3 OK UID FETCH")


# -- logging in -------------------------------------------------------------------------------


def logs_in(server, dial):
    answer = dial(server, login=False)(f'LOGIN ada "{server.password}"')
    return b" OK " in answer.splitlines()[-1] or answer


def test_too_many_connections(server, dial):
    server.fail_always(Fault.too_many_connections(text="[LIMIT] Maximum number of connections"))
    talk = dial(server, login=False)
    answer = talk("AUTHENTICATE PLAIN AGFkYQBjb3JyZWN0IGhvcnNl")
    assert answer == b"t1 NO [LIMIT] Maximum number of connections\r\n"
    assert logs_in(server, dial) == answer


def test_too_many_connections_with_preauth(start, dial):
    server = start(preauth=True)
    server.fail_next(Fault.too_many_connections(text="Too many"))
    assert dial(server, login=False, greeting=False).rest() == b"* BYE Too many\r\n"
    assert dial(server, login=False).greeting.startswith(b"* PREAUTH ")


def test_so_many_connections_at_once(server, dial):
    server.fail_always(Fault.too_many_connections(2))
    one, other = dial(server), dial(server)
    assert b"NO [ALERT] Too many simultaneous connections" in logs_in(server, dial)
    for talk in (one, other):
        talk.ok("LOGOUT")
        assert talk.rest() == b""
    while server.hub.present:  # until the server has seen that they are gone
        dial(server, login=False).ok("NOOP")
    assert logs_in(server, dial) is True


def test_so_many_logins(server, dial):
    server.fail_always(Fault.too_many_connections().after(2))
    assert [logs_in(server, dial) is True for _ in range(4)] == [True, True, False, False]


def test_a_wrong_password_has_its_usual_answer(server, dial):
    server.fail_always(Fault.too_many_connections())
    answer = dial(server, login=False)("LOGIN ada wrong")
    assert b"NO [AUTHENTICATIONFAILED]" in answer


def test_a_mishap_after_some_time(server, dial):
    server.fail_always(Fault.hide_mailboxes(times=1).after(1))
    talk = dial(server)
    told = [b"INBOX" in talk.ok('LIST "" *') for _ in range(3)]
    assert told == [True, False, True]

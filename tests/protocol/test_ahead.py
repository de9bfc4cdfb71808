"""What is sent behind a login without waiting for it, and what may share the wire at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from imaplus import sasl
from imaplus.core.fetch import Fetch
from imaplus.core.listing import List
from imaplus.core.mailboxes import GetStatus, Select
from imaplus.core.messages import Change, Move, Store
from imaplus.core.session import Authenticate, Enable, GetCapability, Login, Logout, Noop
from imaplus.errors import StateError
from imaplus.extensions.id import Id
from imaplus.protocol.command import Command
from imaplus.protocol.state import State
from imaplus.wire.sets import SequenceSet

from .talking import CAPABILITIES, Talk, selected

pytestmark = pytest.mark.usefixtures("lane")

ADA = sasl.Password("ada", "secret")
READY = "* OK [CAPABILITY IMAP4rev1 ID ENABLE SASL-IR AUTH=PLAIN] ready"
BEHIND = (Id((("name", "x"),)), Enable(("UTF8=ACCEPT",)), Select("INBOX"))


def login(mechanism: str = "PLAIN", *, early: bool = True) -> Authenticate:
    made = {"PLAIN": sasl.Plain(ADA), "LOGIN": sasl.Login(ADA)}[mechanism]
    return Authenticate(made, early)


def behind(first: Command[None]) -> list[str]:
    """The names of the commands that go out together."""
    talk = Talk(READY)
    for command in (first, *BEHIND):
        talk.connection.send(command)
    return [line.split()[1].decode() for line in talk.wrote().splitlines()]


def test_what_may_be_sent_behind_a_login() -> None:
    others = ["ID", "ENABLE", "SELECT"]
    assert behind(Login("ada", ADA.password)) == ["LOGIN", *others]
    assert behind(login()) == ["AUTHENTICATE", *others]


def test_nothing_is_sent_behind_what_may_go_on() -> None:
    """The server would take it for the next step of the exchange."""
    assert behind(login(early=False)) == ["AUTHENTICATE"]
    assert behind(login("LOGIN")) == ["AUTHENTICATE"]


def test_nothing_else_is_sent_behind_a_login() -> None:
    for other in (Noop(), GetCapability(), GetStatus("INBOX"), Logout(), List("", ("*",))):
        talk = Talk(READY)
        talk.send(login())
        talk.connection.send(other)
        assert talk.wrote() == b""


def test_nothing_is_sent_behind_the_opening() -> None:
    talk = Talk(READY)
    for command in (login(), Select("INBOX"), Id(), Noop()):
        talk.connection.send(command)
    assert [line.split()[1] for line in talk.wrote().splitlines()] == [b"AUTHENTICATE", b"SELECT"]


def test_a_name_waits_for_enable_to_say_how_it_is_spelled() -> None:
    talk = Talk(READY)
    entering = talk.send(login())
    enable = talk.send(Enable(("UTF8=ACCEPT",)))
    opening = talk.connection.send(Select("Entwürfe"))
    assert talk.wrote() == b""
    talk.hear("{} OK in", after=entering)
    assert talk.wrote() == b""
    talk.hear("* ENABLED UTF8=ACCEPT", "{} OK on", after=enable)
    assert talk.wrote() == f'{opening.tag} SELECT "Entwürfe"\r\n'.encode()


def test_a_login_that_fails_leaves_nobody_logged_in() -> None:
    talk = Talk(READY)
    pendings = [talk.connection.send(command) for command in (login(), *BEHIND)]
    talk.wrote()
    for pending, status in zip(pendings, ("NO", "OK", "BAD", "BAD"), strict=True):
        talk.hear(f"{{}} {status} so it is", after=pending)
    assert talk.connection.state is State.NOT_AUTHENTICATED
    assert talk.connection.mailbox is None
    assert not talk.connection.enabled
    with pytest.raises(StateError):
        talk.send(Select("INBOX"))
    talk.send(Login("ada", ADA.password))


def test_the_state_that_a_login_leads_to_is_no_state_yet() -> None:
    talk = Talk(READY)
    talk.send(login())
    assert talk.connection.state is State.NOT_AUTHENTICATED


def test_others_in_a_session_are_not_sent_behind_what_is_exclusive() -> None:
    """ENABLE and SELECT still share the wire with nothing but what begins a session."""
    talk = Talk(f"* PREAUTH [CAPABILITY {CAPABILITIES}] ready")
    talk.send(GetStatus("INBOX"))
    talk.connection.send(Enable(("UTF8=ACCEPT",)))
    assert talk.wrote() == b""
    talk = selected()
    talk.send(Fetch(SequenceSet.of(1)))
    talk.connection.send(Select("Other"))
    assert talk.wrote() == b""


def test_a_thousand_of_several_kinds_are_told_apart_by_what_they_are_about() -> None:
    """Only those about the same thing, or about anything, are asked whether they get along."""
    talk = selected()
    asked = 0

    class Counted(GetStatus):
        def may_join(self, others: Iterable[Command[Any]]) -> bool:
            nonlocal asked
            found = list(others)
            asked += len(found)
            return super().may_join(found)

    for number in range(1, 250):
        talk.send(Counted(f"Box {number}"))
        talk.send(Store(SequenceSet.of(number), Change.ADD, frozenset({"$X"})))
        talk.send(Fetch(SequenceSet.of(number + 1000), ("ENVELOPE",)))
    assert asked == 0
    talk.send(Counted("Box 1"))
    assert asked == 1


def test_each_move_has_its_own_copyuid() -> None:
    """Dovecot tells of all moves that came together before it ends the first of them."""
    talk = selected()
    moves = [talk.send(Move(SequenceSet.of(uid), "Other")) for uid in (1, 2)]
    talk.hear("* OK [COPYUID 7 1 11] moved", "* OK [COPYUID 7 2 12] moved")
    for pending in moves:
        talk.hear("{} OK done", after=pending)
    assert [dict(pending.result().pairs()) for pending in moves] == [{1: 11}, {2: 12}]

"""What commands do to the state of a connection, without a connection."""

from __future__ import annotations

import pytest

from imaplus.core.mailboxes import Close, Examine, Select, Unselect
from imaplus.core.session import Enable, Login, Logout, StartTls
from imaplus.extensions.compress import Compress
from imaplus.protocol.command import Command, Effect, Reply
from imaplus.protocol.state import ConnectionState, State
from imaplus.protocol.status import Status
from imaplus.wire.secret import Secret


def finish(state: ConnectionState, command: Command[object], kind: str = "OK") -> Effect | None:
    """Send a command, and have the server say OK or NO."""
    command.start(state)
    return command.finish(state, Reply(command.name.decode(), Status(kind, "")))


def opened() -> ConnectionState:
    state = ConnectionState()
    state.log_in()
    finish(state, Select("INBOX"))
    return state


@pytest.mark.parametrize(
    ("command", "kind", "effect"),
    [
        (StartTls(), "OK", Effect.START_TLS),
        (StartTls(), "NO", None),
        (Compress(), "OK", Effect.COMPRESS),
        (Compress(), "NO", None),
        (Unselect(), "OK", None),
    ],
)
def test_effects_on_the_stream_are_returned(
    command: Command[object], kind: str, effect: Effect | None
) -> None:
    assert finish(ConnectionState(), command, kind) is effect


def test_a_login_enters_the_authenticated_state() -> None:
    state = ConnectionState()
    state.capabilities = frozenset({"STARTTLS"})
    finish(state, Login("ann", Secret("horse")), "NO")
    assert (state.state, state.can("STARTTLS")) == (State.GREETING, True)
    finish(state, Login("ann", Secret("horse")))
    assert (state.state, state.can("STARTTLS")) == (State.AUTHENTICATED, False)


@pytest.mark.parametrize("command", [Select("Archive"), Examine("Archive")])
def test_a_select_that_fails_leaves_no_mailbox(command: Select) -> None:
    state = opened()
    finish(state, command, "NO")
    assert (state.state, state.mailbox) == (State.AUTHENTICATED, None)


def test_the_selected_mailbox() -> None:
    state = opened()
    assert state.mailbox is not None
    assert (state.state, state.mailbox.name) == (State.SELECTED, "INBOX")
    finish(state, Examine("Archive"))
    assert (state.mailbox.name, state.mailbox.read_only) == ("Archive", True)


@pytest.mark.parametrize("command", [Close(), Unselect()])
def test_leaving_a_mailbox(command: Command[object]) -> None:
    state = opened()
    finish(state, command, "NO")
    assert state.state is State.SELECTED
    finish(state, command)
    assert (state.state, state.mailbox) == (State.AUTHENTICATED, None)


def test_what_the_server_does_not_enable_is_refused() -> None:
    state = opened()
    state.capabilities = frozenset({"UTF8=ACCEPT", "LOGOUT"})
    finish(state, Enable(("UTF8=ACCEPT",)))
    assert not state.can("UTF8=ACCEPT")
    finish(state, Logout())
    assert state.state is State.LOGOUT

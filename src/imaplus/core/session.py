"""Commands that concern the session (RFC 9051, 6.1, 6.2, 6.3.1): from capabilities to LOGOUT."""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from imaplus.errors import InvalidArgument, ProtocolError
from imaplus.protocol.command import Command, Done, Effect, Reply
from imaplus.protocol.data import Capability, Enabled
from imaplus.protocol.response import Continuation
from imaplus.protocol.state import ANY, LOGGED_OUT, ConnectionState, State
from imaplus.records import field, record
from imaplus.wire.secret import Secret
from imaplus.wire.writer import Writer

if TYPE_CHECKING:
    from imaplus.sasl import Mechanism

MOST_ROUNDS = 10
"""Challenges of one authentication: SCRAM has three, and a server may not go on for ever."""


@record
class GetCapability(Command[frozenset[str]]):
    """Ask what the server can do now (RFC 9051, 6.1.1). The names are in capitals."""

    name = b"CAPABILITY"
    states = ANY
    collects: ClassVar[tuple[type, ...]] = (Capability,)

    def result(self, reply: Reply) -> frozenset[str]:
        return reply.one(Capability).names


@record
class Noop(Done):
    """Do nothing, and hear what has changed (RFC 9051, 6.1.2)."""

    name = b"NOOP"
    states = ANY


@record
class Logout(Done):
    """End the session (RFC 9051, 6.1.3). It succeeds however the server ends it."""

    name = b"LOGOUT"
    states = ANY
    exclusive = True
    ends_connection = True

    def finish(self, state: ConnectionState, reply: Reply) -> None:
        state.close_mailbox()
        state.state = State.LOGOUT


@record
class StartTls(Done):
    """Ask for TLS on this connection (RFC 9051, 6.2.1). The handshake is the stream's affair."""

    name = b"STARTTLS"
    states = LOGGED_OUT
    requires: ClassVar[str | None] = "STARTTLS"
    exclusive = True

    def finish(self, state: ConnectionState, reply: Reply) -> Effect | None:
        return Effect.START_TLS if reply.status.ok else None


def _log_in(state: ConnectionState, reply: Reply) -> None:
    if not reply.status.ok:
        return
    told = reply.last(Capability) is not None or isinstance(reply.status.data, Capability)
    if not told:
        state.forget_capabilities()
    state.log_in()


@record
class Login(Done):
    """Log in with a password in clear (RFC 9051, 6.2.3)."""

    name = b"LOGIN"
    states = LOGGED_OUT
    collects: ClassVar[tuple[type, ...]] = (Capability,)
    exclusive = True
    confidential = True
    user: str
    password: Secret

    def secrets(self) -> tuple[Secret, ...]:
        return (self.password,)

    def encode(self, out: Writer) -> None:
        out.sp()
        out.string(self.user)
        out.sp()
        out.string(self.password)

    @property
    def leads_to(self) -> State:
        return State.AUTHENTICATED

    def finish(self, state: ConnectionState, reply: Reply) -> None:
        _log_in(state, reply)


@record
class Authenticate(Done):
    """Log in by a SASL mechanism (RFC 9051, 6.2.2). A mechanism serves one attempt.

    Raises:
        ProtocolError: the server's part of the exchange is not what the mechanism demands.
    """

    name = b"AUTHENTICATE"
    states = LOGGED_OUT
    collects: ClassVar[tuple[type, ...]] = (Capability,)
    exclusive = True
    confidential = True
    mechanism: Mechanism
    initial_response: bool = False
    """Send the first response with the command: needs SASL-IR (RFC 4959)."""
    _talk: Conversation = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_talk", Conversation(self.mechanism))

    def secrets(self) -> Iterable[Secret]:
        return self.mechanism.secrets()

    def encode(self, out: Writer) -> None:
        out.sp()
        out.atom(self.mechanism.name)
        if self.initial_response and self._talk.first is not None:
            out.sp()
            out.secret(_encode(self._talk.first) if self._talk.first else Secret("="))

    @property
    def leads_to(self) -> State | None:
        """Certain only where nothing remains to be said: a challenge would take what follows."""
        at_once = self.initial_response and self.mechanism.done
        return State.AUTHENTICATED if at_once else None

    @property
    def answers_slowly(self) -> bool:
        return self.mechanism.slow

    def answer(self, challenge: Continuation) -> Secret | None:
        if self._talk.rounds == 0 and not self.initial_response and self._talk.first is not None:
            self._talk.rounds += 1
            return _encode(self._talk.first)
        return _encode(self._talk.respond(challenge.text))

    def finish(self, state: ConnectionState, reply: Reply) -> None:
        if reply.status.ok:
            self.mechanism.check()
        _log_in(state, reply)


class Conversation:
    """One run of a mechanism: what it says first, and what it says to each challenge."""

    def __init__(self, mechanism: Mechanism) -> None:
        self._steps = mechanism.start()
        self.first: bytes | None = next(self._steps)
        self.rounds: int = 0

    def respond(self, challenge: bytes) -> bytes:
        """The response to a challenge in base64."""
        self.rounds += 1
        if self.rounds > MOST_ROUNDS:
            raise ProtocolError(f"the server asks for more than {MOST_ROUNDS} SASL rounds")
        try:
            decoded = binascii.a2b_base64(challenge.strip(), strict_mode=True)
        except binascii.Error as error:
            raise ProtocolError(f"a SASL challenge is not base64: {error}") from error
        try:
            return self._steps.send(decoded) or b""
        except StopIteration:
            raise ProtocolError("a SASL challenge after the mechanism's last response") from None


def _encode(data: bytes) -> Secret:
    return Secret(binascii.b2a_base64(data, newline=False).decode("ascii"))


def follows_login(other: Command[Any]) -> bool:
    """What may stand before a command that is sent behind LOGIN or AUTHENTICATE: these, and what
    is sent behind them likewise. Their answers cannot be taken for one another's."""
    return other.leads_to is State.AUTHENTICATED or other.name == b"ID"


DEFAULT_ENABLE = ("IMAP4REV2",)
"""What a client switches on wherever it is offered: it changes nothing but for the better."""


UNREAD = frozenset({"UIDONLY"})
"""Extensions that change how answers look (RFC 9586), so that they could not be read."""


@record
class Enable(Command[frozenset[str]]):
    """Switch extensions on (RFC 9051, 6.3.1). The result is those that are on by it.

    What the server does not switch on is refused: `can()` says so from then on.

    Raises:
        InvalidArgument: an extension whose answers imaplus cannot read, such as UIDONLY.
    """

    name = b"ENABLE"
    states: ClassVar[frozenset[State]] = frozenset({State.AUTHENTICATED})
    requires: ClassVar[str | None] = "ENABLE"
    collects: ClassVar[tuple[type, ...]] = (Enabled,)
    exclusive = True
    capabilities: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in UNREAD.intersection(map(str.upper, self.capabilities)):
            raise InvalidArgument(
                f"cannot enable {name}: imaplus does not read the answers that it brings, so that "
                "messages would be missing without a word"
            )

    def encode(self, out: Writer) -> None:
        for capability in self.capabilities:
            out.sp()
            out.atom(capability)

    @property
    def leads_to(self) -> State:
        return State.AUTHENTICATED

    def follows(self, other: Command[Any]) -> bool:
        return follows_login(other)

    def finish(self, state: ConnectionState, reply: Reply) -> None:
        if reply.status.ok and not reply.all(Enabled):
            # quirk 29: iCloud enables CONDSTORE and QRESYNC, and does not say so
            silent = {"CONDSTORE", "QRESYNC"}.intersection(self.capabilities)
            state.enabled |= set(filter(state.can, silent))
        refused = set(map(str.upper, self.capabilities)) - state.enabled
        if "QRESYNC" in state.enabled:
            refused.discard("CONDSTORE")  # the one implies the other (RFC 7162, 3.2.3)
        state.refuse(*refused)

    def result(self, reply: Reply) -> frozenset[str]:
        return frozenset[str]().union(*(value.names for value in reply.all(Enabled)))

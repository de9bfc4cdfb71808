"""Command, Reply, Pending and Flow: what is asked, what came back, and the handle between.

A command is data: how to write it, which values answer it, what they add up to. It performs
nothing; a connection sends it, and gives a `Pending` for it. No particular command is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from imaplus.errors import CommandError, ConnectionLost, PartlyDone, ProtocolError, quoted
from imaplus.protocol.response import Continuation, Malformed, Status
from imaplus.records import field, record
from imaplus.wire.frames import Limits
from imaplus.wire.secret import Secret
from imaplus.wire.sinks import Sink
from imaplus.wire.writer import DEFAULT_RULES, Rules, Segment, Writer

if TYPE_CHECKING:
    from imaplus.protocol.connection import Connection
    from imaplus.protocol.data import MessageRun, RunShape

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class State(Enum):
    """Where a connection stands (RFC 9051, 3)."""

    GREETING = "waiting for the greeting"
    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logged out"


ANY: Final = frozenset({State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED})
LOGGED_OUT: Final = frozenset({State.NOT_AUTHENTICATED})
LOGGED_IN: Final = frozenset({State.AUTHENTICATED, State.SELECTED})
SELECTED: Final = frozenset({State.SELECTED})


@record(frozen=False)
class Reply:
    """What answered a command: its tagged status, and the values it asked for, in order."""

    command: str
    status: Status
    data: list[object] = field(default_factory=list)
    malformed: Sequence[Malformed] = ()
    last_words: tuple[str, ...] = ()
    """What the server said meanwhile that was no answer; kept only if it did not say OK."""

    def all(self, kind: type[T]) -> list[T]:
        """Every value of a type."""
        return [value for value in self.data if isinstance(value, kind)]

    def last(self, kind: type[T]) -> T | None:
        """The last value of a type, or None: servers may send more than was asked."""
        return next((value for value in reversed(self.data) if isinstance(value, kind)), None)

    def one(self, kind: type[T]) -> T:
        """The last value of a type.

        Raises:
            ProtocolError: there is none, though the server said OK.
        """
        value = self.last(kind)
        if value is not None:
            return value
        if not self.malformed:
            raise ProtocolError(f"{self.command}: the server says OK, and did not send the answer")
        latest = self.malformed[-1]
        raise ProtocolError(
            f"{self.command}: the server's answer cannot be read, {latest.error}: "
            f"{quoted(latest.frame.text)}"
        ) from latest.error


@record
class Command(Generic[T_co]):
    """One IMAP command: what to write, which responses answer it, and what they add up to."""

    name: ClassVar[bytes]
    states: ClassVar[frozenset[State]] = LOGGED_IN
    requires: ClassVar[str | None] = None
    """A capability without which no such command is sent."""
    collects: ClassVar[tuple[type, ...]] = ()
    """The types of the values that answer it; it is offered no others."""
    exclusive: ClassVar[bool] = False
    """It never shares the wire: it changes state, or talks back and forth."""
    confidential: ClassVar[bool] = False
    """What it answers, and is asked, stays out of traces."""
    ends_connection: ClassVar[bool] = False
    """The end of the connection completes it."""

    def encode(self, out: Writer) -> None:
        """Write the arguments, each after a space."""

    def secrets(self) -> Iterable[Secret]:
        """What must not be shown, should the server repeat it."""
        return ()

    def needs(self) -> Iterable[str]:
        """The capabilities without which it is not sent: `requires`, and its parameters'."""
        return () if self.requires is None else (self.requires,)

    def may_join(self, others: Iterable[Command[Any]]) -> bool:
        """Whether answers could still be told apart, were this sent now (RFC 9051, 5.5)."""
        mine = set(self.collects)
        return not mine or not any(mine.intersection(other.collects) for other in others)

    @property
    def subject(self) -> Hashable:
        """What it is about, and nothing else: a mailbox by its name, one message by its UID.

        Beside those with other subjects it may always be sent, and of the values that have a
        `subject` it wants none but those with its own. None: only `may_join` and `wants` know.
        """
        return None

    @property
    def leads_to(self) -> State | None:
        """The state that its success leads to, if it is exclusive and that is certain before."""
        return None

    @property
    def answers_slowly(self) -> bool:
        """Whether `answer()` may take a tenth of a second or more."""
        return False

    def follows(self, other: Command[Any]) -> bool:
        """Whether it may be sent behind another command, counting on its success, though one of
        both is exclusive. If that one fails, the server refuses this."""
        return False

    def start(self, connection: Connection) -> None:
        """It is on its way."""

    def wants(self, data: object) -> bool:
        """Whether a value answers this command."""
        return isinstance(data, self.collects)

    def overhears(self, data: object) -> bool:
        """Whether it takes note of a value that answers no command; that is still an event."""
        return False

    def shapes(self) -> Iterable[RunShape]:
        """What its answers may look like, if they come by the thousand."""
        return ()

    def wants_run(self, run: MessageRun) -> bool:
        """Whether it `wants()` all values of a run, and takes them as one."""
        return False

    @property
    def sinks_from(self) -> int | None:
        """The octets from which on `sink()` is asked about a literal; None: about none."""
        return None

    def sink(self, text: bytearray, size: int) -> Sink | None:
        """Where a literal goes that belongs to this command; None if it is not concerned."""
        return None

    def answer(self, challenge: Continuation) -> bytes | Secret | None:
        """The line to send when the server says `+`, or None to send nothing yet."""
        return None

    def interruption(self) -> bytes | None:
        """The line that ends this command early, if there is one."""
        return None

    def finish(self, connection: Connection, reply: Reply) -> None:
        """Its tagged status has come: the place of its effect on the connection's state."""

    def forgives(self, status: Status) -> bool:
        """Whether a NO is no failure: what could be done has been done."""
        return False

    def partly(self, status: Status) -> PartlyDone | None:
        """The error for a status that says that only a part has been done, though it is OK."""
        return None

    def result(self, reply: Reply) -> T_co:
        """What its caller gets. Called only when the status was OK."""
        raise AssertionError(f"{type(self).__name__} does not say what it results in")

    def __iter__(self) -> Generator[Command[Any], Any, T_co]:
        """A command is the flow of one step; `yield from` gives its typed result."""
        result: T_co = yield self
        return result


class Done(Command[None]):
    """A command that has no result but its success."""

    def result(self, reply: Reply) -> None:
        return None


class Together:
    """Commands that a flow gives at once, to be pipelined.

    It gets their results as a list, in which a command that the server did not carry out has its
    CommandError: `results()` raises the first of them instead.
    """

    __slots__ = ("commands",)

    def __init__(self, *commands: Command[Any]) -> None:
        self.commands: tuple[Command[Any], ...] = commands

    def __iter__(self) -> Generator[Together, list[Any], list[Any]]:
        return (yield self)

    def results(self) -> Generator[Together, list[Any], list[Any]]:
        """All results, or the first error."""
        found = yield self
        for each in found:
            if isinstance(each, CommandError):
                raise each
        return found


class Ahead(Together):
    """A command, and others that are sent behind it without waiting, as far as they `follow()` it.

    They count on its success: if it fails, nobody waits for them, and the flow gets its error. Else
    it gets the results of all, as from `Together`.
    """

    __slots__ = ()


class Handshake:
    """A flow's wish: negotiate TLS on the stream now. It gets None."""

    __slots__ = ()

    def __iter__(self) -> Generator[Handshake, None, None]:
        yield self


class Ask:
    """A flow's wish: call a function of the caller's, and await what it gives if need be. It gets
    the result, or the exception."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], object]) -> None:
        self.function: Callable[[], object] = function

    def __iter__(self) -> Generator[Ask, Any, Any]:
        return (yield self)


Step = Command[Any] | Together | Handshake | Ask
"""What a flow yields: one command, several at once, the wish for TLS, or a call of the caller's."""
Flow = Generator[Step, Any, T]
"""Policy that needs several commands: it yields them, is sent their results, and returns one."""


class Pending(Generic[T]):
    """The handle of a command that was given to a connection.

    `done` says whether it is over; then `result()` gives its result or raises. `take()` gives what
    has come so far, for commands whose answers are many.
    """

    __slots__ = (
        "_count",
        "_held",
        "_tell",
        "age",
        "command",
        "continued",
        "error",
        "heard",
        "ignored",
        "interrupted",
        "interruption",
        "malformed",
        "name",
        "partly",
        "reply",
        "rules",
        "segments",
        "subject",
        "tag",
        "values",
        "written",
    )

    def __init__(self, command: Command[T], tag: str) -> None:
        self.command: Command[T] = command
        self.tag: str = tag
        self.name: str = command.name.decode()
        self.values: list[object] = []
        self.malformed: Sequence[Malformed] = ()
        self.reply: Reply | None = None
        self.partly: PartlyDone | None = None  # an untagged response has said so
        self.error: BaseException | None = None
        self.ignored: bool = False  # nobody waits for it any more; its answers are thrown away
        self._count = 0
        self._held = 0
        self._tell: Callable[[], object] | None = None
        # Where it stands among those in flight:
        self.subject: Hashable = None
        self.age: int = 0
        self.heard: int = 0  # lines that were no answer to anything, when it went out
        # The outbox's notes on how far it has been written:
        self.rules: Rules = DEFAULT_RULES
        self.segments: list[Segment] = []  # still to be written, the next one last
        self.written: bool = False
        self.continued: bool = False  # the server has said `+` to the whole of it
        self.interrupted: bool = False
        self.interruption: bytes | None = None  # waits for that `+`

    def wants(self, value: object) -> bool:
        """Whether a value answers it, and is not said to answer another (RFC 9051, 7.3.4)."""
        return self.command.wants(value) and getattr(value, "tag", None) in (None, self.tag)

    @property
    def done(self) -> bool:
        """Whether it has a result or an error."""
        return self.reply is not None or self.error is not None

    @property
    def refused(self) -> bool:
        """Whether it is over because the server said NO or BAD."""
        return self.reply is not None and not self.reply.status.ok

    def is_over(self) -> bool:
        """`done`, to be handed to whoever waits for it."""
        return self.done

    def has_news(self) -> bool:
        """Whether there are values to take, or it is over."""
        return bool(self.values) or self.done

    def collect(self, value: object, size: int, limits: Limits, count: int = 1) -> None:
        """Keep a value that answers the command, within limits on number and octets.

        `size` is the octets that came, and `count` how many responses they are.
        """
        if self.ignored or self.done:
            return
        self._held += size
        self._count += count
        if self._count > limits.responses or self._held > limits.held:
            self.fail(
                ProtocolError(
                    f"{self.name}: more than {limits.responses} responses or {limits.held} octets "
                    "are waiting to be taken"
                )
            )
            return
        self.values.append(value)

    def note(self, malformed: Malformed) -> None:
        """Keep what could not be read: it may be why an answer is missing. The latest will do."""
        if not (self.ignored or self.done):
            self.malformed = (malformed,)

    def take(self) -> list[object]:
        """The values that have come since the last call, in order; they are not kept here."""
        values, self.values = self.values, []
        self._count = self._held = 0
        return values

    def watch(self, tell: Callable[[], object]) -> None:
        """Have a function called when it is over, which it is not yet."""
        self._tell = tell

    def complete(self, reply: Reply) -> None:
        """The command is over, with this reply."""
        if not self.done:
            self.reply = reply
            self._over()

    def fail(self, error: BaseException) -> None:
        """The command is over: it cannot have a reply.

        Values that came whole before the connection was lost can still be taken.
        """
        if not self.done:
            self.error = error
            if not isinstance(error, ConnectionLost):
                self.values = []
            self._over()

    def _over(self) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()

    def check(self) -> None:
        """Raise what went wrong, if anything did: as `result()`, without making a result."""
        if self.error is not None:
            raise self.error
        assert self.reply is not None, "the command is not over"
        status = self.reply.status
        if not status.ok:
            if not self.command.forgives(status):
                error = status.error(self.name)
                error.last_words = self.reply.last_words
                raise error
        elif self.partly is not None:
            raise self.partly
        elif status.code is not None and (partly := self.command.partly(status)) is not None:
            raise partly

    def result(self) -> T:
        """The command's result.

        Raises:
            CommandError: the server said NO or BAD.
            PartlyDone: it said OK to a part of the command; the error has that part's result.
            ImapError: whatever else ended it.
        """
        try:
            self.check()
        except PartlyDone as error:
            if error.status == "OK" and self.reply is not None:
                error.part = self.command.result(self.reply)
            raise
        assert self.reply is not None
        return self.command.result(self.reply)

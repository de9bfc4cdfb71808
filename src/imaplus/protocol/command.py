"""Command and Reply: what is sent to the server, and what came back.

A command is data: how to write it, which values answer it, what they add up to. It performs
nothing; a connection sends it and keeps a `Pending` for it. No particular command is known here.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable, Sequence
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar

from imaplus.errors import PartlyDone, ProtocolError, quote
from imaplus.protocol.bulk import MessageRun
from imaplus.protocol.response import Continuation, Malformed
from imaplus.protocol.state import LOGGED_IN, ConnectionState, State
from imaplus.protocol.status import Status
from imaplus.records import field, record
from imaplus.wire.secret import Secret
from imaplus.wire.sinks import Sink
from imaplus.wire.writer import Writer

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Effect(Enum):
    """A change of the stream by a completed command (`Command.finish()`)."""

    START_TLS = "negotiate TLS"
    COMPRESS = "compress everything from here on, in both directions"


@record(frozen=False)
class Reply:
    """The answer to a command: its tagged status, and the values that it collected, in order."""

    command: str
    status: Status
    data: list[object] = field(default_factory=list)
    malformed: Sequence[Malformed] = ()
    last_words: tuple[str, ...] = ()
    """Other lines the server sent meanwhile, kept only if the status is not OK."""

    def all(self, kind: type[T]) -> list[T]:
        """Return all values of a type."""
        return [value for value in self.data if isinstance(value, kind)]

    def last(self, kind: type[T]) -> T | None:
        """Return the last value of a type, or None if there is none."""
        return next((value for value in reversed(self.data) if isinstance(value, kind)), None)

    def one(self, kind: type[T]) -> T:
        """Return the last value of a type.

        Raises:
            ProtocolError: the server said OK but sent no such value.
        """
        value = self.last(kind)
        if value is not None:
            return value
        if not self.malformed:
            raise ProtocolError(f"{self.command}: the server says OK, and did not send the answer")
        latest = self.malformed[-1]
        raise ProtocolError(
            f"{self.command}: the server's answer cannot be read, {latest.error}: "
            f"{quote(latest.frame.text)}"
        ) from latest.error


@record
class Command(Generic[T_co]):
    """One IMAP command: what to write, which responses answer it, and what they add up to."""

    name: ClassVar[bytes]
    states: ClassVar[frozenset[State]] = LOGGED_IN
    requires: ClassVar[str | None] = None
    """The capability that the server must have; None if any server will do."""
    collects: ClassVar[tuple[type, ...]] = ()
    """The types of the values that answer it."""
    exclusive: ClassVar[bool] = False
    """No other command may be in flight with it: it changes state, or is a dialogue."""
    confidential: ClassVar[bool] = False
    """Traces do not show its dialogue."""
    ends_connection: ClassVar[bool] = False
    """It succeeds if the server closes the connection."""

    # -- sending it -------------------------------------------------------------------------

    def encode(self, out: Writer) -> None:
        """Write the arguments, each preceded by a space."""

    def secrets(self) -> Iterable[Secret]:
        """Secrets to blank in traces and errors, in case the server repeats them."""
        return ()

    def needs(self) -> Iterable[str]:
        """The capabilities that the server must have: `requires`, and those of parameters."""
        return () if self.requires is None else (self.requires,)

    def may_join(self, others: Iterable[Command[Any]]) -> bool:
        """Whether it may be sent while these are in flight (RFC 9051, 5.5).

        It may if the answers can still be told apart.
        """
        mine = set(self.collects)
        return not mine or not any(mine.intersection(other.collects) for other in others)

    @property
    def subject(self) -> Hashable:
        """The one thing it is about: the name of a mailbox, or the UID of a message.

        Commands with different subjects may always be in flight together. A value with a `subject`
        is offered only to commands with the same one, or with None, which is the default: then
        `may_join()` and `wants()` decide alone.
        """
        return None

    @property
    def leads_to(self) -> State | None:
        """The state that its success leads to, if it is exclusive and the state is certain."""
        return None

    def follows(self, other: Command[Any]) -> bool:
        """Whether it may be sent before `other` has succeeded, though one of them is exclusive.

        If `other` fails, the server refuses this one.
        """
        return False

    def start(self, state: ConnectionState) -> None:
        """Change the state because the command is being sent."""

    # -- its answers ------------------------------------------------------------------------

    def wants(self, data: object) -> bool:
        """Whether a value answers this command."""
        return isinstance(data, self.collects)

    def overhears(self, data: object) -> bool:
        """Whether to collect a value that answers no command; the value is also an event."""
        return False

    def wants_run(self, run: MessageRun) -> bool:
        """Whether all values of a run answer this command, and the run may be collected as one."""
        return False

    @property
    def sinks_from(self) -> int | None:
        """The size in bytes from which on `sink()` is called for a literal; None: never."""
        return None

    def sink(self, text: bytearray, size: int) -> Sink | None:
        """Choose the sink for a literal of `size` bytes after this text; None: memory."""
        return None

    @property
    def answers_slowly(self) -> bool:
        """Whether `answer()` may take a tenth of a second or more."""
        return False

    def answer(self, challenge: Continuation) -> bytes | Secret | None:
        """Return the line to send after `+`; None to send nothing yet."""
        return None

    def interruption(self) -> bytes | None:
        """Return the line that ends the command early; None if it cannot be ended."""
        return None

    # -- its end ----------------------------------------------------------------------------

    def finish(self, state: ConnectionState, reply: Reply) -> Effect | None:
        """Change the state because the tagged status has come; the effect on the stream, if any.

        It is called whether the status is OK, NO or BAD.
        """
        return None

    def forgives(self, status: Status) -> bool:
        """Whether a NO counts as success, because nothing more could be done."""
        return False

    def partly(self, status: Status) -> PartlyDone | None:
        """Return the error if a status, even OK, reports that only a part was done; else None."""
        return None

    def result(self, reply: Reply) -> T_co:
        """Return the result. It is called only if the status is OK or `forgives()` it."""
        raise AssertionError(f"{type(self).__name__} does not define result()")

    def __iter__(self) -> Generator[Command[Any], Any, T_co]:
        """Run as a flow of one step: `yield from command` returns the typed result."""
        result: T_co = yield self
        return result


class Done(Command[None]):
    """A command whose result is None."""

    def result(self, reply: Reply) -> None:
        return None

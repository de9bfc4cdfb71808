"""Pending: a command that was given to a connection, and its answers so far."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from imaplus.errors import ConnectionLost, PartlyDone, ProtocolError
from imaplus.protocol.command import Command, Reply
from imaplus.protocol.response import Malformed
from imaplus.wire.frames import Limits
from imaplus.wire.writer import DEFAULT_RULES, Rules, Segment

T = TypeVar("T")


class Pending(Generic[T]):
    """The handle of a command that was given to a connection.

    When `done` is true, `result()` returns the command's result or raises its error. `take()`
    returns the values received so far, for commands with many answers.
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
        self.partly: PartlyDone | None = None  # from an untagged response
        self.error: BaseException | None = None
        self.ignored: bool = False  # its answers are discarded
        self._count = 0
        self._held = 0
        self._tell: Callable[[], object] | None = None
        # Among the commands in flight:
        self.subject: Hashable = None
        self.age: int = 0
        self.heard: int = 0  # number of last words when it was sent
        # How far it has been written:
        self.rules: Rules = DEFAULT_RULES
        self.segments: list[Segment] = []  # still to be written, the next one last
        self.written: bool = False
        self.continued: bool = False  # the server has sent `+` after its last byte
        self.interrupted: bool = False
        self.interruption: bytes | None = None  # waits for that `+`

    def wants(self, value: object) -> bool:
        """Whether a value answers it, and has no tag of another command (RFC 9051, 7.3.4)."""
        return self.command.wants(value) and getattr(value, "tag", None) in (None, self.tag)

    @property
    def done(self) -> bool:
        """Whether it has a result or an error."""
        return self.reply is not None or self.error is not None

    @property
    def refused(self) -> bool:
        """Whether the server answered NO or BAD."""
        return self.reply is not None and not self.reply.status.ok

    def is_over(self) -> bool:
        """`done`, as a method."""
        return self.done

    def has_news(self) -> bool:
        """Whether there are values to take, or it is done."""
        return bool(self.values) or self.done

    def collect(self, value: object, size: int, limits: Limits, count: int = 1) -> None:
        """Keep a value that answers the command, within the limits on number and size.

        `size` is the size of the responses in bytes, and `count` their number.
        """
        if self.ignored or self.done:
            return
        self._held += size
        self._count += count
        if self._count > limits.responses or self._held > limits.held:
            self.fail(
                ProtocolError(
                    f"{self.name}: more than {limits.responses} responses or {limits.held} bytes "
                    "are waiting to be taken"
                )
            )
            return
        self.values.append(value)

    def note(self, malformed: Malformed) -> None:
        """Keep the latest response that could not be parsed: it may be the missing answer."""
        if not (self.ignored or self.done):
            self.malformed = (malformed,)

    def take(self) -> list[object]:
        """Remove and return the values received since the last call, in order."""
        values, self.values = self.values, []
        self._count = self._held = 0
        return values

    def watch(self, tell: Callable[[], object]) -> None:
        """Call a function when the command is done; it must not be done yet."""
        self._tell = tell

    def complete(self, reply: Reply) -> None:
        """Finish with a reply."""
        if not self.done:
            self.reply = reply
            self._over()

    def fail(self, error: BaseException) -> None:
        """Finish with an error.

        Values received before the connection was lost can still be taken.
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
        """Raise the error of the command, if it has one, as `result()` does."""
        if self.error is not None:
            raise self.error
        assert self.reply is not None, "the command is not done"
        status = self.reply.status
        if not status.ok:
            if not self.command.forgives(status):
                from imaplus.protocol.refusals import error_for

                error = error_for(status, self.name)
                error.last_words = self.reply.last_words
                raise error
        elif self.partly is not None:
            raise self.partly
        elif status.code is not None and (partly := self.command.partly(status)) is not None:
            raise partly

    def result(self) -> T:
        """Return the command's result, when it is `done`.

        Raises:
            CommandError: the server answered NO or BAD.
            PartlyDone: the server carried out a part of the command; `part` is its result.
            ImapError: the command failed for another reason.
        """
        try:
            self.check()
        except PartlyDone as error:
            if error.status == "OK" and self.reply is not None:
                error.part = self.command.result(self.reply)
            raise
        assert self.reply is not None
        return self.command.result(self.reply)

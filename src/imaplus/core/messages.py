"""Commands on messages of the selected mailbox, by UID (RFC 9051, 6.4.3, 6.4.6 to 6.4.9).

STORE, COPY, MOVE, EXPUNGE; what they report is values, and which of them a server has is a flow's
concern. `MessageCommand` says which of them may be on the wire together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, ClassVar, TypeVar

from imaplus.core.parameters import StoreModifier, needs_of, write_list
from imaplus.errors import PartlyDone, ProtocolError
from imaplus.extensions.messagelimit import partly_done
from imaplus.protocol.command import Command, Done, Reply
from imaplus.protocol.data import MessageData
from imaplus.protocol.state import SELECTED
from imaplus.protocol.status import Status, code
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.flags import flags_of
from imaplus.wire.set_reading import read_uid_ranges, read_uid_set
from imaplus.wire.sets import EMPTY, STAR, SequenceSet
from imaplus.wire.writer import Writer

T_co = TypeVar("T_co", covariant=True)


@record
class MessageCommand(Command[T_co]):
    """A command that names messages by UID."""

    states = SELECTED
    changes: ClassVar[bool] = False
    """It changes messages: commands that read them must wait."""
    uids: SequenceSet

    def encode(self, out: Writer) -> None:
        out.sp()
        out.sequence_set(self.uids)

    def covers(self, uid: int) -> bool:
        """Whether a message is among those named. `*` may be any message."""
        if uid in self.uids:
            return True
        return self.uids.open_ended and self.uids.ranges[-1][0] == self.uids.last

    @property
    def subject(self) -> int | None:
        if len(self.uids.ranges) != 1:
            return None
        first, last = self.uids.ranges[0]
        return first if first == last < STAR else None

    def partly(self, status: Status) -> PartlyDone | None:
        """The status names the lowest UID processed; there may be messages below it."""
        error = partly_done(self.name.decode(), status)
        if error is None or error.uid is None or not self.covers(error.uid):
            return error
        return error if self.uids & SequenceSet.of(range(1, error.uid)) else None

    def may_join(self, others: Iterable[Command[Any]]) -> bool:
        """Beside commands on other messages always, on the same ones if neither's answers or
        effects touch the other's (RFC 9051, 5.5)."""
        return not any(self._clashes(other) for other in others)

    def _clashes(self, other: Command[Any]) -> bool:
        if not isinstance(other, MessageCommand):
            return self.changes and other.states == SELECTED
        if not (self.changes or other.changes or set(self.collects) & set(other.collects)):
            return False
        return bool(self.uids & other.uids) or self.uids.open_ended or other.uids.open_ended


# -- STORE (RFC 9051, 6.4.6; RFC 7162, 3.1.3) ------------------------------------------------------


class Change(Enum):
    """What STORE does with the given flags: add, remove or replace."""

    ADD = b"+FLAGS"
    REMOVE = b"-FLAGS"
    REPLACE = b"FLAGS"


@record
class Modified:
    """[MODIFIED uids]: messages left unchanged, because they had changed meanwhile."""

    uids: SequenceSet


@code("MODIFIED")
def parse_modified(c: Cursor) -> Modified:
    return Modified(read_uid_set(c))


@record
class Stored:
    """The result of STORE."""

    messages: tuple[MessageData, ...] = ()
    """The messages that the server reported, with their flags, and MODSEQ if supported."""
    modified: SequenceSet = EMPTY
    """Messages left unchanged: they had changed after UNCHANGEDSINCE (RFC 7162, 3.1.3)."""


@record
class Store(MessageCommand[Stored]):
    """Change flags of messages."""

    name = b"UID STORE"
    collects: ClassVar[tuple[type, ...]] = (MessageData,)
    changes = True
    change: Change
    flags: frozenset[str]
    silent: bool = False
    modifiers: tuple[StoreModifier, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "flags", flags_of(self.flags))  # one will do as well

    def needs(self) -> Iterable[str]:
        return needs_of(self.modifiers)

    def encode(self, out: Writer) -> None:
        super().encode(out)
        out.sp()
        if self.modifiers:
            write_list(out, self.modifiers)
            out.sp()
        out.raw(self.change.value)
        if self.silent:
            out.raw(b".SILENT")
        out.sp()
        out.flag_list(self.flags)

    def wants(self, data: object) -> bool:
        return isinstance(data, MessageData) and data.uid is not None and self.covers(data.uid)

    def result(self, reply: Reply) -> Stored:
        told = reply.status.data
        left_alone = told.uids if isinstance(told, Modified) else EMPTY
        messages = tuple(value for value in reply.data if isinstance(value, MessageData))
        return Stored(messages, left_alone)


# -- COPY and MOVE (RFC 9051, 6.4.7 and 6.4.8; RFC 4315; RFC 6851) ---------------------------------


@record
class Copied:
    """The UIDs of copied messages: [COPYUID] (RFC 9051, 7.1). Empty if not reported."""

    uidvalidity: int | None = None
    """The UIDVALIDITY of the target mailbox; None if the server does not report it."""
    source: tuple[tuple[int, int], ...] = ()
    destination: tuple[tuple[int, int], ...] = ()
    left_behind: SequenceSet = EMPTY
    """After `move()`: UIDs of messages that have been copied and still are where they were, with
    \\Deleted, because the server has no UIDPLUS. Empty if all have moved."""

    def pairs(self) -> Iterator[tuple[int, int]]:
        """(UID before, UID in the other mailbox), in the order of the server.

        Raises:
            ProtocolError: the two sets are not of the same size.
        """
        if _count(self.source) != _count(self.destination):
            raise ProtocolError("COPYUID with sets of different sizes (RFC 4315, 3)")
        return zip(_numbers(self.source), _numbers(self.destination), strict=True)


def _count(ranges: tuple[tuple[int, int], ...]) -> int:
    return sum(abs(last - first) + 1 for first, last in ranges)


def _numbers(ranges: tuple[tuple[int, int], ...]) -> Iterator[int]:
    for first, last in ranges:
        step = 1 if first <= last else -1
        yield from range(first, last + step, step)


@code("COPYUID")
def copyuid(c: Cursor) -> Copied:
    # resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set
    uidvalidity = c.number()
    if c.at_end():
        return Copied(uidvalidity)  # quirk 24: Outlook.com with empty sets
    source = read_uid_ranges(c)
    c.sp()
    return Copied(uidvalidity, source, read_uid_ranges(c))


@record
class Copy(MessageCommand[Copied]):
    """Copy messages to another mailbox: all of them, or none."""

    name = b"UID COPY"
    collects: ClassVar[tuple[type, ...]] = (Status,)
    changes = True
    mailbox: str

    def encode(self, out: Writer) -> None:
        super().encode(out)
        out.sp()
        out.mailbox(self.mailbox)

    def wants(self, data: object) -> bool:
        """Only values about messages that it names: Dovecot mixes answers to several MOVEs."""
        if not (isinstance(data, Status) and isinstance(data.data, Copied)):
            return False
        return all(self.covers(first) for first, _ in data.data.source)

    def result(self, reply: Reply) -> Copied:
        for status in (reply.status, *reply.all(Status)):
            if isinstance(status.data, Copied):
                return status.data
        return Copied()


@record
class Move(Copy):
    """Move messages to another mailbox, each of them atomically (RFC 6851)."""

    name = b"UID MOVE"
    requires: ClassVar[str | None] = "MOVE"


@record
class Expunge(MessageCommand[None]):
    """Expunge those of the named messages that have \\Deleted, and no others (RFC 4315, 2.1)."""

    name = b"UID EXPUNGE"
    requires: ClassVar[str | None] = "UIDPLUS"
    changes = True

    def result(self, reply: Reply) -> None:
        return None


@record
class ExpungeAll(Done):
    """Expunge **every** message with \\Deleted, including those of others (RFC 9051, 6.4.3).

    imaplus never sends this by itself.
    """

    name = b"EXPUNGE"
    states = SELECTED
    exclusive = True

"""The values that change a connection's state, and their parsers.

Everything else that a server may say stands beside the command that asks for it. These are here
because they may come at any time, to whichever command (RFC 9051, 5.2).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence, Set
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple

from imaplus.protocol.response import code, numbered_response, response
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame
from imaplus.wire.framing import Framer, Rows
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.sets import SequenceSet


@record
class Capability:
    """CAPABILITY: what the server can do, in capitals (RFC 9051, 7.2.2)."""

    names: frozenset[str]


@response("CAPABILITY")
@code("CAPABILITY")
def capability(c: Cursor) -> Capability:
    # quirk 18: "LITERAL + IDLE"; a lone "+" belongs to what stands before it
    data = c.rest()
    return _shared_capability(data) if len(data) <= LONGEST_SHARED else _capability(data)


def _capability(data: bytes) -> Capability:
    text = data.decode("ascii", "replace").upper() + " "
    return Capability(frozenset(text.replace(" + ", "+ ").split()))


LONGEST_SHARED: Final = 2000
"""Octets of capabilities of which there is one copy: thousands of clients may hear the same."""
_shared_capability: Final = lru_cache(maxsize=64)(_capability)


@record
class Enabled:
    """ENABLED: extensions that are switched on from here (RFC 9051, 7.2.1)."""

    names: frozenset[str]


@response("ENABLED")
def enabled(c: Cursor) -> Enabled:
    return Enabled(frozenset(c.rest().decode("ascii", "replace").upper().split()))


@record
class Flags:
    """FLAGS: the flags that the mailbox has (RFC 9051, 7.3.5)."""

    flags: frozenset[str]


@response("FLAGS")
def flags(c: Cursor) -> Flags:
    c.sp()
    return Flags(c.flag_list())


@record
class Exists:
    """EXISTS: how many messages the mailbox has (RFC 9051, 7.4.1)."""

    count: int


@numbered_response("EXISTS")
def exists(c: Cursor, number: int) -> Exists:
    return Exists(number)


@record
class Recent:
    """RECENT: how many messages are new to this session (RFC 3501, 7.3.2)."""

    count: int


@numbered_response("RECENT")
def recent(c: Cursor, number: int) -> Recent:
    return Recent(number)


@record
class Expunged:
    """EXPUNGE: a message is gone (RFC 9051, 7.5.1). `uid` is known if the mailbox's map knew it."""

    seq: int
    uid: int | None = None


@numbered_response("EXPUNGE")
def expunge(c: Cursor, number: int) -> Expunged:
    return Expunged(number)


@record
class Vanished:
    """VANISHED: messages are gone, or were already if `earlier` (RFC 7162, 3.2.10)."""

    uids: SequenceSet
    earlier: bool = False


@response("VANISHED")
def vanished(c: Cursor) -> Vanished:
    # expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids
    c.sp()
    earlier = c.accept(b"(")
    if earlier:
        if not c.accept_word(b"EARLIER"):
            c.fail("EARLIER")
        c.expect(b")")
        c.sp()
    return Vanished(c.uid_set(), earlier)


class MessageData:
    """What a FETCH response says of one message: the base of `core.fetched.Fetched`."""

    __slots__ = ("seq", "uid")

    def __init__(self, seq: int, uid: int | None) -> None:
        self.seq: int = seq
        self.uid: int | None = uid

    @property
    def subject(self) -> int | None:
        """Whose question it answers: as `Command.subject`."""
        return self.uid

    def __eq__(self, other: object) -> bool:
        if type(other) is not MessageData:
            return NotImplemented
        return (self.seq, self.uid) == (other.seq, other.uid)

    __hash__: ClassVar[None]  # type: ignore[assignment]

    def with_uid(self, uid: int | None) -> MessageData:
        """The same, of a message that turned out to have this UID."""
        return MessageData(self.seq, uid)


class MessageRun(ABC):
    """What FETCH responses say of messages, one after another: MessageData by the thousand.

    `seqs` and `uids` are those of all, and `names` the items that each response has. `seqs` is a
    `range` only where messages follow one another and their UIDs ascend, as they should (RFC 9051,
    2.3.1.1). One by one they are made only for who iterates.
    """

    __slots__ = ("seqs", "uids")

    def __init__(self, seqs: Sequence[int], uids: Sequence[int]) -> None:
        self.seqs: Sequence[int] = seqs
        self.uids: Sequence[int] = uids

    def __len__(self) -> int:
        return len(self.uids)

    @property
    @abstractmethod
    def names(self) -> Set[str]:
        """The items that each response has, or seems to have."""

    @abstractmethod
    def __iter__(self) -> Iterator[MessageData]:
        """What each of the responses says."""


class RunShape(NamedTuple):
    """What responses look like that come by the thousand, so that many can be read at once."""

    take: Callable[[Framer], tuple[bytes, Rows]]
    """Takes as many as come next: their octets, and the groups of a pattern for each."""
    read: Callable[[bytes, Rows, Callable[[Frame], Cursor]], MessageRun | None]
    """Gives what `parse()` would make of each of them, or None if that must be asked. What it is
    given last makes a cursor over a frame."""


# -- response codes that describe the selected mailbox (RFC 9051, 7.1; RFC 7162, 3.1.2) ------------


@record
class UidNext:
    """[UIDNEXT n]: the UID that the next message will have, or a larger one."""

    value: int


@record
class UidValidity:
    """[UIDVALIDITY n]: UIDs kept with another value are void."""

    value: int


@record
class Unseen:
    """[UNSEEN n]: the first message without \\Seen (RFC 3501, 7.1)."""

    seq: int


@record
class HighestModSeq:
    """[HIGHESTMODSEQ n]: the latest change of the mailbox."""

    value: int


@record
class PermanentFlags:
    """[PERMANENTFLAGS (...)]: the flags that outlive the session; `\\*` allows new keywords."""

    flags: frozenset[str]


@record
class MailboxId:
    """[MAILBOXID (id)]: what the server calls the mailbox, under any name (RFC 8474, 4)."""

    value: str | None


@code("UIDNEXT")
def uidnext(c: Cursor) -> UidNext:
    return UidNext(c.number())


@code("UIDVALIDITY")
def uidvalidity(c: Cursor) -> UidValidity:
    return UidValidity(c.number())


@code("UNSEEN")
def unseen(c: Cursor) -> Unseen:
    return Unseen(c.number())


@code("HIGHESTMODSEQ")
def highestmodseq(c: Cursor) -> HighestModSeq:
    return HighestModSeq(c.number())


_OBJECT_ID: Final = lazy_pattern(rb"[A-Za-z0-9_-]{1,255}")


def object_id(c: Cursor) -> str | None:
    """ "(" objectid ")" / nil (RFC 8474, 7); None for NIL and for Cyrus's `(NIL)` (quirk 78)."""
    if c.accept_nil():
        return None
    c.expect(b"(")
    value = None
    if not c.accept_nil():
        match = c.accept_match(_OBJECT_ID)
        if match is None:
            c.fail("an object identifier")
        value = match[0].decode()
    c.expect(b")")
    return value


@code("MAILBOXID")
def mailboxid(c: Cursor) -> MailboxId:
    return MailboxId(object_id(c))


@code("PERMANENTFLAGS")
def permanentflags(c: Cursor) -> PermanentFlags:
    return PermanentFlags(c.flag_list())

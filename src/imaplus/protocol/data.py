"""The values that change a connection's state, and their parsers.

They may come at any time, during any command (RFC 9051, 5.2). All other values are defined beside
the command that asks for them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Final

from imaplus.protocol.response import numbered_response, response
from imaplus.protocol.status import code
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.set_reading import read_uid_set
from imaplus.wire.sets import SequenceSet


@record
class Capability:
    """CAPABILITY: what the server can do, in capitals (RFC 9051, 7.2.2)."""

    names: frozenset[str]


@response("CAPABILITY")
@code("CAPABILITY")
def capability(c: Cursor) -> Capability:
    # quirk 18: "LITERAL + IDLE"; a lone "+" belongs to the word before it
    data = c.rest()
    return _shared_capability(data) if len(data) <= LONGEST_SHARED else _capability(data)


def _capability(data: bytes) -> Capability:
    text = data.decode("ascii", "replace").upper() + " "
    return Capability(frozenset(text.replace(" + ", "+ ").split()))


LONGEST_SHARED: Final = 2000
"""Lists up to this size, in bytes, are shared between connections to save memory."""
_shared_capability: Final = lru_cache(maxsize=64)(_capability)


@record
class Enabled:
    """ENABLED: extensions that have been enabled (RFC 9051, 7.2.1)."""

    names: frozenset[str]


@response("ENABLED")
def parse_enabled(c: Cursor) -> Enabled:
    return Enabled(frozenset(c.rest().decode("ascii", "replace").upper().split()))


@record
class Flags:
    """FLAGS: the flags in use in the mailbox (RFC 9051, 7.3.5)."""

    flags: frozenset[str]


@response("FLAGS")
def flags(c: Cursor) -> Flags:
    c.sp()
    return Flags(c.flag_list())


@record
class Exists:
    """EXISTS: the number of messages in the mailbox (RFC 9051, 7.4.1)."""

    count: int


@numbered_response("EXISTS")
def exists(c: Cursor, number: int) -> Exists:
    return Exists(number)


@record
class Recent:
    """RECENT: the number of messages with \\Recent (RFC 3501, 7.3.2)."""

    count: int


@numbered_response("RECENT")
def recent(c: Cursor, number: int) -> Recent:
    return Recent(number)


@record
class Expunged:
    """EXPUNGE: a message was removed (RFC 9051, 7.5.1). `uid` is its UID, None if unknown."""

    seq: int
    uid: int | None = None


@numbered_response("EXPUNGE")
def expunge(c: Cursor, number: int) -> Expunged:
    return Expunged(number)


@record
class Vanished:
    """VANISHED: messages were removed; before this session if `earlier` (RFC 7162, 3.2.10)."""

    uids: SequenceSet
    earlier: bool = False


@response("VANISHED")
def parse_vanished(c: Cursor) -> Vanished:
    # expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids
    c.sp()
    earlier = c.accept(b"(")
    if earlier:
        if not c.accept_word(b"EARLIER"):
            c.fail("EARLIER")
        c.expect(b")")
        c.sp()
    return Vanished(read_uid_set(c), earlier)


class MessageData(ABC):
    """The data of one FETCH response: the base of `core.fetched.FetchData`."""

    __slots__ = ("seq",)

    def __init__(self, seq: int) -> None:
        self.seq: int = seq

    @property
    def uid(self) -> int | None:
        """The UID, or None if the server did not send it."""
        return None

    @property
    def subject(self) -> int | None:
        """The UID of the message: see `Command.subject`."""
        return self.uid

    @abstractmethod
    def with_uid(self, uid: int) -> MessageData:
        """Return the same data with this UID."""


# -- response codes that describe the selected mailbox (RFC 9051, 7.1; RFC 7162, 3.1.2) ------------


@record
class UidNext:
    """[UIDNEXT n]: the next message will have this UID or a larger one."""

    value: int


@record
class UidValidity:
    """[UIDVALIDITY n]: cached UIDs with another value are invalid."""

    value: int


@record
class Unseen:
    """[UNSEEN n]: the first message without \\Seen (RFC 3501, 7.1)."""

    seq: int


@record
class HighestModSeq:
    """[HIGHESTMODSEQ n]: the highest MODSEQ in the mailbox."""

    value: int


@record
class PermanentFlags:
    """[PERMANENTFLAGS (...)]: the flags that can be changed permanently; `\\*`: new keywords."""

    flags: frozenset[str]


@record
class MailboxId:
    """[MAILBOXID (id)]: an identifier that survives a rename (RFC 8474, 4)."""

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

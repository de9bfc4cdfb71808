"""Finding, changing, copying, moving and adding messages, on any server.

Each function says what is done without the capability it would like to have. Nothing here ever
sends a plain EXPUNGE: other people's deleted messages would go with it (RFC 4315, 1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from imaplus.core.append import Append, Appended, MessageRefused, Outgoing
from imaplus.core.fetch import BodySink, Fetch, Item
from imaplus.core.fetched import Fetched
from imaplus.core.messages import Change, Copied, Copy, Expunge, MessageCommand, Move, Store, Stored
from imaplus.core.parameters import FetchModifier, StoreModifier
from imaplus.core.search import RETURN_ALL, Found, Search, UnknownCharset
from imaplus.core.search_query import ALL, Query
from imaplus.core.session import Noop
from imaplus.errors import (
    CapabilityMissing,
    CommandError,
    ConnectionLost,
    InvalidArgument,
    OutcomeUnknown,
)
from imaplus.extensions.condstore import ChangedSince, UnchangedSince
from imaplus.protocol.command import Command, Flow, Together
from imaplus.protocol.connection import Connection
from imaplus.protocol.data import MessageData
from imaplus.records import replace
from imaplus.wire.mailbox_names import same
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sources import Octets

T = TypeVar("T")

LONGEST_SET: Final = 7000
"""Octets of a UID set in one command: lines of 8,000 are what a server must take (RFC 7162, 4)."""
SHORT_SET: Final = 900
"""The same where lines have 1,000 octets at most."""
TOGETHER: Final = 100
"""Commands given at once where their number has no end: the answers must be kept."""


def portions(connection: Connection, uids: SequenceSet) -> Iterator[SequenceSet]:
    """Sets that each fit on a command line."""
    short = connection.can("XYMHIGHESTMODSEQ") or connection.can("SCAN")  # quirk 37: Yahoo, UW
    return uids.split(SHORT_SET if short else LONGEST_SET)


def _in_portions(commands: Iterable[Command[T]]) -> Flow[list[T]]:
    """The results of many commands, pipelined as far as they may be."""
    results: list[T] = []
    waiting: list[Command[T]] = []
    for command in commands:
        waiting.append(command)
        if len(waiting) == TOGETHER:
            results += yield from Together(*waiting).results()
            waiting = []
    if waiting:
        results += yield from Together(*waiting).results()
    return results


# -- SEARCH ----------------------------------------------------------------------------------------


def search(connection: Connection, query: Query = ALL) -> Flow[Found]:
    """UID SEARCH, by ESEARCH where there is one, in a charset that the server knows.

    Text beyond ASCII goes as UTF-8; where the server refuses that, in one of the charsets that it
    names (RFC 9051, 7.1, BADCHARSET) and that can express the text.
    """
    if query is ALL and _is_empty(connection):
        if (yield from nothing_there(connection)):
            return Found(count=0)
    elif connection.can("X-GM-EXT-1"):
        yield from Noop()  # quirk 53: Gmail shows new mail after it, and not before
    returns = (RETURN_ALL,) if connection.can("ESEARCH") else ()
    # UTF8=ACCEPT forbids it (RFC 9755, 3); under IMAP4rev2 Cyrus 3.10 finds nothing without it.
    implied = "UTF8=ACCEPT" in connection.enabled
    charset = "UTF-8" if query.needs_charset and not implied else None
    try:
        return (yield from Search(query, returns, charset))
    except UnknownCharset as error:
        others = error.data if isinstance(error.data, tuple) else ()
        for other in (*others, "ISO-8859-1"):  # quirk 51
            try:
                return (yield from Search(query, returns, other))
            except InvalidArgument:  # it cannot express the text: nothing was sent
                continue
        raise


def uids_of(connection: Connection, query: Query = ALL) -> Flow[SequenceSet]:
    """The UIDs that a query finds."""
    return (yield from search(connection, query)).uids


def nothing_there(connection: Connection) -> Flow[bool]:
    """Whether the mailbox is empty still: in one that is, some refuse `*` and `1:*` (quirk 39)."""
    if not _is_empty(connection):
        return False
    yield from Noop()
    return _is_empty(connection)


def _is_empty(connection: Connection) -> bool:
    return connection.mailbox is not None and connection.mailbox.exists == 0


def all_uids(connection: Connection) -> Flow[SequenceSet]:
    """The UIDs of all messages, which the mailbox's map then knows."""
    found = yield from search(connection, ALL)
    if connection.mailbox is not None:
        connection.mailbox.learn_all(found.uids)
    return found.uids


# -- FETCH -----------------------------------------------------------------------------------------


def fetches(
    connection: Connection,
    uids: SequenceSet,
    items: Sequence[Item],
    *,
    modifiers: Sequence[FetchModifier] = (),
    into: BodySink | None = None,
    into_from: int = 0,
    window: int | None = None,
) -> Iterator[Fetch]:
    """The commands that fetch data of many messages: each fits on a line, and is of `window`
    messages at most, so that what comes while nobody takes it is bounded."""
    for portion in portions(connection, uids):
        parts = [portion] if window is None or portion.open_ended else portion.chunks(window)
        for part in parts:
            yield Fetch(part, tuple(items), tuple(modifiers), into, into_from)


def fetch(
    connection: Connection,
    uids: SequenceSet,
    items: Sequence[Item] = (),
    changed_since: int | None = None,
) -> Flow[list[Fetched]]:
    """FETCH of any number of messages; without items, of their FLAGS."""
    if uids.open_ended and (yield from nothing_there(connection)):
        return []
    wanted = ("UID", *(item for item in items or ("FLAGS",) if item != "UID"))
    modifiers = () if changed_since is None else (ChangedSince(changed_since),)
    commands = fetches(connection, uids, wanted, modifiers=modifiers)
    return [value for found in (yield from _in_portions(commands)) for value in found]


# -- STORE -----------------------------------------------------------------------------------------


def change_flags(
    connection: Connection,
    uids: SequenceSet,
    change: Change,
    flags: Collection[str],
    unchanged_since: int | None = None,
) -> Flow[Stored]:
    """STORE, where every number of flags means something: none but for having none at all."""
    if not flags and change is not Change.REPLACE:
        raise InvalidArgument("expected at least one flag")
    modifiers = () if unchanged_since is None else (UnchangedSince(unchanged_since),)
    return (yield from store(connection, uids, change, flags, modifiers=modifiers))


def store(
    connection: Connection,
    uids: SequenceSet,
    change: Change,
    flags: Iterable[str],
    *,
    silent: bool = False,
    modifiers: tuple[StoreModifier, ...] = (),
) -> Flow[Stored]:
    """Change flags of any number of messages."""
    wanted = frozenset(flags)
    commands = (
        Store(part, change, wanted, silent, modifiers) for part in portions(connection, uids)
    )
    messages: list[MessageData] = []
    modified = SequenceSet()
    for result in (yield from _in_portions(commands)):
        messages += result.messages
        modified |= result.modified
    return Stored(tuple(messages), modified)


# -- COPY, MOVE, DELETE ----------------------------------------------------------------------------


def _joined(results: Iterable[Copied]) -> Copied:
    told = [result for result in results if result.uidvalidity]
    return Copied(
        told[0].uidvalidity if told else 0,
        tuple(each for result in told for each in result.source),
        tuple(each for result in told for each in result.destination),
    )


def copy(connection: Connection, uids: SequenceSet, mailbox: str) -> Flow[Copied]:
    """COPY of any number of messages."""
    return _joined(
        (yield from _in_portions(Copy(part, mailbox) for part in portions(connection, uids)))
    )


def move(connection: Connection, uids: SequenceSet, mailbox: str) -> Flow[Copied]:
    """MOVE, or what RFC 6851 (3.3) tells a client to do without it: COPY, \\Deleted, UID EXPUNGE.

    Without UIDPLUS the messages stay behind with \\Deleted: expunging them would take others along.
    """
    if connection.can("MOVE"):
        commands: Iterable[MessageCommand[Copied]] = (
            Move(part, mailbox) for part in portions(connection, uids)
        )
        return _joined((yield from _in_portions(commands)))
    copied = yield from copy(connection, uids, mailbox)
    yield from store(connection, uids, Change.ADD, ("\\Deleted",), silent=True)
    if connection.can("UIDPLUS"):
        yield from _in_portions(Expunge(part) for part in portions(connection, uids))
    return copied


def delete(connection: Connection, uids: SequenceSet) -> Flow[None]:
    """Remove messages for good: \\Deleted, then UID EXPUNGE of these and no others.

    Raises:
        CapabilityMissing: the server has no UIDPLUS, so that nothing can be removed safely; no
            flag has been changed.
    """
    if not connection.can("UIDPLUS"):
        raise CapabilityMissing("UIDPLUS", "removing these messages and no others")
    yield from store(connection, uids, Change.ADD, ("\\Deleted",), silent=True)
    yield from _in_portions(Expunge(part) for part in portions(connection, uids))


# -- APPEND ----------------------------------------------------------------------------------------

# quirk 81: what servers say of messages that they do not take
_REASONS: Final = ("nul", "invalid header", "argument error", "8bit", "line too long")


BATCH: Final = 500
"""Messages of one MULTIAPPEND. If one of them is refused, none is added; a hundred at a time cost a
quarter more (Dovecot commits after each), a thousand gain nothing any more."""
BATCH_OCTETS: Final = 1 << 22
"""Octets of one MULTIAPPEND, unless a message is larger: a server may keep them in memory."""


def batches(messages: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """Messages in such numbers as are appended by one command."""
    batch: list[Outgoing] = []
    octets = 0
    for message in messages:
        octets += message.source.size
        if batch and (len(batch) == BATCH or octets > BATCH_OCTETS):
            yield batch
            batch, octets = [], message.source.size
        batch.append(message)
    if batch:
        yield batch


def append(
    connection: Connection, mailbox: str, messages: Sequence[Outgoing]
) -> Flow[tuple[Appended, ...]]:
    """Add messages: as `append_each()`, but the first that is refused raises its error."""
    added: list[Appended] = []
    for outcome in (yield from append_each(connection, mailbox, messages)):
        if isinstance(outcome, CommandError):
            raise outcome
        added.append(outcome)
    return tuple(added)


def append_one(connection: Connection, mailbox: str, message: Outgoing) -> Flow[Appended]:
    """Add a message; what it is called there."""
    return (yield from append(connection, mailbox, (message,)))[0]


def append_each(
    connection: Connection, mailbox: str, messages: Sequence[Outgoing]
) -> Flow[list[Appended | CommandError]]:
    """Add messages: in one command with MULTIAPPEND, else in one for each, pipelined.

    The result is what each message is called there, or the error of one that was not added. With
    MULTIAPPEND all of them are added or none. Errors may be NoSuchMailbox (`Create` makes it) and
    MessageRefused (the server does not take such a message).

    Raises:
        OutcomeUnknown: the connection was lost; the messages may have been added.
    """
    if not messages:
        raise InvalidArgument("expected at least one message to append")
    exists = None if connection.mailbox is None else connection.mailbox.exists
    try:
        if len(messages) > 1 and connection.can("MULTIAPPEND"):
            result = yield from _in_one(mailbox, messages)
        else:
            result = yield from _one_by_one(connection, mailbox, messages)
    except ConnectionLost as error:
        unknown = OutcomeUnknown(f"the messages may or may not be there: {error.args[0]}")
        unknown.bye, unknown.last_words = error.bye, error.last_words
        raise unknown from error
    selected = connection.mailbox
    if selected is not None and same(selected.name, mailbox) and selected.exists == exists:
        yield from Noop()  # quirk 55: some do not say that a message has come
    return result


def _in_one(mailbox: str, messages: Sequence[Outgoing]) -> Flow[list[Appended | CommandError]]:
    try:
        return list((yield from Append(mailbox, tuple(messages))))
    except CommandError as error:
        return [_explained(error)] * len(messages)


def _one_by_one(
    connection: Connection, mailbox: str, messages: Sequence[Outgoing]
) -> Flow[list[Appended | CommandError]]:
    outcomes: list[Appended | CommandError] = []
    found = yield from Together(*(Append(mailbox, (message,)) for message in messages))
    for message, outcome in zip(messages, found, strict=True):
        if isinstance(outcome, CommandError):
            again = _otherwise(connection, message, outcome)
            if again is not None:
                (outcome,) = yield from Together(Append(mailbox, (again,)))
        outcomes.append(_explained(outcome) if isinstance(outcome, CommandError) else outcome[0])
    return outcomes


def _otherwise(connection: Connection, message: Outgoing, error: CommandError) -> Outgoing | None:
    """The same message in the one other way that the server may want it, if there is one."""
    source = message.source
    if not isinstance(source, Octets) or error.code not in (None, "CLIENTBUG", "CANNOT"):
        return None
    if error.code == "CLIENTBUG" and not source.data.endswith(b"\r\n"):
        return replace(message, source=Octets(source.data + b"\r\n"))  # quirk 80: Yahoo
    header, _, _ = source.data.partition(b"\r\n\r\n")
    if "UTF8=ACCEPT" in connection.enabled and not header.isascii():
        return replace(message, utf8=True)  # a server older than RFC 9755
    return None


def _explained(error: CommandError) -> CommandError:
    """A typed error where only the server's words say that it is the message's fault."""
    if error.code is None and any(reason in error.text.lower() for reason in _REASONS):
        return error.retyped(MessageRefused)
    return error

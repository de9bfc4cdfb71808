"""Finding, changing, copying, moving and adding messages, on any server.

Each function says what is done without the capability it would like to have; searching stands in
`finding`, what is done about limits in `limits`, what is fetched at a time in `fetching`. None of
them ever sends a plain EXPUNGE: other people's deleted messages would go with it (RFC 4315, 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from imaplus.core.append import Append, Appended, Outgoing
from imaplus.core.fetch_items import FetchItem, keys_of
from imaplus.core.fetched import Fetched
from imaplus.core.messages import Change, Copied, Copy, Expunge, Move, Store, Stored
from imaplus.core.parameters import StoreModifier
from imaplus.core.session import Noop
from imaplus.errors import (
    CapabilityMissing,
    CommandError,
    ConnectionLost,
    InvalidArgument,
    MessageRefused,
    OutcomeUnknown,
    PartlyDone,
    Refused,
    Rejected,
)
from imaplus.extensions.condstore import ChangedSince, UnchangedSince
from imaplus.flows.fetching import Fetching
from imaplus.flows.finding import all_uids, existing, nothing_there, search, uids_of
from imaplus.flows.limits import TOGETHER, in_portions, portions
from imaplus.protocol.connection import Connection
from imaplus.protocol.data import MessageData
from imaplus.protocol.flow import Flow, Together
from imaplus.records import replace
from imaplus.wire.flags import FlagsLike, flags_of
from imaplus.wire.mailbox_names import same
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sources import Octets

__all__ = [
    "all_uids",
    "append",
    "append_each",
    "append_one",
    "batches",
    "change_flags",
    "copy",
    "delete",
    "fetch",
    "flags_by_uid",
    "flags_to",
    "move",
    "nothing_there",
    "search",
    "store",
    "uids_of",
]

# -- FETCH -----------------------------------------------------------------------------------------


def fetch(
    connection: Connection,
    uids: SequenceSet,
    items: Sequence[FetchItem] = (),
    changed_since: int | None = None,
) -> Flow[list[Fetched]]:
    """FETCH of any number of messages; without items, of their FLAGS."""
    if uids.open_ended and (yield from nothing_there(connection)):
        return []
    wanted = ("UID", *(item for item in items or ("FLAGS",) if item != "UID"))
    modifiers = () if changed_since is None else (ChangedSince(changed_since),)
    commands = Fetching(connection, uids, wanted, modifiers=modifiers)
    messages: list[Fetched] = []
    while waiting := list(islice(commands, TOGETHER)):
        found = yield from Together(*waiting)
        for command, each in zip(waiting, found, strict=True):
            error, part = None, each
            if isinstance(each, CommandError):
                error, part = each, (each.part if isinstance(each, PartlyDone) else None) or []
            messages += part
            commands.note(part)
            if not commands.settle(command, error):
                raise each
    keys, mailbox = keys_of(wanted), connection.mailbox
    return [
        value
        for value in (_merge(messages) if commands.undecodable else messages)
        # Of one that has gone meanwhile only a change may have come.
        if mailbox is None or keys <= value.claims or not mailbox.has_lost(value.uid)
    ]


def flags_by_uid(connection: Connection, uids: SequenceSet) -> Flow[dict[int, frozenset[str]]]:
    """FETCH of FLAGS; a message whose flags the server does not send is left out."""
    found = yield from fetch(connection, uids, ("FLAGS",))
    return {each.uid: each.flags for each in found if each.uid and "FLAGS" in each}


def _merge(messages: list[Fetched]) -> list[Fetched]:
    """One for each message, where some have been asked about twice."""
    merged: dict[int, Fetched] = {}
    for each in messages:
        before = merged.get(each.uid)
        merged[each.uid] = each if before is None else before.merge(each)
    return list(merged.values())


# -- STORE -----------------------------------------------------------------------------------------


def flags_to(change: Change, flags: FlagsLike) -> frozenset[str]:
    """The flags to add, remove or set. Only a replacement may have none.

    Raises:
        InvalidArgument: there is none to add or remove, or one is not a flag.
    """
    found = flags_of(flags)
    if not found and change is not Change.REPLACE:
        raise InvalidArgument("expected at least one flag")
    return found


def change_flags(
    connection: Connection,
    uids: SequenceSet,
    change: Change,
    flags: frozenset[str],
    unchanged_since: int | None = None,
) -> Flow[Stored]:
    """STORE, of flags that `flags_to()` gives."""
    modifiers = () if unchanged_since is None else (UnchangedSince(unchanged_since),)
    stored = yield from store(connection, uids, change, flags, modifiers=modifiers)
    _note_deleted(connection, uids, change, flags, stored)
    return stored


def _note_deleted(
    connection: Connection, uids: SequenceSet, change: Change, flags: frozenset[str], stored: Stored
) -> None:
    """Remember what this session has marked, for `expunge_marked()`."""
    names = any(flag.lower() == "\\deleted" for flag in flags)
    if connection.mailbox is None or not (names or change is Change.REPLACE):
        return
    if uids.open_ended:  # only those that the server has told of
        uids &= SequenceSet.of(each.uid for each in stored.messages if each.uid)
    changed = uids - stored.modified
    if names and change is not Change.REMOVE:
        connection.mailbox.marked |= changed
    else:
        connection.mailbox.marked -= changed


def store(
    connection: Connection,
    uids: SequenceSet,
    change: Change,
    flags: FlagsLike,
    *,
    silent: bool = False,
    modifiers: tuple[StoreModifier, ...] = (),
) -> Flow[Stored]:
    """Change flags of any number of messages."""
    wanted = flags_of(flags)
    commands = (
        Store(part, change, wanted, silent, modifiers) for part in portions(connection, uids)
    )
    messages: list[MessageData] = []
    modified = SequenceSet()
    for result in (yield from in_portions(connection, commands)):
        messages += result.messages
        modified |= result.modified
    return Stored(tuple(messages), modified)


# -- COPY, MOVE, DELETE ----------------------------------------------------------------------------


def _join(results: Iterable[Copied]) -> Copied:
    told = [result for result in results if result.uidvalidity]
    return Copied(
        told[0].uidvalidity if told else None,
        tuple(each for result in told for each in result.source),
        tuple(each for result in told for each in result.destination),
    )


def copy(connection: Connection, uids: SequenceSet, mailbox: str) -> Flow[Copied]:
    """COPY of any number of messages."""
    commands = (Copy(part, mailbox) for part in portions(connection, uids))
    return _join((yield from in_portions(connection, commands)))


def move(connection: Connection, uids: SequenceSet, mailbox: str) -> Flow[Copied]:
    """MOVE, or what RFC 6851 (3.3) tells a client to do without it: COPY, \\Deleted, UID EXPUNGE.

    Without UIDPLUS the messages stay behind with \\Deleted: expunging them would take others along.
    The result names them.
    """
    if connection.can("MOVE"):
        commands = (Move(part, mailbox) for part in portions(connection, uids))
        return _join((yield from in_portions(connection, commands)))
    uids = yield from _pin(connection, uids)
    copied = yield from copy(connection, uids, mailbox)
    yield from store(connection, uids, Change.ADD, ("\\Deleted",), silent=True)
    if connection.can("UIDPLUS"):
        yield from _expunge(connection, uids)
        return copied
    selected = connection.mailbox
    known = selected.uids if selected is not None and selected.complete else uids
    return replace(copied, left_behind=uids & known)


def _pin(connection: Connection, uids: SequenceSet) -> Flow[SequenceSet]:
    """The same messages, even if more arrive meanwhile: none is deleted that was not copied."""
    uidnext = None if connection.mailbox is None else connection.mailbox.uidnext
    if uids.open_ended or (uids and uidnext is not None and uidnext <= uids.last):
        return (yield from existing(connection, uids))
    return uids


def _expunge(connection: Connection, uids: SequenceSet) -> Flow[None]:
    yield from in_portions(connection, (Expunge(part) for part in portions(connection, uids)))


def delete(connection: Connection, uids: SequenceSet) -> Flow[None]:
    """Remove messages for good: \\Deleted, then UID EXPUNGE of these and no others.

    Raises:
        CapabilityMissing: the server has no UIDPLUS, so that nothing can be removed safely; no
            flag has been changed.
    """
    if not connection.can("UIDPLUS"):
        raise CapabilityMissing("UIDPLUS", "removing these messages and no others")
    yield from store(connection, uids, Change.ADD, ("\\Deleted",), silent=True)
    yield from _expunge(connection, uids)


def expunge_marked(connection: Connection) -> Flow[SequenceSet]:
    """UID EXPUNGE of what this session has given \\Deleted; their UIDs.

    Raises:
        CapabilityMissing: the server has no UIDPLUS.
    """
    if not connection.can("UIDPLUS"):
        raise CapabilityMissing(
            "UIDPLUS", "removing the messages that you have marked, and no others"
        )
    mailbox = connection.mailbox
    marked = SequenceSet() if mailbox is None else mailbox.marked
    if mailbox is not None and marked:
        yield from _expunge(connection, marked)
        mailbox.marked -= marked
    return marked


# -- APPEND ----------------------------------------------------------------------------------------

# quirk 81: what servers say of messages that they do not take
_REASONS: Final = (
    "nul",
    "invalid header",
    "argument error",
    "8bit",
    "line too long",
    "bare newline",
    "bare lf",
    "bare cr",
    "zero-length",
    "zero length",
    "zero byte",
    "empty message",
    "message is empty",
    "non-ascii characters in header",
    "header/body separator",
)


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
        limit = error.limit if isinstance(error, PartlyDone) else None
        if not limit or limit >= len(messages):
            return [_explain(error)] * len(messages)
    outcomes: list[Appended | CommandError] = []
    for start in range(0, len(messages), limit):
        outcomes += yield from _in_one(mailbox, messages[start : start + limit])
    return outcomes


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
        outcomes.append(_explain(outcome) if isinstance(outcome, CommandError) else outcome[0])
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


def _explain(error: CommandError) -> CommandError:
    """A typed error where only the server's words say that it is the message's fault."""
    if type(error) not in (Refused, Rejected) or error.code is not None:
        return error
    if any(reason in error.text.lower() for reason in _REASONS):
        return error.retype(MessageRefused)
    return error

"""Searching on any server: by ESEARCH where that works, in a charset that the server knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from imaplus.core.parameters import SearchReturn
from imaplus.core.search import RETURN_ALL, RETURN_COUNT, Found, Search
from imaplus.core.search_query import ALL, Query
from imaplus.core.sequences import FetchUids
from imaplus.core.session import Noop
from imaplus.errors import CommandError, InvalidArgument, PartlyDone, Throttled, UnknownCharset
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.records import replace
from imaplus.wire.sets import SequenceSet


def search(connection: Connection, query: Query = ALL) -> Flow[Found]:
    """UID SEARCH, by ESEARCH where there is one, in a charset that the server knows.

    Text beyond ASCII goes as UTF-8; where the server refuses that, in one of the charsets that it
    names (RFC 9051, 7.1, BADCHARSET) and that can express the text.

    Raises:
        InvalidArgument: it is no query, but a text, say.
    """
    if not isinstance(query, Query):
        raise InvalidArgument(
            f"expected a query such as Unseen or From('ann'), found {type(query).__name__}"
        )
    if query is ALL and _is_empty(connection):
        if (yield from nothing_there(connection)):
            return Found(count=0)
    elif connection.can("X-GM-EXT-1"):
        yield from Noop()  # quirk 53: Gmail shows new mail after it, and not before
    if not connection.can("ESEARCH"):
        return (yield from in_a_charset(connection, query, ()))
    try:
        found = yield from in_a_charset(connection, query, (RETURN_ALL,))
        if (yield from _is_believable(connection, query, found)):
            return found
    except (UnknownCharset, PartlyDone, Throttled):
        raise
    except CommandError:  # quirk 84: RETURN is refused, or the search itself: then this one is too
        pass
    plain = yield from in_a_charset(connection, query, ())
    connection.refuse("ESEARCH")
    return plain


def _is_believable(connection: Connection, query: Query, found: Found) -> Flow[bool]:
    """Whether what ESEARCH found can be all there is.

    quirk 85: Strato's server offers IMAP4rev2, and sends ESEARCH without ALL whatever it finds. So
    until one has come with ALL, nothing found where there are messages is no answer: a search for
    all of them, once, tells whether the server can do it.
    """
    if found.uids:
        connection.trust("ESEARCH")
        return True
    if found.count:
        return False  # so many, and not which
    if "ESEARCH" in connection.seen_to_work or not _has_messages(connection):
        return True
    if query is ALL:
        return False
    every = yield from _whole(connection, Search(ALL, (RETURN_ALL,)))
    if every.uids:
        connection.trust("ESEARCH")
    return bool(every.uids) or not _has_messages(connection)


def in_a_charset(
    connection: Connection, query: Query, returns: tuple[SearchReturn, ...]
) -> Flow[Found]:
    # UTF8=ACCEPT forbids it (RFC 9755, 3); under IMAP4rev2 Cyrus 3.10 finds nothing without it.
    implied = "UTF8=ACCEPT" in connection.enabled
    charset = "UTF-8" if query.needs_charset and not implied else None
    try:
        return (yield from _whole(connection, Search(query, returns, charset)))
    except UnknownCharset as error:
        others = error.data if isinstance(error.data, tuple) else ()
        for other in (*others, "ISO-8859-1"):  # quirk 51
            try:
                return (yield from _whole(connection, Search(query, returns, other)))
            except InvalidArgument:  # it cannot express the text: nothing was sent
                continue
        raise


def _whole(connection: Connection, command: Search) -> Flow[Found]:
    """What a search finds, however many messages the server looks at in one command (RFC 9738).

    Raises:
        PartlyDone: it gets no further.
    """
    from imaplus.core.search_keys import Uid

    query, parts, lowest = command.query, [], None
    while True:
        try:
            parts.append((yield from command))
            break
        except PartlyDone as error:  # quirk 87: Yahoo
            if error.status != "OK" or error.uid is None or error.uid >= (lowest or error.uid + 1):
                raise
            parts.append(error.part)
            lowest = error.uid
        below = Uid(range(1, lowest))
        command = replace(command, query=below if query is ALL else query & below)
    return parts[0] if len(parts) == 1 else _join(parts)


def _join(parts: list[Found]) -> Found:
    """Return the union of the results of several searches."""
    uids = SequenceSet.from_ranges(each for part in parts for each in part.uids.ranges)

    def over(combine: Callable[..., int], name: str) -> Any:
        numbers = [getattr(part, name) for part in parts if getattr(part, name) is not None]
        return combine(numbers) if numbers else None

    return Found(uids, over(sum, "count"), over(min, "min"), over(max, "max"), over(max, "modseq"))


def uids_of(connection: Connection, query: Query = ALL) -> Flow[SequenceSet]:
    """Return the UIDs that a query finds."""
    return (yield from search(connection, query)).uids


def count(connection: Connection, query: Query = ALL) -> Flow[int]:
    """Return the number of messages that a query finds."""
    if connection.can("ESEARCH") and not (query is ALL and _is_empty(connection)):
        try:
            found = yield from in_a_charset(connection, query, (RETURN_COUNT,))
        except (UnknownCharset, Throttled):
            raise
        except CommandError:  # quirk 84, or PartlyDone: the parts are counted below
            pass
        else:
            if found.count:
                return found.count
    found = yield from search(connection, query)
    return len(found.uids) if found.count is None else found.count


def nothing_there(connection: Connection) -> Flow[bool]:
    """Whether the mailbox is empty still: in one that is, some refuse `*` and `1:*` (quirk 39)."""
    if not _is_empty(connection):
        return False
    yield from Noop()
    return _is_empty(connection)


def _is_empty(connection: Connection) -> bool:
    return connection.mailbox is not None and connection.mailbox.exists == 0


def _has_messages(connection: Connection) -> bool:
    return connection.mailbox is not None and connection.mailbox.exists > 0


def all_uids(connection: Connection) -> Flow[SequenceSet]:
    """Return the UIDs of all messages, and add them to the mailbox's map."""
    found = yield from search(connection, ALL)
    if connection.mailbox is not None:
        connection.mailbox.learn_all(found.uids)
    return found.uids


PORTION: Final = 10_000
"""Number of messages per FETCH of sequence numbers."""


def uids_by_sequence(connection: Connection) -> Flow[SequenceSet]:
    """The UIDs of all messages, by FETCH of sequence numbers, where SEARCH is not to be trusted."""
    found = SequenceSet()
    exists = 0 if connection.mailbox is None else connection.mailbox.exists
    for first in range(1, exists + 1, PORTION):
        last = min(exists, first + PORTION - 1)
        found |= yield from FetchUids(SequenceSet.of(range(first, last + 1)))
    return found


def existing(connection: Connection, uids: SequenceSet) -> Flow[SequenceSet]:
    """Return those of the UIDs that belong to existing messages."""
    mailbox = connection.mailbox
    if mailbox is not None and mailbox.complete:
        known = mailbox.uids
    else:
        known = yield from all_uids(connection)
    return uids.resolve(known.last) & known if known else known

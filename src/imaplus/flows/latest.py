"""Choose the messages to show: all that a query finds, or the first or last of them."""

from __future__ import annotations

from collections.abc import Iterator

from imaplus.core.search_query import ALL, Query
from imaplus.core.sequences import FetchUids
from imaplus.errors import CommandError, InvalidArgument, Throttled
from imaplus.flows.finding import in_a_charset, nothing_there, uids_of
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.wire.sets import EMPTY, SequenceSet, SequenceSetLike

MOST: int = 100_000
"""Larger sets of UIDs are reduced to the existing messages first, by a search."""


def choose_uids(
    connection: Connection, what: Query | SequenceSetLike, *, newest_first: bool, limit: int | None
) -> Flow[SequenceSet]:
    """Return the UIDs of the messages to show: those that a query finds, or the given ones.

    A query finds at most `limit` messages. Given UIDs may include some that do not exist.

    Raises:
        InvalidArgument: the limit is negative, or `what` is neither a query nor UIDs.
    """
    from imaplus.core.search_keys import Uid

    if limit is not None and limit < 0:
        raise InvalidArgument(f"limit must not be negative, found {limit}")
    if limit == 0:
        return EMPTY
    if isinstance(what, Query):
        return (yield from _find_uids(connection, what, newest_first, limit))
    uids = SequenceSet.of(what)
    if not uids.open_ended and len(uids) <= MOST:
        return uids
    if uids.open_ended and (yield from nothing_there(connection)):
        return EMPTY
    query = ALL if uids == SequenceSet.of("1:*") else Uid(uids)
    found = yield from _find_uids(connection, query, newest_first, limit)
    return found & uids  # "5:*" finds the last message in any case (RFC 9051, 9)


def _find_uids(
    connection: Connection, query: Query, newest_first: bool, limit: int | None
) -> Flow[SequenceSet]:
    mailbox = connection.mailbox
    if limit is None or mailbox is None or mailbox.exists <= limit:
        return (yield from uids_of(connection, query))
    if connection.can("PARTIAL"):
        from imaplus.extensions.partial import Partial

        some = Partial(-limit if newest_first else limit)
        try:
            found = yield from in_a_charset(connection, query, (some,))
        except Throttled:
            raise
        except CommandError:  # quirk 84; if the query is wrong, the next command fails too
            connection.refuse("PARTIAL")
        else:
            if found.uids:
                return ends(found.uids, limit, newest_first=newest_first)
    elif query is ALL and not connection.can("ESEARCH"):  # a list of all UIDs may be long
        seqs = range(mailbox.exists - limit + 1, mailbox.exists + 1)
        return (yield from FetchUids(SequenceSet.of(seqs if newest_first else range(1, limit + 1))))
    found_uids = yield from uids_of(connection, query)
    return ends(found_uids, limit, newest_first=newest_first)


def ends(uids: SequenceSet, count: int, *, newest_first: bool) -> SequenceSet:
    """The last `count` UIDs of a set, or the first."""
    return next(windows(uids, count, newest_first=newest_first), EMPTY)


def windows(uids: SequenceSet, size: int, *, newest_first: bool) -> Iterator[SequenceSet]:
    """Split a set into sets of `size` UIDs, from its end or from its beginning."""
    if not newest_first:
        yield from uids.chunks(size)
        return
    window: list[tuple[int, int]] = []
    room = size
    for low, high in reversed(uids.ranges):
        while low <= high:
            cut = max(low, high - room + 1)
            window.append((cut, high))
            room -= high - cut + 1
            high = cut - 1
            if not room:
                yield SequenceSet.from_ranges(window)
                window, room = [], size
    if window:
        yield SequenceSet.from_ranges(window)

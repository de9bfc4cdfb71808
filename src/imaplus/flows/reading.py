"""Fetching what a message is shown by: a summary of many at once, then the parts that are wanted.

A message that the server cannot tell of costs no other: what is refused is asked for in smaller
portions, and what does not parse is read from the header, or from the message, here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection, FetchItem
from imaplus.core.fetched import Fetched
from imaplus.errors import CommandError, NoSuchMessage, Throttled
from imaplus.flows.messages import fetch
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.reading.summary import (
    HEADER,
    ITEMS,
    START,
    Summary,
    lacks_envelope,
    lacks_structure,
    summarise,
    value_of,
)
from imaplus.wire.sets import SequenceSet

SAFE: Final[tuple[FetchItem, ...]] = ("FLAGS", "INTERNALDATE", "RFC822.SIZE")
"""Items that servers send even for a message that they cannot parse."""
LARGEST_TEXT: Final = 16 << 20
"""Limit on the encoded size of a text that is read into memory, in bytes."""


def summaries(connection: Connection, uids: SequenceSet) -> Flow[list[Summary]]:
    """Return summaries of the messages that exist, ascending by UID."""
    found = {each.uid: each for each in (yield from _fetch_usual(connection, uids)) if each.uid}
    for item, lacking in ((HEADER, lacks_envelope), (START, lacks_structure)):
        without = SequenceSet.of(uid for uid, each in found.items() if uid and lacking(each))
        if without:
            for each in (yield from _one_by_one_if_refused(connection, without, (item,))):
                if each.uid in found:
                    found[each.uid] = found[each.uid].merge(each)
    return [summarise(found[uid]) for uid in sorted(uid for uid in found if uid and uid in uids)]


def _fetch_usual(connection: Connection, uids: SequenceSet) -> Flow[list[Fetched]]:
    """Fetch the items of summaries, as far as the server can send them."""
    try:
        return (yield from fetch(connection, uids, ITEMS))
    except Throttled:
        raise
    except CommandError:
        if len(uids) > 1:
            found: list[Fetched] = []
            for half in uids.chunks(-(-len(uids) // 2)):
                found += yield from _fetch_usual(connection, half)
            return found
    return (yield from fetch(connection, uids, SAFE))


def _one_by_one_if_refused(
    connection: Connection, uids: SequenceSet, items: tuple[FetchItem, ...]
) -> Flow[list[Fetched]]:
    try:
        return (yield from fetch(connection, uids, items))
    except Throttled:
        raise
    except CommandError:
        if len(uids) == 1:
            return []
    found: list[Fetched] = []
    for uid in uids:
        found += yield from _one_by_one_if_refused(connection, SequenceSet.of(uid), items)
    return found


def sections(
    connection: Connection, uid: int, wanted: Iterable[BodySection]
) -> Flow[dict[str, bytes]]:
    """Sections of a message in one FETCH, by their keys; without those that the server lacks.

    What it leaves out of several it is asked for once more, alone (quirk 94: James).

    Raises:
        NoSuchMessage: the message is gone.
        CommandError: the server tells none of them.
    """
    bodies = tuple(dict.fromkeys(wanted))
    if not bodies:
        return {}
    found: dict[str, bytes] = {}
    error: CommandError | None = None
    there = False
    for group in (bodies, *((each,) for each in bodies if len(bodies) > 1)):
        asked = tuple(each for each in group if each.key not in found)
        if not asked:
            continue
        try:
            told = yield from Fetch(SequenceSet.of(uid), ("UID", *asked))
        except Throttled:
            raise
        except CommandError as refusal:
            error = refusal
            continue
        there = there or bool(told)
        for message in told:
            for each in asked:
                value = value_of(message, each.key)
                if isinstance(value, bytes):
                    found[each.key] = value
        if not there:
            break
    if not there:
        raise error or NoSuchMessage(f"there is no message with UID {uid} any more")
    return found

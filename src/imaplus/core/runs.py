"""FETCH responses by the thousand: lines of UID and FLAGS, read by one pattern for all of them.

A run is worth what its responses are one by one, and holds no object for each. Items that an
extension adds make other shapes, for which it registers its own patterns. It never asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import lt
from typing import Final

from imaplus.core.fetched import Fetched
from imaplus.protocol.data import MessageRun
from imaplus.protocol.response import run_of_responses
from imaplus.wire.cursor import flag_set
from imaplus.wire.patterns import lazy_pattern

MAX_UID: Final = (1 << 32) - 1
UNSOLICITED: Final = frozenset({"UID", "FLAGS", "MODSEQ"})
"""What servers tell of a message that has changed, whatever was asked."""


class FlagsRun(MessageRun):
    """The flags of messages that follow one another: `flags[n]` are those of `uids[n]`."""

    __slots__ = ("flags",)
    names = frozenset({"UID", "FLAGS"})

    def __init__(self, first: int, uids: list[int], flags: list[frozenset[str]]) -> None:
        super().__init__(first, uids)
        self.flags = flags

    def __iter__(self) -> Iterator[Fetched]:
        for seq, (uid, flags) in enumerate(zip(self.uids, self.flags, strict=True), self.first):
            yield Fetched(seq, uid, {"UID": uid, "FLAGS": flags})


def flags_line(items: bytes) -> re.Pattern[bytes]:
    """A response of UID, FLAGS and perhaps more: the pattern for a run of such lines."""
    items = items.replace(b"<uid>", rb"([1-9][0-9]{0,9})")
    items = items.replace(b"<flags>", rb"\(([^()\"{\r\n]*+)\)")
    return lazy_pattern(rb"\* [1-9][0-9]{0,9} FETCH \(" + items + rb"\)\r\n|.+", re.DOTALL)


_SEQ: Final = lazy_pattern(rb"\* ([0-9]+)")


def where_in_order(lines: bytes, uids: list[int]) -> int:
    """The first sequence number of responses that come in order, message after message; else 0.

    UIDs ascend with the sequence numbers (RFC 9051, 2.3.1.1): as many messages as there are numbers
    from the first to the last leave none out.
    """
    first, last = _SEQ.match(lines), _SEQ.match(lines, lines.rfind(b"\r\n*", 0, -2) + 2)
    if len(uids) == 1:
        last = first
    if first is None or last is None or int(last[1]) - int(first[1]) != len(uids) - 1:
        return 0
    ascending = uids[-1] <= MAX_UID and all(map(lt, uids, islice(uids, 1, None)))
    return int(first[1]) if ascending else 0


def flag_sets(texts: list[bytes]) -> list[frozenset[str]]:
    """The flags in each text: one set for all that are the same."""
    sets = {text: flag_set(text) for text in set(texts)}
    return list(map(sets.__getitem__, texts))


def flags_run(lines: bytes, uids: list[int], flags: list[bytes]) -> FlagsRun | None:
    """The run that these lines are, if they are in order."""
    first = where_in_order(lines, uids)
    return FlagsRun(first, uids, flag_sets(flags)) if first else None


@run_of_responses(flags_line(rb"UID <uid> FLAGS <flags>"))
def flags_after_uid(lines: bytes, rows: list[tuple[bytes, ...]]) -> FlagsRun | None:
    return flags_run(lines, [int(row[0]) for row in rows], [row[1] for row in rows])


@run_of_responses(flags_line(rb"FLAGS <flags> UID <uid>"))
def flags_before_uid(lines: bytes, rows: list[tuple[bytes, ...]]) -> FlagsRun | None:
    return flags_run(lines, [int(row[1]) for row in rows], [row[0] for row in rows])


class Merger:
    """Puts together what a server tells of one message in several responses (quirk 76).

    `keys` are the names of what was asked for.
    """

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys
        self._enough: object = None  # the names of a message of which all had come
        self._partly: dict[int | None, Fetched] = {}

    def merge(self, values: Iterable[object]) -> Iterator[Iterable[Fetched]]:
        """The messages of which all has come, as many at once as there are; runs stay runs."""
        batch: list[Fetched] = []
        for value in values:
            if isinstance(value, Fetched):
                if value.claims is self._enough and not self._partly:
                    batch.append(value)  # it looks as the one before
                else:
                    self._add(value, batch)
            elif isinstance(value, FlagsRun):
                if self._partly or not self._keys <= value.names:
                    for each in value:
                        self._add(each, batch)
                    continue
                if batch:
                    yield batch
                    batch = []
                yield value
        if batch:
            yield batch

    def _add(self, value: Fetched, batch: list[Fetched]) -> None:
        if value.uid in self._partly:
            value = self._partly.pop(value.uid).merged(value)
        if self._keys <= value.claims:
            batch.append(value)
            self._enough = value.claims
        else:
            self._partly[value.uid] = value

    def rest(self) -> list[Fetched]:
        """The messages of which something was asked that has not come."""
        keys = self._keys
        return [
            value
            for value in self._partly.values()
            if not keys.isdisjoint(value.names - UNSOLICITED) or keys <= UNSOLICITED
        ]

"""Merging of FETCH data: servers may send the items of a message in several responses."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from operator import lt
from typing import Final

from imaplus.core.fetched import Fetched
from imaplus.protocol.bulk import MessageRun

UNSOLICITED: Final = frozenset({"UID", "FLAGS", "MODSEQ"})
"""Items that a server may send about a changed message at any time."""
MAX_UID: Final = (1 << 32) - 1


def merge_all(values: Iterable[object], keys: frozenset[str]) -> list[Fetched]:
    """Return all messages among values and runs, each once, in the order of the responses.

    Messages with none of the `keys` are last.
    """
    merged: dict[int, Fetched] = {}
    others: dict[int, Fetched] = {}
    for value in _one_by_one(values):
        if keys.isdisjoint(value.claims):
            others.setdefault(value.uid, value)
            continue
        before = merged.get(value.uid)  # quirk 76: several responses for one message
        merged[value.uid] = value if before is None else before.merge(value)
    return [*merged.values(), *(others[uid] for uid in others if uid not in merged)]


def _one_by_one(values: Iterable[object]) -> Iterator[Fetched]:
    for value in values:
        if isinstance(value, MessageRun):
            yield from value
        elif isinstance(value, Fetched):
            yield value


class Merger:
    """Merges messages as they come, and holds back incomplete ones.

    `keys` are the names of the items that were asked for (quirk 76).
    """

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys
        self._given = UidLog()
        self._enough: object = None  # the names of a message that was complete
        self._partial: dict[int, Fetched] = {}

    def merge(self, values: Iterable[object]) -> Iterator[Iterable[Fetched]]:
        """Yield complete messages in batches; runs stay runs."""
        batch: list[Fetched] = []
        for value in values:
            if isinstance(value, Fetched):
                if value.claims is self._enough and not self._partial:
                    batch.append(value)  # it has the same items as the one before
                    self._given.add(value.uid)
                else:
                    self._add(value, batch)
            elif isinstance(value, MessageRun):
                if self._partial or not self._keys <= value.names:
                    for each in value:
                        self._add(each, batch)
                    continue
                if batch:
                    yield batch
                    batch = []
                self._given.add_all(value.uids)
                yield value
        if batch:
            yield batch

    def _add(self, value: Fetched, batch: list[Fetched]) -> None:
        before = self._partial.get(value.uid)
        if self._keys.isdisjoint(value.claims):  # it has nothing that was asked for
            if before is None and value.uid not in self._given:
                self._partial[value.uid] = value
            return
        if before is not None:
            del self._partial[value.uid]
            if not self._keys.isdisjoint(before.claims):
                value = before.merge(value)
        if self._keys <= value.claims:
            batch.append(value)
            self._given.add(value.uid)
            self._enough = value.claims
        elif not self._is_change(value) or value.uid not in self._given:
            self._partial[value.uid] = value

    def _is_change(self, value: Fetched) -> bool:
        """Whether it may be an unsolicited update about a message."""
        return value.names <= UNSOLICITED and not self._keys <= UNSOLICITED

    def rest(self, is_gone: Callable[[int], bool] = lambda uid: False) -> list[Fetched]:
        """Return the incomplete messages.

        Messages for which `is_gone` is true are left out: their data was an unsolicited update.
        """
        return [value for value in self._partial.values() if not is_gone(value.uid)]


class UidLog:
    """A growing set of UIDs: small in memory, and searched only when `in` is used."""

    __slots__ = ("_alone", "_ranges", "_set")

    def __init__(self) -> None:
        self._ranges: list[range] = []
        self._alone = array("Q")
        self._set: set[int] | None = None  # all of them, once one was looked for

    def add(self, uid: int) -> None:
        if self._set is None:
            self._alone.append(uid)
        else:
            self._set.add(uid)

    def add_all(self, uids: Sequence[int]) -> None:
        if self._set is not None:
            self._set.update(uids)
        elif uids[-1] - uids[0] == len(uids) - 1 and is_ascending(uids):
            self._ranges.append(range(uids[0], uids[-1] + 1))
        else:
            self._alone.extend(uids)

    def __contains__(self, uid: int) -> bool:
        if self._set is None:
            self._set = set(chain(self._alone, *self._ranges))
            self._ranges, self._alone = [], array("Q")
        return uid in self._set


def is_ascending(uids: Sequence[int]) -> bool:
    """Whether UIDs are in their order (RFC 9051, 2.3.1.1)."""
    return uids[-1] <= MAX_UID and all(map(lt, uids, islice(uids, 1, None)))

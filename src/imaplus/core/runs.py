"""FETCH responses by the thousand: those of a shape that came before, read by one pattern for all.

A run is worth what its responses are one by one, and holds no object for each. It never asks.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import lru_cache, partial
from itertools import chain, islice, repeat
from operator import itemgetter, lt
from typing import Any, Final

from imaplus.core import shapes
from imaplus.core.fetched import UNTOUCHED, Fetched, Source
from imaplus.core.shapes import Over, Shape
from imaplus.protocol.data import MessageRun, RunShape
from imaplus.wire.framing import Framer, Rows
from imaplus.wire.patterns import lazy_pattern

MAX_UID: Final = (1 << 32) - 1
UNSOLICITED: Final = frozenset({"UID", "FLAGS", "MODSEQ"})
"""What servers tell of a message that has changed, whatever was asked."""


class FetchedRun(MessageRun):
    """What was fetched of messages: a `Fetched` for each, made for who iterates."""

    __slots__ = ("_columns", "_source")

    def __init__(
        self, seqs: Sequence[int], columns: Sequence[Sequence[Any]], source: Source
    ) -> None:
        super().__init__(seqs, columns[source.shape.places["UID"]])
        self._columns = columns
        self._source = source

    @property
    def names(self) -> Set[str]:
        return self._source.shape.names

    def column(self, name: str) -> Sequence[Any]:
        """An item's value for each of the messages; not of those that wait to be touched."""
        return self._columns[self._source.shape.places[name]]

    def __iter__(self) -> Iterator[Fetched]:
        rows = zip(*self._columns, strict=True)
        return map(Fetched, self.seqs, self.uids, repeat(UNTOUCHED), rows, repeat(self._source))


def recent_shapes() -> Iterator[RunShape]:
    """What FETCH responses that come by the thousand looked like lately."""
    return (_run_shape(shape) for shape in shapes.recent if shape.comes_in_runs)


@lru_cache(maxsize=64)
def _run_shape(shape: Shape) -> RunShape:
    def take(framer: Framer) -> tuple[bytes, Rows]:
        if shape.ends_in_body:
            return framer.next_with_literal(shape.beginning)
        return framer.next_responses(shape.beginning, shape.whole, literals=bool(shape.lists))

    return RunShape(take, partial(_read, shape))


def _read(shape: Shape, octets: bytes, rows: Rows, over: Over) -> FetchedRun | None:
    groups = [list(map(itemgetter(at), rows)) for at in range(len(rows[0]) - 1)]
    numbers = list(map(int, groups.pop(0))) if shape.lists or shape.ends_in_body else None
    for marker in shape.markers:
        if not all(marker in text for text in groups[-1]):
            return None
    columns = shape.read(groups)
    uids = columns[shape.places["UID"]]
    return FetchedRun(_seqs(octets, uids, numbers), columns, Source(shape, over))


def _seqs(octets: bytes, uids: Sequence[int], numbers: list[int] | None) -> Sequence[int]:
    """The sequence numbers of the responses: a range, if it is sure that they are one."""
    first, last = (numbers[0], numbers[-1]) if numbers else _numbers_at_ends(octets)
    following = range(first, last + 1)
    if len(following) == len(uids) and _ascending(uids) and numbers in (None, list(following)):
        # Without `numbers`: as many messages as there are from the first to the last, in the order
        # of their UIDs, leave none out.
        return following
    return numbers or list(map(int, _SEQ.findall(octets)))


# Of responses without literals, all at once: each is a line.
_SEQ: Final = lazy_pattern(rb"(?m)^\* ([0-9]+)")


def _numbers_at_ends(lines: bytes) -> tuple[int, int]:
    """The sequence numbers of the first and of the last response."""
    first, last = _SEQ.match(lines), _SEQ.match(lines, lines.rfind(b"\n*", 0, -2) + 1)
    assert first is not None
    assert last is not None
    return int(first[1]), int(last[1])


def _ascending(uids: Sequence[int]) -> bool:
    """Whether UIDs are in the order that is theirs (RFC 9051, 2.3.1.1)."""
    return uids[-1] <= MAX_UID and all(map(lt, uids, islice(uids, 1, None)))


class Merger:
    """Puts together what a server tells of one message in several responses (quirk 76).

    `keys` are the names of what was asked for.
    """

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys
        self._given = _Given()
        self._enough: object = None  # the names of a message of which all had come
        self._partly: dict[int | None, Fetched] = {}

    def merge(self, values: Iterable[object]) -> Iterator[Iterable[Fetched]]:
        """The messages of which all has come, as many at once as there are; runs stay runs."""
        batch: list[Fetched] = []
        for value in values:
            if isinstance(value, Fetched):
                if value.claims is self._enough and not self._partly:
                    batch.append(value)  # it looks as the one before
                    self._given.add(value.uid)
                else:
                    self._add(value, batch)
            elif isinstance(value, FetchedRun):
                if self._partly or not self._keys <= value.names:
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
        before = self._partly.get(value.uid)
        if not self._tells(value):
            if before is None and value.uid not in self._given:
                self._partly[value.uid] = value
            return
        if before is not None:
            del self._partly[value.uid]
            if self._tells(before):
                value = before.merged(value)
        if self._keys <= value.claims:
            batch.append(value)
            self._given.add(value.uid)
            self._enough = value.claims
        elif not self._is_change(value) or value.uid not in self._given:
            self._partly[value.uid] = value

    def _tells(self, value: Fetched) -> bool:
        """Whether it has anything of what was asked for: else, it tells that a message is there."""
        return not self._keys.isdisjoint(value.claims)

    def _is_change(self, value: Fetched) -> bool:
        """Whether a server may have sent it unasked, of a message that it has told all of."""
        return value.names <= UNSOLICITED and not self._keys <= UNSOLICITED

    def rest(self, is_gone: Callable[[int | None], bool] = lambda uid: False) -> list[Fetched]:
        """The messages of which something was asked that has not come: each as far as it has.

        A message that `is_gone` is left out: what came of it was a change, before it went.
        """
        return [value for value in self._partly.values() if not is_gone(value.uid)]


class _Given:
    """The UIDs of messages that are whole: kept small, and looked up only where it matters."""

    __slots__ = ("_alone", "_runs", "_set")

    def __init__(self) -> None:
        self._runs: list[Sequence[int]] = []
        self._alone = array("Q")
        self._set: set[int] | None = None  # all of them, once one was looked for

    def add(self, uid: int | None) -> None:
        if uid is None:
            return
        if self._set is None:
            self._alone.append(uid)
        else:
            self._set.add(uid)

    def add_all(self, uids: Sequence[int]) -> None:
        if self._set is not None:
            self._set.update(uids)
        elif uids[-1] - uids[0] == len(uids) - 1 and _ascending(uids):
            self._runs.append(range(uids[0], uids[-1] + 1))
        else:
            self._alone.extend(uids)

    def __contains__(self, uid: int | None) -> bool:
        if self._set is None:
            self._set = set(chain(self._alone, *self._runs))
            self._runs, self._alone = [], array("Q")
        return uid in self._set

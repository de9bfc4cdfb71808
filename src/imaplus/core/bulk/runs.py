"""Runs of FETCH responses: many of one shape, stored as columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import repeat
from operator import itemgetter
from typing import Any, Final

from imaplus.core.bulk.cutting import Rows
from imaplus.core.bulk.rows import UNREAD, Row, Source
from imaplus.core.fetched import Fetched
from imaplus.core.merging import is_ascending
from imaplus.protocol.bulk import MessageRun
from imaplus.wire.patterns import lazy_pattern


class FetchedRun(MessageRun):
    """What was fetched of many messages. Iterating makes a `Fetched` for each."""

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
        """The values of an item; of dates and bodies, the bytes that came."""
        return self._columns[self._source.shape.places[name]]

    def __iter__(self) -> Iterator[Fetched]:
        rows = zip(*self._columns, strict=True)
        return map(Row, self.seqs, self.uids, repeat(UNREAD), rows, repeat(self._source))


def make_run(data: bytes, rows: Rows, source: Source) -> FetchedRun | None:
    """The run of complete responses with these groups; None if they must be parsed one by one."""
    shape = source.shape
    groups = [list(map(itemgetter(at), rows)) for at in range(len(rows[0]) - 1)]
    numbers = list(map(int, groups.pop(0))) if shape.lists or shape.ends_in_body else None
    for marker in shape.markers:
        if not all(marker in text for text in groups[-1]):
            return None
    columns = shape.parse(groups)
    uids = columns[shape.places["UID"]]
    return FetchedRun(_seqs(data, uids, numbers), columns, source)


def _seqs(data: bytes, uids: Sequence[int], numbers: list[int] | None) -> Sequence[int]:
    """The sequence numbers of the responses; a range if it is certain that they are one.

    Without `numbers` only the first and the last are read: if there are as many messages as from
    one to the other, in the order of their UIDs, none is left out.
    """
    first, last = (numbers[0], numbers[-1]) if numbers else _numbers_at_ends(data)
    following = range(first, last + 1)
    if len(following) == len(uids) and is_ascending(uids) and numbers in (None, list(following)):
        return following
    return numbers or list(map(int, _SEQ.findall(data)))


# Of responses without literals, all at once: each is a line.
_SEQ: Final = lazy_pattern(rb"(?m)^\* ([0-9]+)")


def _numbers_at_ends(lines: bytes) -> tuple[int, int]:
    """The sequence numbers of the first and of the last response."""
    first, last = _SEQ.match(lines), _SEQ.match(lines, lines.rfind(b"\n*", 0, -2) + 1)
    assert first is not None
    assert last is not None
    return int(first[1]), int(last[1])

"""The interface of the fast lane: a reader of FETCH responses that come by the thousand.

A connection works without one, and gives the same values (`Connection(bulk=None)`). The reader
itself, and all that it knows of FETCH, is in `core/bulk/`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any, NamedTuple, Protocol

from imaplus.protocol.data import MessageData
from imaplus.wire.frames import Frame, Limits
from imaplus.wire.framing import Window


class MessageRun(ABC):
    """Many FETCH responses in a row, stored as columns.

    Iterating gives the MessageData that parsing each response on its own would give.
    """

    __slots__ = ("seqs", "uids")

    def __init__(self, seqs: Sequence[int], uids: Sequence[int]) -> None:
        self.seqs: Sequence[int] = seqs
        """The sequence numbers. A `range` if the messages follow one another and UIDs ascend."""
        self.uids: Sequence[int] = uids

    def __len__(self) -> int:
        return len(self.uids)

    @property
    @abstractmethod
    def names(self) -> Set[str]:
        """The names of the items that each response has."""

    @abstractmethod
    def column(self, name: str) -> Sequence[Any]:
        """The values of an item, one for each message."""

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """What each response says, as MessageData."""


class Taken(NamedTuple):
    """Complete responses from the beginning of a window: where they end, and their values."""

    end: int
    values: MessageRun | list[object]


class BulkReader(Protocol):
    """Reads responses that look like earlier ones of the same connection.

    Whatever it does not recognise is left to `wire.framing` and `protocol.response.parse()`.
    """

    least: int
    """Reads shorter than this, in bytes, skip `take()`."""

    def learn(self, value: MessageData) -> None:
        """Remember what a response that `parse()` has read looks like."""

    def recognise(self, frame: Frame, *, utf8: bool) -> MessageData | None:
        """The value of a response that looks like an earlier one; None to leave it to `parse()`."""

    def take(self, window: Window, *, utf8: bool) -> Taken | None:
        """As many responses as look like earlier ones; None to leave the first to the framer."""


Bulk = Callable[[Limits], BulkReader]
"""Makes the reader of one connection, at its first FETCH response."""

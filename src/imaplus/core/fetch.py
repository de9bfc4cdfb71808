"""FETCH (RFC 9051, 6.4.5): asking for data of messages.

What can be asked for is in `fetch_items.py`; what comes back, `Fetched`, is in `fetched.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import ClassVar, Final

from imaplus.core.fetch_items import BodySection, FetchItem, keys_of, resolve_items
from imaplus.core.fetched import Fetched
from imaplus.core.merging import merge_all
from imaplus.core.messages import MessageCommand
from imaplus.core.parameters import FetchModifier, needs_of, write_list
from imaplus.protocol.body_names import name_of_body
from imaplus.protocol.bulk import MessageRun
from imaplus.protocol.command import Reply
from imaplus.protocol.status import Status
from imaplus.records import record
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.sinks import Sink
from imaplus.wire.writer import Writer

BodySink = Callable[[int | None, int], Sink]
"""Chooses the sink for a body, by UID (None if the server sends it later) and size in bytes."""

_UID_SO_FAR: Final = lazy_pattern(rb"\* [0-9]+ FETCH \((?:[^\[{\"]* )?UID ([0-9]{1,10}) ", re.I)
_FETCH_SO_FAR: Final = lazy_pattern(rb"\* +[0-9]+ FETCH ", re.I)
UID_ALONE: Final = frozenset({"UID"})
"""A response with nothing else answers: the server has nothing of what was asked for."""
HEAD: Final = 300
"""The UID is looked for in so many bytes at the beginning of a response."""


@record
class Fetch(MessageCommand[list[Fetched]]):
    """Fetch items of messages, by UID (RFC 9051, 6.4.5).

    The result is a list, in the order in which messages came. To hold fewer in memory, take them
    from the pending command as they come (`Pending.take()`).

    Raises:
        InvalidArgument: an item is not the name of one.
    """

    name = b"UID FETCH"
    collects: ClassVar[tuple[type, ...]] = (Fetched,)
    items: tuple[FetchItem, ...] = ("FLAGS",)
    modifiers: tuple[FetchModifier, ...] = ()
    into: BodySink | None = None
    """Chooses a sink for each body; without it, bodies are kept in memory."""
    into_from: int = 0
    """Bodies smaller than this, in bytes, are kept in memory in any case."""

    def __post_init__(self) -> None:
        self.__dict__["keys"] = keys_of(self.items)  # else a lock is taken to find them

    @cached_property
    def keys(self) -> frozenset[str]:
        """The names of the items in the answer."""
        return resolve_items(self.items).keys

    def needs(self) -> Iterable[str]:
        return (*resolve_items(self.items).needs, *needs_of(self.modifiers))

    def encode(self, out: Writer) -> None:
        super().encode(out)
        out.sp()
        asked = resolve_items(self.items)
        if asked.names:
            out.atom_list(asked.names)
        else:
            with out.parens():
                for _, item in out.separate(asked.items):
                    if isinstance(item, BodySection):
                        item.encode(out)
                    else:
                        out.atom(item)
        if self.modifiers:
            out.sp()
            write_list(out, self.modifiers)

    def wants(self, data: object) -> bool:
        return (
            isinstance(data, Fetched)
            and self.covers(data.uid)
            and (not self.keys.isdisjoint(data.claims) or data.claims == UID_ALONE)
        )

    def overhears(self, data: object) -> bool:
        """A message is there even if the server sends nothing of what was asked for."""
        return isinstance(data, Fetched) and self.covers(data.uid)

    def wants_run(self, run: MessageRun) -> bool:
        if self.keys.isdisjoint(run.names):
            return False
        first, last = self.uids.first, self.uids.last
        if len(self.uids.ranges) == 1 and first <= run.uids[0] and run.uids[-1] <= last:
            return True
        return all(map(self.covers, run.uids))

    @property
    def sinks_from(self) -> int | None:
        return None if self.into is None else self.into_from

    def sink(self, text: bytearray, size: int) -> Sink | None:
        if self.into is None or size < self.into_from:
            return None
        told = _UID_SO_FAR.match(text, 0, HEAD)
        if not (told or _FETCH_SO_FAR.match(text)) or name_of_body(text) not in self.keys:
            return None
        uid = int(told[1]) if told else None
        if uid is not None and not self.covers(uid):
            return None
        return self.into(uid, size)

    def forgives(self, status: Status) -> bool:
        """Messages that another session removed are gaps, not failures (quirk 35; RFC 5530)."""
        return status.kind == "NO" and (
            status.code == "EXPUNGEISSUED" or "no longer exist" in status.text
        )

    def result(self, reply: Reply) -> list[Fetched]:
        return merge_all(reply.data, self.keys)

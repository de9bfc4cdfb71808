"""FETCH (RFC 9051, 6.4.5): asking for data of messages.

Bodies go where the command says; everything else is kept. What comes back is `Fetched`, which
stands in `fetched`. Which messages exist, and in which portions to ask for them, is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import ClassVar, Final, NamedTuple

from imaplus.core.fetched import Fetched
from imaplus.core.items import needed_for
from imaplus.core.messages import MessageCommand
from imaplus.core.parameters import FetchModifier, needs_of, write_list
from imaplus.core.runs import FetchedRun, recent_shapes
from imaplus.errors import InvalidArgument
from imaplus.protocol.body_names import name_of_body
from imaplus.protocol.command import Reply
from imaplus.protocol.data import MessageRun, RunShape
from imaplus.protocol.response import Status
from imaplus.records import record
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.sinks import Sink
from imaplus.wire.writer import Writer


@record
class BodySection:
    """BODY[section], or a part of it (RFC 9051, 6.4.5.1).

    `section` is "" for the whole message, "HEADER", "TEXT", "1.2", "1.2.MIME", and so on. `fields`
    are header fields, with "HEADER.FIELDS" or "HEADER.FIELDS.NOT" as the section's end. `partial`
    is (first octet, octets at most). `peek` leaves \\Seen alone; `binary` has the server undo the
    transfer encoding (RFC 3516), and `size` asks for nothing but how many octets that gives.

    Raises:
        InvalidArgument: there is no such section.
    """

    section: str = ""
    fields: tuple[str, ...] = ()
    partial: tuple[int, int] | None = None
    peek: bool = True
    binary: bool = False
    size: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", tuple(self.fields))  # a list will do as well
        section: object = self.section
        if not isinstance(section, str) or not _SECTION.fullmatch(section):
            raise InvalidArgument(f"expected a section (RFC 9051, 6.4.5.1): {self.section!r}")
        if bool(self.fields) != bool(_FIELDS.search(self.section)):
            raise InvalidArgument("header fields go with the section HEADER.FIELDS[.NOT], only")
        if self.partial is not None and not (self.partial[0] >= 0 and self.partial[1] > 0):
            raise InvalidArgument(f"expected (first octet, octets), found {self.partial!r}")
        if (self.binary or self.size) and not _PART.fullmatch(self.section):
            raise InvalidArgument("BINARY takes the number of a part (RFC 3516, 4.2)")

    def encode(self, out: Writer) -> None:
        """fetch-att."""
        out.atom(self._kind + (".PEEK" if self.peek and not self.size else ""))
        out.raw(b"[")
        if self.section:
            out.atom(self.section.upper())
        if self.fields:
            out.raw(b" ")
            with out.parens():
                for _, name in out.spaced(self.fields):
                    out.astring(name)
        out.raw(b"]")
        if self.partial is not None:
            out.raw(b"<%d.%d>" % self.partial)

    @property
    def _kind(self) -> str:
        return "BINARY.SIZE" if self.size else "BINARY" if self.binary else "BODY"

    @property
    def key(self) -> str:
        """The name under which its value comes back."""
        fields = f" ({' '.join(name.upper() for name in self.fields)})" if self.fields else ""
        origin = f"<{self.partial[0]}>" if self.partial is not None else ""
        return f"{self._kind}[{self.section.upper()}{fields}]{origin}"


_PART: Final = lazy_pattern(r"(?:[1-9][0-9]*(?:\.[1-9][0-9]*)*)?")
_SECTION: Final = lazy_pattern(
    r"(?:[1-9][0-9]*(?:\.[1-9][0-9]*)*)?"
    r"(?:(?:^|(?<=[0-9])\.)(?:HEADER(?:\.FIELDS(?:\.NOT)?)?|TEXT|MIME))?",
    re.IGNORECASE,
)
_FIELDS: Final = lazy_pattern(r"HEADER\.FIELDS(?:\.NOT)?\Z", re.IGNORECASE)
_NAME: Final = lazy_pattern(r"[A-Za-z][A-Za-z0-9.-]*")
_MACROS: Final = {
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
}

FetchItem = str | BodySection
"""What can be asked of a message: "FLAGS", "ENVELOPE", ..., a macro, or a `BodySection`."""


class _Asked(NamedTuple):
    """What items come to."""

    items: tuple[FetchItem, ...]  # without macros, which may not stand in a list
    names: tuple[str, ...]  # the same, if there is no BodySection among them
    keys: frozenset[str]
    needs: tuple[str, ...]


@lru_cache(maxsize=256)  # of thousands of commands that are given together, most ask for the same
def _asked(items: tuple[FetchItem, ...]) -> _Asked:
    found: list[FetchItem] = []
    for item in items:
        if isinstance(item, BodySection):
            found.append(item)
        elif _NAME.fullmatch(item):
            found += _MACROS.get(item.upper(), (item.upper(),))
        else:
            raise InvalidArgument(f"expected a FETCH item or BodySection(...), found {item!r}")
    names = tuple(item for item in found if isinstance(item, str))
    bodies = [item for item in found if isinstance(item, BodySection)]
    needs = {capability for name in names if (capability := needed_for(name))}
    if any(body.binary or body.size for body in bodies):
        needs.add("BINARY")
    keys = {*names, *(body.key for body in bodies)}
    return _Asked(
        items=tuple(found),
        names=() if bodies else names,
        keys=frozenset(keys - {"UID"} or keys),  # every answer has a UID: it tells nothing
        needs=tuple(sorted(needs)),
    )


def keys_of(items: tuple[FetchItem, ...]) -> frozenset[str]:
    """The names under which what is asked for comes back."""
    for item in items:
        if not isinstance(item, str | BodySection):
            raise InvalidArgument(f"expected a FETCH item or BodySection(...), found {item!r:.60}")
    return _asked(items).keys


BodySink = Callable[[int | None, int], Sink]
"""Gives the sink for a body of so many octets; the UID is None if the server sends it later."""

_UID_SO_FAR: Final = lazy_pattern(rb"\* [0-9]+ FETCH \((?:[^\[{\"]* )?UID ([0-9]{1,10}) ", re.I)
_FETCH_SO_FAR: Final = lazy_pattern(rb"\* +[0-9]+ FETCH ", re.I)
UID_ALONE: Final = frozenset({"UID"})
"""Of a message that has changed more is told: this is an answer, from which all else is missing."""
HEAD: Final = 300
"""Octets at the beginning of a response in which its UID is looked for."""


@record
class Fetch(MessageCommand[list[Fetched]]):
    """Ask for data of messages, by UID (RFC 9051, 6.4.5).

    The values come one by one, and are not collected where the caller takes them from the pending
    command. An item that is a text must be one of the protocol's names, or a macro.

    Raises:
        InvalidArgument: an item is not the name of one.
    """

    name = b"UID FETCH"
    collects: ClassVar[tuple[type, ...]] = (Fetched,)
    items: tuple[FetchItem, ...] = ("FLAGS",)
    modifiers: tuple[FetchModifier, ...] = ()
    into: BodySink | None = None
    """Where bodies go; in memory, unless this says otherwise."""
    into_from: int = 0
    """Smaller bodies stay in memory, in any case."""

    def __post_init__(self) -> None:
        self.__dict__["keys"] = keys_of(self.items)  # else a lock is taken to find them

    @cached_property
    def keys(self) -> frozenset[str]:
        """The names under which what was asked for comes back."""
        return _asked(self.items).keys

    def needs(self) -> Iterable[str]:
        return (*_asked(self.items).needs, *needs_of(self.modifiers))

    def encode(self, out: Writer) -> None:
        super().encode(out)
        out.sp()
        asked = _asked(self.items)
        if asked.names:
            out.atom_list(asked.names)
        else:
            with out.parens():
                for _, item in out.spaced(asked.items):
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
            and data.uid is not None
            and self.covers(data.uid)
            and (not self.keys.isdisjoint(data.claims) or data.claims == UID_ALONE)
        )

    def overhears(self, data: object) -> bool:
        """A message is there even if the server sends nothing of what was asked for."""
        return isinstance(data, Fetched) and data.uid is not None and self.covers(data.uid)

    def shapes(self) -> Iterable[RunShape]:
        return recent_shapes()

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
        merged: dict[int | None, Fetched] = {}
        overheard: dict[int | None, Fetched] = {}
        for value in _one_by_one(reply.data):
            if self.keys.isdisjoint(value.claims):
                overheard.setdefault(value.uid, value)
                continue
            before = merged.get(value.uid)  # quirk 76: several responses for one message
            merged[value.uid] = value if before is None else before.merged(value)
        return [*merged.values(), *(overheard[uid] for uid in overheard if uid not in merged)]


def _one_by_one(values: Iterable[object]) -> Iterator[Fetched]:
    for value in values:
        if isinstance(value, FetchedRun):
            yield from value
        elif isinstance(value, Fetched):
            yield value

"""Items of FETCH (RFC 9051, 6.4.5): names, macros, and sections of the body."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from imaplus.core.items import needs_of_item
from imaplus.errors import InvalidArgument
from imaplus.records import record
from imaplus.wire.patterns import lazy_pattern
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
                for _, name in out.separate(self.fields):
                    out.astring(name)
        out.raw(b"]")
        if self.partial is not None:
            out.raw(b"<%d.%d>" % self.partial)

    @property
    def _kind(self) -> str:
        return "BINARY.SIZE" if self.size else "BINARY" if self.binary else "BODY"

    @property
    def key(self) -> str:
        """The name of the item in the response."""
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
"""An item to fetch: "FLAGS", "ENVELOPE", ..., a macro, or a `BodySection`."""


class Asked(NamedTuple):
    """Items without macros, and the keys and capabilities that they imply."""

    items: tuple[FetchItem, ...]  # without macros, which may not stand in a list
    names: tuple[str, ...]  # the same, if there is no BodySection among them
    keys: frozenset[str]
    needs: tuple[str, ...]


@lru_cache(maxsize=256)  # of thousands of commands that are given together, most ask for the same
def resolve_items(items: tuple[FetchItem, ...]) -> Asked:
    """Replace macros, and check the names.

    Raises:
        InvalidArgument: an item is neither a name nor a `BodySection`.
    """
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
    needs = {capability for name in names if (capability := needs_of_item(name))}
    if any(body.binary or body.size for body in bodies):
        needs.add("BINARY")
    keys = {*names, *(body.key for body in bodies)}
    return Asked(
        items=tuple(found),
        names=() if bodies else names,
        keys=frozenset(keys - {"UID"} or keys),  # every answer has a UID: it tells nothing
        needs=tuple(sorted(needs)),
    )


def keys_of(items: tuple[FetchItem, ...]) -> frozenset[str]:
    """Return the names that these items have in the response."""
    for item in items:
        if not isinstance(item, str | BodySection):
            raise InvalidArgument(f"expected a FETCH item or BodySection(...), found {item!r:.60}")
    return resolve_items(items).keys

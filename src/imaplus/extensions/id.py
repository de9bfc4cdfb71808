"""ID (RFC 2971): who is speaking, for logs and bug reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from imaplus.core.session import follows_login
from imaplus.errors import InvalidArgument
from imaplus.protocol.command import Command, Reply
from imaplus.protocol.response import response
from imaplus.protocol.state import ANY
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.writer import Writer

MOST_FIELDS, LONGEST_NAME, LONGEST_VALUE = 30, 30, 1024
"""What a client may send at most (RFC 2971, 3.3)."""


@record
class Identity:
    """What the other side says of itself: "name", "version", "vendor", ... It may be empty."""

    fields: Mapping[str, str | None]


@response("ID")
def identity(c: Cursor) -> Identity:
    # id-response = "ID" SP id-params-list
    c.sp()
    fields: dict[str, str | None] = {}
    if not c.accept_nil():
        for _ in c.items():
            name = c.astring_text().lower()
            c.sp()
            fields[name] = c.nstring_text()
    return Identity(fields)


@record
class Id(Command[Mapping[str, str | None]]):
    """Say who we are, and hear who they are.

    Raises:
        InvalidArgument: more or longer fields than RFC 2971 (3.3) allows.
    """

    name = b"ID"
    states = ANY
    requires: ClassVar[str | None] = "ID"
    collects: ClassVar[tuple[type, ...]] = (Identity,)
    fields: tuple[tuple[str, str | None], ...] = ()

    def __post_init__(self) -> None:
        if len(self.fields) > MOST_FIELDS:
            raise InvalidArgument(f"ID has at most {MOST_FIELDS} fields")
        for name, value in self.fields:
            if len(name) > LONGEST_NAME or len(value or "") > LONGEST_VALUE:
                raise InvalidArgument(f"the ID field {name!r:.40} is too long")

    def encode(self, out: Writer) -> None:
        out.sp()
        if not self.fields:
            out.nstring(None)
            return
        with out.parens():
            for _, (name, value) in out.separate(self.fields):
                out.string(name)
                out.sp()
                out.nstring(value)

    def follows(self, other: Command[Any]) -> bool:
        return follows_login(other)

    def result(self, reply: Reply) -> Mapping[str, str | None]:
        told = reply.last(Identity)
        return {} if told is None else told.fields

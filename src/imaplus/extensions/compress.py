"""COMPRESS=DEFLATE (RFC 4978): everything after this command is compressed, both ways."""

from __future__ import annotations

from typing import ClassVar

from imaplus.protocol.command import Done, Effect, Reply
from imaplus.protocol.state import LOGGED_IN, ConnectionState
from imaplus.records import record
from imaplus.wire.writer import Writer


@record
class Compress(Done):
    """Compress the connection from here on. Not to be used where secrets and others' text mix."""

    name = b"COMPRESS"
    states = LOGGED_IN
    requires: ClassVar[str | None] = "COMPRESS=DEFLATE"
    exclusive = True

    def encode(self, out: Writer) -> None:
        out.raw(b" DEFLATE")

    def finish(self, state: ConnectionState, reply: Reply) -> Effect | None:
        if reply.status.ok:
            return Effect.COMPRESS
        state.refuse("COMPRESS=DEFLATE")
        return None

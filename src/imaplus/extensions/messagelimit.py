"""MESSAGELIMIT (RFC 9738): servers that limit the number of messages in one command.

They process the messages with the highest UIDs, and report the lowest one: in the code of the OK,
or of an untagged NO (or OK) if the tagged one has another code. COPY is done for all messages or
for none, with NO. Flows request the rest.
"""

from __future__ import annotations

from imaplus.errors import PartlyDone
from imaplus.protocol.status import Status, code
from imaplus.records import record
from imaplus.wire.cursor import Cursor


@record
class MessageLimit:
    """[MESSAGELIMIT n uid]: how many messages a command may concern, and the lowest UID done."""

    limit: int
    uid: int | None = None

    def __str__(self) -> str:
        return str(self.limit) if self.uid is None else f"{self.limit} {self.uid}"


@code("MESSAGELIMIT")
def messagelimit(c: Cursor) -> MessageLimit:
    # resp-text-code =/ "MESSAGELIMIT" SP message-limit [SP uniqueid]
    limit = c.number()
    return MessageLimit(limit, None if c.at_end() else c.number() or None)


def partly_done(command: str, status: Status) -> PartlyDone | None:
    """The error for a status with this code; its own status is OK, since that is the command's."""
    if status.code != "MESSAGELIMIT":
        return None
    told = status.code, status.text, status.data
    return PartlyDone(command, "OK", *told, argument=status.argument)

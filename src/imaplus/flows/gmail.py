"""Changing Gmail's labels (X-GM-EXT-1) of any number of messages."""

from __future__ import annotations

from collections.abc import Iterable

from imaplus.core.messages import Change, Stored
from imaplus.errors import InvalidArgument
from imaplus.extensions.gmail import StoreLabels
from imaplus.flows.limits import in_portions, portions
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.wire.names import names_of
from imaplus.wire.sets import SequenceSet


def change_labels(
    connection: Connection, uids: SequenceSet, change: Change, labels: str | Iterable[str]
) -> Flow[Stored]:
    """STORE of X-GM-LABELS (X-GM-EXT-1). Only a replacement may have none.

    Raises:
        InvalidArgument: there is none to add or remove, or one is not a label.
    """
    wanted = frozenset(names_of("a label", labels))
    if not wanted and change is not Change.REPLACE:
        raise InvalidArgument("expected at least one label")
    commands = (StoreLabels(part, change, wanted) for part in portions(connection, uids))
    results = yield from in_portions(connection, commands)
    return Stored(tuple(message for result in results for message in result.messages))

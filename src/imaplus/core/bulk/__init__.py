"""The fast lane: FETCH responses that come by the thousand, read many at once.

A server sends the same items in the same order for every message. Once one response has been
parsed in the general way, those like it are recognised by patterns. The values are the same;
tests hold the two ways against each other. What was learnt belongs to one connection:
`Connection(bulk=bulk_reader)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaplus.wire.frames import Limits

if TYPE_CHECKING:
    from imaplus.core.bulk.reader import Reader


def bulk_reader(limits: Limits) -> Reader:
    """Make a reader for one connection. What it needs is loaded here, at the first FETCH."""
    from imaplus.core.bulk.reader import Reader

    return Reader(limits)

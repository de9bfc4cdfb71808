"""What happens in an open mailbox, as `idle()` tells it."""

from __future__ import annotations

from typing import Final, TypeAlias

from imaplus.core.fetched import FetchData, Fetched
from imaplus.protocol.data import Exists, Expunged, Vanished

Event: TypeAlias = Exists | Expunged | Vanished | Fetched | FetchData
"""What `idle()` yields, and nothing else:

- `Exists`: how many messages there are now; more than before, if some have come.
- `Expunged`: a message is gone.
- `Vanished`: several are gone at once, by UID (where QRESYNC is enabled).
- `Fetched`: the flags of a message have changed.
- `FetchData`: so have those of a message whose UID the server has not told; `seq` is its number.
"""

EVENTS: Final = (Exists, Expunged, Vanished, FetchData)
"""The kinds of it; `Fetched` is a kind of `FetchData`."""

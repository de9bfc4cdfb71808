"""What happens in an open mailbox, as `idle()` tells it."""

from __future__ import annotations

from typing import Final, TypeAlias

from imaplus.core.fetched import Fetched
from imaplus.protocol.data import Exists, Expunged, Vanished

Event: TypeAlias = Exists | Expunged | Vanished | Fetched
"""What `idle()` yields, and nothing else:

- `Exists`: how many messages there are now; more than before, if some have come.
- `Expunged`: a message is gone.
- `Vanished`: several are gone at once, by UID (where QRESYNC is enabled).
- `Fetched`: the flags of a message have changed.
"""

EVENTS: Final = (Exists, Expunged, Vanished, Fetched)
"""The kinds of it."""

"""The events of an open mailbox, as `idle()` yields them."""

from __future__ import annotations

from typing import Final, TypeAlias

from imaplus.core.fetched import FetchData, Fetched
from imaplus.protocol.data import Exists, Expunged, Vanished

Event: TypeAlias = Exists | Expunged | Vanished | Fetched | FetchData
"""What `idle()` yields:

- `Exists`: the number of messages now; a higher number than before means new messages.
- `Expunged`: a message was removed.
- `Vanished`: messages were removed, by UID (with QRESYNC enabled).
- `Fetched`: the flags of a message have changed.
- `FetchData`: the same for a message whose UID is unknown; `seq` is its sequence number.
"""

EVENTS: Final = (Exists, Expunged, Vanished, FetchData)
"""The classes of events; `Fetched` is a subclass of `FetchData`."""

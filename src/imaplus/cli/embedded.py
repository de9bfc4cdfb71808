"""What `demo:` is: the embedded server of `imaplus.testing` with its sample mailbox.

It knows nothing of clients. `imaplus.testing` is imported only when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imaplus.testing import Server


@contextmanager
def embedded_server(*, sample: bool = True, **options: Any) -> Iterator[Server]:
    """A server of `imaplus.testing.Server`'s `options`, with the sample mailbox unless it is not
    wanted, while the block runs.
    """
    from imaplus.testing import Server, sample_mailbox

    with Server(**options) as server:
        if sample:
            sample_mailbox(server)
        yield server

"""Run the embedded server of `imaplus.testing` with its sample mailbox, for `demo:`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imaplus.testing import Server


@contextmanager
def embedded_server(*, sample: bool = True, **options: Any) -> Iterator[Server]:
    """Run `imaplus.testing.Server` while the block runs; `sample` adds the sample mailbox."""
    from imaplus.testing import Server, sample_mailbox

    with Server(**options) as server:
        if sample:
            sample_mailbox(server)
        yield server

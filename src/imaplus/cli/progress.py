"""Show a progress bar on a terminal, unless `--quiet` is given. `bar` draws it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

NOT_TERMINALS = ("dumb", "unknown")
"""Values of TERM for terminals that cannot move the cursor."""


if TYPE_CHECKING:
    from imaplus.cli.bar import LineBar


@contextmanager
def progress_bar(stream: TextIO, *, wanted: bool) -> Iterator[LineBar | None]:
    """Show a bar on `stream` while the block runs; None if the stream is not a terminal."""
    if not (wanted and stream.isatty()) or os.environ.get("TERM", "").lower() in NOT_TERMINALS:
        yield None
        return
    from imaplus.cli.bar import LineBar  # not loaded in a pipe

    bar = LineBar(stream)
    try:
        yield bar
    finally:
        bar.close()

"""The progress bar: mailboxes, messages, octets, rate and the time left, of the whole run.

It draws on standard error if that is a terminal; otherwise there is a bar that draws nothing, so
that nobody has to ask whether there is one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

NOT_TERMINALS = ("dumb", "unknown")
"""Values of TERM for what does not move its cursor."""


if TYPE_CHECKING:
    from imaplus.mirror.progress import Progress

    class Bar(Progress, Protocol):
        """What a verb tells of its work, and lines to be shown beside it."""

        def say(self, text: str) -> bool:
            """Put a line above the bar, if there is one; false if the caller has to print it."""
            ...


class NoBar:
    """The bar in a pipe, or with `--quiet`."""

    def plan(
        self, *, mailboxes: int, messages: int | None = None, octets: int | None = None
    ) -> None:
        """Draw nothing."""

    def begin(self, title: str) -> None:
        """Draw nothing."""

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """Draw nothing."""

    def skip(self, mailboxes: int = 1, messages: int = 0, octets: int = 0) -> None:
        """Draw nothing."""

    def say(self, text: str) -> bool:
        """Leave the line to the caller."""
        return False


@contextmanager
def progress_bar(stream: TextIO, *, wanted: bool) -> Iterator[Bar]:
    """A bar on `stream` for as long as the block runs."""
    if not (wanted and stream.isatty()) or os.environ.get("TERM", "").lower() in NOT_TERMINALS:
        yield NoBar()
        return
    from imaplus.cli.bar import LineBar  # most runs are seen by nobody

    bar = LineBar(stream)
    try:
        yield bar
    finally:
        bar.close()

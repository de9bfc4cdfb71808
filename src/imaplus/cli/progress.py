"""The progress bar: messages, octets, rate, time left.

It knows `rich`, if that is installed, and draws on standard error if that is a terminal. Otherwise
there is a bar that draws nothing, so that nobody has to ask whether there is one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from imaplus.cli.text import escape, size
from imaplus.records import record

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar(Protocol):
    """What a verb tells of its work."""

    def begin(self, title: str, messages: int | None = None, octets: int | None = None) -> None:
        """Something new is begun, of this size as far as it is known."""

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """This much more has been done."""

    def say(self, text: str) -> bool:
        """Put a line above the bar, if there is one; false if the caller has to print it."""
        ...


@record
class Work:
    """An amount of work, as far as it is known."""

    messages: int | None = None
    octets: int | None = None


class NoBar:
    """The bar in a pipe, with `--quiet`, or without `rich`."""

    def begin(self, title: str, messages: int | None = None, octets: int | None = None) -> None:
        """Draw nothing."""

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """Draw nothing."""

    def say(self, text: str) -> bool:
        """Leave the line to the caller."""
        return False


class RichBar:
    """One line that moves; it goes when all is done."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, done="", visible=False)
        self._done = Work()
        self._total = Work()
        self._since = 0.0

    def begin(self, title: str, messages: int | None = None, octets: int | None = None) -> None:
        """Start again at nought, under this title."""
        self._done, self._total = Work(), Work(messages, octets)
        self._since = time.monotonic()
        total = messages if octets is None else octets
        self._progress.reset(
            self._task, total=total, description=escape(title), done="", visible=True
        )

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """Move on: by octets if their sum is known, else by messages."""
        done = Work((self._done.messages or 0) + messages, (self._done.octets or 0) + octets)
        self._done = done
        moved = done.messages if self._total.octets is None else done.octets
        self._progress.update(self._task, completed=moved, done=self._summary())

    def _summary(self) -> str:
        messages, octets = self._done.messages or 0, self._done.octets or 0
        of = "" if self._total.messages is None else f"/{self._total.messages:,}"
        seconds = max(time.monotonic() - self._since, 0.001)
        return f"{messages:,}{of}  {size(octets)}  {size(int(octets / seconds))}/s"

    def say(self, text: str) -> bool:
        """Put a line above the bar."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
        return True


@contextmanager
def progress_bar(stream: TextIO, *, wanted: bool) -> Iterator[Bar]:
    """A bar on `stream` for as long as the block runs."""
    if not (wanted and stream.isatty()):
        yield NoBar()
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:  # an extra: the command works without it
        yield NoBar()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[done]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        yield RichBar(progress)

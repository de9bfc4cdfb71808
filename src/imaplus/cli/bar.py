"""The progress bar: one line of a terminal.

It is redrawn at most ten times a second, when progress is reported. It uses no thread, because the
mirror's helper can only be forked from a process with a single thread.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from imaplus.cli.text import escape, shorten, size, width
from imaplus.records import record

EVERY = 0.1
"""Seconds between two drawings."""
WINDOW = 30.0
"""Rate and time left are computed over the last so many seconds."""
SAMPLES = 60
"""Samples kept for the window."""
OVERHEAD = 4096
"""Bytes added to the size of each message, for the work of fetching and storing it."""
LEAST_BAR, MOST_BAR = 8, 40
LEAST_NAME, FAIR_NAME = 8, 16
"""Columns."""
BLOCKS, ASCII_BLOCKS = "━─", "#-"
"""The characters for work done and work left."""


@record
class Sample:
    """How much was done at one time."""

    when: float
    messages: int
    octets: int
    work: int


@record(frozen=False)
class Tally:
    """Totals and progress of a run. Sizes (`octets`) are in bytes.

    Skipped work is subtracted from the totals. A mailbox is counted when it is begun or skipped;
    steps before the plan has mailboxes are not counted.
    """

    title: str = ""
    mailboxes: int = 0
    planned_messages: int | None = None
    planned_octets: int | None = None
    seen: int = 0
    skipped_messages: int = 0
    skipped_octets: int = 0
    messages: int = 0
    octets: int = 0

    @property
    def number(self) -> int:
        """The number of the current mailbox, from 1; 0 before the first."""
        return min(self.seen, self.mailboxes)

    @property
    def all_messages(self) -> int | None:
        """The total of messages; None if unknown."""
        return _subtract(self.planned_messages, self.skipped_messages, self.messages)

    @property
    def all_octets(self) -> int | None:
        """The total size in bytes; None if unknown."""
        return _subtract(self.planned_octets, self.skipped_octets, self.octets)

    @property
    def work(self) -> int:
        """The work done, as one number."""
        if self.planned_octets is None:
            return self.messages
        return self.octets + (0 if self.planned_messages is None else OVERHEAD * self.messages)

    @property
    def all_work(self) -> int | None:
        """The total work, in the unit of `work`; None if unknown."""
        if self.all_octets is None:
            return self.all_messages
        return self.all_octets + OVERHEAD * (self.all_messages or 0)

    @property
    def fraction(self) -> float:
        """The work done as a fraction of the total, from 0 to 1."""
        if self.all_work is not None:
            return min(self.work / self.all_work, 1.0) if self.all_work else 1.0
        return max(self.number - 1, 0) / self.mailboxes if self.mailboxes else 0.0


def _subtract(planned: int | None, skipped: int, done: int) -> int | None:
    """The planned total without skipped work; never less than what is done."""
    return None if planned is None else max(planned - skipped, done)


class LineBar:
    """A progress bar on one line of a terminal, removed at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tally = Tally()
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._take_sample(time.monotonic())
        self._due = 0.0
        self._drawn = False
        self._gone = False  # the terminal, not only the bar

    def plan(
        self, *, mailboxes: int, messages: int | None = None, octets: int | None = None
    ) -> None:
        """Measure what follows by this."""
        tally = self._tally
        known = tally.planned_messages is None, tally.planned_octets is None
        tally.mailboxes, tally.planned_messages, tally.planned_octets = mailboxes, messages, octets
        if known != (messages is None, octets is None):  # the unit of work is another one
            self._samples.clear()
            self._take_sample(time.monotonic())

    def begin(self, title: str) -> None:
        """Show what is worked on."""
        tally = self._tally
        tally.title = title
        tally.seen += tally.mailboxes > 0
        self._draw_in_time()

    def advance(self, messages: int = 0, octets: int = 0) -> None:
        """Move on."""
        self._tally.messages += messages
        self._tally.octets += octets
        self._draw_in_time()

    def skip(self, mailboxes: int = 1, messages: int = 0, octets: int = 0) -> None:
        """Leave out of all totals what needs no work."""
        tally = self._tally
        tally.seen += mailboxes
        tally.skipped_messages += messages
        tally.skipped_octets += octets
        self._draw_in_time()

    def say(self, text: str) -> None:
        """Put a line above the bar."""
        self._write(f"\r\x1b[K{text}\n")
        if self._drawn:
            self._draw(time.monotonic())

    def close(self) -> None:
        """Take the bar away."""
        if self._drawn:
            self._write("\r\x1b[K")

    def _draw_in_time(self) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._draw(now)

    def _draw(self, now: float) -> None:
        self._due, self._drawn = now + EVERY, True
        tally, samples = self._tally, self._samples
        while len(samples) > 1 and samples[0].when < now - WINDOW:
            samples.popleft()
        before = samples[0]
        if now - samples[-1].when >= WINDOW / SAMPLES:
            self._take_sample(now)
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        title = escape(tally.title).encode(encoding, "backslashreplace").decode(encoding)
        drawn = line(
            tally,
            title,
            rate=rate(tally, before, now),
            left=time_left(tally, before, now),
            columns=columns_of(self._stream) - 1,  # in the last one, terminals wait to wrap
            blocks=BLOCKS if can_encode(BLOCKS, encoding) else ASCII_BLOCKS,
        )
        # Without line wrap, in case the terminal computes another width for the title.
        self._write(f"\r\x1b[?7l{drawn}\x1b[K\x1b[?7h")

    def _take_sample(self, now: float) -> None:
        tally = self._tally
        self._samples.append(Sample(now, tally.messages, tally.octets, tally.work))

    def _write(self, text: str) -> None:
        if self._gone:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._gone = True


def line(
    tally: Tally, title: str, *, rate: str, left: str, columns: int, blocks: str = BLOCKS
) -> str:
    """Format the line for a width: bar, rate and time left always, the rest if it fits.

    The title is last, because right-to-left text would move numbers after it.
    """
    last = [rate.rjust(9), left.rjust(7)]
    fields, rest = last, 0
    for numbers, least in _choices(tally):
        fields = [*numbers, *last]
        rest = columns - sum(2 + len(text) for text in fields) - LEAST_BAR
        if rest >= min(width(title) + 2, least):
            break
    name = min(width(title), rest - 2) if rest > 2 else 0
    rest -= name + 2 if name else 0
    bar = max(0, min(LEAST_BAR + rest, MOST_BAR))
    done = round(tally.fraction * bar)
    drawn = blocks[0] * done + blocks[1] * (bar - done)
    return "  ".join([drawn, *fields, *([shorten(title, name)] if name else [])])


def _choices(tally: Tally) -> Iterator[tuple[list[str], int]]:
    """Yield the numbers to show, from most to fewest, with the columns reserved for the title."""
    mailboxes = [f"{tally.number:,} of {tally.mailboxes:,}"] if tally.mailboxes else []
    messages, octets = f"{tally.messages:,}", size(tally.octets)
    all_messages, all_octets = messages, octets
    if tally.all_messages is not None:
        all_messages = f"{messages}/{tally.all_messages:,}"
    if tally.all_octets is not None:
        all_octets = f"{octets}/{size(tally.all_octets)}"
    yield [*mailboxes, all_messages, all_octets], FAIR_NAME
    yield [*mailboxes, all_messages, octets], FAIR_NAME
    yield [*mailboxes, all_messages, octets], LEAST_NAME
    yield [*mailboxes, messages, octets], LEAST_NAME
    yield [*mailboxes, messages], LEAST_NAME
    yield mailboxes, 0
    yield [], 0


def rate(tally: Tally, before: Sample, now: float) -> str:
    """Format the current rate in bytes per second, or in messages without sizes."""
    seconds = max(now - before.when, 0.001)
    octets, messages = tally.octets - before.octets, tally.messages - before.messages
    if messages and not octets:
        return f"{messages / seconds:,.0f} msg/s"
    return f"{size(int(octets / seconds))}/s"


def time_left(tally: Tally, before: Sample, now: float) -> str:
    """Format the time left at the current rate, in hours, minutes and seconds."""
    done = tally.work - before.work
    if tally.all_work is None or done <= 0:
        return "-:--:--"
    seconds = (tally.all_work - tally.work) * (now - before.when) / done
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def can_encode(text: str, encoding: str) -> bool:
    """Whether `text` can be written in this encoding."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def columns_of(stream: TextIO) -> int:
    """Return the width of a terminal: COLUMNS, else what the system reports, else 80."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80

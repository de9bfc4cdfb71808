"""Write data to standard output, everything else to standard error.

Data is written as lines, `--json` or `--jsonl`. Every line is escaped, so that text from a server
cannot control the terminal.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from imaplus.cli.errors import Failure
from imaplus.cli.progress import progress_bar
from imaplus.cli.text import escape, to_json

if TYPE_CHECKING:
    from imaplus.cli.bar import LineBar

Row = Mapping[str, object]


class Form(enum.Enum):
    """How data is written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


class OutputClosed(Exception):
    """Standard output was closed by its reader (`| head`)."""


class Console:
    """The output of a run. `fields` are those of `--json=FIELDS`; empty: all."""

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        *,
        form: Form = Form.TEXT,
        fields: tuple[str, ...] = (),
        quiet: bool = False,
    ) -> None:
        self._out = out
        self._err = err
        self._form = form
        self._fields = fields
        self._quiet = quiet
        self._bar: LineBar | None = None

    @property
    def is_text(self) -> bool:
        """Whether the output is text, not JSON."""
        return self._form is Form.TEXT

    def line(self, text: str = "") -> None:
        """Write one line of data."""
        self._write(escape(text))

    def document(self, document: Row) -> None:
        """Write the result of a verb as one JSON document."""
        if self._form is Form.JSONL:
            self.record(document)
        else:
            self._write(to_json(self._pick_fields(document), indent=2))

    def record(self, record: Row) -> None:
        """Write one JSON object on one line."""
        self._write(to_json(self._pick_fields(record)))

    def rows(self, rows: Iterable[Row]) -> None:
        """Write rows as an array with `--json`, as one object a line with `--jsonl`."""
        if self._form is Form.JSONL:
            for row in rows:
                self.record(row)
        else:
            self._write(to_json([self._pick_fields(row) for row in rows], indent=2))

    def note(self, text: str) -> None:
        """Show information, unless `--quiet` is given."""
        if not self._quiet:
            self._tell(text)

    def warn(self, text: str) -> None:
        """Show a warning, also with `--quiet`."""
        self._tell(f"imaplus: warning: {text}")

    def failure(self, failure: Failure) -> None:
        """Show an error: up to three lines of text, or one JSON document."""
        if self._form is not Form.TEXT:
            self._complain(to_json({"error": failure.as_json()}))
            return
        self._tell(f"imaplus: {failure.message}")
        if failure.server:
            self._tell(f"  the server said: {failure.server}")
        if failure.hint:
            self._tell(f"  {failure.hint}")

    @contextmanager
    def progress(self) -> Iterator[LineBar | None]:
        """Show a progress bar below the notes; None without a terminal or with `--quiet`."""
        with progress_bar(self._err, wanted=not self._quiet) as self._bar:
            try:
                yield self._bar
            finally:
                self._bar = None

    def _tell(self, text: str) -> None:
        line = escape(text)
        if self._bar is None:
            self._complain(line)
        else:
            self._bar.say(line)

    def _complain(self, line: str) -> None:
        """Write a line to standard error; discard it if the terminal was closed."""
        try:
            print(line, file=self._err, flush=True)
        except OSError:
            discard(self._err)

    def _write(self, text: str) -> None:
        try:
            print(text, file=self._out, flush=True)
        except BrokenPipeError as error:
            raise OutputClosed from error

    def _pick_fields(self, row: Row) -> dict[str, object]:
        return {field: row[field] for field in self._fields or row}


def discard(stream: TextIO) -> None:
    """Redirect a broken stream to /dev/null, so that closing it does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError):  # the stream has no descriptor
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)

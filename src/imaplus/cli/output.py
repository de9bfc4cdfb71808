"""What a verb says, and where: data on standard output, everything else on standard error.

It knows the two streams and the three forms of data (lines, `--json`, `--jsonl`). It refuses to
let text from a server act on the terminal: every line is escaped here, once.
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
    """Whoever read standard output has gone (`| head`): there is nothing left to say."""


class Console:
    """The voice of one run. `fields` names what `--json=FIELDS` asked for; none means all."""

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
        """Whether people read the output, so that lines are wanted instead of JSON."""
        return self._form is Form.TEXT

    def line(self, text: str = "") -> None:
        """One line of data."""
        self._write(escape(text))

    def document(self, document: Row) -> None:
        """The one result of a verb, as JSON."""
        if self._form is Form.JSONL:
            self.record(document)
        else:
            self._write(to_json(self._pick_fields(document), indent=2))

    def record(self, record: Row) -> None:
        """One JSON object on one line."""
        self._write(to_json(self._pick_fields(record)))

    def rows(self, rows: Iterable[Row]) -> None:
        """Results of one kind: an array with `--json`, one object a line with `--jsonl`."""
        if self._form is Form.JSONL:
            for row in rows:
                self.record(row)
        else:
            self._write(to_json([self._pick_fields(row) for row in rows], indent=2))

    def note(self, text: str) -> None:
        """Something worth knowing; `--quiet` keeps it back."""
        if not self._quiet:
            self._tell(text)

    def warn(self, text: str) -> None:
        """Something that somebody should look at; always said."""
        self._tell(f"imaplus: warning: {text}")

    def failure(self, failure: Failure) -> None:
        """Why it did not work: three lines for people, one JSON document for programs."""
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
        """A progress bar, below the notes; None if there is no terminal to draw it on."""
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
        """A line on standard error. If that is gone (the terminal was closed), so is the reader."""
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
    """Let nothing more be written to a stream that fails; else closing it would fail once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError):  # it is none of the system's
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)

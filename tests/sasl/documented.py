"""The table of docs/logging-in.md, as the tests read it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "docs" / "logging-in.md"


class Row(NamedTuple):
    """One mechanism: its name, where it is defined, for whom, when, and where it was seen."""

    mechanism: str
    defined_in: str
    credentials: str
    chosen: str
    seen_on: tuple[str, ...]


def rows() -> list[Row]:
    """The rows of the table of mechanisms, in order."""
    found: list[Row] = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 5:
            names = (name.strip(" `") for name in cells[4].split(","))
            seen_on = tuple(name for name in names if name)
            found.append(Row(cells[0].strip("`"), *cells[1:4], seen_on))
    return found

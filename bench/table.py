"""Compute figures from samples, and format them as Markdown.

A figure is a median, with the least and the greatest beside it. Nothing here is written by hand:
what a cell says comes from samples, and what it is to reach from `workloads`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from typing import Any, NamedTuple

from cases import CLIENTS, DRAIN, ROUND_TRIP, Case, Measure
from workloads import CASES

Samples = Mapping[str, Any]


class Unit(NamedTuple):
    """The format of a measure."""

    title: str
    digits: int
    after: str = ""
    before: str = ""
    bare: str = ""
    """The unit to write after the number where the title is not shown."""

    def write(self, value: float) -> str:
        return f"{self.before}{value:.{self.digits}f}{self.after}"


UNITS = {
    "ratio": Unit("ratio to {reference}", 2, "x"),
    "growth_mb": Unit("peak memory, MB more", 1, before="+", bare=" MB"),
    "round_trips": Unit("round trips", 1, bare=" round trips"),
    "more_round_trips": Unit("round trips more", 1, before="+", bare=" round trips"),
    "each_us": Unit("µs a message", 2, bare=" µs"),
    "each_kb": Unit("kB a connection", 1, bare=" kB"),
    "ms": Unit("ms", 0, bare=" ms"),
    "s": Unit("seconds", 2, bare=" s"),
}
HEAD = """# Benchmarks

`make bench` measures all of this anew on your machine and writes this page; it sets up what it
needs by itself. `make bench BENCH_OPTIONS=--quick` takes a fifth of the time, and
`BENCH_OPTIONS="W1 --client IMAPClient"` measures one workload and one peer: both print their table.

What counts is the ratio to the drain: the same command, its answer read into one reused buffer and
thrown away. Each sample of a client stands between two of the drain, and is divided by their mean.
"""


class Figure(NamedTuple):
    """A median and the range of the samples."""

    middle: float
    low: float
    high: float
    n: int


def more_round_trips(samples: Samples) -> list[float]:
    """Return the number of round trips that fit into the time beyond the drain's."""
    pairs = zip(samples["seconds"], samples["ratios"], strict=False)
    return [(seconds - seconds / ratio) / ROUND_TRIP for seconds, ratio in pairs]


def figure(case: Case, measure: Measure, samples: Samples) -> Figure | None:
    """Compute the figure of a measure; None if the samples lack the data."""
    match measure.name:
        case "ratio":
            values = samples["ratios"]
        case "growth_mb":
            values = [kb / 1024 for kb in samples["growth_kb"][:1]]
        case "each_kb":
            values = samples["growth_kb"]
        case "round_trips":
            values = [1 + more for more in more_round_trips(samples)]
        case "more_round_trips":
            values = more_round_trips(samples)
        case "each_us":
            values = [seconds / case.total * 1e6 for seconds in samples["seconds"]]
        case "s":
            values = samples["seconds"]
        case "ms":
            values = [seconds * 1000 for seconds in samples["seconds"]]
        case name:
            raise ValueError(name)
    if not values:
        return None
    return Figure(median(values), min(values), max(values), len(values))


def is_met(measure: Measure, value: float) -> bool:
    """Return whether the displayed figure reaches the goal."""
    assert measure.goal is not None
    rounded = round(value, UNITS[measure.name].digits)
    return rounded < measure.goal if measure.below else rounded <= measure.goal


def cell(case: Case, measure: Measure, client: str, clients: Mapping[str, Samples]) -> str:
    """Format the cell of one client."""
    samples = clients.get(client)
    if samples is None:
        return ""
    if samples["error"]:
        return str(samples["error"])
    found = figure(case, measure, samples)
    if found is None:
        return ""
    about = "~" if samples["times"] != 1 else ""
    write = UNITS[measure.name].write
    text = about + write(found.middle)
    if found.n > 1:
        digits = UNITS[measure.name].digits
        text += f" ({found.low:.{digits}f} to {found.high:.{digits}f})"
    if measure.goal is not None and client in case.goals_for:
        return f"**{text}** {'met' if is_met(measure, found.middle) else 'MISSED'}"
    return text


def drain(case: Case, clients: Mapping[str, Samples]) -> str:
    """Format the time of the drain and of other raw forms."""
    parts = []
    for name in (DRAIN, *case.beside):
        samples = clients.get(name)
        if samples is not None and samples["seconds"]:
            about = "~" if samples["times"] != 1 else ""
            label = "" if name == DRAIN else f"{name} "
            parts.append(f"{label}{about}{seconds(median(samples['seconds']))}")
    return "; ".join(parts)


def seconds(value: float) -> str:
    """Format a time with three digits, in seconds or milliseconds."""
    return f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms"


def goal(measure: Measure) -> str:
    """Format the goal of a measure."""
    if measure.goal is None:
        return ""
    unit = UNITS[measure.name]
    return f"{'<' if measure.below else '≤'} {unit.write(measure.goal)}{unit.bare}"


def markdown(report: Mapping[str, Any]) -> str:
    """Format the page."""
    by_key = {case.key: case for case in CASES}  # without what --quick changes
    lines = [HEAD, about(report)]
    lines.append("| workload | measured | drain | " + " | ".join(CLIENTS) + " | goal |")
    lines.append("|---" * (len(CLIENTS) + 4) + "|")
    notes = []
    for result in report["cases"]:
        case, clients = by_key[result["key"]], result["clients"]
        case = replace(case, total=result["total"])
        for i, measure in enumerate(case.measures):
            cells = [cell(case, measure, client, clients) for client in CLIENTS]
            title = UNITS[measure.name].title.format(reference=case.reference)
            raw = drain(case, clients) if i == 0 else cell(case, measure, DRAIN, clients)
            row = [case.key if i == 0 else "", title, raw, *cells, goal(measure)]
            lines.append("| " + " | ".join(row) + " |")
        only = f" Here of {case.total:,}." if case.total != by_key[case.key].total else ""
        notes.append(f"- **{case.key}**: {case.title}.{only} {case.note}".rstrip())
    lines += ["", "## What is measured", "", *notes, "", *errors(report)]
    return "\n".join(lines)


ABOUT = """\
Made on {date} in {seconds} s{mode}: {processor}, {cores} cores, {memory}, {kernel}, \
TCP by {congestion}; {versions}.{missing}

A cell has the median of {rounds} rounds, and the least and the greatest; one number means one
round. Who took more than {budget:g} s in a row got fewer, of mirrors at least three; imaplus, up to
{most} times as many where that took less than {enough:.2g} s. A sample that took more than \
{limit:g} s
was ended; of one that raised, the table shows the error's name. `~` marks what was done with fewer
commands and multiplied: a round trip for each takes long. Clients log in once and keep their
connection for all rounds. imaplus is installed beside the Python peers as pip would do it, from the
tree as it is, so the bytecode of all of them lies ready. The server is on the same machine, and
talks without TLS; where root measures on Linux, they have loopback to themselves, and TCP as it
usually sends. Memory is what a worker's peak has grown by after its first sample. Results are
compared between the clients.
"""


def about(report: Mapping[str, Any]) -> str:
    """Describe the machine, the versions and the method."""
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    missing = "".join(f" No {name}: {why}." for name, why in report["missing"].items())
    mode = " (quick mode: one round of peers, and less to do)" if report["quick"] else ""
    told = {**report, **report["machine"], "versions": versions, "missing": missing}
    return ABOUT.format(**told, mode=mode)


def errors(report: Mapping[str, Any]) -> list[str]:
    """List the errors of clients."""
    told = [
        f"- {result['key']}, {client}: {samples['error']}: {samples['message']}".rstrip(": ")
        for result in report["cases"]
        for client, samples in result["clients"].items()
        if samples["error"]
    ]
    return ["## Errors", "", *told, ""] if told else []
